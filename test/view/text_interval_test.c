#include <stdlib.h>
#include <string.h>

#include "pyheaptop/view.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

static struct pht_report report;
static struct pht_text_interval interval;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    interval = (struct pht_text_interval){0};
    report = (struct pht_report){
        .taken_at = {.tv_sec = 1795269787},
        .kernel = {.rss_bytes = 1740 * MIB},
        .has_ledger = true,
        .complete = true,
    };
    report.categories[PHT_CATEGORY_PYTHON_SMALL].bytes = 552 * MIB;
    report.categories[PHT_CATEGORY_PYMALLOC_SLACK].bytes = 299 * MIB;
    report.categories[PHT_CATEGORY_FILES].bytes = 889 * MIB;
}

static char *line(int64_t change_bytes)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    ck_assert_ptr_nonnull(file);
    pht_text_interval_write(&interval, &report, change_bytes, file);
    fclose(file);
    return text;
}

static void check(int64_t change_bytes, const char *wanted)
{
    char *text = line(change_bytes);

    ck_assert_str_eq(text, wanted);
    free(text);
}

#define HEADER "time        RSS  change     P     p     L     N     f     F     ?\n"

START_TEST(the_first_line_has_a_header)
{
    check(0, HEADER "14:03:07  1.70G       0  552M  299M    0B    0B    0B  889M    0B\n");
    check(10171187, "14:03:07  1.70G  +9.70M  552M  299M    0B    0B    0B  889M    0B\n");
    check(-410, "14:03:07  1.70G   -410B  552M  299M    0B    0B    0B  889M    0B\n");
}
END_TEST

START_TEST(a_category_gets_a_column_and_keeps_it)
{
    free(line(0));
    report.categories[PHT_CATEGORY_STACKS].bytes = 1023;
    check(0, "time        RSS  change     P     p     L     N     f     F     S     ?\n"
             "14:03:07  1.70G       0  552M  299M    0B    0B    0B  889M 1023B    0B\n");
    report.categories[PHT_CATEGORY_STACKS].bytes = 0;
    check(0, "14:03:07  1.70G       0  552M  299M    0B    0B    0B  889M    0B    0B\n");
}
END_TEST

START_TEST(what_is_not_known_is_a_dash_and_what_is_not_whole_is_said)
{
    report.has_ledger = false;
    report.complete = false;
    check(0,
          HEADER "14:03:07  1.70G       0     -     -     -     -     -     -     -  incomplete\n");
}
END_TEST

START_TEST(the_header_comes_again_after_fifty_lines)
{
    for (int i = 0; i < 151; i++) {
        char *text = line(0);
        ck_assert_msg((strncmp(text, "time", 4) == 0) == (i % 50 == 0), "line %d", i);
        free(text);
    }
}
END_TEST

static Suite *text_interval_suite(void)
{
    Suite *suite = suite_create("view/text_interval");
    TCase *tcase = tcase_create("text_interval");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, the_first_line_has_a_header);
    tcase_add_test(tcase, a_category_gets_a_column_and_keeps_it);
    tcase_add_test(tcase, what_is_not_known_is_a_dash_and_what_is_not_whole_is_said);
    tcase_add_test(tcase, the_header_comes_again_after_fifty_lines);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_interval_suite)
