/*
 * Damaged and hostile heaps. Whatever stands in memory: no crash, nothing read that is not
 * resident and private, the damage counted, and figures that add up to the arenas that are left.
 */
#include "support/heap_walk.h"
#include "support/suite.h"

#define NOWHERE ((pht_addr)0x123456789000)
#define SHARED ((pht_addr)0x7e0000000000)
#define UNREADABLE ((pht_addr)0x7e1000000000)
#define ABSENT ((pht_addr)0x7e2000000000)

static struct heap *heap;
static struct heap_walk walk;

static void build(const struct heap_options *options)
{
    heap = heap_create(options);
    fake_target_map(heap->fake, SHARED, SHARED + 0x10000, FAKE_SHARED);
    fake_target_set_pages(heap->fake, SHARED, SHARED + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_UNREADABLE);
    fake_target_set_pages(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, ABSENT, ABSENT + 0x10000, FAKE_PRIVATE);
}

static void run(void)
{
    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
}

static void teardown(void)
{
    heap_walk_deinit(&walk);
    heap_destroy(heap);
    heap = NULL;
    walk = (struct heap_walk){0};
}

/* ---- pools -------------------------------------------------------------------------------- */

/* A pool of arena 1 that is partly used, of a class other than the first two. */
static pht_addr find_partial_pool(void)
{
    for (uint32_t i = 0; i < heap->arenas[1].carved; i++) {
        pht_addr pool = heap_pool(heap, 1, i);
        if (fake_target_u32(heap->fake, pool + POOL_COUNT) > 1 &&
            fake_target_u64(heap->fake, pool + POOL_FREEBLOCK) != 0 &&
            fake_target_u32(heap->fake, pool + POOL_SZIDX) > 1)
            return pool;
    }
    ck_abort_msg("no such pool");
    return 0;
}

static const struct {
    enum heap_offset field;
    uint32_t value;
} pool_damages[] = {
    {POOL_COUNT, 0},
    {POOL_COUNT, UINT32_MAX},
    {POOL_COUNT, 0x80000000},
    {POOL_COUNT, 5000},
    {POOL_ARENAINDEX, 4711},
    {POOL_ARENAINDEX, UINT32_MAX},
    {POOL_SZIDX, 0},
    {POOL_SZIDX, 1},
    {POOL_SZIDX, 64},
    {POOL_SZIDX, 0xffff},
    {POOL_SZIDX, UINT32_MAX},
    {POOL_SZIDX, 0x7fffffff},
    {POOL_NEXTOFFSET, 0},
    {POOL_NEXTOFFSET, 1},
    {POOL_NEXTOFFSET, 48},
    {POOL_NEXTOFFSET, UINT32_MAX},
    {POOL_NEXTOFFSET, 0x80000000},
    {POOL_NEXTOFFSET, 0x13572468},
    {POOL_MAXNEXTOFFSET, 0},
    {POOL_MAXNEXTOFFSET, 1},
    {POOL_MAXNEXTOFFSET, UINT32_MAX},
    {POOL_MAXNEXTOFFSET, 0x80000000},
    {POOL_MAXNEXTOFFSET, 0x13572468},
};

#define POOL_DAMAGES ((int)(sizeof(pool_damages) / sizeof(pool_damages[0])))

START_TEST(hostile_pool_field_costs_one_pool)
{
    build(&(struct heap_options){.seed = 1});
    fake_target_put_u32(heap->fake, find_partial_pool() + pool_damages[_i].field,
                        pool_damages[_i].value);
    run();
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->totals.arenas);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used, heap->totals.pools_used - 1);
    /* A pool that looks free is believed, and found to contradict its arena object. */
    bool looks_free = pool_damages[_i].field == POOL_COUNT && pool_damages[_i].value == 0;
    ck_assert_uint_eq(walk.pymalloc->torn_pools, looks_free);
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, !looks_free);
    ck_assert_uint_eq(walk.pymalloc->totals.unknown_pool_bytes,
                      looks_free ? 0 : heap->options.pool_bytes);
}
END_TEST

