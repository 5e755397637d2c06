/* The report for people with what changed since a baseline. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pyheaptop/view.h"
#include "support/golden.h"
#include "support/heap_report.h"
#include "support/heap_text.h"
#include "support/suite.h"

static struct pht_report *report;
static struct pht_figures *before, *after;
static struct pht_diff change;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    before = pht_figures_create(report);
    ck_assert_ptr_nonnull(before);
}

static void teardown(void)
{
    pht_diff_deinit(&change);
    pht_figures_destroy(before);
    pht_figures_destroy(after);
    pht_report_destroy(report);
}

static char *write_report(void)
{
    const struct pht_text_options options = {.version = "0.1.0", .change = &change};
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    after = pht_figures_create(report);
    ck_assert_ptr_nonnull(file);
    ck_assert_ptr_nonnull(after);
    ck_assert(pht_diff_make(before, after, &change));
    pht_text_report_write(report, &options, file);
    fclose(file);
    heap_text_check_width(text);
    return text;
}

START_TEST(growth_has_a_column_and_lists)
{
    report->categories[PHT_CATEGORY_PYTHON_SMALL].bytes += 3 << 20;
    report->categories[PHT_CATEGORY_MALLOC_FREE].bytes -= 1000;
    report->kernel.rss_bytes += (3 << 20) - 1000;
    report->objects->types[0].objects += 1204;
    report->objects->types[0].size_bytes += 2 << 20;
    report->objects->types[1].size_bytes -= 64;
    char *text = write_report();
    golden_check(text, "report_change.txt");
    free(text);
}
END_TEST

START_TEST(no_growth_is_zeros_and_no_lists)
{
    char *text = write_report();

    ck_assert_ptr_nonnull(strstr(text, "        0  kernel        kernel RSS\n"));
    ck_assert_ptr_null(strstr(text, "growth"));
    free(text);
}
END_TEST

START_TEST(a_category_that_went_away_keeps_its_row)
{
    uint64_t bytes = report->categories[PHT_CATEGORY_STACKS].bytes;

    ck_assert_uint_gt(bytes, 0);
    report->categories[PHT_CATEGORY_STACKS].bytes = 0;
    char *text = write_report();
    ck_assert_ptr_nonnull(strstr(text, "S  stacks of threads\n"));
    free(text);
}
END_TEST

START_TEST(a_baseline_without_categories_tells_no_change_of_them)
{
    before->lists[PHT_FIGURE_CATEGORY].known = false;
    before->pid++;
    char *text = write_report();
    ck_assert_ptr_nonnull(strstr(text, "        -  walked     P  "));
    ck_assert_ptr_nonnull(strstr(text, "of another process: types go by their names"));
    free(text);
}
END_TEST

static Suite *text_change_suite(void)
{
    Suite *suite = suite_create("text_change");
    TCase *tcase = tcase_create("change");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, growth_has_a_column_and_lists);
    tcase_add_test(tcase, no_growth_is_zeros_and_no_lists);
    tcase_add_test(tcase, a_category_that_went_away_keeps_its_row);
    tcase_add_test(tcase, a_baseline_without_categories_tells_no_change_of_them);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_change_suite)
