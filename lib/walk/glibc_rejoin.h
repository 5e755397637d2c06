/*
 * Where a target is at work, what was read of it is soon out of date: the place at which a walk
 * has arrived may be in the middle of a chunk by now. But chunks that fit to each other, so many
 * in a row, are no accident, and chunks that the target is not at work on stand as they should.
 */
#ifndef PHT_LIB_WALK_GLIBC_REJOIN_H
#define PHT_LIB_WALK_GLIBC_REJOIN_H

#include "walk/glibc_chunks.h"

struct pht_chunk_cover {
    pht_addr start;
    pht_addr end;
    bool in_use;
};

/*
 * The chunk that covers `addr` by now, told by a chain that leads across it; chunks end at `last`
 * for sure. False if none is found.
 */
bool pht_chunk_find_cover(struct pht_chunk_walk *walk, pht_addr addr, pht_addr last,
                          struct pht_chunk_cover *ret);

/* Where a chain begins behind `addr`; `last` if not in the next 128 KiB. */
pht_addr pht_chunk_next_chain(struct pht_chunk_walk *walk, pht_addr addr, pht_addr last);

#endif
