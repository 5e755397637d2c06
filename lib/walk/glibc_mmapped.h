/*
 * Chunks that have a mapping of their own. malloc keeps no list of them, only their number and
 * sum, so they are looked for in anonymous memory that is nobody else's: the kernel joins mappings
 * that touch each other, so each page may begin one.
 *
 *     mapping -> [offset bytes, for memalign()]  prev_size = offset  size | IS_MMAPPED  memory
 *
 * A mapping always begins with a header; with an offset, it is one that malloc() left behind, and
 * may be out of date. offset + size is the whole mapping up to 2.42; from 2.43 on it lacks the 16
 * bytes of the header, and the lowest bit of prev_size says that it is made of huge pages.
 */
#ifndef PHT_LIB_WALK_GLIBC_MMAPPED_H
#define PHT_LIB_WALK_GLIBC_MMAPPED_H

#include "walk/glibc.h"
#include "walk/ranges.h"

struct pht_mmapped_chunks {
    struct pht_mmapped_chunk *items;
    size_t count;
    size_t capacity;
};

/*
 * Find them outside of `taken`, which is sorted. The search ends when as many bytes and chunks are
 * found as malloc knows of. False when memory is short.
 */
bool pht_glibc_find_mmapped(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                            const struct pht_ranges *taken, struct pht_mmapped_chunks *ret);

#endif
