/*
 * A target that runs on while it is walked: what changes after the roots were copied is read
 * again until it settles, and what does not settle is counted.
 */
#include <string.h>

#include "support/heap_walk.h"
#include "support/suite.h"

static struct heap *heap;
static struct heap_walk walk;

/* What the target does at the n-th look at `addr`. */
static struct {
    pht_addr addr;
    unsigned wait;
    void (*act)(void);
    unsigned looks;
} event;

static void watch(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    (void)fake;
    (void)number;
    (void)context;
    if (addr == event.addr && ++event.looks == event.wait)
        event.act();
}

static void act_at_look(pht_addr addr, unsigned wait, void (*act)(void))
{
    event.addr = addr;
    event.wait = wait;
    event.act = act;
    event.looks = 0;
    heap->fake->on_read = watch;
}

static const struct heap_options usual = {.place = HEAP_POINTED, .seed = 21};

static void freeze(const struct heap_options *options)
{
    heap = heap_create(options);
    heap_walk_freeze(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(pht_snapshot_stats(walk.snapshot).consistent);
}

static void finish(void)
{
    heap_walk_run(&walk);
    heap_check_sums(walk.pymalloc);
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
}

static void teardown(void)
{
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}

/* A pool in use that is not the first of its arena, which is read to find out the sizes. */
static uint32_t find_used(uint32_t arena)
{
    for (uint32_t i = heap->arenas[arena].carved - 1; i > 0; i--) {
        if (fake_target_u32(heap->fake, heap_pool(heap, arena, i) + POOL_COUNT) > 0)
            return i;
    }
    ck_abort_msg("no such pool");
    return 0;
}

static pht_addr used_pool(uint32_t arena)
{
    return heap_pool(heap, arena, find_used(arena));
}

static void add_to_u32(pht_addr addr, uint32_t add)
{
    fake_target_put_u32(heap->fake, addr, fake_target_u32(heap->fake, addr) + add);
}

static void check_settled(void)
{
    heap_check_clean(walk.pymalloc);
    ck_assert_uint_gt(walk.pymalloc->rereads, 0);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->arena_count);
}

/* ---- pools -------------------------------------------------------------------------------- */

static void break_nextoffset(void)
{
    add_to_u32(used_pool(1) + POOL_NEXTOFFSET, 1);
}

static void mend_nextoffset(void)
{
    add_to_u32(used_pool(1) + POOL_NEXTOFFSET, UINT32_MAX);
}

START_TEST(header_that_is_being_written_is_read_again)
{
    freeze(&usual);
    break_nextoffset();
    act_at_look(used_pool(1), (unsigned)_i, mend_nextoffset);
    finish();
    check_settled();
    heap_check_figures(heap, walk.pymalloc);
}
END_TEST

START_TEST(header_that_stays_broken_is_read_a_few_times_only)
{
    freeze(&usual);
    break_nextoffset();
    act_at_look(used_pool(1), 1000, mend_nextoffset);
    finish();
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, 1);
    ck_assert_uint_le(event.looks, 20);
}
END_TEST

/* The last block of a pool is freed: header, then arena object. */
static void free_pool(void)
{
    fake_target_put_u32(heap->fake, used_pool(1) + POOL_COUNT, 0);
    add_to_u32(heap->arenas[1].object + ARENA_NFREEPOOLS, 1);
}

START_TEST(pool_freed_after_the_roots_were_copied_settles)
{
    uint64_t live;
    pht_addr pool;

    freeze(&usual);
    pool = used_pool(1);
    live = fake_target_u32(heap->fake, pool + POOL_COUNT);
    free_pool();
    finish();
    check_settled();
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, heap->totals.pools_used - 1);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_free, heap->totals.pools_free + 1);
    ck_assert_uint_eq(walk.pymalloc->totals.live_blocks, heap->totals.live_blocks - live);
}
END_TEST

static void finish_free_pool(void)
{
    add_to_u32(heap->arenas[1].object + ARENA_NFREEPOOLS, 1);
}

START_TEST(arena_object_that_lags_behind_its_pools_is_waited_for)
{
    freeze(&usual);
    fake_target_put_u32(heap->fake, used_pool(1) + POOL_COUNT, 0);
    act_at_look(heap->arenas[1].object, (unsigned)_i, finish_free_pool);
    finish();
    check_settled();
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, heap->totals.pools_used - 1);
}
END_TEST

START_TEST(pool_that_never_settles_is_torn)
{
    freeze(&usual);
    fake_target_put_u32(heap->fake, used_pool(1) + POOL_COUNT, 0);
    finish();
    ck_assert_uint_eq(walk.pymalloc->torn_pools, 1);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, heap->totals.pools_used - 1);
    ck_assert_uint_eq(walk.pymalloc->totals.total_bytes, heap->totals.total_bytes);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->arena_count);
    ck_assert_uint_le(walk.pymalloc->rereads, 20);
}
END_TEST

