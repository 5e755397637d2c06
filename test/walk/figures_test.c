/* On a heap that holds still, every figure is the generator's own. */
#include "support/heap_walk.h"
#include "support/suite.h"

static const uint32_t alignments[] = {8, 16};
static const uint32_t pool_sizes[] = {4 << 10, 16 << 10};
static const uint32_t arena_sizes[] = {256 << 10, 1 << 20};
static const enum heap_place places[] = {HEAP_STATICS, HEAP_INLINE, HEAP_POINTED};

#define SHAPES (2 * 2 * 2 * 3 * 2)

/* The n-th of the cross product. */
static struct heap_options shape(int n)
{
    return (struct heap_options){
        .alignment = alignments[n % 2],
        .pool_bytes = pool_sizes[n / 2 % 2],
        .arena_bytes = arena_sizes[n / 4 % 2],
        .misaligned = n / 8 % 2,
        .place = places[n / 16],
        .seed = (uint64_t)n,
    };
}

static void check_heap(const struct heap_options *options)
{
    struct heap *heap = heap_create(options);
    struct heap_walk walk;

    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.roots.proven);
    ck_assert(walk.roots.initialised);
    ck_assert(!walk.roots.unreadable);
    ck_assert(pht_snapshot_stats(walk.snapshot).consistent);
    heap_check_clean(walk.pymalloc);
    heap_check_figures(heap, walk.pymalloc);
    ck_assert_uint_eq(walk.pymalloc->rereads, 0);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}

START_TEST(every_shape_gives_the_generators_figures)
{
    struct heap_options options = shape(_i);

    check_heap(&options);
}
END_TEST

START_TEST(fully_used_heap_has_no_free_block)
{
    struct heap_options options = shape(_i);

    options.fill = HEAP_FULL;
    check_heap(&options);
    struct heap *heap = heap_create(&options);
    ck_assert_uint_eq(heap->totals.free_blocks, 0);
    ck_assert_uint_eq(heap->totals.pools_free, 0);
    heap_destroy(heap);
}
END_TEST

START_TEST(idle_heap_has_only_free_pools)
{
    struct heap_options options = shape(_i);
    struct heap_walk walk;

    options.fill = HEAP_IDLE;
    check_heap(&options);
    struct heap *heap = heap_create(&options);
    heap_walk_all(heap, PHT_STOP_NONE, &walk);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, 0);
    ck_assert_uint_eq(walk.pymalloc->class_count, 0);
    ck_assert_uint_eq(walk.pymalloc->sparse_arenas, 3);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

START_TEST(fresh_heap_is_proven_and_has_no_arena)
{
    struct heap_options options = {.place = places[_i], .fill = HEAP_FRESH};
    struct heap *heap = heap_create(&options);
    struct heap_walk walk;

    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.roots.proven);
    ck_assert_int_eq(walk.roots.initialised, places[_i] != HEAP_STATICS);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
    ck_assert_uint_eq(walk.pymalloc->totals.total_bytes, 0);
    ck_assert_uint_eq(walk.pymalloc->arena_bytes, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->pool_bytes, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->class_count, 0);
    heap_check_clean(walk.pymalloc);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

/* More pool headers than one batch holds, and more slots than one read takes. */
START_TEST(many_arenas_are_counted_across_batches)
{
    struct heap_options options = {.pool_bytes = 4 << 10,
                                   .arena_bytes = 256 << 10,
                                   .arenas = 150,
                                   .slots = 4096,
                                   .place = places[_i]};

    check_heap(&options);
}
END_TEST

START_TEST(interpreters_that_share_a_state_are_counted_once)
{
    struct heap_options options = {
        .place = HEAP_POINTED, .interpreters = 5, .state_of = {0, 1, 0, 2, 0}};
    struct heap *heap = heap_create(&options);

    ck_assert_uint_eq(heap->state_count, 3);
    ck_assert_uint_eq(heap->states[0].interpreters, 3);
    ck_assert_uint_eq(heap->totals.arenas, 9);
    heap_destroy(heap);
    check_heap(&options);
}
END_TEST

