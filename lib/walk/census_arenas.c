#include "walk/census_arenas.h"

#include <stdlib.h>

#include "base/checked.h"

static pht_addr first_pool(const struct pht_census_arenas *arenas, const struct pht_range *arena)
{
    return pht_pymalloc_first_pool(&arenas->geometry, arena->start);
}

/* ---- lifetime ----------------------------------------------------------------------------- */

/* Sizes of arenas are powers of two, which a division is not told of. */
static uint64_t part_of(const struct pht_census_arenas *arenas, pht_addr address)
{
    return address >> __builtin_ctzll(arenas->geometry.arena_bytes);
}

static bool list(struct pht_census_arenas *arenas)
{
    arenas->ranges = calloc(arenas->count, sizeof(*arenas->ranges));
    if (arenas->ranges == NULL)
        return false;
    for (size_t i = 0; i < arenas->count; i++) {
        pht_addr start = arenas->arenas[i].address;
        arenas->ranges[i] = (struct pht_range){start, start + arenas->geometry.arena_bytes};
        if (!pht_addr_map_put(&arenas->starts, part_of(arenas, start), (uint32_t)i))
            return false;
    }
    return true;
}

bool pht_census_arenas_init(struct pht_census_arenas *arenas, const struct pht_pymalloc *pymalloc,
                            const struct pht_python_layout *layout)
{
    *arenas =
        (struct pht_census_arenas){.arenas = pymalloc->arenas, .count = pymalloc->totals.arenas};
    if (arenas->count == 0)
        return true;
    arenas->geometry = (struct pht_pymalloc_geometry){
        .arena_bytes = pymalloc->arena_bytes,
        .pool_bytes = pymalloc->pool_bytes,
        .alignment_bytes = pymalloc->alignment_bytes,
        .header_bytes = layout->pool_header_bytes,
        .classes = (uint32_t)(PHT_SMALL_REQUEST_MAX / pymalloc->alignment_bytes),
    };
    arenas->pool_words = (size_t)(pymalloc->pool_bytes / pymalloc->alignment_bytes / 64);
    arenas->alignment_shift = (unsigned)__builtin_ctzll(pymalloc->alignment_bytes);
    arenas->arena_words = (size_t)(pymalloc->arena_bytes / pymalloc->alignment_bytes / 64);
    arenas->taken = calloc(arenas->count, arenas->arena_words * sizeof(*arenas->taken));
    return arenas->taken != NULL && list(arenas);
}

void pht_census_arenas_deinit(struct pht_census_arenas *arenas)
{
    free(arenas->ranges);
    free(arenas->taken);
    pht_addr_map_deinit(&arenas->starts);
}

/* ---- finding ------------------------------------------------------------------------------ */

/* Of arenas of one size that do not overlap, at most one begins in a part of memory that large. */
const struct pht_range *pht_census_arenas_find(const struct pht_census_arenas *arenas,
                                               pht_addr address)
{
    if (arenas->count == 0)
        return NULL;
    uint64_t part = part_of(arenas, address);
    uint32_t i = pht_addr_map_get(&arenas->starts, part);
    if (i == PHT_ADDR_MAP_NONE || address < arenas->ranges[i].start)
        i = pht_addr_map_get(&arenas->starts, part - 1);
    if (i == PHT_ADDR_MAP_NONE || address - arenas->ranges[i].start >= arenas->geometry.arena_bytes)
        return NULL;
    return &arenas->ranges[i];
}

pht_addr pht_census_arenas_block(const struct pht_census_arenas *arenas,
                                 const struct pht_range *arena,
                                 const struct pht_object_buffer *buffer, uint64_t hook_bytes,
                                 uint64_t *bytes)
{
    const struct pht_pymalloc_geometry *geometry = &arenas->geometry;
    pht_addr pool = pht_round_down(buffer->address, geometry->pool_bytes);
    pht_addr begin = first_pool(arenas, arena);
    pht_addr first = pool + geometry->header_bytes + hook_bytes;

    if (pool < begin || buffer->address < first)
        return 0;
    uint8_t size_class =
        arenas->arenas[arena - arenas->ranges].pool_classes[(pool - begin) / geometry->pool_bytes];
    if (size_class == PHT_NO_SIZE_CLASS)
        return 0;
    *bytes = (uint64_t)(size_class + 1) * geometry->alignment_bytes;
    uint32_t into = (uint32_t)(buffer->address - first) % (uint32_t)*bytes;
    return into == 0 || (buffer->is_prefixed && into <= 32) ? buffer->address - into - hook_bytes
                                                            : 0;
}

/* ---- taking ------------------------------------------------------------------------------- */

/* The word of the first place in a pool. */
static _Atomic uint64_t *words_of(const struct pht_census_arenas *arenas,
                                  const struct pht_range *arena, pht_addr pool)
{
    size_t places = (size_t)(pool - first_pool(arenas, arena)) >> arenas->alignment_shift;

    return arenas->taken + (size_t)(arena - arenas->ranges) * arenas->arena_words + places / 64;
}

/* The bits as they were. A locked instruction takes as long as looking at an object. */
static uint64_t set_bits(const struct pht_census_arenas *arenas, _Atomic uint64_t *word,
                         uint64_t bits)
{
    if (arenas->is_shared)
        return atomic_fetch_or_explicit(word, bits, memory_order_relaxed);
    uint64_t before = atomic_load_explicit(word, memory_order_relaxed);
    atomic_store_explicit(word, before | bits, memory_order_relaxed);
    return before;
}

bool pht_census_arenas_take(struct pht_census_arenas *arenas, const struct pht_range *arena,
                            pht_addr block)
{
    pht_addr pool = pht_round_down(block, arenas->geometry.pool_bytes);
    uint64_t place = (block - pool) >> arenas->alignment_shift;
    uint64_t bit = (uint64_t)1 << place % 64;
    _Atomic uint64_t *word = words_of(arenas, arena, pool) + place / 64;

    return !(set_bits(arenas, word, bit) & bit);
}

uint64_t pht_census_arenas_take_many(struct pht_census_arenas *arenas,
                                     const struct pht_range *arena, pht_addr pool,
                                     const uint64_t *places)
{
    _Atomic uint64_t *words = words_of(arenas, arena, pool);
    uint64_t owned = 0;

    for (size_t i = 0; i < arenas->pool_words; i++) {
        if (places[i] == 0)
            continue;
        uint64_t before = set_bits(arenas, &words[i], places[i]);
        owned += (uint64_t)__builtin_popcountll(before & places[i]);
    }
    return owned;
}
