#include "support/heap_walk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STOP_US 5000

void heap_walk_freeze(struct heap *heap, enum pht_stop_mode stop, struct heap_walk *ret)
{
    struct pht_snapshot_options options = {.stop = stop, .max_stop_us = MAX_STOP_US};

    *ret = (struct heap_walk){.fake = heap->fake};
    pht_pymalloc_roots_init(&ret->roots, &heap->python);
    ck_assert_ptr_null(pht_snapshot_take(heap->fake->target, &options, pht_pymalloc_freeze,
                                         &ret->roots, &ret->snapshot));
}

/* True if every page of every arena is resident, so that each byte can be told. */
static bool is_all_resident(const struct heap_walk *walk)
{
    const struct pht_pymalloc *pymalloc = walk->pymalloc;

    for (size_t i = 0; i < pymalloc->totals.arenas; i++) {
        pht_addr arena = pymalloc->arenas[i].address;
        if (!owned_is_resident(&walk->owned, arena, arena + pymalloc->arena_bytes))
            return false;
    }
    return true;
}

static void check_claims(const struct heap_walk *walk)
{
    const struct pht_pymalloc_totals *totals = &walk->pymalloc->totals;

    owned_check_sums(&walk->owned);
    ck_assert_uint_eq(pht_owners_refused_bytes(walk->owned.owners), 0);
    ck_assert_uint_le(owned_resident(&walk->owned, PHT_CATEGORY_PYTHON_SMALL), totals->live_bytes);
    if (!is_all_resident(walk))
        return;
    ck_assert_uint_eq(owned_resident(&walk->owned, PHT_CATEGORY_PYTHON_SMALL), totals->live_bytes);
    ck_assert_uint_eq(owned_resident(&walk->owned, PHT_CATEGORY_PYMALLOC_SLACK),
                      totals->total_bytes - totals->live_bytes - totals->unknown_pool_bytes);
}

void heap_walk_run(struct heap_walk *walk)
{
    owned_begin(&walk->owned, walk->fake, walk->snapshot);
    walk->pymalloc = pht_pymalloc_walk(walk->snapshot, &walk->roots, walk->owned.owners);
    ck_assert_ptr_nonnull(walk->pymalloc);
    check_claims(walk);
}

void heap_walk_all(struct heap *heap, enum pht_stop_mode stop, struct heap_walk *ret)
{
    heap_walk_freeze(heap, stop, ret);
    heap_walk_run(ret);
    ck_assert_msg(heap->fake->forbidden_reads == 0, "read of 0x%lx, which was not to be touched",
                  (unsigned long)heap->fake->first_forbidden);
    heap_check_sums(ret->pymalloc);
}

void heap_walk_deinit(struct heap_walk *walk)
{
    pht_pymalloc_destroy(walk->pymalloc);
    owned_end(&walk->owned);
    pht_snapshot_destroy(walk->snapshot);
    pht_pymalloc_roots_deinit(&walk->roots);
}

static void check_totals(const struct pht_pymalloc_totals *found,
                         const struct pht_pymalloc_totals *expected)
{
    ck_assert_uint_eq(found->arenas, expected->arenas);
    ck_assert_uint_eq(found->pools_used, expected->pools_used);
    ck_assert_uint_eq(found->pools_free, expected->pools_free);
    ck_assert_uint_eq(found->live_blocks, expected->live_blocks);
    ck_assert_uint_eq(found->free_blocks, expected->free_blocks);
    ck_assert_uint_eq(found->live_bytes, expected->live_bytes);
    ck_assert_uint_eq(found->free_bytes, expected->free_bytes);
    ck_assert_uint_eq(found->unused_pool_bytes, expected->unused_pool_bytes);
    ck_assert_uint_eq(found->pool_header_bytes, expected->pool_header_bytes);
    ck_assert_uint_eq(found->quantization_bytes, expected->quantization_bytes);
    ck_assert_uint_eq(found->arena_alignment_bytes, expected->arena_alignment_bytes);
    ck_assert_uint_eq(found->unknown_pool_bytes, expected->unknown_pool_bytes);
    ck_assert_uint_eq(found->total_bytes, expected->total_bytes);
}

