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
    /* nodes of the tree, and behind its root how many of two kinds there are */
    const struct pht_layout_member tree[] = {
        {layout->obmalloc_arena_map_root, layout->obmalloc_arena_map_root_bytes, 8, {0}},
        {layout->obmalloc_bytes, 0, 8, {8, 8}},
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
           (layout->obmalloc_arena_map_root == PHT_UNKNOWN ||
            pht_layout_is_in_order(tree, COUNT(tree), layout->obmalloc_arena_map_root)) &&
           pht_layout_is_in_order(interpreters, COUNT(interpreters),
                                  layout->runtime_interpreters_head) &&
           pht_layout_is_in_order(runtime, COUNT(runtime), layout->runtime_object_malloc) &&
           pht_layout_is_in_order(interpreter, COUNT(interpreter), layout->interp_next);
}

/* Generations of 24, 32 (3.7.0 to 3.7.3) or 48 bytes; figures of each, or a pointer to them. */
static bool are_arrays_of_three(const struct pht_python_layout *layout)
{
    return (layout->gc_generations == PHT_UNKNOWN || layout->gc_generations_bytes == 72 ||
            layout->gc_generations_bytes == 96 || layout->gc_generations_bytes == 144) &&
           (layout->gc_stats == PHT_UNKNOWN || layout->gc_stats_bytes == 8 ||
            layout->gc_stats_bytes == 3 * layout->gc_stat_bytes);
}

/*
 * The first members are trash_delete_later and trash_delete_nesting up to 3.14, none in 3.15; after
 * `enabled` stands `debug`. Heads of generations are aligned to 16 where they have 32 bytes, and to
 * 4 in some releases of 3.13. generation0 stands before or behind the others.
 */
static bool are_collectors_in_order(const struct pht_python_layout *layout)
{
    bool has_long_heads = layout->gc_generations_bytes == 144;
    uint64_t alignment = has_long_heads ? 16 : 8;
    uint64_t generation_bytes =
        layout->gc_generations != PHT_UNKNOWN ? layout->gc_generations_bytes / 3 : 24;
    /* `collecting`, and a frame where figures are pointed to */
    uint64_t behind_stats = layout->gc_stats_bytes == 8 ? 16 : 8;
    bool is_behind = layout->gc_generation0 != PHT_UNKNOWN && layout->gc_permanent != PHT_UNKNOWN &&
                     layout->gc_generation0 > layout->gc_permanent;
    const struct pht_layout_member state[] = {
        {layout->gc_enabled, 4, 4, {0, 12}},
        {layout->gc_generations,
         layout->gc_generations_bytes,
         has_long_heads ? 16 : 4,
         {has_long_heads ? 16 : 4, has_long_heads ? 16 : 8}},
        {layout->gc_young, 24, 8, {8, 8}},
        {layout->gc_old, layout->gc_old_bytes, 8, {0}},
        {is_behind ? PHT_UNKNOWN : layout->gc_generation0, 8, 8, {0}},
        {layout->gc_permanent, generation_bytes, alignment, {0}},
        {layout->gc_stats, layout->gc_stats_bytes, 8, {0}},
        {layout->gc_garbage, 8, 8, {behind_stats, behind_stats}},
        {layout->gc_callbacks, 8, 8, {0}},
        {layout->gc_visited_space, 4, 4, {16, 16}},
        {is_behind ? layout->gc_generation0 : PHT_UNKNOWN, 8, 8, {24, 40}},
    };
    const struct pht_layout_member stat[] = {
        {layout->gc_stat_collections, 8, 8, {0, 16}},
        {layout->gc_stat_collected, 8, 8, {0}},
        {layout->gc_stat_uncollectable, 8, 8, {0}},
        {layout->gc_stat_bytes, 0, 8, {0, 24}},
    };

    return are_arrays_of_three(layout) && pht_layout_is_in_order(state, COUNT(state), 0) &&
           pht_layout_is_in_order(stat, COUNT(stat), 0);
}

