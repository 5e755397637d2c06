/* What the report for people says of categories, and of what is in none of them. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/golden.h"
#include "support/heap_ledger.h"
#include "support/heap_text.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)
#define HEAP 1

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    report->sections = PHT_SECTION_CATEGORIES;
    text = NULL;
}

static void teardown(void)
{
    free(text);
    pht_report_destroy(report);
}

static void write_report(bool full)
{
    free(text);
    text = heap_text_write(report, full);
}

static void check_holds(const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

static void check_lacks(const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in:\n%s", unwanted, text);
}

/* ---- golden files ------------------------------------------------------------------------- */

static void as_it_is(void)
{
}

static void put_in_swap(void)
{
    heap_ledger_swap(report, HEAP, PHT_CATEGORY_MALLOC_UNOWNED, 37 * MIB);
    heap_ledger_swap(report, 10, PHT_CATEGORY_PYTHON_SMALL, 512 * MIB);
}

static const struct {
    const char *name;
    void (*alter)(void);
    bool full;
} goldens[] = {
    {"report_ledger.txt", as_it_is, true},
    {"report_ledger_swap.txt", put_in_swap, false},
};

#define GOLDENS ((int)(sizeof(goldens) / sizeof(goldens[0])))

START_TEST(report_reads_as_it_did)
{
    goldens[_i].alter();
    write_report(goldens[_i].full);
    golden_check(text, goldens[_i].name);
}
END_TEST

/* ---- rows --------------------------------------------------------------------------------- */

START_TEST(every_category_has_a_row_with_its_letter)
{
    char row[128];

    write_report(false);
    snprintf(row, sizeof(row), "  %c  %s\n", pht_category_name((enum pht_category)_i)->letter,
             pht_category_name((enum pht_category)_i)->label);
    check_holds(row);
}
END_TEST

START_TEST(empty_category_has_no_row)
{
    report->categories[_i].bytes = 0;
    write_report(false);
    check_lacks(pht_category_name((enum pht_category)_i)->label);
}
END_TEST

/* What is all in swap is not nothing. */
START_TEST(swapped_category_has_a_row)
{
    report->categories[PHT_CATEGORY_PYTHON_SMALL].bytes = 0;
    heap_ledger_swap(report, HEAP, PHT_CATEGORY_PYTHON_SMALL, 5 * MIB);
    write_report(false);
    check_holds("       0B    0.0  5.00M  walked     P  ");
}
END_TEST

START_TEST(swap_has_a_column_only_where_there_is_any)
{
    write_report(false);
    check_holds("    bytes      %  evidence      what\n");
    check_holds("  p  pymalloc slack: free blocks, free pools, headers\n");
    put_in_swap();
    write_report(false);
    check_holds("  p  pymalloc slack\n");
    check_holds("  P  Python objects, small\n");
    check_holds("    bytes      %   swap  evidence      what\n");
    check_holds("  kernel        kernel RSS\n");
}
END_TEST

START_TEST(evidence_that_there_is_none_is_a_dash)
{
    report->categories[PHT_CATEGORY_STACKS].evidence = PHT_EVIDENCE_NONE;
    write_report(false);
    check_holds("    8.00M    0.5  -          S  ");
}
END_TEST

START_TEST(all_of_rss_is_100_percent_and_less_is_not)
{
    uint64_t *left = &report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes;

    *left = _i;
    report->attributed_bytes = report->kernel.rss_bytes - *left;
    write_report(false);
    check_holds(_i == 0 ? "RSS 1.70G  attributed 100.0%\n" : "RSS 1.70G  attributed 99.9%\n");
}
END_TEST

/* A process may have nothing resident at all. */
START_TEST(nothing_resident_is_no_division_by_zero)
{
    memset(report->categories, 0, sizeof(report->categories));
    report->kernel.rss_bytes = report->attributed_bytes = 0;
    report->unattributed_count = 0;
    write_report(false);
    check_holds("RSS 0B  attributed 100.0%\n");
    check_holds("       0B  100.0  kernel        kernel RSS\n");
    check_lacks("Not attributed");
}
END_TEST

/* ---- what is in none ---------------------------------------------------------------------- */