/* The count is right before the list is, or after: the pool is used, and counted as torn. */
START_TEST(pool_whose_free_list_contradicts_its_count_is_torn)
{
    build(&(struct heap_options){.seed = 1});
    fake_target_put_u64(heap->fake, find_partial_pool() + POOL_FREEBLOCK, 0);
    run();
    ck_assert_uint_eq(walk.pymalloc->torn_pools, 1);
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, 0);
    heap_check_figures(heap, walk.pymalloc);
}
END_TEST

/* Only whether there is a free block matters: the pointer is not followed. */
START_TEST(free_list_pointer_is_not_followed)
{
    static const uint64_t pointers[] = {1, UINT64_MAX, NOWHERE, SHARED, 0x8000000000000000};

    build(&(struct heap_options){.seed = 1});
    fake_target_put_u64(heap->fake, find_partial_pool() + POOL_FREEBLOCK, pointers[_i]);
    run();
    heap_check_clean(walk.pymalloc);
    heap_check_figures(heap, walk.pymalloc);
}
END_TEST

START_TEST(random_headers_cost_their_pools)
{
    struct heap_random random = {.state = (uint64_t)_i};

    build(&(struct heap_options){.seed = 2, .place = HEAP_POINTED});
    for (uint32_t i = 0; i < heap->arenas[1].carved; i++) {
        for (pht_addr word = 0; word < POOL_HEADER_BYTES; word += 8)
            fake_target_put_u64(heap->fake, heap_pool(heap, 1, i) + word, heap_random_u64(&random));
    }
    run();
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, heap->arenas[1].carved);
    ck_assert_uint_eq(walk.pymalloc->totals.unknown_pool_bytes,
                      (uint64_t)heap->arenas[1].carved * heap->options.pool_bytes);
    ck_assert_uint_eq(walk.pymalloc->arenas[0].pools_used, heap->arenas[0].used);
    ck_assert_uint_eq(walk.pymalloc->arenas[2].pools_used, heap->arenas[2].used);
}
END_TEST

/* ---- arenas ------------------------------------------------------------------------------- */

static const struct {
    enum heap_offset field;
    uint64_t add;  /* to what stands there */
    bool by_roots; /* seen when the roots are copied, else once the sizes are known */
    const char *what;
} arena_damages[] = {
    {ARENA_ADDRESS, 1, true, "address misaligned"},
    {ARENA_ADDRESS, 8 << 20, true, "address behind its pools"},
    {ARENA_ADDRESS, (uint64_t) - (8 << 20), true, "address far before its pools"},
    {ARENA_POOL_ADDRESS, 8 << 20, true, "pool address behind the arena"},
    {ARENA_POOL_ADDRESS, (uint64_t) - (2 << 20), true, "pool address before the arena"},
    {ARENA_POOL_ADDRESS, 0x800, true, "pool address misaligned"},
    {ARENA_POOL_ADDRESS, 0x1000, false, "pool address inside a pool"},
    {ARENA_NFREEPOOLS, 65, true, "more free pools than pools"},
    {ARENA_NFREEPOOLS, 0x80000000, true, "free pools beyond measure"},
    {ARENA_NTOTALPOOLS, (uint64_t)-64, true, "no pools"},
    {ARENA_NTOTALPOOLS, 1, false, "a pool too many"},
    {ARENA_NTOTALPOOLS, 64, false, "twice the size of the others"},
    {ARENA_NTOTALPOOLS, 0x7fffffff, true, "pools beyond measure"},
};

#define ARENA_DAMAGES ((int)(sizeof(arena_damages) / sizeof(arena_damages[0])))

static void add_to_field(pht_addr object, enum heap_offset field, uint64_t add)
{
    pht_addr at = object + field;

    if (field < ARENA_NFREEPOOLS)
        fake_target_put_u64(heap->fake, at, fake_target_u64(heap->fake, at) + add);
    else
        fake_target_put_u32(heap->fake, at, fake_target_u32(heap->fake, at) + (uint32_t)add);
}

