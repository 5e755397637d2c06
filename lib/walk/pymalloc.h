/* What the files of the pymalloc walker share. */
#ifndef PHT_LIB_WALK_PYMALLOC_H
#define PHT_LIB_WALK_PYMALLOC_H

#include "pyheaptop/walk.h"

/* Larger requests go to malloc. */
#define PHT_SMALL_REQUEST_MAX 512

/* Arenas are 256 KiB or 1 MiB, 2 MiB with 3.15's option for huge pages. */
#define PHT_ARENA_BYTES_MAX ((uint64_t)4 << 20)

/* Pools are 4 or 16 KiB, so an arena has no more than this. */
#define PHT_ARENA_POOLS_MAX ((size_t)1024)

/* True if an arena object does not contradict itself. */
bool pht_pymalloc_arena_is_sane(const struct pht_arena_root *arena);

void pht_pymalloc_decode_arena(const struct pht_python_layout *layout, const void *bytes,
                               struct pht_arena_root *ret);

/*
 * Sizes of a state's arenas and pools. They are not taken from the version, but from the pools:
 * maxnextoffset is the pool's size less one block.
 */
struct pht_pymalloc_geometry {
    uint64_t arena_bytes;
    uint64_t pool_bytes;
    uint64_t alignment_bytes;
    uint64_t header_bytes;
    uint32_t classes;
};

/* False if no arena has a pool that tells; `*swapped` is true if pools in swap might have. */
bool pht_pymalloc_measure(struct pht_snapshot *snapshot, const struct pht_python_layout *layout,
                          const struct pht_arena_root *arenas, size_t count, uint32_t classes,
                          struct pht_pymalloc_geometry *ret, bool *swapped);

/* True if an arena has the size of the others, and its pools lie inside it. */
bool pht_pymalloc_arena_fits(const struct pht_pymalloc_geometry *geometry,
                             const struct pht_arena_root *arena);

/* The first pool of an arena: the allocator skips to a multiple of the pool's size. */
pht_addr pht_pymalloc_first_pool(const struct pht_pymalloc_geometry *geometry, pht_addr arena);

enum pht_pool_state {
    PHT_POOL_FREE,
    PHT_POOL_USED,
    PHT_POOL_TORN, /* in use, but count and free list disagree: a block is just being taken */
    PHT_POOL_ODD,  /* contradicts itself: being set up just now, or damaged */
};

struct pht_pool {
    uint32_t size_class;
    uint32_t live_blocks;
    uint32_t free_blocks;
};

enum pht_pool_state pht_pymalloc_decode_pool(const struct pht_pymalloc_geometry *geometry,
                                             const struct pht_python_layout *layout,
                                             const void *header, uint32_t arena_index,
                                             struct pht_pool *ret);

#endif