START_TEST(short_form_names_the_largest_places)
{
    write_report(false);
    check_holds("Not attributed  57.0M in 6 mappings\n");
    check_holds("    52.0M  anonymous at 7f2ab1200000: no chunk");
    check_holds("  ... 3 more mappings: --section categories\n");
    check_lacks("7f2bd4001000");
}
END_TEST

START_TEST(full_form_names_all_places)
{
    char address[32];

    write_report(true);
    check_lacks(" more ");
    for (size_t i = 0; i < report->unattributed_count; i++) {
        const struct pht_unattributed *row = &report->unattributed[i];
        snprintf(address, sizeof(address),
                 " at %lx: ", report->mappings[row->mapping].mapping->start);
        check_holds(address);
    }
}
END_TEST

START_TEST(as_many_places_as_fit_need_no_option)
{
    report->unattributed_count = 3;
    write_report(false);
    check_lacks(" more ");
    report->unattributed_count = 4;
    write_report(false);
    check_holds("  ... 1 more mapping: --section categories\n");
    report->unattributed_count = 1;
    write_report(false);
    check_holds(" in 1 mapping\n");
}
END_TEST

START_TEST(names_of_places_are_escaped)
{
    report->smaps.maps.items[report->unattributed[0].mapping].name = "\x1b[2J\xff";
    write_report(true);
    check_holds("anonymous \\x1b[2J\\xff at 7f2ab1200000: ");
}
END_TEST

/* ---- sections ----------------------------------------------------------------------------- */

START_TEST(ledger_is_shown_where_it_was_asked_for)
{
    report->sections = PHT_SECTION_ALL & ~PHT_SECTION_CATEGORIES;
    write_report(false);
    check_lacks("  attributed ");
    report->sections = PHT_SECTION_CATEGORIES;
    write_report(false);
    check_lacks("\nPymalloc");
    check_lacks("\nGlibc malloc");
    check_lacks("\nMappings");
    check_lacks("\nKernel");
    check_lacks("\nSharing");
    report->has_ledger = false;
    write_report(false);
    check_lacks("  attributed ");
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

static void huge_figures(void)
{
    put_in_swap();
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        report->categories[i].bytes = (uint64_t)1023 << 50;
        report->categories[i].swapped_bytes = (uint64_t)1023 << 50;
    }
    report->kernel.rss_bytes = report->kernel.swap_bytes = UINT64_MAX - 1;
}

static void long_names(void)
{
    struct pht_mapping *mapping = &report->smaps.maps.items[report->unattributed[0].mapping];

    mapping->name = "/a/very/long/name/of/"
                    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    mapping->start = 0xffffffffff600000;
    mapping->deleted = true;
}

static void (*const widths[])(void) = {as_it_is, put_in_swap, huge_figures, long_names};

#define WIDTHS ((int)(sizeof(widths) / sizeof(widths[0])))

START_TEST(no_line_is_longer_than_a_terminal)
{
    widths[_i]();
    write_report(true);
    heap_text_check_width(text);
    write_report(false);
    heap_text_check_width(text);
}
END_TEST

static Suite *text_ledger_suite(void)
{
    Suite *suite = suite_create("text_ledger");
    TCase *tcase = tcase_create("text_ledger");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, report_reads_as_it_did, 0, GOLDENS);
    tcase_add_loop_test(tcase, every_category_has_a_row_with_its_letter, 0, PHT_CATEGORIES);
    tcase_add_loop_test(tcase, empty_category_has_no_row, 0, PHT_CATEGORIES);
    tcase_add_test(tcase, swapped_category_has_a_row);
    tcase_add_test(tcase, swap_has_a_column_only_where_there_is_any);
    tcase_add_test(tcase, evidence_that_there_is_none_is_a_dash);
    tcase_add_loop_test(tcase, all_of_rss_is_100_percent_and_less_is_not, 0, 2);
    tcase_add_test(tcase, nothing_resident_is_no_division_by_zero);
    tcase_add_test(tcase, short_form_names_the_largest_places);
    tcase_add_test(tcase, full_form_names_all_places);
    tcase_add_test(tcase, as_many_places_as_fit_need_no_option);
    tcase_add_test(tcase, names_of_places_are_escaped);
    tcase_add_test(tcase, ledger_is_shown_where_it_was_asked_for);
    tcase_add_loop_test(tcase, no_line_is_longer_than_a_terminal, 0, WIDTHS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_ledger_suite)
