/* Tables of pymalloc: they are listed, and stay with who has claimed them. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define BIAS ((uint64_t)0x7f0000000000)
#define ROOT ((pht_addr)0x7f1000000000)
#define ROOT_BYTES ((uint64_t)262144)
#define NODES ((pht_addr)0x7f2000000010)
#define NODES_END ((pht_addr)0x7f2000200000)
#define MID_BYTES ((uint64_t)262144)
#define BOTTOM_BYTES ((uint64_t)131072)
#define MID NODES
#define BOTTOM (MID + MID_BYTES + 0x1000)
#define ARRAY (BOTTOM + BOTTOM_BYTES + 0x1000)
#define ARENA_OBJECT_BYTES 48

static struct region_walk walk;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

static void add_state(pht_addr usedpools, pht_addr arenas, uint32_t maxarenas)
{
    const struct pht_pymalloc_root state = {
        .usedpools = usedpools, .arenas_addr = arenas, .maxarenas = maxarenas};

    ck_assert(pht_vec_push(&walk.pymalloc.states, state));
}

/* As 3.11 has them: the root is a static, of which one page is resident. */
static void setup(void)
{
    region_walk_init(&walk);
    walk.python.bias = BIAS;
    walk.python.layout.arena_object_bytes = ARENA_OBJECT_BYTES;
    walk.python.layout.arena_map_mid_bytes = MID_BYTES;
    walk.python.layout.arena_map_bot_bytes = BOTTOM_BYTES;
    walk.python.layout.arena_map_root = ROOT - BIAS;
    walk.python.layout.arena_map_root_bytes = ROOT_BYTES;
    fake_target_map(walk.fake, ROOT, ROOT + ROOT_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(walk.fake, ROOT, ROOT + 1, FAKE_RESIDENT);
    fake_target_map(walk.fake, NODES - 16, NODES_END, FAKE_PRIVATE);
    fake_target_set_pages(walk.fake, MID, MID + 1, FAKE_RESIDENT);
    fake_target_set_pages(walk.fake, MID + 0x8000, MID + 0x9000, FAKE_RESIDENT);
    fake_target_set_pages(walk.fake, BOTTOM, BOTTOM + PAGE, FAKE_RESIDENT);
    fake_target_set_pages(walk.fake, ARRAY, ARRAY + 1, FAKE_RESIDENT);
    put(ROOT, MID);
    put(MID + 8 * 0x1040, BOTTOM);
    add_state(ROOT - 0x1000, ARRAY, 16);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static size_t nodes(void)
{
    return region_walk_count(&walk, PHT_REGION_ARENA_TREE);
}

static void check_both(void)
{
    ck_assert_uint_eq(nodes(), 2);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_ARENA_TREE, 0)->start, MID);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_ARENA_TREE, 0)->end, MID + MID_BYTES);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_ARENA_TREE, 1)->start, BOTTOM);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_ARENA_TREE, 1)->end, BOTTOM + BOTTOM_BYTES);
}

START_TEST(the_tree_and_the_array_are_listed_and_not_claimed)
{
    region_walk_run(&walk);
    check_both();
    region_walk_check(&walk, PHT_REGION_ARENA_ARRAY, ARRAY, ARRAY + 16 * ARENA_OBJECT_BYTES);
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (i != PHT_CATEGORY_UNATTRIBUTED)
            region_walk_check_category(&walk, (enum pht_category)i, 0);
    }
}
END_TEST

/* From 3.12 on every state has its own, inside. */
START_TEST(every_state_has_a_tree)
{
    walk.python.layout.obmalloc_bytes = 263248;
    walk.python.layout.obmalloc_usedpools = 64;
    walk.python.layout.obmalloc_arena_map_root = 1096;
    walk.python.layout.obmalloc_arena_map_root_bytes = PAGE;
    put(ROOT, 0);
    put(ROOT + 1096 + 512, MID);
    walk.pymalloc.states.items[0].usedpools = ROOT + 64;
    region_walk_run(&walk);
    check_both();
}
END_TEST

START_TEST(versions_without_a_tree_have_none)
{
    uint64_t *const members[] = {
        &walk.python.layout.arena_map_mid_bytes,
        &walk.python.layout.arena_map_bot_bytes,
        &walk.python.layout.arena_map_root,
        &walk.python.layout.arena_map_root_bytes,
    };

    *members[_i] = PHT_UNKNOWN;
    region_walk_run(&walk);
    ck_assert_uint_eq(nodes(), 0);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_ARENA_ARRAY), 1);
}
END_TEST

static const pht_addr strays[] = {1, MID + 4, UINT64_MAX, UINT64_MAX - 7, NODES_END - 64, 0x5000};

START_TEST(nodes_that_are_nowhere_are_left_out)
{
    put(ROOT + 8, strays[_i]);
    put(MID + 8 * 0x1041, strays[_i]);
    region_walk_run(&walk);
    check_both();
}
END_TEST

START_TEST(an_array_that_is_nowhere_is_left_out)
{
    walk.pymalloc.states.items[0].arenas_addr = strays[_i];
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_ARENA_ARRAY), 0);
}
END_TEST

START_TEST(an_array_that_is_too_large_is_left_out)
{
    walk.pymalloc.states.items[0].maxarenas = 1 << 26;
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_ARENA_ARRAY), 0);
}
END_TEST

/* Every word of the root leads to a node, and every word of that to another, or to none. */
START_TEST(a_tree_without_end_ends)
{
    static const uint64_t pages[] = {0, 8, 9};
    pht_addr node = NODES - 16;

    fake_target_set_pages(walk.fake, ROOT, ROOT + ROOT_BYTES, FAKE_RESIDENT);
    for (uint64_t i = 0; i < ROOT_BYTES / 8; i++)
        put(ROOT + 8 * i, node);
    for (uint64_t i = 0; i < 3 * PAGE / 8; i++)
        put(node + pages[i / 512] * PAGE + i % 512 * 8, _i == 0 ? 0 : node);
    region_walk_run(&walk);
    ck_assert_uint_eq(nodes(), _i == 0 ? 64 : 65536);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_tables");
    TCase *whole = tcase_create("whole"), *damaged = tcase_create("damaged");

    tcase_add_checked_fixture(whole, setup, teardown);
    tcase_add_test(whole, the_tree_and_the_array_are_listed_and_not_claimed);
    tcase_add_test(whole, every_state_has_a_tree);
    tcase_add_loop_test(whole, versions_without_a_tree_have_none, 0, 4);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(damaged, setup, teardown);
    tcase_add_loop_test(damaged, nodes_that_are_nowhere_are_left_out, 0, ROWS(strays));
    tcase_add_loop_test(damaged, an_array_that_is_nowhere_is_left_out, 0, ROWS(strays));
    tcase_add_test(damaged, an_array_that_is_too_large_is_left_out);
    tcase_add_loop_test(damaged, a_tree_without_end_ends, 0, 2);
    suite_add_tcase(suite, damaged);
    return suite;
}

SUITE_MAIN(make_suite)
