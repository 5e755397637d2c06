/* The collector, its lists, and what a damaged or hostile one leads to. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define RUNTIME ((pht_addr)0x7f1000000000)
#define BIAS ((uint64_t)0x7f0000000000)
#define INTERPRETER (RUNTIME + PAGE)
#define OTHER (INTERPRETER + 1024)
#define RINGS (INTERPRETER + 2048)
#define GC (INTERPRETER + 512)
#define LIST (RUNTIME + 2 * PAGE)
#define LIST_TYPE (LIST + 64)
#define STRUCTS_END (RUNTIME + 4 * PAGE)
#define HEAP ((pht_addr)0x7f2000000000)
#define HEAP_END (HEAP + 16 * PAGE)

/* As they are from 3.8 to 3.13. */
#define ENABLED 12
#define GENERATIONS 24
#define GENERATION0 96
#define PERMANENT 104
#define STATS 128
#define GARBAGE 208
#define CALLBACKS 216
#define OBJECT_BYTES 32

static struct region_walk walk;
static struct pht_gc *gc;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

static void put_u32(pht_addr addr, uint32_t value)
{
    fake_target_put_u32(walk.fake, addr, value);
}

/* The i-th object of the list at `head`, the head itself behind the last. */
static pht_addr node(pht_addr head, pht_addr first, unsigned count, unsigned i)
{
    return i % (count + 1) == count ? head : first + i % (count + 1) * OBJECT_BYTES;
}

static void put_list(pht_addr head, pht_addr first, unsigned count)
{
    for (unsigned i = 0; i <= count; i++) {
        pht_addr at = node(head, first, count, i), next = node(head, first, count, i + 1);
        put(at, next);
        put(next + 8, at);
    }
}

static pht_addr generation(unsigned i)
{
    return GC + GENERATIONS + 24 * i;
}

static void put_numbers(pht_addr at, uint32_t threshold, uint32_t count)
{
    put_u32(at + 16, threshold);
    put_u32(at + 20, count);
}

static void put_stat(pht_addr at, uint64_t first)
{
    for (unsigned i = 0; i < 3; i++)
        put(at + 8 * i, first + i);
}

static void describe_layout(struct pht_python *python)
{
    struct pht_python_layout *layout = &python->layout;

    python->version = (struct pht_version){3, 11, 7};
    python->bias = BIAS;
    layout->runtime = RUNTIME - BIAS;
    layout->runtime_interpreters_head = 40;
    layout->runtime_interpreters_main = 48;
    layout->interp_next = 8;
    layout->interp_id = 16;
    layout->interp_gc = GC - INTERPRETER;
    layout->gc_enabled = ENABLED;
    layout->gc_generations = GENERATIONS;
    layout->gc_generations_bytes = 72;
    layout->gc_generation0 = GENERATION0;
    layout->gc_permanent = PERMANENT;
    layout->gc_stats = STATS;
    layout->gc_stats_bytes = 72;
    layout->gc_garbage = GARBAGE;
    layout->gc_callbacks = CALLBACKS;
    layout->gc_stat_bytes = 24;
    layout->gc_stat_collections = 0;
    layout->gc_stat_collected = 8;
    layout->gc_stat_uncollectable = 16;
}

static void put_figures(void)
{
    put_u32(GC + ENABLED, 1);
    put_numbers(generation(0), 700, 340);
    put_numbers(generation(1), 10, 2);
    put_numbers(generation(2), 11, 1);
    for (unsigned i = 0; i < 3; i++)
        put_stat(GC + STATS + 24 * i, 100 * i);
    put(GC + GARBAGE, LIST);
    put(GC + CALLBACKS, LIST);
    put(LIST + PHT_OBJECT_TYPE, LIST_TYPE);
    put(LIST + PHT_OBJECT_SIZE, 5);
    put(LIST_TYPE + PHT_TYPE_FLAGS, PHT_TYPE_LIST_SUBCLASS);
}

/* 3, 2 and 20 objects, and a frozen one. */
static void setup(void)
{
    region_walk_init(&walk);
    describe_layout(&walk.python);
    region_walk_map(&walk, RUNTIME, STRUCTS_END, FAKE_PRIVATE);
    region_walk_map(&walk, HEAP, HEAP_END, FAKE_PRIVATE);
    put(RUNTIME + 40, INTERPRETER);
    put(RUNTIME + 48, INTERPRETER);
    put(GC + GENERATION0, generation(0));
    put_figures();
    put_list(generation(0), HEAP, 3);
    put_list(generation(1), HEAP + PAGE, 2);
    put_list(generation(2), HEAP + 2 * PAGE, 20);
    put_list(GC + PERMANENT, HEAP + 3 * PAGE, 1);
}