START_TEST(only_the_arena_that_disagrees_is_read_again)
{
    freeze(&usual);
    free_pool();
    act_at_look(heap_pool(heap, 2, 1), 1000, free_pool);
    finish();
    ck_assert_uint_le(event.looks, 2);
}
END_TEST

/* Pages of the new pool were not resident when the walk asked. */
static void carve_and_free(void)
{
    uint32_t before = find_used(1);

    heap_carve_pool(heap, 1);
    fake_target_put_u32(heap->fake, heap_pool(heap, 1, before) + POOL_COUNT, 0);
    heap->arenas[1].used--;
    add_to_u32(heap->arenas[1].object + ARENA_NFREEPOOLS, 1);
}

START_TEST(pools_carved_during_the_walk_are_seen_by_the_second_look)
{
    freeze(&usual);
    ck_assert_uint_lt(heap->arenas[1].carved, heap->arenas[1].pools);
    act_at_look(heap_pool(heap, 1, 0), 1, carve_and_free);
    finish();
    check_settled();
    ck_assert_uint_eq(walk.pymalloc->arenas[1].pools_used, heap->arenas[1].used);
}
END_TEST

static void carve(struct fake_target *fake, void *context)
{
    (void)fake;
    (void)context;
    heap_carve_pool(heap, 1);
}

/* After the arenas were read for the first time. */
START_TEST(pool_carved_right_before_a_stop_for_all_of_the_walk_is_counted)
{
    heap = heap_create(&usual);
    heap->fake->on_stop = carve;
    heap_walk_freeze(heap, PHT_STOP_FULL, &walk);
    finish();
    heap_check_clean(walk.pymalloc);
    ck_assert_uint_eq(walk.pymalloc->rereads, 0);
    ck_assert_uint_eq(walk.pymalloc->arenas[1].pools_used, heap->arenas[1].used);
}
END_TEST

static void swap_out(void)
{
    fake_target_set_pages(heap->fake, used_pool(1), used_pool(1) + 1, FAKE_SWAPPED);
}

START_TEST(page_swapped_out_before_the_walk_is_left_in_swap)
{
    freeze(&usual);
    swap_out();
    finish();
    ck_assert_uint_eq(walk.pymalloc->swapped_pools, 1);
    ck_assert_uint_eq(walk.pymalloc->totals.unknown_pool_bytes, heap->options.pool_bytes);
}
END_TEST

/* ---- arenas ------------------------------------------------------------------------------- */

static void check_without_arena_1(void)
{
    ck_assert_uint_eq(walk.pymalloc->vanished_arenas, 1);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->arena_count - 1);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used,
                      heap->totals.pools_used - heap->arenas[1].used);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes,
                      heap->totals.live_bytes - heap->arenas[1].live_bytes);
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, 0);
    ck_assert_uint_eq(walk.pymalloc->torn_pools, 0);
}

static void free_arena(void)
{
    heap_free_arena(heap, 1);
}

START_TEST(arena_freed_before_the_walk_has_vanished)
{
    freeze(&usual);
    free_arena();
    finish();
    check_without_arena_1();
}
END_TEST

/* Its pages were said to be resident, and are gone when they are read. */
START_TEST(arena_freed_during_the_walk_has_vanished)
{
    freeze(&usual);
    act_at_look(heap_pool(heap, 1, 0), 1, free_arena);
    finish();
    check_without_arena_1();
}
END_TEST

/* The other arena is as good as the first, but the roots did not lead to it. */
START_TEST(slot_that_another_arena_took_has_lost_the_first)
{
    uint64_t distance = 0x400000000, bytes;
    struct heap_arena *arena;
    pht_addr to;

    freeze(&usual);
    arena = &heap->arenas[1];
    bytes = heap->options.arena_bytes;
    to = arena->address + distance;
    fake_target_map(heap->fake, to, to + bytes, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, to, to + bytes, FAKE_RESIDENT);
    fake_target_put(heap->fake, to, fake_target_bytes(heap->fake, arena->address, bytes), bytes);
    fake_target_put_u64(heap->fake, arena->object + ARENA_ADDRESS, to);
    fake_target_put_u64(heap->fake, arena->object + ARENA_POOL_ADDRESS,
                        heap_pool(heap, 1, arena->carved) + distance);
    fake_target_unmap(heap->fake, arena->address);
    finish();
    check_without_arena_1();
}
END_TEST

