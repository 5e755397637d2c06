/*
 * Chunks that an arena's bins know of: places where a walk from chunk to chunk can begin again
 * behind damage; and which of them are not sorted yet. Nothing else needs the bins, since a chunk
 * in one is known by the flag behind it, and its bin by its size.
 */
#ifndef PHT_LIB_WALK_GLIBC_BINS_H
#define PHT_LIB_WALK_GLIBC_BINS_H

#include "walk/glibc_lists.h"

struct pht_chunk_addrs {
    pht_addr *items;
    size_t count;
    size_t capacity;
};

/*
 * Into `ret`, by address: the chunks of all bins as they are now, and those of `lists`. Where a
 * bin is damaged, what comes before that. False when memory is short.
 */
bool pht_glibc_bins_collect(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                            const struct pht_malloc_arena_root *arena,
                            const struct pht_malloc_lists *lists, struct pht_chunk_addrs *ret);

/*
 * Into `ret`, by address: the chunks of the unsorted bin as it is now. `*is_whole` if it was
 * followed to its end; else `ret` has what was met. False when memory is short.
 */
bool pht_glibc_unsorted_collect(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                const struct pht_malloc_arena_root *arena,
                                struct pht_chunk_addrs *ret, bool *is_whole);

#endif
