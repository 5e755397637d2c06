/*
 * Where an arena ends by now. Top moves while chunks are walked: down when what was before it is
 * freed, up when chunks are cut from it, into memory that the arena got since, or into another
 * heap.
 */
#ifndef PHT_LIB_WALK_GLIBC_TOP_H
#define PHT_LIB_WALK_GLIBC_TOP_H

#include "walk/glibc_chunks.h"

/* Where the arena's top is by now; where it was in the stop, if that cannot be told. */
pht_addr pht_chunk_read_top(struct pht_chunk_walk *walk);

/* Note where top is by now, unless that is before `from`. */
void pht_chunk_follow_top(struct pht_chunk_walk *walk, pht_addr from);

/* True if the piece has grown beyond where it ended in the stop. */
bool pht_chunk_has_grown(const struct pht_chunk_walk *walk);

/* No chunk goes beyond this. */
static inline pht_addr pht_chunk_last(const struct pht_chunk_walk *walk)
{
    return walk->top != 0 ? walk->top : walk->reach;
}

/* True if all from `from` on, which the walk took for chunks, is behind top by now. */
bool pht_chunk_is_top_by_now(struct pht_chunk_walk *walk, pht_addr from);

#endif