/* The array grew, and moved. */
START_TEST(arena_objects_are_looked_for_where_the_array_is_now)
{
    pht_addr moved = 0x7d0000000000;
    struct heap_state *state;
    size_t bytes = 16 * ARENA_OBJECT_BYTES;

    freeze(&usual);
    state = &heap->states[0];
    fake_target_map(heap->fake, moved, moved + 0x1000, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, moved, moved + 0x1000, FAKE_RESIDENT);
    free_pool();
    fake_target_put(heap->fake, moved, fake_target_bytes(heap->fake, state->array, bytes), bytes);
    memset(fake_target_bytes(heap->fake, state->array, bytes), 0, bytes);
    fake_target_put_u64(heap->fake, state->arenas_field, moved);
    finish();
    check_settled();
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, heap->totals.pools_used - 1);
}
END_TEST

START_TEST(new_arenas_after_the_roots_were_copied_are_not_counted)
{
    pht_addr object;

    freeze(&(struct heap_options){.slots = 64});
    object = heap->states[0].array + 63 * (pht_addr)ARENA_OBJECT_BYTES;
    fake_target_put(heap->fake, object,
                    fake_target_bytes(heap->fake, heap->arenas[0].object, ARENA_OBJECT_BYTES),
                    ARENA_OBJECT_BYTES);
    finish();
    heap_check_clean(walk.pymalloc);
    heap_check_figures(heap, walk.pymalloc);
}
END_TEST

static const struct {
    enum heap_offset field;
    uint32_t value;
} torn_objects[] = {
    {ARENA_NFREEPOOLS, 65},    {ARENA_NFREEPOOLS, UINT32_MAX},  {ARENA_NTOTALPOOLS, 0},
    {ARENA_NTOTALPOOLS, 4711}, {ARENA_NTOTALPOOLS, UINT32_MAX}, {ARENA_POOL_ADDRESS, 1},
    {ARENA_POOL_ADDRESS, 0},
};

#define TORN_OBJECTS ((int)(sizeof(torn_objects) / sizeof(torn_objects[0])))

/* Whatever is made of the arena, no count may exceed what one can hold. */
START_TEST(arena_object_that_is_nonsense_on_the_second_look_stays_in_bounds)
{
    freeze(&usual);
    fake_target_put_u32(heap->fake, used_pool(1) + POOL_COUNT, 0);
    fake_target_put_u32(heap->fake, heap->arenas[1].object + torn_objects[_i].field,
                        torn_objects[_i].value);
    finish();
    ck_assert_uint_le(walk.pymalloc->torn_pools, heap->arenas[1].pools);
    ck_assert_uint_le(walk.pymalloc->totals.arenas, heap->arena_count);
}
END_TEST

static void mend_arena_object(void)
{
    fake_target_put_u32(heap->fake, heap->arenas[1].object + ARENA_NTOTALPOOLS,
                        heap->arenas[1].pools);
}

START_TEST(arena_object_that_is_being_written_does_not_vanish)
{
    freeze(&usual);
    free_pool();
    fake_target_put_u32(heap->fake, heap->arenas[1].object + ARENA_NTOTALPOOLS, 0);
    act_at_look(heap->arenas[1].object, 2, mend_arena_object);
    finish();
    check_settled();
}
END_TEST

static Suite *tearing_suite(void)
{
    Suite *suite = suite_create("tearing");
    TCase *pools = tcase_create("pools"), *arenas = tcase_create("arenas");

    tcase_add_checked_fixture(pools, NULL, teardown);
    tcase_add_loop_test(pools, header_that_is_being_written_is_read_again, 2, 4);
    tcase_add_test(pools, header_that_stays_broken_is_read_a_few_times_only);
    tcase_add_test(pools, pool_freed_after_the_roots_were_copied_settles);
    tcase_add_loop_test(pools, arena_object_that_lags_behind_its_pools_is_waited_for, 1, 3);
    tcase_add_test(pools, pool_that_never_settles_is_torn);
    tcase_add_test(pools, only_the_arena_that_disagrees_is_read_again);
    tcase_add_test(pools, pools_carved_during_the_walk_are_seen_by_the_second_look);
    tcase_add_test(pools, pool_carved_right_before_a_stop_for_all_of_the_walk_is_counted);
    tcase_add_test(pools, page_swapped_out_before_the_walk_is_left_in_swap);
    suite_add_tcase(suite, pools);
    tcase_add_checked_fixture(arenas, NULL, teardown);
    tcase_add_test(arenas, arena_freed_before_the_walk_has_vanished);
    tcase_add_test(arenas, arena_freed_during_the_walk_has_vanished);
    tcase_add_test(arenas, slot_that_another_arena_took_has_lost_the_first);
    tcase_add_test(arenas, arena_objects_are_looked_for_where_the_array_is_now);
    tcase_add_test(arenas, new_arenas_after_the_roots_were_copied_are_not_counted);
    tcase_add_loop_test(arenas, arena_object_that_is_nonsense_on_the_second_look_stays_in_bounds, 0,
                        TORN_OBJECTS);
    tcase_add_test(arenas, arena_object_that_is_being_written_does_not_vanish);
    suite_add_tcase(suite, arenas);
    return suite;
}

SUITE_MAIN(tearing_suite)