START_TEST(arena_that_contradicts_itself_is_left_out)
{
    build(&(struct heap_options){.seed = 3, .place = (enum heap_place)(_i % 3)});
    add_to_field(heap->arenas[1].object, arena_damages[_i].field, arena_damages[_i].add);
    run();
    ck_assert_msg(walk.pymalloc->damaged_arenas == 1, "%s", arena_damages[_i].what);
    ck_assert_msg(walk.roots.damaged_arenas == arena_damages[_i].by_roots, "%s",
                  arena_damages[_i].what);
    ck_assert_int_eq(pht_snapshot_stats(walk.snapshot).consistent, !arena_damages[_i].by_roots);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 2);
    ck_assert_uint_eq(walk.pymalloc->totals.pools_used,
                      heap->arenas[0].used + heap->arenas[2].used);
    ck_assert_uint_eq(walk.pymalloc->damaged_pools, 0);
}
END_TEST

START_TEST(damaged_first_arena_does_not_spoil_the_others)
{
    build(&(struct heap_options){.seed = 4});
    add_to_field(heap->arenas[0].object, ARENA_NTOTALPOOLS, 64);
    run();
    ck_assert_uint_eq(walk.pymalloc->arena_bytes, heap->options.arena_bytes);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 2);
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, 1);
}
END_TEST

static const pht_addr far_addresses[] = {
    NOWHERE,
    SHARED,
    UNREADABLE,
    ABSENT,
    (pht_addr)1 << 20,
    (pht_addr)1 << 56,
    (pht_addr)1 << 63,
    0xfffffffffc000000,
    0xfffffffffff00000,
};

#define FAR_ADDRESSES ((int)(sizeof(far_addresses) / sizeof(far_addresses[0])))

START_TEST(arena_that_lies_elsewhere_is_not_read)
{
    pht_addr object;

    build(&(struct heap_options){.seed = 5});
    heap->fake->scan_limit = 20000;
    object = heap->arenas[1].object;
    fake_target_put_u64(heap->fake, object + ARENA_ADDRESS, far_addresses[_i]);
    fake_target_put_u64(heap->fake, object + ARENA_POOL_ADDRESS,
                        far_addresses[_i] +
                            heap->arenas[1].carved * (pht_addr)heap->options.pool_bytes);
    run();
    ck_assert_uint_ge(walk.pymalloc->totals.pools_used,
                      heap->arenas[0].used + heap->arenas[2].used);
    ck_assert_uint_gt(walk.pymalloc->damaged_pools + walk.pymalloc->torn_pools +
                          walk.pymalloc->damaged_arenas + walk.pymalloc->vanished_arenas,
                      0);
}
END_TEST

START_TEST(heap_without_a_sane_arena_is_left_out_whole)
{
    build(&(struct heap_options){.seed = 6});
    for (uint32_t i = 0; i < heap->arena_count; i++)
        fake_target_put_u32(heap->fake, heap->arenas[i].object + ARENA_NTOTALPOOLS, 17);
    run();
    ck_assert_uint_eq(walk.pymalloc->totals.total_bytes, 0);
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, heap->arena_count);
    ck_assert_uint_eq(walk.pymalloc->arena_bytes, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.pymalloc->pool_bytes, PHT_UNKNOWN);
}
END_TEST

START_TEST(two_slots_with_one_arena_do_not_pass_for_consistent)
{
    uint64_t copy[ARENA_OBJECT_BYTES / 8];
    pht_addr array;

    build(&(struct heap_options){.seed = 7, .slots = 64});
    array = heap->states[0].array;
    for (size_t i = 0; i < ARENA_OBJECT_BYTES / 8; i++)
        copy[i] = fake_target_u64(heap->fake, heap->arenas[0].object + 8 * i);
    fake_target_put(heap->fake, array + 63 * ARENA_OBJECT_BYTES, copy, sizeof(copy));
    run();
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, 1);
    heap_check_figures(heap, walk.pymalloc);
}
END_TEST

START_TEST(arena_that_overlaps_another_is_left_out)
{
    pht_addr shifted;

    build(&(struct heap_options){.seed = 7});
    shifted = heap->arenas[0].address + heap->options.pool_bytes;
    fake_target_put_u64(heap->fake, heap->arenas[1].object + ARENA_ADDRESS, shifted);
    fake_target_put_u64(heap->fake, heap->arenas[1].object + ARENA_POOL_ADDRESS,
                        shifted + heap->arenas[1].carved * (pht_addr)heap->options.pool_bytes);
    run();
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, 1);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->arena_count - 1);
}
END_TEST

