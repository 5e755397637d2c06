/*
 * One process that is looked at: who it is, what is mapped, its memory, which of its pages are
 * resident, and how to stop it for a moment. Nothing here interprets memory, and nothing writes
 * to the target.
 *
 * A target is reached through a table of operations (target/ops.h), so that a core file or a
 * heap made up by a test can stand in for a live process.
 */
#ifndef PHT_TARGET_H
#define PHT_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "pyheaptop/error.h"

/* An address in the target: a number, never a pointer of ours. */
typedef uint64_t pht_addr;

#define PHT_PAGE_BYTES 4096

/* Addresses of processes end here on every 64-bit Linux; a larger one is damage. */
#define PHT_USER_ADDR_MAX (((pht_addr)1 << 57) - 1)

struct pht_target;

/* Progress and decisions for --verbose; `line` ends without a newline. */
struct pht_log {
    void (*write)(void *context, const char *line);
    void *context;
};

/* ---- identity ----------------------------------------------------------------------------- */

/*
 * All text is as the kernel gave it: any bytes. `command` holds `command_bytes` bytes, each
 * argument ended by NUL. `exe` is the kernel's name of the file, " (deleted)" included, "" when
 * it may not be read.
 */
struct pht_process {
    pid_t pid;
    uint64_t start_time_ticks;
    uint64_t uptime_seconds;
    char *comm;
    char *command;
    size_t command_bytes;
    char *exe;
    uid_t uid;
    uint32_t threads;
    uint32_t processors; /* that its first thread may run on; 0: unknown */
};

/*
 * Open a live process. The pid is held by a pidfd and its start time, so that a pid that is used
 * again is noticed. Refusals come back diagnosed (PHT_ERROR_EPERM_*), and so do 32-bit programs.
 * The target *keeps* `log` (may be NULL).
 */
struct pht_error *pht_target_open(pid_t pid, const struct pht_log *log, struct pht_target **ret);

/* The same in a sandbox: what that forbids the steward does. The target *keeps* it too. */
struct pht_steward;
struct pht_error *pht_target_open_through(pid_t pid, const struct pht_log *log,
                                          struct pht_steward *steward, struct pht_target **ret);
void pht_target_destroy(struct pht_target *target);

const struct pht_process *pht_target_process(const struct pht_target *target);

/* The steward that it was opened with, or NULL. */
struct pht_steward *pht_target_steward(const struct pht_target *target);

