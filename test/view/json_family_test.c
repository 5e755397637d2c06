/* The family in the JSON. */
#include <stdio.h>
#include <string.h>

#include "support/heap_ledger.h"
#include "support/json_report.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

START_TEST(relative_has_every_figure)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "family")), 5);
    heap_json_check_number(root, "family.2.pid", 4712);
    heap_json_check_number(root, "family.2.ppid", 4700);
    heap_json_check_text(root, "family.2.comm", "celery worker");
    heap_json_check_number(root, "family.2.rss_bytes", 1600 * MIB);
    heap_json_check_number(root, "family.2.pss_bytes", 1500 * MIB);
    heap_json_check_number(root, "family.2.shared_with_target_bytes", 61 * MIB);
    heap_json_check_number(root, "family.2.copied_bytes", 388 * MIB);
}
END_TEST

START_TEST(one_of_the_family_is_the_target)
{
    char path[32];

    write_report();
    for (int i = 0; i < 5; i++) {
        snprintf(path, sizeof(path), "family.%d.is_target", i);
        ck_assert(json_is_boolean(heap_json_get(root, path)));
        ck_assert(json_is_true(heap_json_get(root, path)) == (i == 1));
    }
}
END_TEST

START_TEST(what_was_copied_is_named_largest_first)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "family.1.copied_categories")), 3);
    heap_json_check_text(root, "family.1.copied_categories.0.id", "python_small");
    heap_json_check_number(root, "family.1.copied_categories.0.bytes", 302 * MIB);
    heap_json_check_text(root, "family.1.copied_categories.1.id", "malloc_unowned");
    heap_json_check_number(root, "family.1.copied_categories.1.bytes", 88 * MIB);
    heap_json_check_text(root, "family.1.copied_categories.2.id", "pymalloc_slack");
    heap_json_check_number(root, "family.1.copied_categories.2.bytes", 12 * MIB);
}
END_TEST

/* As large as each other: they keep the order of the report. */
START_TEST(ties_keep_the_order_of_categories)
{
    for (int i = 0; i < PHT_CATEGORIES; i++)
        report->family[1].copied.bytes[i] = 4096;
    write_report();
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        char path[64];
        snprintf(path, sizeof(path), "family.1.copied_categories.%d.id", i);
        heap_json_check_text(root, path, pht_category_name((enum pht_category)i)->id);
    }
}
END_TEST

START_TEST(what_is_not_known_of_a_relative_is_null)
{
    write_report();
    heap_json_check_null(root, "family.0.copied_bytes");
    heap_json_check_null(root, "family.0.copied_categories");
    heap_json_check_null(root, "family.4.rss_bytes");
    heap_json_check_null(root, "family.4.pss_bytes");
    heap_json_check_null(root, "family.4.shared_with_target_bytes");
}
END_TEST

/* That nothing was copied is known, which is not the same. */
START_TEST(nothing_copied_is_an_empty_list)
{
    report->family[2].copied_bytes = 0;
    report->family[2].copied = (struct pht_split){{0}};
    write_report();
    heap_json_check_number(root, "family.2.copied_bytes", 0);
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "family.2.copied_categories")), 0);
    ck_assert(json_is_array(heap_json_get(root, "family.2.copied_categories")));
}
END_TEST

START_TEST(family_says_whether_it_is_exact)
{
    report->family_is_exact = _i;
    write_report();
    ck_assert(json_is_true(heap_json_get(root, "family_exact")) == (_i == 1));
    ck_assert(json_is_boolean(heap_json_get(root, "family_exact")));
}
END_TEST

START_TEST(family_that_nobody_looked_for_is_null)
{
    heap_family_keep(report, 0);
    report->has_family = false;
    write_report();
    heap_json_check_null(root, "family");
    heap_json_check_null(root, "family_exact");
}
END_TEST

START_TEST(process_without_relatives_has_an_empty_family)
{
    heap_family_keep(report, 0);
    write_report();
    ck_assert(json_is_array(heap_json_get(root, "family")));
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "family")), 0);
}
END_TEST

START_TEST(names_of_relatives_are_valid_whatever_they_hold)
{
    heap_report_set(&report->family[3].comm, "\xff\x1b[2J");
    write_report();
    heap_json_check_text(root, "family.3.comm", "\xef\xbf\xbd\x1b[2J");
    ck_assert_ptr_null(strchr(written, '\x1b'));
}
END_TEST

static Suite *json_family_suite(void)
{
    Suite *suite = suite_create("json_family");
    TCase *tcase = tcase_create("json_family");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_test(tcase, relative_has_every_figure);
    tcase_add_test(tcase, one_of_the_family_is_the_target);
    tcase_add_test(tcase, what_was_copied_is_named_largest_first);
    tcase_add_test(tcase, ties_keep_the_order_of_categories);
    tcase_add_test(tcase, what_is_not_known_of_a_relative_is_null);
    tcase_add_test(tcase, nothing_copied_is_an_empty_list);
    tcase_add_loop_test(tcase, family_says_whether_it_is_exact, 0, 2);
    tcase_add_test(tcase, family_that_nobody_looked_for_is_null);
    tcase_add_test(tcase, process_without_relatives_has_an_empty_family);
    tcase_add_test(tcase, names_of_relatives_are_valid_whatever_they_hold);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(json_family_suite)