/* ---- roots -------------------------------------------------------------------------------- */

static const pht_addr bad_arrays[] = {
    NOWHERE,        SHARED, UNREADABLE, 1, UINT64_MAX, (pht_addr)1 << 63, 0xffffffffff600000,
    UINT64_MAX - 47};

#define BAD_ARRAYS ((int)(sizeof(bad_arrays) / sizeof(bad_arrays[0])))

START_TEST(array_of_arenas_elsewhere_yields_no_arena)
{
    build(&(struct heap_options){.place = (enum heap_place)(_i % 3)});
    fake_target_put_u64(heap->fake, heap->states[0].arenas_field, bad_arrays[_i]);
    run();
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
    ck_assert(walk.roots.unreadable);
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
}
END_TEST

START_TEST(array_of_arenas_in_absent_memory_is_empty)
{
    build(&(struct heap_options){0});
    fake_target_put_u64(heap->fake, heap->states[0].arenas_field, ABSENT);
    run();
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
}
END_TEST

START_TEST(huge_maxarenas_is_bounded)
{
    static const uint32_t values[] = {UINT32_MAX, 0x80000000, (1 << 26) + 1, 1 << 26, 1 << 20};

    build(&(struct heap_options){.place = HEAP_POINTED});
    heap->fake->scan_limit = 100000;
    fake_target_put_u32(heap->fake, heap->states[0].maxarenas_field, values[_i]);
    run();
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
    ck_assert_uint_le(walk.pymalloc->totals.arenas, heap->arena_count);
    /* No heap has so many: that is not looked at. Fewer may be, as far as memory goes. */
    ck_assert_uint_eq(walk.pymalloc->state_count, values[_i] > 1 << 26 ? 0 : 1);
}
END_TEST

START_TEST(wrong_number_of_arenas_is_not_consistent)
{
    build(&(struct heap_options){.place = (enum heap_place)_i});
    fake_target_put_u64(heap->fake, heap->states[0].narenas_field, heap->arena_count + 1);
    run();
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, heap->totals.live_bytes);
}
END_TEST

/* ---- table of used pools ------------------------------------------------------------------ */

static void put_pair(uint32_t size_class, uint64_t first, uint64_t last)
{
    pht_addr pair = heap->states[0].usedpools + 16 * (pht_addr)size_class;

    fake_target_put_u64(heap->fake, pair, first);
    fake_target_put_u64(heap->fake, pair + 8, last);
}

static void damage_usedpools(int how)
{
    pht_addr self = heap->states[0].usedpools + 16 * 5 - 16;
    pht_addr pool = heap_pool(heap, 0, 0);

    switch (how) {
    case 0:
        return put_pair(5, 0, 0);
    case 1:
        return put_pair(5, self, pool);
    case 2:
        return put_pair(5, pool, self);
    case 3:
        return put_pair(5, self + 8, self + 8);
    case 4:
        return put_pair(5, self + 16, self + 16);
    case 5:
        return put_pair(5, pool + 8, pool);
    case 6:
        return put_pair(5, pool, pool + 8);
    case 7:
        return put_pair(5, 0x4141414141414141, 0x4141414141414141);
    default:
        for (uint32_t i = 0; i < heap->classes; i++)
            put_pair(i, 0, 0);
    }
}

START_TEST(wrong_table_of_used_pools_is_not_proven)
{
    for (enum heap_place place = HEAP_STATICS; place <= HEAP_POINTED; place++) {
        build(&(struct heap_options){.place = place});
        damage_usedpools(_i);
        run();
        ck_assert(!walk.roots.proven);
        ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
        teardown();
    }
}
END_TEST

START_TEST(size_of_the_table_must_be_that_of_one)
{
    static const uint64_t sizes[] = {0, 8, 128, 504, 768, 2048, PHT_UNKNOWN};

    build(&(struct heap_options){.place = HEAP_STATICS});
    heap->python.layout.usedpools_bytes = sizes[_i];
    run();
    ck_assert(!walk.roots.proven);
}
END_TEST

/* ---- interpreters ------------------------------------------------------------------------- */

static const struct heap_options three_interpreters = {
    .place = HEAP_POINTED, .interpreters = 3, .state_of = {0, 1, 1}};