static void teardown(void)
{
    free(gc);
    gc = NULL;
    region_walk_deinit(&walk);
}

static void look(uint64_t tracked)
{
    if (walk.snapshot == NULL)
        region_walk_begin(&walk);
    free(gc);
    ck_assert(pht_gc_walk(walk.snapshot, &walk.python, tracked, &gc));
    ck_assert_uint_eq(walk.fake->forbidden_reads, 0);
}

static void check_objects(uint64_t young, uint64_t middle, uint64_t old, uint64_t frozen)
{
    ck_assert_ptr_nonnull(gc);
    ck_assert_uint_eq(gc->generations[0].objects, young);
    ck_assert_uint_eq(gc->generations[1].objects, middle);
    ck_assert_uint_eq(gc->generations[2].objects, old);
    ck_assert_uint_eq(gc->frozen, frozen);
}

/* ---- whole -------------------------------------------------------------------------------- */

START_TEST(every_figure_is_read)
{
    static const int32_t thresholds[] = {700, 10, 11}, counts[] = {340, 2, 1};

    look(PHT_UNKNOWN);
    check_objects(3, 2, 20, 1);
    ck_assert(gc->enabled);
    ck_assert_uint_eq(gc->garbage, 5);
    ck_assert_uint_eq(gc->callbacks, 5);
    ck_assert_uint_eq(gc->torn_lists + gc->long_lists + gc->by_census, 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_int_eq(gc->generations[i].threshold, thresholds[i]);
        ck_assert_int_eq(gc->generations[i].count, counts[i]);
        ck_assert_uint_eq(gc->generations[i].collections, 100 * i);
        ck_assert_uint_eq(gc->generations[i].collected, 100 * i + 1);
        ck_assert_uint_eq(gc->generations[i].uncollectable, 100 * i + 2);
    }
}
END_TEST

START_TEST(lists_may_be_empty_and_numbers_below_zero)
{
    put_list(generation(0), 0, 0);
    put_list(generation(2), 0, 0);
    put_numbers(generation(0), (uint32_t)-1, (uint32_t)-7);
    put_u32(GC + ENABLED, 0);
    put(GC + GARBAGE, 0);
    put(GC + CALLBACKS, 0);
    look(PHT_UNKNOWN);
    check_objects(0, 2, 0, 1);
    ck_assert(!gc->enabled);
    ck_assert_int_eq(gc->generations[0].threshold, -1);
    ck_assert_int_eq(gc->generations[0].count, -7);
    ck_assert_uint_eq(gc->garbage, 0);
    ck_assert_uint_eq(gc->callbacks, 0);
}
END_TEST

START_TEST(flags_in_links_are_none_of_the_address)
{
    pht_addr at = HEAP + 2 * PAGE;

    put(at + 8, fake_target_u64(walk.fake, at + 8) | 1);
    put(at, fake_target_u64(walk.fake, at) | 1);
    look(PHT_UNKNOWN);
    check_objects(3, 2, 20, 1);
}
END_TEST

START_TEST(the_runtime_has_the_collector_before_3_9)
{
    walk.python.layout.interp_gc = PHT_UNKNOWN;
    walk.python.layout.runtime_gc = GC - RUNTIME;
    walk.python.version = (struct pht_version){3, 8, 18};
    look(PHT_UNKNOWN);
    check_objects(3, 2, 20, 1);
}
END_TEST

