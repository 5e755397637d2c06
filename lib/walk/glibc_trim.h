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

/* Free chunks next to each other, as they would be merged. */
struct pht_trim_run {
    pht_addr start; /* 0: none */
    pht_addr end;
    uint64_t releasable_bytes; /* of the runs that have ended: resident, and would go back */
};

/* The chunk at `addr` is free: it goes on with the run before it, or ends that. */
void pht_trim_run_add(struct pht_trim_run *run, struct pht_snapshot *snapshot, pht_addr addr,
                      uint64_t bytes);
void pht_trim_run_end(struct pht_trim_run *run, struct pht_snapshot *snapshot);

/*
 * The run that reaches the top chunk at `top` becomes part of it. `end` is where top ends. Only
 * the main arena's top is given back; of the other ones nothing is.
 */
void pht_trim_run_end_at_top(struct pht_trim_run *run, struct pht_snapshot *snapshot,
                             const struct pht_glibc_roots *roots,
                             const struct pht_malloc_arena_root *arena, pht_addr top, pht_addr end);

#endif
