/* How glibc declares what is in struct pht_libc_layout, from 2.17 to 2.44: malloc/malloc.c. */
#include "layout/order.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/*
 * have_fastchunks came with 2.27 and left with fastbinsY, attached_threads came with 2.23. Hidden
 * as well are last_remainder, binmap and next_free.
 */
static bool is_state_in_order(const struct pht_libc_layout *layout)
{
    const struct pht_layout_member members[] = {
        {layout->state_mutex, 4, 4, {0}},
        {layout->state_flags, 4, 4, {0}},
        {layout->state_fastbins, layout->state_fastbins_bytes, 8, {0, 8}},
        {layout->state_top, 8, 8, {0}},
        {layout->state_bins, layout->state_bins_bytes, 8, {8, 8}},
        {layout->state_next, 8, 8, {16, 16}},
        {layout->state_system_mem, 8, 8, {8, 16}},
        {layout->state_max_system_mem, 8, 8, {0}},
        {layout->state_bytes, 0, 8, {0}},
    };

    return (layout->state_fastbins == PHT_UNKNOWN || layout->state_fastbins_bytes % 8 == 0) &&
           layout->state_bins_bytes % 16 == 0 && pht_layout_is_in_order(members, COUNT(members), 0);
}

/* Behind them mprotect_size; from 2.35 on, which has hp_pagesize, also pagesize and padding. */
static bool is_heap_in_order(const struct pht_libc_layout *layout)
{
    uint64_t rest = layout->params_hp_pagesize == PHT_UNKNOWN ? 8 : 24;
    const struct pht_layout_member members[] = {
        {layout->heap_arena, 8, 8, {0}},
        {layout->heap_prev, 8, 8, {0}},
        {layout->heap_size, 8, 8, {0}},
        {layout->heap_bytes, 0, 8, {rest, rest}},
    };

    return pht_layout_is_in_order(members, COUNT(members), 0);
}

/*
 * Hidden are arena_test, hp_flags from 2.35 on, n_mmaps_max, and of the tcache's the number of
 * its bins and, up to 2.43, tcache_unsorted_limit. thp_mode came with 2.43, max_total_mem left
 * with 2.24.
 */
static bool are_params_in_order(const struct pht_libc_layout *layout)
{
    uint64_t flags = layout->params_hp_pagesize == PHT_UNKNOWN ? 0 : 4;
    uint64_t limit = layout->params_tcache_count == PHT_UNKNOWN ? 0 : 8;
    uint64_t limit_since_2_43 = layout->state_fastbins == PHT_UNKNOWN ? 0 : limit;
    const struct pht_layout_member members[] = {
        {layout->params_trim_threshold, 8, 8, {0}},
        {layout->params_top_pad, 8, 8, {0}},
        {layout->params_mmap_threshold, 8, 8, {0}},
        {layout->params_arena_max, 8, 8, {8, 8}},
        {layout->params_thp_pagesize, 8, 8, {0, 8}},
        {layout->params_hp_pagesize, 8, 8, {0}},
        {layout->params_n_mmaps, 4, 4, {flags, flags}},
        {layout->params_max_n_mmaps, 4, 4, {4, 4}},
        {layout->params_no_dyn_threshold, 4, 4, {0}},
        {layout->params_mmapped_mem, 8, 8, {0}},
        {layout->params_max_mmapped_mem, 8, 8, {0}},
        {layout->params_sbrk_base, 8, 8, {0, 8}},
        {layout->params_tcache_max_bytes, 8, 8, {8, 8}},
        {layout->params_tcache_count, 8, 8, {0}},
        {layout->params_bytes, 0, 8, {limit, limit_since_2_43}},
    };

    return layout->params_no_dyn_threshold != PHT_UNKNOWN &&
           layout->params_max_mmapped_mem != PHT_UNKNOWN &&
           pht_layout_is_in_order(members, COUNT(members), 0);
}

/* A counter of one byte, or from 2.30 on of two, for each bin; num_slots has their place. */
static bool is_tcache_in_order(const struct pht_libc_layout *layout)
{
    const struct pht_layout_member members[] = {
        {layout->tcache_counts, layout->tcache_counts_bytes, 1, {0}},
        {layout->tcache_slots, layout->tcache_slots_bytes, 1, {0}},
        {layout->tcache_entries, layout->tcache_entries_bytes, 8, {0}},
        {layout->tcache_bytes, 0, 8, {0}},
    };
    const struct pht_layout_member entry[] = {{layout->tcache_entry_key, 8, 8, {8, 8}}};
    uint64_t bins = layout->tcache_entries_bytes / 8;
    uint64_t counters = layout->tcache_counts != PHT_UNKNOWN ? layout->tcache_counts_bytes
                                                             : layout->tcache_slots_bytes;

    if (layout->tcache_bytes == PHT_UNKNOWN || layout->params_tcache_count == PHT_UNKNOWN)
        return layout->tcache_bytes == layout->params_tcache_count;
    return layout->tcache_entries_bytes % 8 == 0 && (counters == bins || counters == 2 * bins) &&
           pht_layout_is_in_order(entry, COUNT(entry), 0) &&
           pht_layout_is_in_order(members, COUNT(members), 0);
}

static bool are_symbols_apart(const struct pht_libc_layout *layout)
{
    const struct pht_layout_place variables[] = {
        {layout->main_arena, layout->state_bytes, 8},
        {layout->params, layout->params_bytes, 8},
        {layout->tcache_key, 8, 8},
        {layout->current_break, 8, 8},
    };
    const struct pht_layout_place thread_local[] = {
        {layout->tcache, 8, 8},
        {layout->thread_arena, 8, 8},
    };

    return pht_layout_is_apart(variables, COUNT(variables)) &&
           pht_layout_is_apart(thread_local, COUNT(thread_local));
}

bool pht_libc_layout_is_as_declared(const void *untyped)
{
    const struct pht_libc_layout *layout = untyped;

    return is_state_in_order(layout) && is_heap_in_order(layout) && are_params_in_order(layout) &&
           is_tcache_in_order(layout) && are_symbols_apart(layout);
}
