/* What the report for people says of objects by type. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/golden.h"
#include "support/heap_objects.h"
#include "support/heap_text.h"
#include "support/suite.h"

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    report->sections = PHT_SECTION_TYPES;
    text = NULL;
}

static void teardown(void)
{
    free(text);
    pht_report_destroy(report);
}

static void write_report(bool full)
{
    text = heap_text_write(report, full);
}

static void check_has(const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in\n%s", wanted, text);
}

static void check_lacks(const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in\n%s", unwanted, text);
}

START_TEST(full_form_reads_as_it_did)
{
    write_report(true);
    golden_check(text, "report_types.txt");
}
END_TEST

/* What fits the short form as a whole is not said to be cut. */
START_TEST(short_form_shows_five_types_and_counts_the_rest)
{
    write_report(false);
    check_has("  dict\n");
    check_has("  shop.orders.Order.Line\n");
    check_lacks("unicode");
    check_lacks("largest");
    check_lacks("no known type");
    check_has("\n  ... 3 more types: --section types\n");
    free(text);
    report->objects->type_count = 6;
    write_report(false);
    check_has("\n  ... 1 more type: --section types\n");
    free(text);
    report->objects->type_count = 5;
    write_report(false);
    check_has("  shop.orders.Order.Line\n");
    check_lacks(" more type");
    report->objects->type_count = 8;
}
END_TEST

/* A list that is empty is left out, one whose length is not known is not. */
START_TEST(free_lists_that_are_not_known_have_dashes)
{
    struct pht_freelist *lists = report->freelists.items;

    lists[1].bytes = PHT_UNKNOWN;
    lists[2].objects = lists[2].bytes = PHT_UNKNOWN;
    write_report(true);
    check_has("Free lists tuple 60 (4.69K)  list 20 (-)  float - (-)\n");
}
END_TEST

static void write_sorted(enum pht_type_order sort, uint64_t rows)
{
    text = heap_text_write_types(report, true, sort, rows);
}

/* The types in the order of the rows. */
static const struct sorted_row {
    enum pht_type_order sort;
    const char *first;
    const char *second;
} sorted_rows[] = {
    {PHT_BY_SIZE, "  dict\n", "  str\n"},       {PHT_BY_OBJECTS, "  str\n", "  dict\n"},
    {PHT_BY_TAKEN, "  dict\n", "  str\n"},      {PHT_BY_LARGEST, "  numpy.ndarray\n", "  dict\n"},
    {PHT_BY_NAME, "  anonymous\n", "  dict\n"},
};

START_TEST(rows_are_sorted_as_asked)
{
    write_sorted(sorted_rows[_i].sort, 2);
    const char *first = strstr(text, sorted_rows[_i].first);
    const char *second = strstr(text, sorted_rows[_i].second);
    ck_assert_msg(first != NULL && second != NULL && first < second, "%s", text);
    check_has("\n  ... 6 more types\n");
}
END_TEST

/* Builtins come first, others by module and name. */
START_TEST(names_are_in_order)
{
    static const char *const names[] = {"  anonymous\n",     "  dict\n",
                                        "  list\n",          "  str\n",
                                        "  unicode\n",       "  collections.deque\n",
                                        "  numpy.ndarray\n", "  shop.orders.Order.Line\n"};
    const char *at = NULL;

    write_sorted(PHT_BY_NAME, 0);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *found = strstr(text, names[i]);
        ck_assert_msg(found > at, "%s in %s", names[i], text);
        at = found;
    }
}
END_TEST

START_TEST(more_rows_than_there_are_is_all)
{
    write_sorted(PHT_BY_SIZE, 1000000000);
    check_lacks(" more type");
    check_has("  anonymous\n");
}
END_TEST

START_TEST(short_form_stands_behind_malloc)
{
    report->sections |= PHT_SECTION_GLIBC | PHT_SECTION_MAPS;
    write_report(false);
    check_has("\nTypes  8 types  4,282,100 objects  shallow 571M  taken 600M\n");
    ck_assert(strstr(text, "\nTypes  ") > strstr(text, "\nGlibc malloc  "));
    ck_assert(strstr(text, "\nTypes  ") < strstr(text, "\nMappings  "));
}
END_TEST

