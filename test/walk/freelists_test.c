/* Free lists by their counters, and counters that cannot be. */
#include <string.h>

#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define RUNTIME ((pht_addr)0x7f1000000000)
#define INTERPRETER (RUNTIME + PAGE)
#define STRUCTS_END (RUNTIME + 2 * PAGE)

#define FLOATS 512
#define FRAMES 520
#define SLICE 528
#define KEYS 536
#define TUPLES 640

static struct region_walk walk;
static struct pht_freelists lists;

static void put_u32(uint64_t offset, uint32_t value)
{
    fake_target_put_u32(walk.fake, INTERPRETER + offset, value);
}

static void set_version(unsigned minor)
{
    walk.python.version = (struct pht_version){3, minor, 1};
}

static void setup(void)
{
    struct pht_python_layout *layout;

    region_walk_init(&walk);
    layout = &walk.python.layout;
    set_version(12);
    layout->runtime = RUNTIME;
    layout->runtime_interpreters_head = 40;
    layout->runtime_interpreters_main = 48;
    layout->interp_next = 8;
    layout->interp_id = 16;
    layout->free_floats = FLOATS;
    layout->free_frames = FRAMES;
    layout->cached_slice = SLICE;
    layout->free_dict_keys = KEYS;
    layout->free_tuples = TUPLES;
    layout->free_tuples_bytes = 80;
    region_walk_map(&walk, RUNTIME, STRUCTS_END, FAKE_PRIVATE);
    fake_target_put_u64(walk.fake, RUNTIME + 40, INTERPRETER);
    fake_target_put_u64(walk.fake, RUNTIME + 48, INTERPRETER);
    put_u32(FLOATS, 7);
    put_u32(FRAMES, 3);
    put_u32(SLICE, 0x1000);
    put_u32(KEYS, 2);
    put_u32(TUPLES, 5);
    put_u32(TUPLES + 76, 1);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static void look(void)
{
    if (walk.snapshot == NULL)
        region_walk_begin(&walk);
    pht_freelists_read(walk.snapshot, &walk.python, &lists);
    ck_assert_uint_eq(walk.fake->forbidden_reads, 0);
}

static void check(const char *type, uint64_t objects, uint64_t bytes)
{
    for (size_t i = 0; i < lists.count; i++) {
        if (strcmp(lists.items[i].type, type) != 0)
            continue;
        ck_assert_uint_eq(lists.items[i].objects, objects);
        ck_assert_uint_eq(lists.items[i].bytes, bytes);
        return;
    }
    ck_abort_msg("no list of %s", type);
}

/* A tuple of one has 16 + 24 + 8 bytes, of twenty 200. */
START_TEST(each_list_has_its_blocks)
{
    look();
    ck_assert_uint_eq(lists.count, 5);
    check("float", 7, 224);
    check("frame", 3, PHT_UNKNOWN);
    check("slice", 1, 64);
    check("(dict keys)", 2, 256);
    check("tuple", 6, 5 * 48 + 208);
    for (size_t i = 1; i < lists.count; i++)
        ck_assert_uint_ge(lists.items[i - 1].bytes, lists.items[i].bytes);
}
END_TEST

START_TEST(the_empty_tuple_of_3_10_is_in_use)
{
    set_version(10);
    look();
    check("tuple", 1, 192);
    check("(dict keys)", 2, 352);
}
END_TEST

START_TEST(tuples_of_3_14_have_lists_and_a_hash)
{
    set_version(14);
    walk.python.layout.free_tuples_bytes = 320;
    for (uint64_t i = 0; i < 20; i++)
        fake_target_put_u64(walk.fake, INTERPRETER + TUPLES + 16 * i, 0x7f2000000000);
    put_u32(TUPLES + 8, 5);
    put_u32(TUPLES + 19 * 16 + 8, 1);
    for (uint64_t i = 1; i < 19; i++)
        put_u32(TUPLES + 16 * i + 8, 0);
    look();
    check("tuple", 6, 5 * 64 + 208);
}
END_TEST

START_TEST(an_empty_slice_is_none)
{
    put_u32(SLICE, 0);
    look();
    check("slice", 0, 0);
}
END_TEST

static const struct {
    uint64_t offset;
    uint32_t value;
} wrong[] = {
    {FLOATS, 10001}, {FLOATS, UINT32_MAX}, {TUPLES + 40, INT32_MAX}, {KEYS, 0x7f2b0000}, {16, 1},
};

START_TEST(counters_that_cannot_be_leave_nothing)
{
    put_u32(wrong[_i].offset, wrong[_i].value);
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

START_TEST(counters_elsewhere_leave_nothing)
{
    static const uint64_t offsets[] = {8192, (uint64_t)1 << 40, (uint64_t)1 << 50};

    walk.python.layout.free_floats = offsets[_i];
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

START_TEST(where_nothing_is_known_there_is_none)
{
    memset(&walk.python.layout, 0xff, sizeof(walk.python.layout));
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/freelists");
    TCase *tcase = tcase_create("freelists");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_list_has_its_blocks);
    tcase_add_test(tcase, the_empty_tuple_of_3_10_is_in_use);
    tcase_add_test(tcase, tuples_of_3_14_have_lists_and_a_hash);
    tcase_add_test(tcase, an_empty_slice_is_none);
    tcase_add_loop_test(tcase, counters_that_cannot_be_leave_nothing, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_loop_test(tcase, counters_elsewhere_leave_nothing, 0, 3);
    tcase_add_test(tcase, where_nothing_is_known_there_is_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