static void put_next(uint32_t interpreter, pht_addr next)
{
    fake_target_put_u64(heap->fake,
                        heap->interpreters[interpreter] + heap->python.layout.interp_next, next);
}

START_TEST(circle_of_interpreters_ends)
{
    build(&three_interpreters);
    put_next(2, heap->interpreters[_i]);
    run();
    ck_assert_uint_eq(walk.pymalloc->state_count, 2);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, heap->totals.live_bytes);
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
}
END_TEST

START_TEST(list_of_interpreters_that_leads_astray_keeps_what_was_found)
{
    static const pht_addr next[] = {NOWHERE, SHARED, UNREADABLE, 1, UINT64_MAX, UINT64_MAX - 7263};

    build(&three_interpreters);
    put_next(0, next[_i]);
    run();
    ck_assert_uint_eq(walk.pymalloc->state_count, 1);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, heap->states[0].totals.live_bytes);
    ck_assert(walk.roots.unreadable);
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
}
END_TEST

START_TEST(state_elsewhere_is_not_read)
{
    static const pht_addr states[] = {NOWHERE, SHARED, UNREADABLE, 1, UINT64_MAX, ABSENT};

    build(&three_interpreters);
    fake_target_put_u64(heap->fake, heap->interpreters[0] + heap->python.layout.interp_obmalloc,
                        states[_i]);
    run();
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, heap->states[1].totals.live_bytes);
}
END_TEST

START_TEST(head_of_interpreters_elsewhere_is_not_proven)
{
    static const pht_addr heads[] = {NOWHERE, SHARED, UNREADABLE, 1, UINT64_MAX};

    build(&three_interpreters);
    fake_target_put_u64(heap->fake, heap->runtime + heap->python.layout.runtime_interpreters_head,
                        heads[_i]);
    run();
    ck_assert(!walk.roots.proven);
    ck_assert(walk.roots.unreadable);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
}
END_TEST

/* ---- swap --------------------------------------------------------------------------------- */

START_TEST(pool_headers_in_swap_stay_there)
{
    uint64_t live = 0;

    build(&(struct heap_options){.seed = 8, .place = (enum heap_place)_i});
    for (uint32_t i = 0; i < heap->arenas[1].carved; i++) {
        pht_addr pool = heap_pool(heap, 1, i);
        fake_target_set_pages(heap->fake, pool, pool + 1, FAKE_SWAPPED);
    }
    run();
    for (uint32_t i = 0; i < heap->arena_count; i++)
        live += i == 1 ? 0 : heap->arenas[i].live_bytes;
    ck_assert_uint_eq(walk.pymalloc->swapped_pools, heap->arenas[1].carved);
    ck_assert_uint_eq(walk.pymalloc->totals.unknown_pool_bytes,
                      (uint64_t)heap->arenas[1].carved * heap->options.pool_bytes);
    ck_assert_uint_eq(walk.pymalloc->totals.live_bytes, live);
    ck_assert_uint_eq(walk.pymalloc->torn_pools + walk.pymalloc->damaged_pools, 0);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, heap->arena_count);
}
END_TEST

START_TEST(heap_whose_headers_are_all_in_swap_is_not_called_damaged)
{
    build(&(struct heap_options){.seed = 9});
    for (uint32_t i = 0; i < heap->arena_count; i++)
        fake_target_set_pages(heap->fake, heap->arenas[i].address,
                              heap->arenas[i].address + heap->options.arena_bytes, FAKE_SWAPPED);
    run();
    ck_assert_uint_eq(walk.pymalloc->swapped_arenas, heap->arena_count);
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, 0);
    ck_assert(!walk.pymalloc->is_off);
}
END_TEST

START_TEST(arena_whose_headers_are_in_swap_does_not_hide_the_sizes)
{
    build(&(struct heap_options){.seed = 9});
    fake_target_set_pages(heap->fake, heap->arenas[0].address,
                          heap->arenas[0].address + heap->options.arena_bytes, FAKE_SWAPPED);
    run();
    ck_assert_uint_eq(walk.pymalloc->arena_bytes, heap->options.arena_bytes);
    ck_assert_uint_eq(walk.pymalloc->swapped_pools, heap->arenas[0].carved);
    ck_assert_uint_eq(walk.pymalloc->damaged_arenas, 0);
}
END_TEST