/* Write a line to the target's log, if it has one. */
void pht_target_note(const struct pht_target *target, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The environment that the process began with: `*ret` holds `bytes` bytes, each variable ended by
 * NUL, the last one perhaps not; whatever the process has made of them since. Only the first MiB,
 * in whole variables. Where it may not be read, `*ret` is NULL. The caller frees it.
 */
struct pht_error *pht_target_read_environment(struct pht_target *target, char **ret, size_t *bytes);

/* NULL while the process is the one that was opened, and alive. */
struct pht_error *pht_target_check(struct pht_target *target);

/* ---- mappings ----------------------------------------------------------------------------- */

/*
 * A line of /proc/PID/maps:
 *
 *     7f2b9c000000-7f2b9c021000 rw-p 00000000 fe:00 393233   /usr/lib/libfoo.so (deleted)
 *     start        end          perms offset  device inode   name
 *
 * `name` is unescaped, "" where the kernel gives none, and without " (deleted)".
 */
struct pht_mapping {
    pht_addr start;
    pht_addr end;
    uint64_t offset;
    uint64_t inode;
    uint32_t dev_major;
    uint32_t dev_minor;
    bool readable;
    bool writable;
    bool executable;
    bool shared;
    bool deleted;
    const char *name;
};

/* Sorted by address, without overlaps. Owns its names. */
struct pht_maps {
    struct pht_mapping *items;
    size_t count;
    char *names;
};

struct pht_error *pht_target_read_maps(struct pht_target *target, struct pht_maps *ret);
void pht_maps_deinit(struct pht_maps *maps);

/* The mapping that holds `addr`, NULL if none does. */
const struct pht_mapping *pht_maps_find(const struct pht_maps *maps, pht_addr addr);

/*
 * Open the file behind a mapping for reading, wherever it lives: deleted, replaced, in another
 * mount namespace. -1 and errno where it cannot be had.
 */
int pht_target_open_mapped(struct pht_target *target, const struct pht_mapping *mapping);

/*
 * Open `path` as the target sees it (its root); a symbolic link cannot lead out of that root.
 * Only regular files are opened. -1 and errno where it cannot be had.
 */
int pht_target_open_path(struct pht_target *target, const char *path);

/* ---- memory ------------------------------------------------------------------------------- */

/*
 * `got` bytes of `size` were read, from the start on; the rest of `buffer` is unchanged.
 *
 * `exclusive` says that no other process maps these pages. process_vm_readv(2), the fast way, pins
 * what it reads, and a page that fork left shared must not be pinned: the kernel copies it first
 * (gup_must_unshare(), mm/gup.c of Linux 5.19), in the target. So all else is read through
 * /proc/PID/mem, which takes a reference only.
 */
struct pht_read {
    pht_addr addr;
    void *buffer;
    uint32_t size;
    uint32_t got;
    bool exclusive;
};

/*
 * Read many ranges; exclusive ones that follow each other 1,024 a system call. A hole costs its own
 * range and no more. This is the raw operation: it does not ask whether a page is resident. Stages
 * above read through the snapshot, which does.
 */
void pht_target_read(struct pht_target *target, struct pht_read *reads, size_t count);

/*
 * Which pages of [start, end) are resident, and which are in swap: bit i of each map is page i.
 * A page that maps the kernel's page of zeros is neither. `start` and `end` are page-aligned.
 */
struct pht_error *pht_target_scan_pages(struct pht_target *target, pht_addr start, pht_addr end,
                                        uint64_t *resident, uint64_t *swapped);

/*
 * Which of the `resident` pages of [start, end) no other process maps: they may be read the way
 * that would make the target copy what a fork left shared.
 */
struct pht_error *pht_target_scan_exclusive(struct pht_target *target, pht_addr start, pht_addr end,
                                            const uint64_t *resident, uint64_t *exclusive);

/* False where the kernel cannot tell pages of zeros from others: they count as resident then. */
bool pht_target_sees_zero_pages(const struct pht_target *target);

/* ---- stopping ----------------------------------------------------------------------------- */

enum pht_stop_outcome {
    PHT_STOP_STOPPED,
    /* Not every thread stopped in time (or at all); the target runs, as if never asked. */
    PHT_STOP_GAVE_UP,
    /* It has more threads than can be stopped in time, or that has failed of late: not tried. */
    PHT_STOP_NOT_TRIED,
};

/*
 * Stop all threads. The target runs again after pht_target_resume(), at the latest `max_us`
 * after the first thread was asked to stop, whatever happens to this process meanwhile.
 */
struct pht_error *pht_target_stop(struct pht_target *target, uint64_t max_us,
                                  enum pht_stop_outcome *ret);

/*
 * Let the target run, and say for how long it was stopped: from the first request to the last
 * release. `*expired` is true if the limit had ended the stop before.
 */
struct pht_error *pht_target_resume(struct pht_target *target, uint64_t *stopped_us, bool *expired);

/*
 * Let every other thread of the machine go before the calling one, so that a target that wakes up
 * finds a processor. Not during a stop, and not for longer than the thread gets along: where the
 * machine is busy enough to starve it, it competes again. NULL, and nothing to end, where that
 * cannot be had. Ends in the thread that began it.
 */
struct pht_courtesy;
struct pht_courtesy *pht_courtesy_begin(void);

/* For a thread that was begun by one that gives way, and so does the same: NULL if it does not. */
struct pht_courtesy *pht_courtesy_inherit(void);
void pht_courtesy_end(struct pht_courtesy *courtesy);

/* ---- what the kernel says ----------------------------------------------------------------- */

/*
 * What smaps(5) says of one mapping, in bytes. Its pages are counted neither in `rss_bytes` nor in
 * the process's RSS if they are huge ones of hugetlbfs, or no memory at all but a device's:
 * `is_outside_rss` then (VmFlags ht, pf, io, and nothing in Rss: a device's mapping may hold
 * ordinary pages, which are counted).
 */
struct pht_mapping_memory {
    uint64_t rss_bytes;
    uint64_t pss_bytes;
    uint64_t exclusive_bytes; /* mapped by nobody else: Private_Clean and Private_Dirty */
    uint64_t shared_bytes;    /* Shared_Clean and Shared_Dirty */
    uint64_t anonymous_bytes;
    uint64_t swap_bytes;
    uint64_t huge_bytes; /* of hugetlbfs */
    bool is_outside_rss;
};

/* The mappings, and of each what it holds. */
struct pht_smaps {
    struct pht_maps maps;
    struct pht_mapping_memory *memory; /* as many as there are mappings */
};

struct pht_error *pht_target_read_smaps(struct pht_target *target, struct pht_smaps *ret);
void pht_smaps_deinit(struct pht_smaps *smaps);

/* True if what backs the mapping's pages is shared memory: shm, memfd, tmpfs, MAP_SHARED alone. */
bool pht_mapping_is_shmem(const struct pht_mapping *mapping);

/* Bytes, from smaps unless said otherwise. Unknown: UINT64_MAX. */
struct pht_kernel_memory {
    uint64_t rss_bytes;
    uint64_t anon_bytes;
    uint64_t file_bytes;
    uint64_t shmem_bytes;
    uint64_t pss_bytes;
    uint64_t uss_bytes;
    uint64_t swap_bytes;
    uint64_t virtual_bytes;
    uint64_t huge_bytes;     /* of hugetlbfs, which RSS leaves out */
    uint64_t peak_rss_bytes; /* VmHWM of status */
    uint64_t minor_faults;   /* of stat, as the next */
    uint64_t major_faults;
    bool is_stopped; /* by a signal: none of it runs */
};

/* Add up what comes from smaps; the rest of `ret` stays as it is. */
void pht_smaps_sum(const struct pht_smaps *smaps, struct pht_kernel_memory *ret);

/* The rest: peak, faults, and whether it is stopped. */
struct pht_error *pht_target_read_counters(struct pht_target *target,
                                           struct pht_kernel_memory *ret);

/*
 * The memory controller of the target's cgroup (v1 or v2). No limit: UINT64_MAX. v1 has no high
 * mark: UINT64_MAX as well; `oom_kills` is UINT64_MAX where the kernel does not count them.
 */
struct pht_cgroup_memory {
    bool known;
    uint64_t limit_bytes;
    uint64_t high_bytes;
    uint64_t current_bytes;
    uint64_t peak_bytes;
    uint64_t oom_kills;
};

void pht_target_read_cgroup_memory(struct pht_target *target, struct pht_cgroup_memory *ret);

/* ---- relatives ---------------------------------------------------------------------------- */

/*
 * A process that came from the same exec as the target, by fork alone: its parent, its children,
 * the children of its parent, as long as they run the same program in the same address space
 * layout. The target is one of them.
 */
struct pht_relative {
    pid_t pid;
    pid_t ppid;
    char *comm;
    /* Of smaps_rollup; UINT64_MAX of the target, whose smaps has it, and where it may not be read.
     */
    uint64_t rss_bytes;
    uint64_t pss_bytes;
    int pagemap_fd; /* -1 where it may not be read */
    bool is_target;
    int parent; /* its place in the family; -1 if its parent is not of it */
};

/*
 * One page of a relative, as pagemap(5) has it. A page that is mapped, but is the kernel's page of
 * zeros, is not anonymous; where pht_target_sees_zero_pages() is false, it seems to be. Before
 * Linux 6.11 huge pages of shared memory seem to be as well: only the mapping tells.
 */
struct pht_family_page {
    bool anonymous; /* present, and neither of a file nor of shared memory */
    bool exclusive; /* mapped once only */
    uint64_t frame; /* 0 where the kernel hides it, and where nothing is present */
};

/* Parents before their children. */
struct pht_family {
    struct pht_relative *items;
    size_t count;
    bool sees_frames; /* the kernel shows page frames: CAP_SYS_ADMIN */
    bool complete;    /* false if there were more than are looked at, or some could not be read */

    /* For pht_family_read_pages(), so that a test can make up pages. `reader` is malloc'ed. */
    bool (*read_pages)(const struct pht_family *family, size_t member, pht_addr addr, size_t count,
                       struct pht_family_page *ret);
    void *reader;
};

/* Short memory is the only error. A target that ended has no family, and that is not complete. */
struct pht_error *pht_target_read_family(struct pht_target *target, struct pht_family *ret);
void pht_family_deinit(struct pht_family *family);

/*
 * `count` pages from `addr` on. Pages that cannot be read are not anonymous. False if nothing
 * could be read.
 */
bool pht_family_read_pages(const struct pht_family *family, size_t member, pht_addr addr,
                           size_t count, struct pht_family_page *ret);

/* ---- ourselves ---------------------------------------------------------------------------- */

/*
 * From here on this process can read files and memory, have threads, and write to what is open;
 * and no more, whatever a target makes of it: no programs, no network, no tracing, no signals, no
 * writing of files or of memory. Capabilities that this does not need are given up, for good.
 * Before there are threads. False with errno set if the kernel has no such filters, or forbids
 * them: capabilities are given up all the same.
 */
bool pht_sandbox_enter(void);

/* What the sandbox forbids, and the steward does. */
enum pht_duty {
    PHT_DUTY_STOP,       /* stop a process, by a helper of its own */
    PHT_DUTY_PAGEMAP,    /* open a page map with CAP_SYS_ADMIN, which shows frames */
    PHT_DUTY_CACHE,      /* keep a layout, or forget it */
    PHT_DUTY_DEBUG_FILE, /* ask servers for debug information */
    PHT_DUTY_OUTPUT,     /* the file of a report */
    PHT_DUTY_EXPORT,     /* files of a report that is on the screen */
    PHT_DUTIES,
};

#define PHT_ERRAND_BYTES_MAX ((size_t)96 << 10)

/* As the steward sees it: it may come from somebody who has taken over the process that asks. */
struct pht_errand {
    const void *request;
    size_t bytes;
    int with;   /* a descriptor that came with it; -1 */
    int answer; /* one that is to go back, and is closed here then; -1 */
};

/* Returns 0 or an errno. Runs in the steward, where `context` is as it was when that began. */
struct pht_duty_row {
    int (*perform)(void *context, struct pht_errand *errand);
    void *context;
};

struct pht_duties {
    struct pht_duty_row of[PHT_DUTIES];
};

/*
 * A process that does these things on request, and ends with this one. Before the sandbox, and
 * before there are threads. Duties of this stage are its own; the others are given, or refused.
 */
struct pht_error *pht_steward_begin(const struct pht_duties *duties, struct pht_steward **ret);
void pht_steward_end(struct pht_steward *steward);

/*
 * Returns what the duty did, EPIPE if the steward is gone. `with`: a descriptor to lend, -1 for
 * none. `answer` may be NULL; the descriptor that came back is the caller's, -1 if none did. From
 * any thread.
 */
int pht_steward_ask(struct pht_steward *steward, enum pht_duty duty, const void *request,
                    size_t bytes, int with, int *answer);

/* ---- other processes ---------------------------------------------------------------------- */

/* A process that looks like Python by its program's name or a library's. */
struct pht_candidate {
    pid_t pid;
    uint64_t rss_bytes;
    char *command; /* arguments joined by spaces, fit to print */
    char *names;   /* what it can be called: comm and the file names among its first arguments,
                      each ended by NUL, the last by two */

    /* After pht_candidates_look(). */
    pid_t ppid;              /* 0: not known */
    char *user;              /* name, or number; NULL: not known */
    uint64_t pss_bytes;      /* UINT64_MAX: may not be read */
    uint64_t uptime_seconds; /* UINT64_MAX: not known */
    char version[8];         /* "3.11", as the program or its library is called; "": not known */
};

struct pht_candidates {
    struct pht_candidate *items; /* largest first */
    size_t count;
    size_t hidden; /* that are called python and belong to others, as far as it is known */
};

/* Those that we may look at, ourselves left out. */
struct pht_error *pht_candidates_find(struct pht_candidates *ret);

/*
 * Find out more of each, for a list to choose from. The kernel adds up PSS page by page, with the
 * target's mappings held still meanwhile: not for lists that are made all the time.
 */
void pht_candidates_look(struct pht_candidates *candidates);

void pht_candidates_deinit(struct pht_candidates *candidates);

/* True if `name` is one of the candidate's names, ".py" at their end left out or not. */
bool pht_candidate_is_called(const struct pht_candidate *candidate, const char *name);

/*
 * The first child process that runs Python, with its command line fit to print (caller frees);
 * 0 if there is none.
 */
pid_t pht_target_python_child(struct pht_target *target, char **command);

#endif