START_TEST(modules_of_builtins_are_left_out)
{
    write_report(true);
    check_has("  dict\n");
    check_has("  unicode\n");
    check_has("  anonymous\n");
    check_has("  numpy.ndarray\n");
    check_lacks("builtin");
    free(text);
    heap_objects_rename(&report->objects->types[0], "builtins2", "dict");
    write_report(true);
    check_has("  builtins2.dict\n");
}
END_TEST

/* In swap, or in a page of a file that the target has not touched. */
START_TEST(type_without_a_name_is_told_by_its_address)
{
    heap_objects_rename(&report->objects->types[2], _i == 0 ? "" : "numpy", "");
    write_report(true);
    check_has("  type at 7f2bd5e4c2a0\n");
}
END_TEST

START_TEST(blocks_without_a_type_are_told_if_there_are_any)
{
    write_report(true);
    check_has(
        "\n       1,204     -       -     -     -   85.9K       -  blocks of no known type\n");
    free(text);
    report->objects->blocks.unowned = (struct pht_tally){0};
    write_report(true);
    check_lacks("no known type");
}
END_TEST

START_TEST(types_that_nobody_asked_for_or_found_are_not_shown)
{
    if (_i == 0)
        report->sections = PHT_SECTION_ALL & ~PHT_SECTION_TYPES;
    else
        heap_report_drop_objects(report);
    write_report(true);
    check_lacks("\nTypes ");
}
END_TEST

START_TEST(census_that_found_nothing_says_so)
{
    heap_report_drop_objects(report);
    report->objects = calloc(1, sizeof(*report->objects));
    write_report(true);
    check_has("\nTypes  0 types  0 objects  shallow 0B  taken 0B\n");
    check_lacks("largest");
}
END_TEST

START_TEST(long_names_and_large_figures_fit_a_terminal)
{
    struct pht_type_sum *type = &report->objects->types[0];
    char name[300];

    memset(name, 'x', sizeof(name));
    for (size_t i = 0; i + 2 < sizeof(name) && _i == 1; i += 2)
        memcpy(name + i, "\xc3\xa9", 2);
    name[sizeof(name) - 1 - (_i == 1)] = '\0';
    heap_objects_rename(type, "module", name);
    type->objects = report->objects->totals.objects = 9999999999;
    type->size_bytes = type->allocated_bytes = (uint64_t)1023 << 40;
    report->objects->totals.size_bytes = report->objects->totals.allocated_bytes = UINT64_MAX / 2;
    write_report(true);
    heap_text_check_width(text);
    check_has("module.");
    check_has("..\n");
    free(text);
    write_report(false);
    heap_text_check_width(text);
}
END_TEST

START_TEST(hostile_names_are_escaped)
{
    heap_objects_rename(&report->objects->types[0], "a\x1b[2J", "b\n\xff");
    write_report(_i);
    check_has("  a\\x1b[2J.b\\x0a\\xff\n");
}
END_TEST

static Suite *types_suite(void)
{
    Suite *suite = suite_create("view/text_types");
    TCase *tcase = tcase_create("types");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, full_form_reads_as_it_did);
    tcase_add_test(tcase, short_form_shows_five_types_and_counts_the_rest);
    tcase_add_test(tcase, free_lists_that_are_not_known_have_dashes);
    tcase_add_loop_test(tcase, rows_are_sorted_as_asked, 0, PHT_TYPE_ORDERS);
    tcase_add_test(tcase, names_are_in_order);
    tcase_add_test(tcase, more_rows_than_there_are_is_all);
    tcase_add_test(tcase, short_form_stands_behind_malloc);
    tcase_add_test(tcase, modules_of_builtins_are_left_out);
    tcase_add_loop_test(tcase, type_without_a_name_is_told_by_its_address, 0, 2);
    tcase_add_test(tcase, blocks_without_a_type_are_told_if_there_are_any);
    tcase_add_loop_test(tcase, types_that_nobody_asked_for_or_found_are_not_shown, 0, 2);
    tcase_add_test(tcase, census_that_found_nothing_says_so);
    tcase_add_loop_test(tcase, long_names_and_large_figures_fit_a_terminal, 0, 2);
    tcase_add_loop_test(tcase, hostile_names_are_escaped, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(types_suite)
