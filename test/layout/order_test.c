/* Layouts whose values contradict each other, and those of real builds, which do not. */
#include <string.h>

#include "layout/libc_layout.h"
#include "layout/order.h"
#include "layout/python_layout.h"
#include "support/elf_layout.h"
#include "support/malloc_layout.h"
#include "support/suite.h"

/* ---- members ------------------------------------------------------------------------------ */

static const struct order_row {
    struct pht_layout_member members[3];
    uint64_t start;
    bool fits;
} order_rows[] = {
    {{{0, 4, 4, {0}}, {4, 4, 4, {0}}, {8, 0, 8, {0}}}, 0, true},
    {{{0, 4, 4, {0}}, {8, 4, 4, {0}}, {16, 0, 8, {0}}}, 0, false}, /* a gap */
    {{{0, 4, 4, {0}}, {0, 4, 4, {0}}, {8, 0, 8, {0}}}, 0, false},  /* an overlap */
    {{{4, 4, 4, {0}}, {0, 4, 4, {0}}, {8, 0, 8, {0}}}, 0, false},  /* the other way round */
    {{{0, 4, 4, {0}}, {8, 8, 8, {0}}, {16, 0, 8, {0}}}, 0, true},  /* padding */
    {{{0, 4, 4, {0}}, {4, 8, 8, {0}}, {16, 0, 8, {0}}}, 0, false}, /* not aligned */
    {{{0, 4, 4, {0}}, {8, 8, 8, {0}}, {24, 0, 8, {0}}}, 0, false}, /* the end too far */
    {{{0, 4, 4, {0}}, {8, 8, 8, {0}}, {8, 0, 8, {0}}}, 0, false},  /* and too near */
    {{{8, 4, 4, {0}}, {12, 4, 4, {0}}, {16, 0, 8, {0}}}, 8, true}, /* from another start */
    {{{8, 4, 4, {0}}, {12, 4, 4, {0}}, {16, 0, 8, {0}}}, 0, false},
    {{{0, 4, 4, {0}}, {8, 8, 8, {0, 8}}, {16, 0, 8, {0}}}, 0, true}, /* with a hidden member */
    {{{0, 4, 4, {0}}, {16, 8, 8, {0, 8}}, {24, 0, 8, {0}}}, 0, true},
    {{{0, 4, 4, {0}}, {24, 8, 8, {0, 8}}, {32, 0, 8, {0}}}, 0, false},
    {{{0, 4, 4, {0}}, {8, 8, 8, {8, 8}}, {16, 0, 8, {0}}}, 0, false},
    {{{0, 4, 4, {0}}, {PHT_UNKNOWN, 8, 8, {0}}, {8, 0, 8, {0}}}, 0, true},
    {{{0, 4, 4, {0}}, {PHT_UNKNOWN, 8, 8, {0}}, {16, 0, 8, {0}}}, 0, false},
    {{{0, 4, 4, {0}}, {8, PHT_UNKNOWN, 8, {0}}, {16, 0, 8, {0}}}, 0, false},
};

START_TEST(members_follow_one_another)
{
    const struct order_row *row = &order_rows[_i];

    ck_assert(pht_layout_is_in_order(row->members, 3, row->start) == row->fits);
}
END_TEST

static const struct apart_row {
    struct pht_layout_place places[2];
    bool apart;
} apart_rows[] = {
    {{{16, 8, 8}, {24, 8, 8}}, true},
    {{{24, 8, 8}, {16, 8, 8}}, true},
    {{{16, 9, 8}, {24, 8, 8}}, false},
    {{{16, 8, 8}, {16, 8, 8}}, false},
    {{{16, 32, 8}, {24, 8, 8}}, false},
    {{{24, 8, 8}, {16, 32, 8}}, false},
    {{{20, 8, 8}, {40, 8, 8}}, false},
    {{{20, 4, 4}, {24, 8, 8}}, true},
    {{{PHT_UNKNOWN, 8, 8}, {24, 8, 8}}, true},
    {{{PHT_UNKNOWN, 8, 8}, {PHT_UNKNOWN, 8, 8}}, true},
    {{{16, PHT_UNKNOWN, 8}, {24, 8, 8}}, false},
    {{{16, UINT64_MAX - 8, 8}, {24, 8, 8}}, false},
    {{{24, 8, 8}, {UINT64_MAX - 7, 16, 8}}, false},
};

START_TEST(symbols_have_a_place_of_their_own)
{
    ck_assert(pht_layout_is_apart(apart_rows[_i].places, 2) == apart_rows[_i].apart);
}
END_TEST

/* ---- real builds -------------------------------------------------------------------------- */