/* Heads of three words, and each variable by itself; there is nothing to freeze to. */
START_TEST(statics_have_it_before_3_7)
{
    struct pht_python_layout *layout = &walk.python.layout;

    layout->gc_enabled = PHT_UNKNOWN;
    layout->gc_static_generations = GC - BIAS;
    layout->gc_static_generations_bytes = 144;
    layout->gc_static_generation0 = RUNTIME + 64 - BIAS;
    layout->gc_static_enabled = RUNTIME + 72 - BIAS;
    layout->gc_static_garbage = RUNTIME + 80 - BIAS;
    layout->gc_static_callbacks = RUNTIME + 88 - BIAS;
    walk.python.version = (struct pht_version){3, 6, 15};
    put(RUNTIME + 64, GC);
    put_u32(RUNTIME + 72, 1);
    put(RUNTIME + 80, LIST);
    put(RUNTIME + 88, LIST);
    for (unsigned i = 0; i < 3; i++) {
        put_list(GC + 48 * i, HEAP + i * PAGE, 4 + i);
        put_u32(GC + 48 * i + 32, 7 + i);
        put_u32(GC + 48 * i + 36, 9 + i);
    }
    look(PHT_UNKNOWN);
    check_objects(4, 5, 6, PHT_UNKNOWN);
    ck_assert_int_eq(gc->generations[2].threshold, 9);
    ck_assert_int_eq(gc->generations[2].count, 11);
    ck_assert_uint_eq(gc->generations[0].collections, PHT_UNKNOWN);
    ck_assert_uint_eq(gc->garbage, 5);
    layout->gc_static_stats = RINGS - BIAS;
    layout->gc_static_stats_bytes = 72;
    put_stat(RINGS + 48, 70);
    look(PHT_UNKNOWN);
    ck_assert_uint_eq(gc->generations[2].uncollectable, 72);
    put(RUNTIME + 64, GC + 48);
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
}
END_TEST

/* The old space that is visited is the one in the middle, for all but the thresholds. */
START_TEST(the_incremental_collector_has_two_old_spaces)
{
    struct pht_python_layout *layout = &walk.python.layout;

    layout->gc_generations = layout->gc_generations_bytes = layout->gc_generation0 = PHT_UNKNOWN;
    layout->gc_young = 24;
    layout->gc_old = 48;
    layout->gc_old_bytes = 48;
    layout->gc_visited_space = 232;
    put(GC + GENERATION0, 0);
    put_u32(GC + 232, (uint32_t)_i);
    look(PHT_UNKNOWN);
    ck_assert_int_eq(gc->generations[1].threshold, 10);
    ck_assert_int_eq(gc->generations[2].threshold, 11);
    ck_assert_int_eq(gc->generations[1].count, _i == 0 ? 2 : 1);
    ck_assert_int_eq(gc->generations[2].count, _i == 0 ? 1 : 2);
    check_objects(3, _i == 0 ? 2 : 20, _i == 0 ? 20 : 2, 1);
    put_u32(GC + 232, 2);
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
}
END_TEST

static void describe_rings(void)
{
    struct pht_python_layout *layout = &walk.python.layout;

    layout->gc_stats_bytes = 8;
    layout->gc_rings_young_index = 264;
    layout->gc_rings_old = 272;
    layout->gc_old_ring_bytes = 80;
    layout->gc_old_ring_index = 72;
    put(GC + STATS, RINGS);
    put_u32(RINGS + 264, 10);
    put_u32(RINGS + 272 + 72, 0);
    put_u32(RINGS + 272 + 80 + 72, 2);
    put_stat(RINGS + 10 * 24, 30);
    put_stat(RINGS + 272, 40);
    put_stat(RINGS + 272 + 80 + 48, 50);
}

START_TEST(figures_in_rings_are_those_written_last)
{
    describe_rings();
    look(PHT_UNKNOWN);
    ck_assert_uint_eq(gc->generations[0].collections, 30);
    ck_assert_uint_eq(gc->generations[1].collected, 41);
    ck_assert_uint_eq(gc->generations[2].uncollectable, 52);
    put_u32(RINGS + 264, 200);
    look(PHT_UNKNOWN);
    ck_assert_uint_eq(gc->generations[0].collections, PHT_UNKNOWN);
    ck_assert_uint_eq(gc->generations[1].collections, 40);
    put(GC + STATS, UINT64_MAX);
    look(PHT_UNKNOWN);
    ck_assert_uint_eq(gc->generations[1].collections, PHT_UNKNOWN);
    check_objects(3, 2, 20, 1);
}
END_TEST

START_TEST(heads_may_be_aligned_to_four)
{
    walk.python.layout.gc_generations = GENERATIONS - 4;
    put(GC + GENERATION0, generation(0) - 4);
    for (unsigned i = 0; i < 3; i++) {
        put_list(generation(i) - 4, HEAP + i * PAGE, 3 + i);
        put_numbers(generation(i) - 4, 7, 8);
    }
    look(PHT_UNKNOWN);
    check_objects(3, 4, 5, 1);
}
END_TEST

/* ---- long lists --------------------------------------------------------------------------- */

#define LONG_HEAP ((pht_addr)0x7f4000000000)
#define LONG ((unsigned)(1 << 22) + 100)

static void put_list_of(pht_addr head, unsigned count)
{
    pht_addr end = LONG_HEAP + ((count + 1) * (uint64_t)OBJECT_BYTES) / PAGE * PAGE + PAGE;

    region_walk_map(&walk, LONG_HEAP, end, FAKE_PRIVATE);
    put_list(head, LONG_HEAP, count);
}

