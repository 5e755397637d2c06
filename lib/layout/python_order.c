/* How CPython declares what is in struct pht_python_layout, from 2.7 to 3.15. */
#include "layout/order.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* PyMemAllocatorEx: a context and four functions; debug_alloc_api_t: that and an id. */
#define ALLOCATOR_BYTES ((uint64_t)40)
#define DEBUG_ALLOCATOR_BYTES ((uint64_t)48)

/* In all versions. Between them stand nextpool and prevpool, and three links of the arena. */
static bool are_pools_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member pool[] = {
        {layout->pool_count, 4, 4, {0}},           {layout->pool_freeblock, 8, 8, {0}},
        {layout->pool_arenaindex, 4, 4, {16, 16}}, {layout->pool_szidx, 4, 4, {0}},
        {layout->pool_nextoffset, 4, 4, {0}},      {layout->pool_maxnextoffset, 4, 4, {0}},
        {layout->pool_header_bytes, 0, 8, {0}},
    };
    const struct pht_layout_member arena[] = {
        {layout->arena_address, 8, 8, {0}},           {layout->arena_pool_address, 8, 8, {0}},
        {layout->arena_nfreepools, 4, 4, {0}},        {layout->arena_ntotalpools, 4, 4, {0}},
        {layout->arena_object_bytes, 0, 8, {24, 24}},
    };

    return pht_layout_is_in_order(pool, COUNT(pool), 0) &&
           pht_layout_is_in_order(arena, COUNT(arena), 0);
}

/* {ctx, malloc, calloc, realloc, free}, and {api_id, such a struct}. */
static bool are_hooks_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member allocator[] = {
        {layout->allocator_malloc, 8, 8, {8, 8}},
    };
    const struct pht_layout_member debug[] = {
        {layout->debug_api_malloc, 8, 8, {16, 16}},
        {layout->debug_api_bytes, 0, 8, {24, 24}},
    };

    return pht_layout_is_in_order(allocator, COUNT(allocator), 0) &&
           pht_layout_is_in_order(debug, COUNT(debug), 0);
}

/*
 * usedpools, arenas, maxarenas, unused_arena_objects, usable_arenas, and nfp2lasta, which has a
 * word for each number of free pools: 0 to 64, or 128 with arenas of huge pages. Then counters.
 */
static bool are_states_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member state[] = {
        {layout->obmalloc_usedpools, layout->obmalloc_usedpools_bytes, 8, {0, 8}},
        {layout->obmalloc_arenas, 8, 8, {0}},
        {layout->obmalloc_maxarenas, 4, 4, {0}},
        {layout->obmalloc_narenas, 8, 8, {16 + 65 * 8, 16 + 129 * 8}},
        {layout->obmalloc_ntimes_arena_allocated, 8, 8, {0}},
        {layout->obmalloc_narenas_highwater, 8, 8, {0}},
    };
    const struct pht_layout_member interpreters[] = {
        {layout->runtime_interpreters_head, 8, 8, {0}},
        {layout->runtime_interpreters_main, 8, 8, {0}},
    };
    /* allocators.standard.obj.malloc to allocators.debug.obj.alloc.malloc */
    const struct pht_layout_member runtime[] = {
        {layout->runtime_object_malloc, 8, 8, {0}},
        {layout->runtime_debug_malloc, 8, 8, {136, 136}},
    };
    const struct pht_layout_member interpreter[] = {
        {layout->interp_next, 8, 8, {0}},
        {layout->interp_id, 8, 8, {0}},
    };
    const uint64_t known[] = {layout->obmalloc_narenas, layout->obmalloc_ntimes_arena_allocated,
                              layout->obmalloc_narenas_highwater, layout->interp_id,
                              layout->runtime_interpreters_main};

    if (layout->obmalloc_usedpools_bytes % 16 != 0)
        return false;
    for (size_t i = 0; i < COUNT(known); i++) {
        if (known[i] == PHT_UNKNOWN)
            return false;
    }
    return pht_layout_is_in_order(state, COUNT(state), 0) &&
           pht_layout_is_in_order(interpreters, COUNT(interpreters),
                                  layout->runtime_interpreters_head) &&
           pht_layout_is_in_order(runtime, COUNT(runtime), layout->runtime_object_malloc) &&
           pht_layout_is_in_order(interpreter, COUNT(interpreter), layout->interp_next);
}

static bool are_symbols_apart(const struct pht_python_layout *layout)
{
    const struct pht_layout_place places[] = {
        {layout->usedpools, layout->usedpools_bytes, 8},
        {layout->arenas, 8, 8},
        {layout->maxarenas, 4, 4},
        {layout->narenas, 8, 8},
        {layout->ntimes_arena_allocated, 8, 8},
        {layout->narenas_highwater, 8, 8},
        {layout->object_allocator, ALLOCATOR_BYTES, 8},
        {layout->debug_allocators, 3 * DEBUG_ALLOCATOR_BYTES, 8},
        {layout->runtime, 8, 8},
        {layout->pymalloc_function, 1, 1},
        {layout->malloc_function, 1, 1},
        {layout->debug_function, 1, 1},
        {layout->mimalloc_function, 1, 1},
    };

    return pht_layout_is_apart(places, COUNT(places));
}

bool pht_python_layout_is_as_declared(const void *untyped)
{
    const struct pht_python_layout *layout = untyped;

    return are_pools_in_order(layout) && are_hooks_in_order(layout) && are_symbols_apart(layout) &&
           (layout->obmalloc_bytes == PHT_UNKNOWN || are_states_in_order(layout));
}
