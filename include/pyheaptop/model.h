/*
 * The report: everything that is shown, in one object. Views format it and compute nothing.
 *
 * Sizes are bytes, times microseconds. PHT_UNKNOWN means that a number is not known: views show
 * it as null or "-", never as 0.
 */
#ifndef PHT_MODEL_H
#define PHT_MODEL_H

#include <time.h>

#include "pyheaptop/progress.h"
#include "pyheaptop/walk.h"

/* Parts of the report that can be asked for alone; bits of a set. */
enum pht_section {
    PHT_SECTION_KERNEL = 1 << 0,
    PHT_SECTION_CATEGORIES = 1 << 1, /* the ledger: walks all that can be walked */
    PHT_SECTION_PYMALLOC = 1 << 2,
    PHT_SECTION_GLIBC = 1 << 3,
    PHT_SECTION_MAPS = 1 << 4,   /* alone: what the kernel tells, of any process */
    PHT_SECTION_FAMILY = 1 << 5, /* with the categories of what was copied, so as these */
    PHT_SECTION_TYPES = 1 << 6,
    PHT_SECTION_FINDINGS = 1 << 7, /* walks all that can be walked */
    PHT_SECTION_ALL = (1 << 8) - 1,
};

/* What was left out of the report, or is not sure, and what would help. `remedy` may be NULL. */
struct pht_warning {
    const char *id;
    char *text;
    char *remedy;
};

#define PHT_ALLOCATORS_MAX 5

/*
 * How many arenas malloc makes at most, and what says so: "MALLOC_ARENA_MAX" or "GLIBC_TUNABLES"
 * of the environment the target began with, "mallopt" if neither did, "processors" (eight for
 * each) if nobody set it. PHT_UNKNOWN and NULL where that cannot be told; a process may have
 * written over its environment, so the number may be known and its source not.
 */
struct pht_arena_limit {
    uint64_t arenas;
    const char *source;
};

/* Resident memory of malloc by where it came from: brk(2) for the main arena, else mmap(2). */
struct pht_malloc_resident {
    uint64_t main_arena_bytes;
    uint64_t thread_arenas_bytes;
    uint64_t mmapped_bytes; /* chunks with a mapping of their own */
    uint64_t total_bytes;
};

/* ---- the ledger --------------------------------------------------------------------------- */

enum pht_evidence {
    PHT_EVIDENCE_NONE,      /* nothing was looked for, or nothing proves it */
    PHT_EVIDENCE_WALKED,    /* every block and chunk was visited */
    PHT_EVIDENCE_REMAINDER, /* what is left of memory that is known to be an allocator's */
    PHT_EVIDENCE_KERNEL,    /* the mapping tells */
};

/* "walked" and so on; NULL for NONE. */
const char *pht_evidence_name(enum pht_evidence evidence);

/* How a category is called: an id for scripts, a letter for bars, a label for people. */
struct pht_category_name {
    const char *id;
    char letter;
    const char *label;
};

const struct pht_category_name *pht_category_name(enum pht_category category);

struct pht_category_sum {
    uint64_t bytes; /* resident: all categories add up to RSS */
    uint64_t swapped_bytes;
    enum pht_evidence evidence;
};

/* What fills most of a mapping, or what it is while nothing of it is resident. */
enum pht_mapping_kind {
    PHT_MAPPING_ANONYMOUS, /* private memory of which nothing else is known */
    PHT_MAPPING_FILE,
    PHT_MAPPING_SHARED_MEMORY,
    PHT_MAPPING_HEAP, /* brk's */
    PHT_MAPPING_PYMALLOC,
    PHT_MAPPING_MALLOC,
    PHT_MAPPING_MMAPPED,
    PHT_MAPPING_OTHER_ALLOCATOR,
    PHT_MAPPING_PYTHON, /* frame stacks, memory of mmap objects */
    PHT_MAPPING_STACK,
    PHT_MAPPING_LIBRARY, /* .bss, the loader's data, code without a file */
    PHT_MAPPING_KERNEL,  /* vdso and the like */
    PHT_MAPPING_GUARD,   /* no access */
};

const char *pht_mapping_kind_name(enum pht_mapping_kind kind);

struct pht_report_mapping {
    const struct pht_mapping *mapping;
    const struct pht_mapping_memory *memory;
    const struct pht_owned_mapping *owned; /* resident_bytes: pages at the moment of the ledger */
    enum pht_mapping_kind kind;
};