static void check_classes(const struct heap *heap, const struct pht_pymalloc *pymalloc)
{
    size_t row = 0;

    for (uint32_t i = 0; i < heap->classes; i++) {
        uint64_t size = (i + 1) * (uint64_t)heap->options.alignment;
        if (heap->by_class[i].pools == 0)
            continue;
        ck_assert_uint_lt(row, pymalloc->class_count);
        const struct pht_size_class *class = &pymalloc->classes[row++];
        ck_assert_uint_eq(class->block_bytes, size);
        ck_assert_uint_eq(class->pools, heap->by_class[i].pools);
        ck_assert_uint_eq(class->live_blocks, heap->by_class[i].live);
        ck_assert_uint_eq(class->free_blocks, heap->by_class[i].free);
        ck_assert_uint_eq(class->live_bytes, heap->by_class[i].live * size);
        ck_assert_uint_eq(class->free_bytes, heap->by_class[i].free * size);
        double share =
            100.0 * (double)class->live_blocks / (double)(class->live_blocks + class->free_blocks);
        ck_assert_double_le(share - class->live_percent, 0.51);
        ck_assert_double_ge(share - class->live_percent, -0.51);
    }
    ck_assert_uint_eq(row, pymalloc->class_count);
}

static void check_arenas(const struct heap *heap, const struct pht_pymalloc *pymalloc)
{
    uint64_t sparse = 0, sparse_live = 0;

    for (uint32_t i = 0; i < heap->arena_count; i++) {
        const struct heap_arena *expected = &heap->arenas[i];
        const struct pht_arena *found = &pymalloc->arenas[i];
        ck_assert_uint_eq(found->address, expected->address);
        ck_assert_uint_eq(found->pools_used, expected->used);
        ck_assert_uint_eq(found->pools_free, expected->pools - expected->used);
        ck_assert_uint_eq(found->live_bytes, expected->live_bytes);
        ck_assert_uint_eq(found->resident_bytes, expected->resident_bytes);
        if (expected->live_bytes < heap->options.arena_bytes / 10) {
            sparse++;
            sparse_live += expected->live_bytes;
        }
    }
    ck_assert_uint_eq(pymalloc->sparse_arenas, sparse);
    ck_assert_uint_eq(pymalloc->sparse_live_bytes, sparse_live);
    ck_assert_uint_eq(pymalloc->sparse_held_bytes, sparse * heap->options.arena_bytes);
}

static void check_state(const struct heap *heap, const struct heap_state *expected,
                        const struct pht_pymalloc_state *found)
{
    bool statics = heap->options.place == HEAP_STATICS;

    ck_assert_uint_eq(found->address, expected->usedpools);
    ck_assert_int_eq(found->interpreter, statics ? -1 : (int64_t)expected->first_interpreter);
    ck_assert_uint_eq(found->interpreters, expected->interpreters);
    ck_assert_uint_eq(found->arenas_peak, expected->arenas_peak);
    ck_assert_uint_eq(found->arenas_allocated_total, expected->arenas_allocated_total);
    check_totals(&found->totals, &expected->totals);
}

void heap_check_figures(const struct heap *heap, const struct pht_pymalloc *pymalloc)
{
    uint64_t allocated = 0;

    check_totals(&pymalloc->totals, &heap->totals);
    check_classes(heap, pymalloc);
    check_arenas(heap, pymalloc);
    ck_assert_uint_eq(pymalloc->state_count, heap->state_count);
    for (uint32_t i = 0; i < heap->state_count; i++) {
        check_state(heap, &heap->states[i], &pymalloc->states[i]);
        allocated += heap->states[i].arenas_allocated_total;
    }
    ck_assert_uint_eq(pymalloc->arena_bytes, heap->options.arena_bytes);
    ck_assert_uint_eq(pymalloc->pool_bytes, heap->options.pool_bytes);
    ck_assert_uint_eq(pymalloc->alignment_bytes, heap->options.alignment);
    ck_assert_uint_eq(pymalloc->arenas_allocated_total, allocated);
    ck_assert_uint_eq(pymalloc->arenas_peak,
                      heap->state_count == 1 ? heap->states[0].arenas_peak : PHT_UNKNOWN);
}