START_TEST(roots_in_swap_are_unreadable)
{
    const struct heap_state *state;
    pht_addr roots[3];

    build(&(struct heap_options){.place = HEAP_STATICS});
    state = &heap->states[0];
    roots[0] = state->usedpools;
    roots[1] = state->arenas_field;
    roots[2] = state->array;
    fake_target_set_pages(heap->fake, roots[_i], roots[_i] + 8, FAKE_SWAPPED);
    run();
    ck_assert(walk.roots.unreadable);
    ck_assert(!pht_snapshot_stats(walk.snapshot).consistent);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
}
END_TEST

/* The initial image of a page that was never loaded says nothing, and is not loaded for us. */
START_TEST(root_on_a_page_of_a_file_that_is_not_loaded_proves_nothing)
{
    build(&(struct heap_options){.place = HEAP_STATICS});
    fake_target_set_pages(heap->fake, heap->states[0].usedpools, heap->states[0].usedpools + 8,
                          FAKE_ABSENT);
    run();
    ck_assert(!walk.roots.proven);
    ck_assert(!walk.roots.unreadable);
}
END_TEST

static void add_pool_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, hostile_pool_field_costs_one_pool, 0, POOL_DAMAGES);
    tcase_add_test(tcase, pool_whose_free_list_contradicts_its_count_is_torn);
    tcase_add_loop_test(tcase, free_list_pointer_is_not_followed, 0, 5);
    tcase_add_loop_test(tcase, random_headers_cost_their_pools, 0, 10);
    tcase_add_loop_test(tcase, pool_headers_in_swap_stay_there, 0, 3);
    tcase_add_test(tcase, arena_whose_headers_are_in_swap_does_not_hide_the_sizes);
    tcase_add_test(tcase, heap_whose_headers_are_all_in_swap_is_not_called_damaged);
}

static void add_arena_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, arena_that_contradicts_itself_is_left_out, 0, ARENA_DAMAGES);
    tcase_add_test(tcase, damaged_first_arena_does_not_spoil_the_others);
    tcase_add_loop_test(tcase, arena_that_lies_elsewhere_is_not_read, 0, FAR_ADDRESSES);
    tcase_add_test(tcase, heap_without_a_sane_arena_is_left_out_whole);
    tcase_add_test(tcase, two_slots_with_one_arena_do_not_pass_for_consistent);
    tcase_add_test(tcase, arena_that_overlaps_another_is_left_out);
}

static void add_root_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, array_of_arenas_elsewhere_yields_no_arena, 0, BAD_ARRAYS);
    tcase_add_test(tcase, array_of_arenas_in_absent_memory_is_empty);
    tcase_add_loop_test(tcase, huge_maxarenas_is_bounded, 0, 5);
    tcase_add_loop_test(tcase, wrong_number_of_arenas_is_not_consistent, 0, 3);
    tcase_add_loop_test(tcase, wrong_table_of_used_pools_is_not_proven, 0, 9);
    tcase_add_loop_test(tcase, size_of_the_table_must_be_that_of_one, 0, 7);
    tcase_add_loop_test(tcase, circle_of_interpreters_ends, 0, 3);
    tcase_add_loop_test(tcase, list_of_interpreters_that_leads_astray_keeps_what_was_found, 0, 6);
    tcase_add_loop_test(tcase, state_elsewhere_is_not_read, 0, 6);
    tcase_add_loop_test(tcase, head_of_interpreters_elsewhere_is_not_proven, 0, 5);
    tcase_add_loop_test(tcase, roots_in_swap_are_unreadable, 0, 3);
    tcase_add_test(tcase, root_on_a_page_of_a_file_that_is_not_loaded_proves_nothing);
}

static Suite *damage_suite(void)
{
    static void (*const parts[])(TCase *) = {add_pool_tests, add_arena_tests, add_root_tests};
    static const char *const names[] = {"pools", "arenas", "roots"};
    Suite *suite = suite_create("damage");

    for (size_t i = 0; i < 3; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 60);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(damage_suite)
