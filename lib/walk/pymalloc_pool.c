/*
 * One pool's header, and what pools tell of the sizes of their arena.
 *
 *     +0  u32 count       blocks in use; 0: the pool is free
 *     +8  ptr freeblock   list of freed blocks, 0 ends it
 *     +32 u32 arenaindex  slot of its arena object
 *     +36 u32 szidx       size class: blocks of (szidx + 1) * alignment bytes
 *     +40 u32 nextoffset  first block never handed out
 *     +44 u32 maxnextoffset  the last value of nextoffset that has room for a block
 *
 * Invariants of a pool in use: szidx is a class, maxnextoffset is the pool's size less a block,
 * count is at most the number of blocks handed out so far, and equal to it if the list of freed
 * blocks is empty. The last one does not hold for the instant in which a block is taken or given
 * back, and a stop can fall into it; the numbers are then right but for that block.
 */
#include "base/checked.h"
#include "walk/field.h"
#include "walk/pymalloc.h"

#define POOL_BYTES_MIN ((uint64_t)4 << 10)
#define POOL_BYTES_MAX ((uint64_t)64 << 10)

/* So many arenas are asked for their geometry before it is given up. */
#define MEASURED_ARENAS_MAX 64

static uint64_t block_bytes(const struct pht_pymalloc_geometry *geometry, uint32_t size_class)
{
    return (uint64_t)(size_class + 1) * geometry->alignment_bytes;
}

/* nextoffset goes one block past maxnextoffset when the pool is fully carved. */
static bool is_carving_sane(const struct pht_pymalloc_geometry *geometry, uint64_t size,
                            uint32_t nextoffset, uint32_t maxnextoffset)
{
    return maxnextoffset == geometry->pool_bytes - size && nextoffset > geometry->header_bytes &&
           nextoffset <= geometry->pool_bytes && (nextoffset - geometry->header_bytes) % size == 0;
}

enum pht_pool_state pht_pymalloc_decode_pool(const struct pht_pymalloc_geometry *geometry,
                                             const struct pht_python_layout *layout,
                                             const void *header, uint32_t arena_index,
                                             struct pht_pool *ret)
{
    uint32_t count = pht_field_u32(header, layout->pool_count);
    uint32_t size_class = pht_field_u32(header, layout->pool_szidx);
    uint32_t nextoffset = pht_field_u32(header, layout->pool_nextoffset);
    uint32_t maxnextoffset = pht_field_u32(header, layout->pool_maxnextoffset);

    if (count == 0)
        return PHT_POOL_FREE;
    if (size_class >= geometry->classes ||
        pht_field_u32(header, layout->pool_arenaindex) != arena_index)
        return PHT_POOL_ODD;
    uint64_t size = block_bytes(geometry, size_class);
    if (!is_carving_sane(geometry, size, nextoffset, maxnextoffset))
        return PHT_POOL_ODD;
    uint64_t blocks = (geometry->pool_bytes - geometry->header_bytes) / size;
    uint64_t handed_out = (nextoffset - geometry->header_bytes) / size;
    if (count > handed_out || handed_out > blocks)
        return PHT_POOL_ODD;
    ret->size_class = size_class;
    ret->live_blocks = count;
    ret->free_blocks = (uint32_t)(blocks - count);
    bool has_freed = pht_field_u64(header, layout->pool_freeblock) != 0;
    return has_freed == (count < handed_out) ? PHT_POOL_USED : PHT_POOL_TORN;
}

/* ---- geometry ----------------------------------------------------------------------------- */

pht_addr pht_pymalloc_first_pool(const struct pht_pymalloc_geometry *geometry, pht_addr arena)
{
    return pht_round_up(arena, geometry->pool_bytes);
}

/* An arena that does not begin at a multiple of the pool's size loses one pool. */
static uint64_t arena_bytes_of(uint64_t pool_bytes, const struct pht_arena_root *arena)
{
    return (arena->ntotalpools + (arena->address % pool_bytes != 0)) * pool_bytes;
}

bool pht_pymalloc_arena_fits(const struct pht_pymalloc_geometry *geometry,
                             const struct pht_arena_root *arena)
{
    uint64_t pool_bytes = geometry->pool_bytes;
    pht_addr first = pht_pymalloc_first_pool(geometry, arena->address);
    pht_addr end = first + arena->ntotalpools * pool_bytes;

    return arena_bytes_of(pool_bytes, arena) == geometry->arena_bytes &&
           arena->pool_address % pool_bytes == 0 && arena->pool_address >= first &&
           arena->pool_address <= end &&
           (end - arena->pool_address) / pool_bytes <= arena->nfreepools;
}

static bool measure_pool(const struct pht_python_layout *layout, const void *header,
                         uint64_t pool_bytes, const struct pht_arena_root *arena,
                         struct pht_pymalloc_geometry *geometry)
{
    uint32_t size_class = pht_field_u32(header, layout->pool_szidx);

    geometry->pool_bytes = pool_bytes;
    geometry->arena_bytes = arena_bytes_of(pool_bytes, arena);
    return pht_field_u32(header, layout->pool_arenaindex) == arena->index &&
           size_class < geometry->classes &&
           pht_field_u32(header, layout->pool_maxnextoffset) + block_bytes(geometry, size_class) ==
               pool_bytes &&
           pht_is_power_of_two(geometry->arena_bytes) &&
           geometry->arena_bytes <= PHT_ARENA_BYTES_MAX && pht_pymalloc_arena_fits(geometry, arena);
}

static bool measure_arena(struct pht_snapshot *snapshot, const struct pht_python_layout *layout,
                          const struct pht_arena_root *arena,
                          struct pht_pymalloc_geometry *geometry, bool *swapped)
{
    unsigned char header[PHT_COPIED_STRUCT_MAX];

    for (uint64_t pool_bytes = POOL_BYTES_MIN; pool_bytes <= POOL_BYTES_MAX; pool_bytes *= 2) {
        pht_addr pool = pht_round_up(arena->address, pool_bytes);
        /* The first pool may be one that was carved and never used; then a later one tells. */
        for (int tries = 0; tries < 8 && pool < arena->pool_address; tries++, pool += pool_bytes) {
            enum pht_read_result result =
                pht_snapshot_read(snapshot, pool, header, layout->pool_header_bytes);
            if (result == PHT_READ_SWAPPED)
                *swapped = true;
            if (result == PHT_READ_OK && measure_pool(layout, header, pool_bytes, arena, geometry))
                return true;
        }
    }
    return false;
}

bool pht_pymalloc_measure(struct pht_snapshot *snapshot, const struct pht_python_layout *layout,
                          const struct pht_arena_root *arenas, size_t count, uint32_t classes,
                          struct pht_pymalloc_geometry *ret, bool *swapped)
{
    *ret = (struct pht_pymalloc_geometry){
        .alignment_bytes = PHT_SMALL_REQUEST_MAX / classes,
        .header_bytes = layout->pool_header_bytes,
        .classes = classes,
    };
    for (size_t i = 0; i < count && i < MEASURED_ARENAS_MAX; i++) {
        if (measure_arena(snapshot, layout, &arenas[i], ret, swapped))
            return true;
    }
    return false;
}
