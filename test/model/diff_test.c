/* What grew between two reports. */
#include <string.h>

#include "support/figures.h"
#include "support/suite.h"

static struct pht_figures *before, *after;
static struct pht_diff diff;

static void setup(void)
{
    before = figures_create("2026-11-22T14:03:07.041Z", 1000);
    after = figures_create("2026-11-22T14:08:10.000Z", 1500);
    diff = (struct pht_diff){0};
}

static void teardown(void)
{
    pht_diff_deinit(&diff);
    pht_figures_destroy(before);
    pht_figures_destroy(after);
}

static void type(struct pht_figures *figures, const char *name, uint64_t address, uint64_t count,
                 uint64_t bytes)
{
    figures_add(figures, PHT_FIGURE_TYPE, "shop", name, address, count, bytes);
}

static void make(void)
{
    ck_assert(pht_diff_make(before, after, &diff));
}

static const struct pht_growth *growth(enum pht_figure_kind kind, size_t i)
{
    ck_assert_uint_gt(diff.lists[kind].count, i);
    return &diff.lists[kind].items[i];
}

static void check(const struct pht_growth *found, const char *name, int64_t bytes, int64_t count)
{
    ck_assert_str_eq(found->figure->name, name);
    ck_assert_int_eq(found->bytes, bytes);
    ck_assert_int_eq(found->count, count);
}

START_TEST(what_grew_most_comes_first_and_what_shrank_most_last)
{
    static const char *const names[] = {"files", "python_small", "stacks", "malloc_free", "same"};

    for (uint64_t i = 0; i < 5; i++) {
        figures_add(before, PHT_FIGURE_CATEGORY, "", names[i], 0, 0, 100);
        figures_add(after, PHT_FIGURE_CATEGORY, "", names[i], 0, 0,
                    i == 4 ? 100 : 50 + i % 3 * 100 + i);
    }
    make();
    ck_assert_uint_eq(diff.lists[PHT_FIGURE_CATEGORY].count, 4);
    check(growth(PHT_FIGURE_CATEGORY, 0), "stacks", 152, 0);
    check(growth(PHT_FIGURE_CATEGORY, 1), "python_small", 51, 0);
    check(growth(PHT_FIGURE_CATEGORY, 2), "malloc_free", -47, 0);
    check(growth(PHT_FIGURE_CATEGORY, 3), "files", -50, 0);
}
END_TEST

START_TEST(what_is_new_or_gone_grew_or_shrank_by_all_of_it)
{
    type(before, "Old", 16, 5, 500);
    type(after, "New", 32, 3, 90);
    make();
    ck_assert(diff.same_process);
    ck_assert_uint_eq(diff.lists[PHT_FIGURE_TYPE].count, 2);
    check(growth(PHT_FIGURE_TYPE, 0), "New", 90, 3);
    ck_assert_ptr_null(growth(PHT_FIGURE_TYPE, 0)->before);
    check(growth(PHT_FIGURE_TYPE, 1), "Old", -500, -5);
    ck_assert_ptr_null(growth(PHT_FIGURE_TYPE, 1)->after);
}
END_TEST

/* Two types of one name: a process tells them by their addresses, two processes cannot. */
START_TEST(types_of_one_name_stay_two)
{
    bool same = _i == 0;

    type(before, "Row", 0x2000, 10, 1000);
    type(before, "Row", 0x1000, 20, 2000);
    type(after, "Row", same ? 0x1000 : 0x9000, 20, 2400);
    type(after, "Row", same ? 0x2000 : 0xa000, 11, 1100);
    after->pid += !same;
    make();
    ck_assert(diff.same_process == same);
    ck_assert_uint_eq(diff.lists[PHT_FIGURE_TYPE].count, 2);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_ptr_nonnull(growth(PHT_FIGURE_TYPE, i)->before);
        ck_assert_ptr_nonnull(growth(PHT_FIGURE_TYPE, i)->after);
    }
    if (same)
        check(growth(PHT_FIGURE_TYPE, 0), "Row", 400, 0);
}
END_TEST

START_TEST(a_pid_that_was_used_again_is_another_process)
{
    after->start_time_ticks++;
    make();
    ck_assert(!diff.same_process);
}
END_TEST

START_TEST(sizes_go_by_their_number)
{
    for (int kind = PHT_FIGURE_SIZE_CLASS; kind <= PHT_FIGURE_UNOWNED; kind++) {
        figures_add(before, (enum pht_figure_kind)kind, "", "", 64, 10, 640);
        figures_add(before, (enum pht_figure_kind)kind, "", "", 32, 10, 320);
        figures_add(after, (enum pht_figure_kind)kind, "", "", 32, 10, 320);
        figures_add(after, (enum pht_figure_kind)kind, "", "", 64, 14, 896);
    }
    make();
    for (int kind = PHT_FIGURE_SIZE_CLASS; kind <= PHT_FIGURE_UNOWNED; kind++) {
        ck_assert_uint_eq(diff.lists[kind].count, 1);
        check(growth((enum pht_figure_kind)kind, 0), "", 256, 4);
    }
}
END_TEST

START_TEST(what_one_report_does_not_have_is_not_known)
{
    type(before, "Row", 16, 1, 10);
    (_i == 0 ? before : after)->lists[PHT_FIGURE_TYPE].known = false;
    make();
    ck_assert(!diff.lists[PHT_FIGURE_TYPE].known);
    ck_assert_uint_eq(diff.lists[PHT_FIGURE_TYPE].count, 0);
    ck_assert(diff.lists[PHT_FIGURE_CATEGORY].known);
}
END_TEST

START_TEST(the_largest_numbers_there_are)
{
    type(before, "Row", 16, 0, 0);
    type(after, "Row", 16, INT64_MAX, INT64_MAX);
    type(before, "Gone", 32, INT64_MAX, INT64_MAX);
    make();
    check(growth(PHT_FIGURE_TYPE, 0), "Row", INT64_MAX, INT64_MAX);
    check(growth(PHT_FIGURE_TYPE, 1), "Gone", -INT64_MAX, -INT64_MAX);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("model/diff");
    TCase *tcase = tcase_create("diff");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_grew_most_comes_first_and_what_shrank_most_last);
    tcase_add_test(tcase, what_is_new_or_gone_grew_or_shrank_by_all_of_it);
    tcase_add_loop_test(tcase, types_of_one_name_stay_two, 0, 2);
    tcase_add_test(tcase, a_pid_that_was_used_again_is_another_process);
    tcase_add_test(tcase, sizes_go_by_their_number);
    tcase_add_loop_test(tcase, what_one_report_does_not_have_is_not_known, 0, 2);
    tcase_add_test(tcase, the_largest_numbers_there_are);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
