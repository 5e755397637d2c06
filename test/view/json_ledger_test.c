/* Categories, and what is in none of them, in the JSON. */
#include <stdio.h>
#include <string.h>

#include "support/heap_ledger.h"
#include "support/json_report.h"
#include "support/suite.h"

/* ---- categories --------------------------------------------------------------------------- */

static const struct {
    const char *id;
    const char *letter;
} names[PHT_CATEGORIES] = {
    {"python_small", "P"},   {"pymalloc_slack", "p"},  {"python_large", "L"},
    {"malloc_unowned", "N"}, {"malloc_free", "f"},     {"malloc_top", "t"},
    {"malloc_mmapped", "M"}, {"other_allocator", "A"}, {"files", "F"},
    {"stacks", "S"},         {"shared_memory", "H"},   {"unattributed", "?"},
};

static const char *path_of(int category, const char *field)
{
    static char path[64];

    snprintf(path, sizeof(path), "categories.%d.%s", category, field);
    return path;
}

START_TEST(every_category_stands_in_its_place)
{
    report->categories[_i] = (struct pht_category_sum){4711, 4712, PHT_EVIDENCE_REMAINDER};
    write_report();
    heap_json_check_text(root, path_of(_i, "id"), names[_i].id);
    heap_json_check_text(root, path_of(_i, "letter"), names[_i].letter);
    heap_json_check_text(root, path_of(_i, "label"),
                         pht_category_name((enum pht_category)_i)->label);
    heap_json_check_number(root, path_of(_i, "bytes"), 4711);
    heap_json_check_number(root, path_of(_i, "swap_bytes"), 4712);
    heap_json_check_text(root, path_of(_i, "evidence"), "remainder");
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "categories")), PHT_CATEGORIES);
}
END_TEST

/* A category that holds nothing is known to hold nothing. */
START_TEST(empty_categories_have_a_number)
{
    report->categories[_i] = (struct pht_category_sum){0, 0, PHT_EVIDENCE_NONE};
    write_report();
    heap_json_check_number(root, path_of(_i, "bytes"), 0);
    heap_json_check_number(root, path_of(_i, "swap_bytes"), 0);
    heap_json_check_null(root, path_of(_i, "evidence"));
}
END_TEST

START_TEST(evidence_has_a_name)
{
    static const char *const evidence[] = {NULL, "walked", "remainder", "kernel"};

    report->categories[3].evidence = (enum pht_evidence)_i;
    write_report();
    if (evidence[_i] == NULL)
        heap_json_check_null(root, path_of(3, "evidence"));
    else
        heap_json_check_text(root, path_of(3, "evidence"), evidence[_i]);
}
END_TEST

static uint64_t sum(const char *list, const char *name)
{
    const json_t *rows = heap_json_get(root, list);
    uint64_t total = 0;

    for (size_t i = 0; i < json_array_size(rows); i++)
        total += (uint64_t)json_integer_value(json_object_get(json_array_get(rows, i), name));
    return total;
}

START_TEST(categories_add_up_to_rss)
{
    uint64_t left = report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes;

    write_report();
    ck_assert_uint_eq(sum("categories", "bytes"), report->kernel.rss_bytes);
    ck_assert_uint_eq(sum("mappings", "rss_bytes"), report->kernel.rss_bytes);
    ck_assert_uint_eq(sum("unattributed", "bytes"), left);
    heap_json_check_number(root, "attributed_bytes", report->kernel.rss_bytes - left);
    heap_json_check_number(root, "kernel.rss_bytes", (uint64_t)1740 << 20);
}
END_TEST

START_TEST(what_nobody_looked_for_is_null)
{
    heap_ledger_drop(report);
    write_report();
    heap_json_check_null(root, "categories");
    heap_json_check_null(root, "attributed_bytes");
    heap_json_check_null(root, "unattributed");
    heap_json_check_null(root, "regions");
}
END_TEST

/* ---- what is in none of them -------------------------------------------------------------- */

START_TEST(unattributed_places_stand_largest_first)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "unattributed")), 6);
    heap_json_check_text(root, "unattributed.0.start", "0x7f2ab1200000");
    heap_json_check_text(root, "unattributed.0.end", "0x7f2ab4e00000");
    heap_json_check_text(root, "unattributed.0.name", "");
    heap_json_check_text(root, "unattributed.0.kind", "anonymous");
    heap_json_check_number(root, "unattributed.0.bytes", 52 << 20);
    heap_json_check_text(root, "unattributed.0.tried", report->unattributed[0].tried);
    heap_json_check_number(root, "unattributed.1.bytes", 2 << 20);
    heap_json_check_text(root, "unattributed.2.name", "[heap]");
    heap_json_check_text(root, "unattributed.2.kind", "heap");
    heap_json_check_number(root, "unattributed.5.bytes", 512 << 10);
}
END_TEST

START_TEST(unattributed_nothing_is_an_empty_list)
{
    report->unattributed_count = 0;
    write_report();
    ck_assert(json_is_array(heap_json_get(root, "unattributed")));
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "unattributed")), 0);
}
END_TEST

START_TEST(unattributed_names_are_valid_whatever_they_hold)
{
    report->smaps.maps.items[report->unattributed[0].mapping].name = "\xff\x1b[2J";
    write_report();
    heap_json_check_text(root, "unattributed.0.name", "\xef\xbf\xbd\x1b[2J");
    ck_assert_ptr_null(strchr(written, '\x1b'));
}
END_TEST

static Suite *json_ledger_suite(void)
{
    Suite *suite = suite_create("json_ledger");
    TCase *tcase = tcase_create("json_ledger");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_loop_test(tcase, every_category_stands_in_its_place, 0, PHT_CATEGORIES);
    tcase_add_loop_test(tcase, empty_categories_have_a_number, 0, PHT_CATEGORIES);
    tcase_add_loop_test(tcase, evidence_has_a_name, 0, 4);
    tcase_add_test(tcase, categories_add_up_to_rss);
    tcase_add_test(tcase, what_nobody_looked_for_is_null);
    tcase_add_test(tcase, unattributed_places_stand_largest_first);
    tcase_add_test(tcase, unattributed_nothing_is_an_empty_list);
    tcase_add_test(tcase, unattributed_names_are_valid_whatever_they_hold);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(json_ledger_suite)