static struct pht_python_layout (*const builds[])(void) = {elf_layout_of_3_11, elf_layout_of_3_13,
                                                           elf_layout_of_short_heads};

START_TEST(builds_of_python_are_as_declared)
{
    struct pht_python_layout layout = builds[_i]();

    ck_assert(pht_python_layout_is_as_declared(&layout));
}
END_TEST

START_TEST(releases_of_glibc_are_as_declared)
{
    struct pht_libc_layout layout;

    malloc_layout((enum malloc_version)_i, &layout);
    ck_assert(pht_libc_layout_is_as_declared(&layout));
}
END_TEST

/* Members and sizes that stand in no order: others tell when they are wrong, see doubts.h. */
static const char *const free_ones[] = {
    "interp_bytes", "interp_obmalloc", "interp_obmalloc_bytes", "obmalloc_bytes", "runtime_bytes",
    "interp_gc",    "gc_bytes",        "gc_generations",
};

static bool is_free(const struct pht_layout_field *field)
{
    for (size_t i = 0; i < sizeof(free_ones) / sizeof(free_ones[0]); i++) {
        if (strcmp(field->name, free_ones[i]) == 0)
            return true;
    }
    return false;
}

/* mp_ of 2.44, which has a member less at its end than that of 2.43. */
static bool is_of_2_44(const struct pht_layout_field *field, uint64_t value)
{
    return strcmp(field->name, "params_bytes") == 0 && value == 136;
}

/* `value` in place of each offset and size, one at a time. */
static void check_wrong_values(const struct pht_layout_table *table, void *layout)
{
    static const int64_t steps[] = {4, -4, 8, -8, 16};
    unsigned tried = 0;

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        uint64_t value = pht_layout_get(layout, field);
        if (value == PHT_UNKNOWN || !pht_layout_is_of_type(field) || is_free(field))
            continue;
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            if (steps[j] < 0 && value < (uint64_t)-steps[j])
                continue;
            pht_layout_set(layout, field, value + (uint64_t)steps[j]);
            bool is_declared = is_of_2_44(field, value + (uint64_t)steps[j]);
            ck_assert_msg(table->is_as_declared(layout) == is_declared, "%s %+d is taken",
                          field->name, (int)steps[j]);
            tried++;
        }
        pht_layout_set(layout, field, value);
    }
    ck_assert(table->is_as_declared(layout));
    ck_assert_uint_gt(tried, 40);
}

START_TEST(each_wrong_offset_of_python_is_noticed)
{
    struct pht_python_layout layout = builds[_i]();

    check_wrong_values(&pht_python_layout_table, &layout);
}
END_TEST

START_TEST(each_wrong_offset_of_glibc_is_noticed)
{
    struct pht_libc_layout layout;

    malloc_layout((enum malloc_version)_i, &layout);
    check_wrong_values(&pht_libc_layout_table, &layout);
}
END_TEST

/* Statics that would share their place, by what one of them is moved. */
START_TEST(statics_that_overlap_are_noticed)
{
    struct pht_python_layout layout = elf_layout_of_3_11();

    layout.ntimes_arena_allocated = layout.narenas_highwater;
    ck_assert(!pht_python_layout_is_as_declared(&layout));
    layout = elf_layout_of_3_11();
    layout.object_allocator = layout.usedpools + layout.usedpools_bytes - 8;
    ck_assert(!pht_python_layout_is_as_declared(&layout));
    layout = elf_layout_of_3_11();
    layout.narenas += 4;
    ck_assert(!pht_python_layout_is_as_declared(&layout));
    layout = elf_layout_of_3_11();
    layout.free_static_tuples = layout.narenas + 16;
    layout.free_static_tuples_bytes = 80;
    layout.free_static_lists = layout.free_static_tuples + 80;
    ck_assert(pht_python_layout_is_as_declared(&layout));
    layout.free_static_lists -= 4;
    ck_assert(!pht_python_layout_is_as_declared(&layout));
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *order_suite(void)
{
    Suite *suite = suite_create("layout/order");
    TCase *tcase = tcase_create("order");

    tcase_add_loop_test(tcase, members_follow_one_another, 0, ROWS(order_rows));
    tcase_add_loop_test(tcase, symbols_have_a_place_of_their_own, 0, ROWS(apart_rows));
    tcase_add_loop_test(tcase, builds_of_python_are_as_declared, 0, ROWS(builds));
    tcase_add_loop_test(tcase, releases_of_glibc_are_as_declared, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, each_wrong_offset_of_python_is_noticed, 0, ROWS(builds));
    tcase_add_loop_test(tcase, each_wrong_offset_of_glibc_is_noticed, 0, MALLOC_VERSIONS);
    tcase_add_test(tcase, statics_that_overlap_are_noticed);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(order_suite)