static void put_long_list(pht_addr head)
{
    put_list_of(head, LONG);
}

/* Longer than what is followed at once. */
#define MIDDLING ((unsigned)(1 << 16) + 100)

START_TEST(a_list_of_middling_length_is_followed_unless_the_census_tells)
{
    put_list_of(generation(2), MIDDLING);
    look(PHT_UNKNOWN);
    check_objects(3, 2, MIDDLING, 1);
    ck_assert(!gc->by_census);
    /* What the census tells is believed. */
    look(MIDDLING + 7);
    check_objects(3, 2, MIDDLING + 1, 1);
    ck_assert(gc->by_census);
    look(5);
    check_objects(3, 2, MIDDLING, 1);
    ck_assert(!gc->by_census);
    ck_assert_uint_eq(gc->long_lists, 0);
}
END_TEST

START_TEST(a_list_that_is_too_long_has_what_the_census_leaves)
{
    put_long_list(generation(2));
    look(LONG + 6);
    check_objects(3, 2, LONG, 1);
    ck_assert(gc->by_census);
    ck_assert_uint_eq(gc->long_lists, 0);
    look(PHT_UNKNOWN);
    check_objects(3, 2, PHT_UNKNOWN, 1);
    ck_assert(!gc->by_census);
    ck_assert_uint_eq(gc->long_lists, 1);
    look(5);
    check_objects(3, 2, PHT_UNKNOWN, 1);
    put(OTHER + 8, INTERPRETER);
    put(RUNTIME + 40, OTHER);
    look(LONG + 6);
    check_objects(3, 2, PHT_UNKNOWN, 1);
    ck_assert_uint_eq(gc->torn_lists, 0);
}
END_TEST

START_TEST(a_torn_list_leaves_nothing_to_the_census)
{
    put_long_list(GC + PERMANENT);
    look(LONG + 25);
    check_objects(3, 2, 20, LONG);
    put(generation(0) + 8, HEAP);
    look(LONG + 25);
    check_objects(PHT_UNKNOWN, 2, 20, PHT_UNKNOWN);
    ck_assert_uint_eq(gc->torn_lists, 1);
    ck_assert_uint_eq(gc->long_lists, 1);
}
END_TEST

/* ---- damaged ------------------------------------------------------------------------------ */

static const pht_addr strays[] = {0,
                                  1,
                                  8,
                                  HEAP + 2 * PAGE + 5 * OBJECT_BYTES,
                                  HEAP + 2 * PAGE + 19 * OBJECT_BYTES,
                                  HEAP + 1,
                                  HEAP,
                                  HEAP_END - 8,
                                  HEAP_END,
                                  PHT_USER_ADDR_MAX,
                                  PHT_USER_ADDR_MAX + 1,
                                  UINT64_MAX - 7,
                                  UINT64_MAX};

START_TEST(a_link_to_elsewhere_tears_its_list_alone)
{
    put(HEAP + 2 * PAGE + 9 * OBJECT_BYTES, strays[_i]);
    look(26);
    check_objects(3, 2, PHT_UNKNOWN, 1);
    ck_assert_uint_eq(gc->torn_lists, 1);
    ck_assert(!gc->by_census);
}
END_TEST

/* As counts of references do, which stand there during a collection. */
START_TEST(a_way_back_that_is_none_tears_a_list)
{
    put(HEAP + 2 * PAGE + 9 * OBJECT_BYTES + 8, strays[_i]);
    look(PHT_UNKNOWN);
    check_objects(3, 2, PHT_UNKNOWN, 1);
    ck_assert_uint_eq(gc->torn_lists, 1);
}
END_TEST

START_TEST(what_is_in_swap_stays_there)
{
    fake_target_set_pages(walk.fake, HEAP + 2 * PAGE, HEAP + 3 * PAGE, FAKE_SWAPPED);
    look(PHT_UNKNOWN);
    check_objects(3, 2, PHT_UNKNOWN, 1);
}
END_TEST

START_TEST(lists_of_which_none_is_whole_are_no_collector)
{
    for (unsigned i = 0; i < 3; i++)
        put(generation(i) + 8, HEAP);
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
}
END_TEST

