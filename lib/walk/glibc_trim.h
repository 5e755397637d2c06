/*
 * What malloc_trim(0) would give back (malloc.c: mtrim, systrim, malloc_consolidate):
 *
 * - up to 2.42 chunks in fastbins first merge with the free chunks around them, or with top;
 * - of every free chunk, the whole pages behind its header and links go back by madvise(2);
 * - of the main arena's top, all whole pages but the first bytes go back by brk(2).
 */
#ifndef PHT_LIB_WALK_GLIBC_TRIM_H
#define PHT_LIB_WALK_GLIBC_TRIM_H

#include "walk/glibc.h"
#include "walk/glibc_fastbins.h"
#include "walk/ranges.h"

/* Free chunks next to each other, as they would be merged. */
struct pht_free_run {
    pht_addr start; /* 0: none */
    pht_addr end;
    size_t noted; /* runs that have ended, in the ranges that are kept of them */
};

/*
 * The chunk at `addr` is free: it goes on with the run before it, or ends that. Runs that may hold
 * a whole page are kept in `ranges`, which a walk that goes back shortens to `run->noted`. False
 * when memory is short.
 */
bool pht_free_run_add(struct pht_free_run *run, struct pht_ranges *ranges, pht_addr addr,
                      uint64_t bytes);
bool pht_free_run_end(struct pht_free_run *run, struct pht_ranges *ranges);

/* The same where top comes next, for which a few bytes more may make a page. */
bool pht_free_run_end_at_top(struct pht_free_run *run, struct pht_ranges *ranges);

/*
 * Resident bytes that would go back. `live` are chunks that stand in runs by mistake, by address.
 * Top is [top, top_end), or nothing; a run that reaches it becomes part of it.
 */
uint64_t pht_trim_releasable(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                             const struct pht_malloc_arena_root *arena,
                             const struct pht_ranges *ranges, const struct pht_guessed_chunks *live,
                             pht_addr top, pht_addr top_end);

#endif
