/* Free lists whose counters are variables, by version, alignment and what the build shows. */
#include <string.h>

#include "support/region_walk.h"
#include "support/suite.h"

#define VARIABLES ((pht_addr)0x7f1000000000)
#define BIAS ((uint64_t)0x7f0fffff0000)
#define LINKED (VARIABLES - BIAS)

#define TUPLES 128
#define SLICE 256
#define TUPLE_LENGTHS 20

/* Counters stand one behind the other, in this order. */
static const size_t counters[] = {
    offsetof(struct pht_python_layout, free_static_floats),
    offsetof(struct pht_python_layout, free_static_lists),
    offsetof(struct pht_python_layout, free_static_dicts),
    offsetof(struct pht_python_layout, free_static_dict_keys),
    offsetof(struct pht_python_layout, free_static_contexts),
    offsetof(struct pht_python_layout, free_static_async_values),
    offsetof(struct pht_python_layout, free_static_async_sends),
    offsetof(struct pht_python_layout, free_static_frames),
    offsetof(struct pht_python_layout, free_static_methods),
    offsetof(struct pht_python_layout, free_static_functions),
    offsetof(struct pht_python_layout, free_static_sets),
    offsetof(struct pht_python_layout, free_static_unicodes),
};

#define COUNTERS (sizeof(counters) / sizeof(counters[0]))

static struct region_walk walk;
static struct pht_freelists lists;

static void put_u32(uint64_t offset, uint32_t value)
{
    fake_target_put_u32(walk.fake, VARIABLES + offset, value);
}

static void set_layout(size_t field, uint64_t value)
{
    memcpy((char *)&walk.python.layout + field, &value, sizeof(value));
}

static void setup(void)
{
    struct pht_python_layout *layout;

    region_walk_init(&walk);
    layout = &walk.python.layout;
    walk.python.bias = BIAS;
    region_walk_map(&walk, VARIABLES, VARIABLES + PHT_PAGE_BYTES, FAKE_PRIVATE);
    for (size_t i = 0; i < COUNTERS; i++) {
        set_layout(counters[i], LINKED + 4 * i);
        put_u32(4 * i, 2);
    }
    layout->free_static_tuples = LINKED + TUPLES;
    layout->free_static_tuples_bytes = sizeof(uint32_t) * TUPLE_LENGTHS;
    put_u32(TUPLES, 1);
    put_u32(TUPLES + 4, 5);
    put_u32(TUPLES + 4 * (TUPLE_LENGTHS - 1), 1);
    layout->cached_static_slice = LINKED + SLICE;
    fake_target_put_u64(walk.fake, VARIABLES + SLICE, 0x7f2000000000);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

/* The pairs of pointers in usedpools tell the alignment, the generations the collector's head. */
static void set_build(unsigned major, unsigned minor, unsigned alignment)
{
    walk.python.version = (struct pht_version){major, minor, 1};
    walk.python.layout.usedpools_bytes = (uint64_t)512 / alignment * 16;
    if (major == 3 && alignment == 8)
        walk.python.layout.gc_static_generations_bytes = 96;
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
        ck_assert_msg(lists.items[i].objects == objects && lists.items[i].bytes == bytes,
                      "%s: %llu, %llu bytes", type, (unsigned long long)lists.items[i].objects,
                      (unsigned long long)lists.items[i].bytes);
        return;
    }
    ck_abort_msg("no list of %s", type);
}

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* 3.6 as it was released: the collector's head has 24 bytes. */
static const struct build_row {
    unsigned major;
    unsigned minor;
    unsigned alignment;
    uint64_t tuples; /* five of length 1, and one of 19 */
    uint64_t slice;  /* 0: the version keeps none */
} builds[] = {
    {2, 7, 8, 5 * 64 + 208, 0},   {3, 6, 8, 5 * 56 + 200, 64},  {3, 7, 16, 5 * 64 + 208, 80},
    {3, 8, 16, 5 * 48 + 192, 64}, {3, 9, 16, 5 * 48 + 192, 64},
};

#define VARIED 1

/* clang-format off */
static const struct {
    const char *type;
    uint64_t bytes[5]; /* of one block; 0: the version has no such list */
} kinds[] = {
    /*                                   2.7     3.6     3.7     3.8     3.9 */
    {"float",                          {   0,     24,     32,     32,     32}},
    {"list",                           {  72,     64,     80,     64,     64}},
    {"dict",                           { 280,     72,     80,     64,     64}},
    {"(dict keys)",                    {   0,    168,    176,    176,    176}},
    {"Context",                        {   0,      0,     80,     64,     64}},
    {"async_generator_wrapped_value",  {   0,     48,     64,     48,     48}},
    {"async_generator_asend",          {   0,     64,     80,     64,     64}},
    {"frame",                          {VARIED, VARIED, VARIED, VARIED, VARIED}},
    {"builtin_function_or_method",     {  72,     72,     80,     80,      0}},
    {"instancemethod",                 {  80,      0,      0,      0,      0}},
    {"method",                         {   0,     64,     80,     64,      0}},
    {"set",                            { 232,      0,      0,      0,      0}},
    {"unicode",                        {VARIED,    0,      0,      0,      0}},
};
/* clang-format on */