/* Eleven places and an index for the young generation, three and an index for the others. */
static bool are_rings_in_order(const struct pht_python_layout *layout)
{
    const uint64_t stat_bytes = layout->gc_stat_bytes;
    const struct pht_layout_member rings[] = {
        {layout->gc_rings_young_index, 1, 1, {11 * stat_bytes, 11 * stat_bytes}},
        {layout->gc_rings_old, 8, 8, {0}},
    };
    const struct pht_layout_member ring[] = {
        {layout->gc_old_ring_index, 1, 1, {3 * stat_bytes, 3 * stat_bytes}},
        {layout->gc_old_ring_bytes, 0, 8, {0}},
    };

    return layout->gc_rings_young_index == PHT_UNKNOWN ||
           (pht_layout_is_in_order(rings, COUNT(rings), 0) &&
            pht_layout_is_in_order(ring, COUNT(ring), 0));
}

/* ---- free lists --------------------------------------------------------------------------- */

/*
 * 3.10 to 3.12: arrays of 80 and pointers, each with an int behind it, but for that of floats which
 * stands in front; 20 ints for tuples. 3.12 has other members between, and both ints of dicts
 * behind their arrays.
 */
static bool are_early_lists_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member members[] = {
        {layout->free_floats, 4, 4, {0}},
        {layout->cached_slice, 8, 8, {8, 2408}},
        {layout->free_tuples, layout->free_tuples_bytes, 4, {160, 160}},
        {layout->free_lists, 4, 4, {640, 640}},
        {layout->free_dicts, 4, 4, {644, 1300}},
        {layout->free_dict_keys, 4, 4, {644, 0}},
        {layout->free_frames, 4, 4, {12, 12}},
        {layout->free_async_values, 4, 4, {644, 704}},
        {layout->free_async_sends, 4, 4, {644, 644}},
        {layout->free_contexts, 4, 4, {12, 12}},
    };

    return pht_layout_is_in_order(members, COUNT(members), layout->free_floats);
}

/* 3.13: the same in a struct of their own. */
static bool are_gathered_lists_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member members[] = {
        {layout->free_floats, 4, 4, {0}},
        {layout->free_tuples, layout->free_tuples_bytes, 4, {172, 172}},
        {layout->free_lists, 4, 4, {640, 640}},
        {layout->free_dicts, 4, 4, {644, 644}},
        {layout->free_dict_keys, 4, 4, {644, 644}},
        {layout->cached_slice, 8, 8, {0}},
        {layout->free_contexts, 4, 4, {8, 8}},
        {layout->free_async_values, 4, 4, {644, 644}},
        {layout->free_async_sends, 4, 4, {644, 644}},
    };

    return pht_layout_is_in_order(members, COUNT(members), layout->free_floats);
}

/* 3.14 and later: {head, size} of each, and 20 of tuples. */
static bool are_uniform_lists_in_order(const struct pht_python_layout *layout)
{
    const uint64_t stacks = 24; /* object_stack_chunks, and a head */
    const struct pht_layout_member members[] = {
        {layout->free_floats, 8, 8, {0}},
        {layout->free_complexes, 8, 8, {8, 8}},
        {layout->free_ints, 8, 8, {8, 8}},
        {layout->free_tuples, layout->free_tuples_bytes, 8, {0}},
        {layout->free_lists, 8, 8, {8, 8}},
        {layout->free_list_iters, 8, 8, {8, 8}},
        {layout->free_tuple_iters, 8, 8, {8, 8}},
        {layout->free_dicts, 8, 8, {8, 8}},
        {layout->free_dict_keys, 8, 8, {8, 8}},
        {layout->free_slices, 8, 8, {8, 8}},
        {layout->free_ranges, 8, 8, {8, 8}},
        {layout->free_range_iters, 8, 8, {8, 8}},
        {layout->free_contexts, 8, 8, {8, 8}},
        {layout->free_async_values, 8, 8, {8, 8}},
        {layout->free_async_sends, 8, 8, {8, 8}},
        {layout->free_future_iters, 8, 8, {8, 8}},
        {layout->free_str_writers, 8, 8, {stacks, stacks}},
        {layout->free_bytes_writers, 8, 8, {8, 8}},
        {layout->free_functions, 8, 8, {8, 8}},
        {layout->free_class_methods, 8, 8, {8, 8}},
        {layout->free_methods, 8, 8, {8, 8}},
    };

    return pht_layout_is_in_order(members, COUNT(members), layout->free_floats);
}

