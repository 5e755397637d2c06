/*
 * The main arena grows by brk(2). Where others use brk too, or where brk fails and mmap(2) takes
 * its place, it is in pieces, of which malloc itself knows only the one with top.
 */
#ifndef PHT_LIB_WALK_GLIBC_MAIN_H
#define PHT_LIB_WALK_GLIBC_MAIN_H

#include "walk/glibc_chunks.h"
#include "walk/ranges.h"

/*
 * `walk` is set to the main arena. `*ret` becomes what is `taken`, where no piece is looked for,
 * and the pieces that were found; sorted, as `taken` is. False when memory is short.
 */
bool pht_glibc_walk_main(struct pht_chunk_walk *walk, const struct pht_ranges *taken,
                         struct pht_ranges *ret);

#endif