static uint64_t sum_of_parts(const struct pht_pymalloc_totals *totals)
{
    return totals->live_bytes + totals->free_bytes + totals->unused_pool_bytes +
           totals->pool_header_bytes + totals->quantization_bytes + totals->arena_alignment_bytes +
           totals->unknown_pool_bytes;
}

static void check_class_sums(const struct pht_pymalloc *pymalloc)
{
    uint64_t pools = 0, live_blocks = 0, live_bytes = 0, free_bytes = 0;

    for (size_t i = 0; i < pymalloc->class_count; i++) {
        pools += pymalloc->classes[i].pools;
        live_blocks += pymalloc->classes[i].live_blocks;
        live_bytes += pymalloc->classes[i].live_bytes;
        free_bytes += pymalloc->classes[i].free_bytes;
    }
    ck_assert_uint_eq(pools, pymalloc->totals.pools_used);
    ck_assert_uint_eq(live_blocks, pymalloc->totals.live_blocks);
    ck_assert_uint_eq(live_bytes, pymalloc->totals.live_bytes);
    ck_assert_uint_eq(free_bytes, pymalloc->totals.free_bytes);
}

static void check_arena_sums(const struct pht_pymalloc *pymalloc)
{
    uint64_t used = 0, unused = 0, live_bytes = 0;

    for (size_t i = 0; i < pymalloc->totals.arenas; i++) {
        used += pymalloc->arenas[i].pools_used;
        unused += pymalloc->arenas[i].pools_free;
        live_bytes += pymalloc->arenas[i].live_bytes;
        ck_assert_uint_le(pymalloc->arenas[i].resident_bytes, pymalloc->arena_bytes);
    }
    ck_assert_uint_eq(used, pymalloc->totals.pools_used);
    ck_assert_uint_eq(unused, pymalloc->totals.pools_free);
    ck_assert_uint_eq(live_bytes, pymalloc->totals.live_bytes);
}

void heap_check_sums(const struct pht_pymalloc *pymalloc)
{
    uint64_t arena_bytes = pymalloc->arena_bytes == PHT_UNKNOWN ? 0 : pymalloc->arena_bytes;
    uint64_t total = 0;

    ck_assert_uint_eq(sum_of_parts(&pymalloc->totals), pymalloc->totals.total_bytes);
    ck_assert_uint_eq(pymalloc->totals.arenas * arena_bytes, pymalloc->totals.total_bytes);
    for (size_t i = 0; i < pymalloc->state_count; i++) {
        const struct pht_pymalloc_totals *part = &pymalloc->states[i].totals;
        ck_assert_uint_eq(sum_of_parts(part), part->total_bytes);
        total += part->total_bytes;
    }
    ck_assert_uint_eq(total, pymalloc->totals.total_bytes);
    check_class_sums(pymalloc);
    check_arena_sums(pymalloc);
}

void heap_check_clean(const struct pht_pymalloc *pymalloc)
{
    ck_assert_uint_eq(pymalloc->torn_pools, 0);
    ck_assert_uint_eq(pymalloc->damaged_pools, 0);
    ck_assert_uint_eq(pymalloc->swapped_pools, 0);
    ck_assert_uint_eq(pymalloc->damaged_arenas, 0);
    ck_assert_uint_eq(pymalloc->vanished_arenas, 0);
    ck_assert_uint_eq(pymalloc->totals.unknown_pool_bytes, 0);
}