static const struct wrong_row {
    pht_addr addr;
    uint64_t value;
} wrong_rows[] = {
    {GC + GENERATION0, 0},
    {GC + GENERATION0, GC + GENERATIONS + 24},
    {GC + ENABLED - 4, (uint64_t)2 << 32},
    {RUNTIME + 48, 0},
    {RUNTIME + 48, UINT64_MAX},
    {RUNTIME + 48, PHT_USER_ADDR_MAX},
    {RUNTIME + 48, HEAP},
    {INTERPRETER + 16, 1},
};

START_TEST(a_state_that_is_none_is_not_believed)
{
    put(wrong_rows[_i].addr, wrong_rows[_i].value);
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
}
END_TEST

static const struct wrong_row garbage_rows[] = {
    {GC + GARBAGE, 8},
    {GC + GARBAGE, UINT64_MAX},
    {GC + GARBAGE, HEAP_END},
    {LIST + PHT_OBJECT_TYPE, UINT64_MAX - 100},
    {LIST + PHT_OBJECT_TYPE, 0},
    {LIST_TYPE + PHT_TYPE_FLAGS, PHT_TYPE_TUPLE_SUBCLASS},
    {LIST + PHT_OBJECT_SIZE, UINT64_MAX},
};

START_TEST(garbage_that_is_no_list_is_not_known)
{
    put(garbage_rows[_i].addr, garbage_rows[_i].value);
    look(PHT_UNKNOWN);
    check_objects(3, 2, 20, 1);
    ck_assert_uint_eq(gc->garbage, PHT_UNKNOWN);
}
END_TEST

START_TEST(a_layout_without_it_has_none)
{
    ck_assert(pht_gc_is_known(&walk.python));
    walk.python.free_threaded = true;
    ck_assert(!pht_gc_is_known(&walk.python));
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
    walk.python.free_threaded = false;
    walk.python.layout.gc_generation0 = PHT_UNKNOWN;
    ck_assert(!pht_gc_is_known(&walk.python));
    look(PHT_UNKNOWN);
    ck_assert_ptr_null(gc);
}
END_TEST

static const uint64_t strides[] = {0, 24, 60, 71, 73, 192 + 3, 3 * 4096, UINT64_MAX - 1};

START_TEST(generations_of_no_possible_size_are_none)
{
    walk.python.layout.gc_generations_bytes = strides[_i];
    look(PHT_UNKNOWN);
    ck_assert(gc == NULL || gc->torn_lists > 0 || strides[_i] == 72);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/gc");
    TCase *whole = tcase_create("whole"), *longs = tcase_create("long");
    TCase *damaged = tcase_create("damaged");

    tcase_add_checked_fixture(whole, setup, teardown);
    tcase_add_test(whole, every_figure_is_read);
    tcase_add_test(whole, lists_may_be_empty_and_numbers_below_zero);
    tcase_add_test(whole, flags_in_links_are_none_of_the_address);
    tcase_add_test(whole, the_runtime_has_the_collector_before_3_9);
    tcase_add_test(whole, statics_have_it_before_3_7);
    tcase_add_loop_test(whole, the_incremental_collector_has_two_old_spaces, 0, 2);
    tcase_add_test(whole, figures_in_rings_are_those_written_last);
    tcase_add_test(whole, heads_may_be_aligned_to_four);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(longs, setup, teardown);
    tcase_set_timeout(longs, 60);
    tcase_add_test(longs, a_list_of_middling_length_is_followed_unless_the_census_tells);
    tcase_add_test(longs, a_list_that_is_too_long_has_what_the_census_leaves);
    tcase_add_test(longs, a_torn_list_leaves_nothing_to_the_census);
    suite_add_tcase(suite, longs);
    tcase_add_checked_fixture(damaged, setup, teardown);
    tcase_add_loop_test(damaged, a_link_to_elsewhere_tears_its_list_alone, 0, ROWS(strays));
    tcase_add_loop_test(damaged, a_way_back_that_is_none_tears_a_list, 0, ROWS(strays));
    tcase_add_test(damaged, what_is_in_swap_stays_there);
    tcase_add_test(damaged, lists_of_which_none_is_whole_are_no_collector);
    tcase_add_loop_test(damaged, a_state_that_is_none_is_not_believed, 0, ROWS(wrong_rows));
    tcase_add_loop_test(damaged, garbage_that_is_no_list_is_not_known, 0, ROWS(garbage_rows));
    tcase_add_test(damaged, a_layout_without_it_has_none);
    tcase_add_loop_test(damaged, generations_of_no_possible_size_are_none, 0, ROWS(strides));
    suite_add_tcase(suite, damaged);
    return suite;
}

SUITE_MAIN(make_suite)