static bool are_free_lists_in_order(const struct pht_python_layout *layout)
{
    if (layout->free_floats == PHT_UNKNOWN)
        return true;
    if (layout->free_methods != PHT_UNKNOWN)
        return are_uniform_lists_in_order(layout);
    return layout->cached_slice > layout->free_dict_keys ? are_gathered_lists_in_order(layout)
                                                         : are_early_lists_in_order(layout);
}

/* ---- threads, trees ----------------------------------------------------------------------- */

/* _stack_chunk is {previous, size, top, data[1]}; a thread state begins with prev and next. */
static bool are_frames_in_order(const struct pht_python_layout *layout)
{
    const struct pht_layout_member chunk[] = {
        {layout->frames_previous, 8, 8, {0}},
        {layout->frames_size, 8, 8, {0}},
        {layout->frames_top, 8, 8, {0}},
        {layout->frames_bytes, 0, 8, {8, 8}},
    };
    const struct pht_layout_member thread[] = {
        {layout->thread_next, 8, 8, {8, 8}},
    };

    return pht_layout_is_in_order(chunk, COUNT(chunk), 0) &&
           (layout->frames_bytes == PHT_UNKNOWN ||
            pht_layout_is_in_order(thread, COUNT(thread), 0));
}

/* Addresses have 64 bits or 48, as the interpreter was built: three levels, a word each. */
static bool are_trees_sane(const struct pht_python_layout *layout)
{
    uint64_t root = layout->arena_map_root_bytes != PHT_UNKNOWN
                        ? layout->arena_map_root_bytes
                        : layout->obmalloc_arena_map_root_bytes;

    return layout->arena_map_mid_bytes == PHT_UNKNOWN || root == PHT_UNKNOWN ||
           (root == layout->arena_map_mid_bytes &&
            layout->arena_map_bot_bytes == (root == 8 << 10 ? root / 4 : root / 2));
}

/* ---- variables ---------------------------------------------------------------------------- */

/* These names are common: where the exported one is missing, they are of something else. */
static uint64_t of_collector(const struct pht_python_layout *layout, uint64_t address)
{
    return layout->gc_static_generation0 != PHT_UNKNOWN ? address : PHT_UNKNOWN;
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
        {layout->interned, 8, 8},
        {layout->free_static_floats, 4, 4},
        {layout->free_static_tuples, layout->free_static_tuples_bytes, 4},
        {layout->free_static_lists, 4, 4},
        {layout->free_static_dicts, 4, 4},
        {layout->free_static_dict_keys, 4, 4},
        {layout->free_static_contexts, 4, 4},
        {layout->free_static_async_values, 4, 4},
        {layout->free_static_async_sends, 4, 4},
        {layout->free_static_frames, 4, 4},
        {layout->free_static_methods, 4, 4},
        {layout->free_static_functions, 4, 4},
        {layout->free_static_sets, 4, 4},
        {layout->free_static_unicodes, 4, 4},
        {layout->cached_static_slice, 8, 8},
        {of_collector(layout, layout->gc_static_generations), layout->gc_static_generations_bytes,
         8},
        {of_collector(layout, layout->gc_static_generation0), 8, 8},
        {of_collector(layout, layout->gc_static_enabled), 4, 4},
        {of_collector(layout, layout->gc_static_garbage), 8, 8},
        {of_collector(layout, layout->gc_static_callbacks), 8, 8},
        {of_collector(layout, layout->gc_static_stats), layout->gc_static_stats_bytes, 8},
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
           are_collectors_in_order(layout) && are_rings_in_order(layout) &&
           are_free_lists_in_order(layout) && are_frames_in_order(layout) &&
           are_trees_sane(layout) &&
           (layout->obmalloc_bytes == PHT_UNKNOWN || are_states_in_order(layout));
}
