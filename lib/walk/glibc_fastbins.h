/*
 * Chunks in fastbins, where links are stored safely (see walk/glibc_lists.h).
 *
 * What a live chunk holds seldom looks like such a link, so a walk takes what does for a chunk in
 * a fastbin. The lists are followed afterwards, through what was met and not through the target,
 * which would be a read for each link. What is in no list then is live after all: it was in one,
 * and nobody has written to it since.
 */
#ifndef PHT_LIB_WALK_GLIBC_FASTBINS_H
#define PHT_LIB_WALK_GLIBC_FASTBINS_H

#include "walk/glibc_lists.h"

struct pht_guessed_chunk {
    pht_addr address;
    pht_addr next; /* in its list: a chunk; 0: it is the last */
    uint64_t bytes;
};

struct pht_guessed_chunks {
    struct pht_guessed_chunk *items;
    size_t count;
    size_t capacity;
};

/*
 * True if the chunk at `address`, of `bytes`, whose memory begins with `link`, can be in a fastbin
 * of `arena`; `*ret` is it then.
 */
bool pht_glibc_looks_fast(const struct pht_glibc_roots *roots,
                          const struct pht_malloc_arena_root *arena, pht_addr address,
                          uint64_t bytes, uint64_t link, struct pht_guessed_chunk *ret);

/*
 * Follow the arena's fastbins through `chunks` and leave those that are in none, by address.
 * `*torn` counts lists that could not be followed to their end, `*swapped` those that lead into
 * swap. False when memory is short.
 */
bool pht_glibc_confirm_fastbins(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                const struct pht_malloc_arena_root *arena,
                                struct pht_guessed_chunks *chunks, uint64_t *torn,
                                uint64_t *swapped);

/* The first at or behind `addr` of chunks sorted by address. */
size_t pht_guessed_chunks_find(const struct pht_guessed_chunks *chunks, pht_addr addr);

#endif