/* Where unattributed bytes are. */
struct pht_unattributed {
    size_t mapping; /* in pht_report.mappings */
    uint64_t bytes;
    const char *tried; /* what was looked for there */
};

/*
 * A process of the target's family. Only anonymous memory counts: page cache is shared by all.
 * A page is shared with the target if both have the same frame at the same address; it was copied
 * if the process and its parent both have one there, and not the same: one of them wrote to it
 * since the fork, or each made its own. PHT_UNKNOWN where there is nobody to compare with.
 */
struct pht_family_row {
    pid_t pid;
    pid_t ppid;
    char *comm;
    uint64_t rss_bytes;
    uint64_t pss_bytes;
    bool is_target;
    unsigned depth; /* in the tree of the family */
    uint64_t shared_with_target_bytes;
    uint64_t copied_bytes;
    struct pht_split copied; /* by what the target has at these addresses */
};

/* ---- findings ------------------------------------------------------------------------------ */

enum pht_severity {
    PHT_SEVERITY_HIGH,
    PHT_SEVERITY_MEDIUM,
    PHT_SEVERITY_INFO,
};

/* "high" and so on. */
const char *pht_severity_name(enum pht_severity severity);

/* A figure that a finding rests on, under its name in the JSON: a number, or a name. */
struct pht_finding_figure {
    const char *name;
    uint64_t number; /* PHT_UNKNOWN: not known; nothing if there is a text */
    char *text;      /* NULL: a number */
};

#define PHT_FINDING_FIGURES_MAX 16

/*
 * What is remarkable, in sentences that are fit to print, and what to try. `bytes` is what could be
 * saved at most; of one that only tells (INFO), what it is about. PHT_UNKNOWN where that is no
 * matter of bytes.
 */
struct pht_finding {
    const char *id;
    enum pht_severity severity;
    uint64_t bytes;
    char *text;
    char *remedy;
    struct pht_finding_figure figures[PHT_FINDING_FIGURES_MAX];
    size_t figure_count;
};

struct pht_findings {
    bool known;                /* they were asked for */
    bool is_partial;           /* an allocator or the objects were not walked: no all-clear */
    uint64_t live_bytes;       /* of RSS: in use by somebody, or of files; if known */
    struct pht_finding *items; /* by severity, then the most bytes first */
    size_t count;
    size_t capacity;
};

struct pht_report {
    struct timespec taken_at;
    unsigned sections;  /* that were asked for */
    unsigned walks;     /* sections whose walkers run: those, and what the ledger needs */
    bool without_types; /* objects were not to be counted */
    uint32_t number;    /* 1 for the first snapshot of a run */

    struct pht_process process;
    struct pht_python *python; /* NULL: not looked for, or not found */
    struct pht_libc *libc;     /* NULL: not looked for, or none is mapped */
    enum pht_object_allocator object_allocator;
    const char *allocators[PHT_ALLOCATORS_MAX]; /* that own memory in the target */
    size_t allocator_count;
    struct pht_foreign_allocator foreign_allocators[PHT_FOREIGN_ALLOCATORS]; /* that are loaded */
    size_t foreign_allocator_count;

    struct pht_snapshot_stats snapshot;
    bool has_snapshot;
    uint64_t walk_us;
    uint64_t rereads; /* by all walkers; PHT_UNKNOWN if none ran */
    bool complete;    /* nothing was torn, unreadable or left out of what was asked for */

    struct pht_kernel_memory kernel;
    struct pht_cgroup_memory cgroup;
    bool is_layout_file_unused;     /* one was given, and has other builds */
    struct pht_pymalloc *pymalloc;  /* NULL: see warnings */
    struct pht_glibc *glibc;        /* NULL: see warnings */
    struct pht_objects *objects;    /* NULL: see warnings */
    struct pht_gc *gc;              /* NULL: see warnings */
    struct pht_freelists freelists; /* none: see warnings */
    struct pht_malloc_resident malloc_resident;
    struct pht_arena_limit arena_limit;

    struct pht_smaps smaps;    /* of the moment at which the ledger was begun */
    struct pht_owners *owners; /* NULL: no ledger */
    struct pht_regions regions;
    bool has_ledger;
    struct pht_category_sum categories[PHT_CATEGORIES]; /* if has_ledger */
    uint64_t attributed_bytes;
    struct pht_report_mapping *mappings; /* by address */
    size_t mapping_count;
    struct pht_unattributed *unattributed; /* most first */
    size_t unattributed_count;