START_TEST(each_version_has_its_lists_and_blocks)
{
    const struct build_row *build = &builds[_i];
    size_t expected = 1 + (build->slice != 0);

    set_build(build->major, build->minor, build->alignment);
    look();
    for (size_t i = 0; i < ROWS(kinds); i++) {
        uint64_t bytes = kinds[i].bytes[_i];
        if (bytes == 0)
            continue;
        check(kinds[i].type, 2, bytes != VARIED ? 2 * bytes : PHT_UNKNOWN);
        expected++;
    }
    ck_assert_uint_eq(lists.count, expected);
    check("tuple", 6, build->tuples);
    if (build->slice != 0)
        check("slice", 1, build->slice);
    for (size_t i = 1; i < lists.count; i++)
        ck_assert_uint_ge(lists.items[i - 1].bytes, lists.items[i].bytes);
}
END_TEST

START_TEST(what_is_empty_has_no_bytes)
{
    for (size_t i = 0; i < COUNTERS; i++)
        put_u32(4 * i, 0);
    fake_target_put_u64(walk.fake, VARIABLES + SLICE, 0);
    set_build(3, 9, 16);
    look();
    check("frame", 0, 0);
    check("slice", 0, 0);
    check("list", 0, 0);
}
END_TEST

/* Counts that are not known are not 0, and those that are known stay. */
START_TEST(lists_that_the_build_does_not_show_are_unknown)
{
    walk.python.layout.free_static_lists = PHT_UNKNOWN;
    walk.python.layout.free_static_tuples_bytes = 84;
    walk.python.layout.cached_static_slice = PHT_UNKNOWN;
    set_build(3, 8, 16);
    look();
    check("list", PHT_UNKNOWN, PHT_UNKNOWN);
    check("tuple", PHT_UNKNOWN, PHT_UNKNOWN);
    check("slice", PHT_UNKNOWN, PHT_UNKNOWN);
    check("dict", 2, 128);
}
END_TEST

START_TEST(where_none_is_shown_there_is_none)
{
    memset(&walk.python.layout, 0xff, sizeof(walk.python.layout));
    set_build(3, 8, 16);
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

static const struct {
    uint64_t offset;
    uint32_t value;
} wrong[] = {{0, 10001}, {4, UINT32_MAX}, {TUPLES + 40, INT32_MAX}};

START_TEST(counters_that_cannot_be_leave_nothing)
{
    set_build(3, 8, 16);
    put_u32(wrong[_i].offset, wrong[_i].value);
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

START_TEST(variables_elsewhere_leave_nothing)
{
    static const struct {
        size_t field;
        uint64_t address;
    } places[] = {
        {offsetof(struct pht_python_layout, free_static_dicts), LINKED + 0x8000},
        {offsetof(struct pht_python_layout, free_static_dicts), PHT_UNKNOWN - 1},
        {offsetof(struct pht_python_layout, free_static_tuples), LINKED - 8},
        {offsetof(struct pht_python_layout, cached_static_slice), (uint64_t)1 << 60},
    };

    set_build(3, 8, 16);
    set_layout(places[_i].field, places[_i].address);
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

/* Builds whose objects have other sizes, or whose blocks have an alignment that is not known. */
static void trace_references(void)
{
    set_build(3, 7, 16);
    walk.python.debug_build = true;
}

static void thread_freely(void)
{
    set_build(3, 8, 16);
    walk.python.free_threaded = true;
}

static void forget_pools(void)
{
    set_build(3, 8, 16);
    walk.python.layout.usedpools_bytes = PHT_UNKNOWN;
}

static void shrink_pools(void)
{
    set_build(3, 8, 16);
    walk.python.layout.usedpools_bytes = 15;
}

static void come_before(void)
{
    set_build(3, 5, 16);
}

static void (*const strange[])(void) = {trace_references, thread_freely, forget_pools, shrink_pools,
                                        come_before};

START_TEST(builds_that_are_not_known_have_none)
{
    strange[_i]();
    look();
    ck_assert_uint_eq(lists.count, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/freelists_statics");
    TCase *tcase = tcase_create("statics");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, each_version_has_its_lists_and_blocks, 0, ROWS(builds));
    tcase_add_test(tcase, what_is_empty_has_no_bytes);
    tcase_add_test(tcase, lists_that_the_build_does_not_show_are_unknown);
    tcase_add_test(tcase, where_none_is_shown_there_is_none);
    tcase_add_loop_test(tcase, counters_that_cannot_be_leave_nothing, 0, ROWS(wrong));
    tcase_add_loop_test(tcase, variables_elsewhere_leave_nothing, 0, 4);
    tcase_add_loop_test(tcase, builds_that_are_not_known_have_none, 0, ROWS(strange));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
