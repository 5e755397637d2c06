/*
 * The report: everything that is shown, in one object. Views format it and compute nothing.
 *
 * Sizes are bytes, times microseconds. PHT_UNKNOWN means that a number is not known: views show
 * it as null or "-", never as 0.
 */
#ifndef PHT_MODEL_H
#define PHT_MODEL_H

#include <time.h>

#include "pyheaptop/walk.h"

/* Parts of the report that can be asked for alone; bits of a set. */
enum pht_section {
    PHT_SECTION_KERNEL = 1 << 0,
    PHT_SECTION_PYMALLOC = 1 << 1,
    PHT_SECTION_GLIBC = 1 << 2,
    PHT_SECTION_ALL = PHT_SECTION_KERNEL | PHT_SECTION_PYMALLOC | PHT_SECTION_GLIBC,
};

/* What was left out of the report, or is not sure, and what would help. `remedy` may be NULL. */
struct pht_warning {
    const char *id;
    char *text;
    char *remedy;
};

#define PHT_ALLOCATORS_MAX 2

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

struct pht_report {
    struct timespec taken_at;
    unsigned sections; /* that were asked for */
    uint32_t number;   /* 1 for the first snapshot of a run */

    struct pht_process process;
    struct pht_python *python; /* NULL: not looked for, or not found */
    struct pht_libc *libc;     /* NULL: not looked for, or none is mapped */
    enum pht_object_allocator object_allocator;
    const char *allocators[PHT_ALLOCATORS_MAX]; /* that own memory in the target */
    size_t allocator_count;

    struct pht_snapshot_stats snapshot;
    bool has_snapshot;
    uint64_t walk_us;
    uint64_t rereads; /* by all walkers; PHT_UNKNOWN if none ran */
    bool complete;    /* nothing was torn, unreadable or left out of what was asked for */

    struct pht_kernel_memory kernel;
    struct pht_cgroup_memory cgroup;
    struct pht_pymalloc *pymalloc; /* NULL: see warnings */
    struct pht_glibc *glibc;       /* NULL: see warnings */
    struct pht_malloc_resident malloc_resident;
    struct pht_arena_limit arena_limit;

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
    uint32_t number;
};

/*
 * Look at the target and make a report. What cannot be walked is a warning; errors are those of
 * access, of exit and exec, and of a target that is not what the wanted sections need.
 */
struct pht_error *pht_report_take(struct pht_target *target,
                                  const struct pht_report_options *options,
                                  struct pht_report **ret);
void pht_report_destroy(struct pht_report *report);

/* Add a warning; `remedy` is copied and may be NULL. False when memory is short. */
bool pht_report_warn(struct pht_report *report, const char *id, const char *remedy,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
