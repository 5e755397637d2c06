/* Findings as people read them. */
#include <stdlib.h>
#include <string.h>

#include "support/golden.h"
#include "support/heap_findings.h"
#include "support/heap_report.h"
#include "support/heap_text.h"
#include "support/suite.h"

static struct pht_report *report;
static char *text;

static void setup(void)
{
    report = heap_report_create();
    report->sections = PHT_SECTION_FINDINGS;
    text = NULL;
}

static void teardown(void)
{
    free(text);
    pht_report_destroy(report);
}

static void write_text(bool full)
{
    free(text);
    text = heap_text_write(report, full);
    heap_text_check_width(text);
}

START_TEST(in_full_they_have_what_they_rest_on)
{
    write_text(true);
    golden_check(text, "report_findings.txt");
    write_text(false);
    ck_assert_ptr_null(strstr(text, "sparse_arenas"));
    ck_assert_ptr_nonnull(strstr(text, "Try: recycle"));
}
END_TEST

START_TEST(a_process_in_order_has_none)
{
    heap_findings_drop(report);
    write_text(false);
    ck_assert_ptr_nonnull(strstr(text, "\nNo findings: 68.1% of RSS is live or file memory.\n"));
}
END_TEST

/* Half of the truth is no all-clear. */
START_TEST(what_could_not_be_walked_may_have_some)
{
    heap_findings_drop(report);
    report->findings.is_partial = true;
    write_text(false);
    ck_assert_ptr_nonnull(strstr(text, "\nNo findings in what could be walked: 68.1%"));
}
END_TEST

START_TEST(nobody_asked)
{
    heap_findings_drop(report);
    report->findings.known = false;
    write_text(true);
    ck_assert_ptr_null(strstr(text, "indings"));
}
END_TEST

START_TEST(what_is_hostile_stays_on_its_line)
{
    struct pht_finding *finding = &report->findings.items[0];

    heap_report_set(&finding->text, "\x1b[2J of \xff and a word of more than eighty characters "
                                    "that no line can hold in one piece, which is then cut");
    write_text(true);
    ck_assert_ptr_nonnull(strstr(text, "\\x1b[2J of \\xff"));
    ck_assert_ptr_null(strchr(text, '\x1b'));
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("view/text_findings");
    TCase *tcase = tcase_create("findings");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, in_full_they_have_what_they_rest_on);
    tcase_add_test(tcase, a_process_in_order_has_none);
    tcase_add_test(tcase, what_could_not_be_walked_may_have_some);
    tcase_add_test(tcase, nobody_asked);
    tcase_add_test(tcase, what_is_hostile_stays_on_its_line);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