    struct pht_family_row *family; /* parents before their children; the target is one of them */
    size_t family_count;
    bool has_family;              /* it was looked for */
    uint64_t family_shared_bytes; /* anonymous pages of the target that any relative shares */
    bool family_is_exact; /* by page frames; else shared is what is not exclusive to either */

    struct pht_findings findings;

    struct {
        struct pht_warning *items;
        size_t count;
        size_t capacity;
    } warnings;
};

struct pht_report_options {
    unsigned sections; /* set of enum pht_section */
    struct pht_layout_options layout;
    struct pht_snapshot_options snapshot;
    bool without_types; /* no census: Python's large objects cannot be told from other chunks */
    struct pht_census_options census;
    const char *sandbox_failure; /* why there is no sandbox, for a warning; or NULL */
    uint32_t number;
    const struct pht_watch *watch; /* NULL: nobody watches */
};

/*
 * Look at the target and make a report. What cannot be walked is a warning; errors are those of
 * access, of exit and exec, of a target that is not what the wanted sections need, and
 * PHT_ERROR_CANCELLED.
 */
struct pht_error *pht_report_take(struct pht_target *target,
                                  const struct pht_report_options *options,
                                  struct pht_report **ret);
void pht_report_destroy(struct pht_report *report);

/*
 * How long after a snapshot the next one may be taken, if one is wanted after `wanted_us`: so that
 * the target is stopped for less than 0.5 % of the time, if the next stop is like the last.
 */
uint64_t pht_pace_us(const struct pht_report *report, uint64_t wanted_us);

/* ---- growth between two reports ------------------------------------------------------------ */

enum pht_figure_kind {
    PHT_FIGURE_CATEGORY,
    PHT_FIGURE_TYPE,
    PHT_FIGURE_SIZE_CLASS, /* blocks of pymalloc in use */
    PHT_FIGURE_UNOWNED,    /* chunks of malloc in use that no object owns */
    PHT_FIGURE_KINDS,
};

struct pht_figure {
    char *name;      /* of a category its id; "" for sizes */
    char *module;    /* of a type; "" for others */
    uint64_t number; /* address of a type; size of a block; the smallest of such chunks */
    uint64_t count;  /* objects, blocks, chunks; 0 for categories */
    uint64_t bytes;  /* below 2^63, as `count` */
};

/* What a report says of each, as its JSON has it. */
struct pht_figures {
    char *taken_at; /* as written there */
    int64_t pid;
    int64_t start_time_ticks;
    char *comm;
    int64_t rss_bytes;
    struct pht_figure_list {
        bool known;
        struct pht_figure *items;
        size_t count;
        size_t capacity;
    } lists[PHT_FIGURE_KINDS];
};

/*
 * The figures of a report, as its JSON would have them. They stand on their own: a baseline
 * outlives the report. NULL when memory is short.
 */
struct pht_figures *pht_figures_create(const struct pht_report *report);
void pht_figures_destroy(struct pht_figures *figures);

/* `before` or `after` may be NULL: it was not there, or is not any more. */
struct pht_growth {
    const struct pht_figure *figure; /* one of them, for its name */
    const struct pht_figure *before;
    const struct pht_figure *after;
    int64_t bytes; /* less than 0: it shrank */
    int64_t count;
};

/*
 * What differs, the largest growth first and what shrank most last. Types go by their addresses in
 * one process, else by their names. A list is known if both reports have it.
 */
struct pht_diff {
    const struct pht_figures *before;
    const struct pht_figures *after;
    bool same_process;
    struct pht_growth_list {
        bool known;
        struct pht_growth *items;
        size_t count;
    } lists[PHT_FIGURE_KINDS];
};

/* Refers to both, which are sorted by this. False when memory is short. */
bool pht_diff_make(struct pht_figures *before, struct pht_figures *after, struct pht_diff *ret);
void pht_diff_deinit(struct pht_diff *diff);

/*
 * Judge the report anew, with what grew since `baseline`, which is sorted by this. A report whose
 * findings were not asked for has none. False when memory is short; there are no findings then.
 */
bool pht_findings_compare(struct pht_report *report, struct pht_figures *baseline);

/* Add a warning; `remedy` is copied and may be NULL. False when memory is short. */
bool pht_report_warn(struct pht_report *report, const char *id, const char *remedy,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
