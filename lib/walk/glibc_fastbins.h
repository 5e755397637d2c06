/*
 * Chunks in fastbins, where links are stored safely (see walk/glibc_lists.h): what a live chunk
 * holds almost never looks like such a link, so a walk takes what does for a chunk in a fastbin,
 * and the lists are followed afterwards, through what was met and not through the target.
 */
#ifndef PHT_LIB_WALK_GLIBC_FASTBINS_H
#define PHT_LIB_WALK_GLIBC_FASTBINS_H

#include "walk/glibc_lists.h"

/* True if `chunk`, of `bytes`, can be in a fastbin of `arena`. */
bool pht_glibc_looks_fast(const struct pht_glibc_roots *roots,
                          const struct pht_malloc_arena_root *arena,
                          const struct pht_listed_chunk *chunk, uint64_t bytes);

enum pht_fastbins_outcome {
    PHT_FASTBINS_EXACT,  /* all chunks are in a fastbin */
    PHT_FASTBINS_FEWER,  /* some are not; the others are left */
    PHT_FASTBINS_BROKEN, /* a list leads to a chunk that was not met: it has changed since */
    PHT_FASTBINS_NO_MEMORY,
};

/* Follow the arena's fastbins through `chunks`, which are sorted. */
enum pht_fastbins_outcome pht_glibc_confirm_fastbins(const struct pht_malloc_arena_root *arena,
                                                     struct pht_listed_chunks *chunks);

#endif
