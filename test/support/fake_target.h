/*
 * A target made of byte arrays. It answers as a live one would, and keeps a record of what it was
 * asked, so that a test can prove what was never touched.
 *
 * It holds a reader to this: a page is read only if the last scan called it resident, and if it
 * lies in a private mapping that may be read, and as exclusive only if no fork has left it shared.
 * Everything else counts as a forbidden read.
 */
#ifndef PHT_TEST_SUPPORT_FAKE_TARGET_H
#define PHT_TEST_SUPPORT_FAKE_TARGET_H

#include <pthread.h>

#include "base/vec.h"
#include "pyheaptop/target.h"

enum fake_page {
    FAKE_ABSENT,
    FAKE_RESIDENT,
    FAKE_SWAPPED,
};

/* Bits of a set. */
enum fake_kind {
    FAKE_PRIVATE = 0,
    FAKE_SHARED = 1 << 0,
    FAKE_UNREADABLE = 1 << 1,
    FAKE_FILE = 1 << 2,
    FAKE_READ_ONLY = 1 << 3,
    FAKE_EXECUTABLE = 1 << 4,
    FAKE_FORKED = 1 << 5, /* private, and still shared since a fork */
};

/* Content of pages that nobody may look at. */
#define FAKE_POISON 0xa5

struct fake_mapping {
    pht_addr start;
    pht_addr end;
    pht_addr cut; /* what lies from here on is no longer mapped, or not yet */
    unsigned kind;
    uint64_t inode; /* of its file */
    uint64_t offset;
    bool gone;
    const char *name;
    uint8_t *bytes;
    uint8_t *pages; /* enum fake_page as it is now */
    uint8_t *told;  /* as the last scan said */
};

/* What becomes of one stop. All false: it is had, and ends when it should. */
struct fake_stop {
    bool gives_up;
    bool is_left_out;
    bool expires;
    bool stop_fails;
    bool resume_fails;
    uint64_t stopped_us;
};

#define FAKE_STOPS_MAX 8

/* A page of a relative. */
struct fake_relative_page {
    pht_addr addr;
    struct pht_family_page page;
};

struct fake_relative {
    struct pht_relative relative;             /* `comm` must last as long as the fake */
    PHT_VEC(struct fake_relative_page) pages; /* by address */
};

struct fake_target {
    struct pht_target *target;
    PHT_VEC(struct fake_mapping) mappings; /* by start */
    size_t last_found;
    pthread_mutex_t lock;

    struct fake_stop stop_plan[FAKE_STOPS_MAX]; /* of the first stop, the second, ... */
    bool stopped;
    unsigned stops;
    unsigned resumes;
    uint64_t max_stop_us; /* as last asked for */

    unsigned maps_reads;
    unsigned failing_maps_read; /* the n-th fails; 0: none */
    unsigned scans;
    unsigned scan_limit; /* more scans than this fail the test; 0: none */
    bool scans_fail;
    bool hides_zero_pages;
    unsigned checks;
    bool has_ended;

    bool has_files; /* those that are mapped can be opened, and hold what is mapped */
    unsigned opened_files;
    unsigned file_tail; /* so many of their last bytes are missing */

    const char *environment; /* the test's own; NULL: it may not be read */
    size_t environment_bytes;

    struct pht_kernel_memory counters; /* peak and faults */
    struct pht_cgroup_memory cgroup;
    bool smaps_fail;
    bool counters_fail;

    PHT_VEC(struct fake_relative) relatives;
    bool is_alone; /* the test added none of them */
    bool sees_frames;
    bool misses_relatives;
    bool family_fails;

    /* Called before each range is read; the first is number 1. May change anything. */
    void (*on_read)(struct fake_target *fake, uint64_t number, pht_addr addr, void *context);
    void (*on_stop)(struct fake_target *fake, void *context);
    void (*on_resume)(struct fake_target *fake, void *context);
    void *context;

    uint64_t read_count;
    uint64_t read_bytes;
    uint64_t largest_read;
    uint64_t forbidden_reads;
    pht_addr first_forbidden;
};

struct fake_target *fake_target_create(void);
void fake_target_set_processors(struct fake_target *fake, uint32_t processors);
void fake_target_destroy(struct fake_target *fake);

/* Page-aligned and clear of other mappings; its pages are absent. */
void fake_target_map(struct fake_target *fake, pht_addr start, pht_addr end, unsigned kind);
void fake_target_unmap(struct fake_target *fake, pht_addr start);

/* `name` must last as long as the fake. */
void fake_target_set_name(struct fake_target *fake, pht_addr start, const char *name);

/* The mapping of FAKE_FILE at `start` is of that file; all are of the same one otherwise. */
void fake_target_set_file(struct fake_target *fake, pht_addr start, uint64_t inode,
                          uint64_t offset);

/* What mprotect(2) does to a whole mapping. */
void fake_target_set_kind(struct fake_target *fake, pht_addr start, unsigned kind);

/* The mapping that holds `addr` is two from there on, as madvise(2) of a part makes them. */
void fake_target_split(struct fake_target *fake, pht_addr addr);

/* The mapping at `start` ends at `end`, page-aligned and no further than it was mapped. */
void fake_target_cut(struct fake_target *fake, pht_addr start, pht_addr end);

/* Every page that [start, end) touches. Those that become resident are filled with zeros. */
void fake_target_set_pages(struct fake_target *fake, pht_addr start, pht_addr end,
                           enum fake_page page);

/* The target's own memory, whatever the state of its page; all of the range in one mapping. */
void *fake_target_bytes(struct fake_target *fake, pht_addr addr, size_t size);
void fake_target_put(struct fake_target *fake, pht_addr addr, const void *bytes, size_t size);
void fake_target_put_u32(struct fake_target *fake, pht_addr addr, uint32_t value);
void fake_target_put_u64(struct fake_target *fake, pht_addr addr, uint64_t value);
uint32_t fake_target_u32(struct fake_target *fake, pht_addr addr);
uint64_t fake_target_u64(struct fake_target *fake, pht_addr addr);

/*
 * A member of the family, its parents before it: its place in `relatives`. The target, pid 42, has
 * to be added too. A fake without any has only the target there, with its resident pages as they
 * are, mapped by nobody else.
 */
int fake_target_add_relative(struct fake_target *fake, pid_t pid, int parent);

/* Pages of a relative, in the order of their addresses. Others are not there. */
void fake_target_put_relative_page(struct fake_target *fake, int member, pht_addr addr,
                                   struct pht_family_page page);

/* Forget what was asked so far. */
void fake_target_reset_record(struct fake_target *fake);

#endif