START_TEST(interpreters_with_inline_states_are_all_counted)
{
    struct heap_options options = {.place = HEAP_INLINE, .interpreters = 4};

    check_heap(&options);
}
END_TEST

START_TEST(peak_is_unknown_when_states_peaked_at_different_times)
{
    struct heap_options options = {.place = HEAP_POINTED, .interpreters = 2, .state_of = {0, 1}};
    struct heap *heap = heap_create(&options);
    struct heap_walk walk;

    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_uint_eq(walk.pymalloc->arenas_peak, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->states[1].arenas_peak, heap->states[1].arenas_peak);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

/* 2.7 has no counters of arenas, and no table of allocator functions. */
START_TEST(counters_that_a_build_lacks_are_unknown)
{
    struct heap_options options = {.place = HEAP_STATICS};
    struct heap *heap = heap_create(&options);
    struct pht_python_layout *layout = &heap->python.layout;
    struct heap_walk walk;

    layout->ntimes_arena_allocated = layout->narenas_highwater = layout->narenas = PHT_UNKNOWN;
    layout->object_allocator = layout->allocator_malloc = PHT_UNKNOWN;
    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(pht_snapshot_stats(walk.snapshot).consistent);
    ck_assert_uint_eq(walk.pymalloc->arenas_peak, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->arenas_allocated_total, PHT_UNKNOWN);
    ck_assert_int_eq(walk.pymalloc->allocator, PHT_ALLOCATOR_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, heap->totals.live_bytes);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

START_TEST(stop_mode_does_not_change_the_figures)
{
    static const enum pht_stop_mode modes[] = {PHT_STOP_NONE, PHT_STOP_BRIEF, PHT_STOP_FULL};
    struct heap_options options = {.place = HEAP_POINTED, .seed = 5};
    struct heap *heap = heap_create(&options);
    struct heap_walk walk;

    heap_walk_all(heap, modes[_i], &walk);
    heap_check_figures(heap, walk.pymalloc);
    ck_assert_int_eq(heap->fake->stopped, modes[_i] == PHT_STOP_FULL);
    heap_walk_deinit(&walk);
    ck_assert(!heap->fake->stopped);
    heap_destroy(heap);
}
END_TEST

/* Only headers are read, and roots: the walk does not copy the heap. */
START_TEST(walk_reads_little_more_than_headers)
{
    struct heap_options options = {.fill = HEAP_FULL, .arenas = 8};
    struct heap *heap = heap_create(&options);
    struct heap_walk walk;

    heap_walk_freeze(heap, PHT_STOP_NONE, &walk);
    fake_target_reset_record(heap->fake);
    heap_walk_run(&walk);
    ck_assert_uint_le(heap->fake->read_bytes, (8 * 64 + 64) * POOL_HEADER_BYTES);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

static Suite *figures_suite(void)
{
    Suite *suite = suite_create("figures");
    TCase *tcase = tcase_create("figures");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, every_shape_gives_the_generators_figures, 0, SHAPES);
    tcase_add_loop_test(tcase, fully_used_heap_has_no_free_block, 0, SHAPES);
    tcase_add_loop_test(tcase, idle_heap_has_only_free_pools, 0, SHAPES);
    tcase_add_loop_test(tcase, fresh_heap_is_proven_and_has_no_arena, 0, 3);
    tcase_add_loop_test(tcase, many_arenas_are_counted_across_batches, 0, 3);
    tcase_add_test(tcase, interpreters_that_share_a_state_are_counted_once);
    tcase_add_test(tcase, interpreters_with_inline_states_are_all_counted);
    tcase_add_test(tcase, peak_is_unknown_when_states_peaked_at_different_times);
    tcase_add_test(tcase, counters_that_a_build_lacks_are_unknown);
    tcase_add_loop_test(tcase, stop_mode_does_not_change_the_figures, 0, 3);
    tcase_add_test(tcase, walk_reads_little_more_than_headers);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(figures_suite)
