/* The overview: what it says in any room, and that it adds up. */
#include <string.h>
#include <time.h>

#include "model/findings.h"
#include "support/heap_ledger.h"
#include "support/heap_report.h"
#include "support/screens.h"
#include "support/suite.h"

static struct pht_report *report;
static struct pht_view view;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    view = (struct pht_view){.report = report, .is_ascii = true};
    text = NULL;
}

static void teardown(void)
{
    free(text);
    pht_report_destroy(report);
}

static void draw(unsigned rows, unsigned columns, const int *keys, size_t key_count)
{
    free(text);
    text = screen_text(&pht_screen_overview, &view, keys, key_count, rows, columns);
}

static void check_holds(const char *wanted)
{
    ck_assert_msg(strstr(text, wanted) != NULL, "no '%s' in:\n%s", wanted, text);
}

static void check_lacks(const char *unwanted)
{
    ck_assert_msg(strstr(text, unwanted) == NULL, "'%s' in:\n%s", unwanted, text);
}

static void forget_findings(void)
{
    pht_findings_clear(&report->findings);
    report->findings.known = true;
}

/* ---- golden files ------------------------------------------------------------------------- */

START_TEST(screen_reads_as_it_did)
{
    screen_check(&pht_screen_overview, &view, NULL, 0, "overview");
}
END_TEST

START_TEST(explanation_reads_as_it_did)
{
    static const int keys[] = {'G', PHT_KEY_ENTER};

    screen_check(&pht_screen_overview, &view, keys, 2, "overview_finding");
}
END_TEST

START_TEST(first_draw_reads_as_it_did)
{
    report->sections = PHT_SECTION_KERNEL | PHT_SECTION_MAPS;
    report->has_ledger = false;
    screen_check(&pht_screen_overview, &view, NULL, 0, "overview_first");
}
END_TEST

/* ---- sums --------------------------------------------------------------------------------- */

/* The number before column `end` of a line, commas left out. */
static uint64_t number_at(const char *line, size_t end)
{
    char digits[32] = "";
    size_t start = end;

    while (start > 0 && line[start - 1] != ' ')
        start--;
    for (size_t i = start, j = 0; i < end; i++) {
        if (line[i] != ',')
            digits[j++] = line[i];
    }
    return strtoull(digits, NULL, 10);
}

START_TEST(rows_add_up_to_rss_in_bytes)
{
    uint64_t sum = 0, rss = 0;
    size_t end = 0;

    report->kernel.rss_bytes += 12345;
    report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes += 12345;
    view.units = PHT_UNITS_BYTES;
    draw(24, 100, NULL, 0);
    for (char *line = strtok(text, "\n"); line != NULL && rss == 0; line = strtok(NULL, "\n")) {
        if (end == 0) {
            end = (size_t)(strstr(line, "bytes") - line) + 5;
            continue;
        }
        if (strstr(line, "RSS reported") != NULL)
            rss = number_at(line, end);
        else
            sum += number_at(line, end);
    }
    ck_assert_uint_eq(rss, report->kernel.rss_bytes);
    ck_assert_uint_eq(sum, rss);
}
END_TEST

/* ---- rows --------------------------------------------------------------------------------- */

START_TEST(empty_category_has_no_row)
{
    draw(24, 100, NULL, 0);
    check_holds("  S  stacks");
    report->categories[PHT_CATEGORY_STACKS].bytes = 0;
    draw(24, 100, NULL, 0);
    check_lacks("  S  stacks");
    report->categories[PHT_CATEGORY_STACKS].swapped_bytes = 4096;
    draw(24, 100, NULL, 0);
    check_holds("(+ 4.00K in swap)");
}
END_TEST

START_TEST(without_a_baseline_change_is_not_zero)
{
    draw(24, 80, NULL, 0);
    check_holds("RSS reported by the kernel");
    check_holds(" -\n");
}
END_TEST

START_TEST(all_is_well_in_a_sentence)
{
    forget_findings();
    report->findings.live_bytes = report->kernel.rss_bytes / 2;
    draw(24, 80, NULL, 0);
    check_holds("No findings: 50.0% of RSS is live or file memory.");
    report->findings.known = false;
    draw(24, 80, NULL, 0);
    check_lacks("No findings");
}
END_TEST

START_TEST(warning_is_told_and_where_the_others_are)
{
    ck_assert(pht_report_warn(report, "test", NULL, "page owners hidden"));
    draw(40, 100, NULL, 0);
    check_holds("page owners hidden (1 warning: ? has it)");
}
END_TEST

START_TEST(every_item_can_be_seen_on_the_smallest_screen)
{
    int keys[64];

    for (size_t moves = 0; moves < 20; moves++) {
        for (size_t i = 0; i < moves; i++)
            keys[i] = 'j';
        draw(7, 40, keys, moves);
        ck_assert_msg(text[0] == '>' || strstr(text, "\n>") != NULL, "no cursor in:\n%s", text);
    }
}
END_TEST

/* ---- Enter -------------------------------------------------------------------------------- */

static struct pht_action press_enter(size_t moves)
{
    struct pht_action action = {.kind = PHT_ACTION_NONE};
    void *state = pht_screen_overview.create();

    pht_screen_overview.update(state, &view);
    for (size_t i = 0; i < moves; i++)
        ck_assert(pht_screen_overview.on_key(state, &view, 'j', &action));
    ck_assert(pht_screen_overview.on_key(state, &view, PHT_KEY_ENTER, &action));
    pht_screen_overview.destroy(state);
    return action;
}

START_TEST(category_leads_to_its_screen)
{
    ck_assert_int_eq(press_enter(0).kind, PHT_ACTION_GO);
    ck_assert_int_eq(press_enter(0).screen, PHT_SCREEN_PYMALLOC);
    ck_assert_int_eq(press_enter(2).screen, PHT_SCREEN_TYPES);
    ck_assert_int_eq(press_enter(3).screen, PHT_SCREEN_GLIBC);
}
END_TEST

START_TEST(finding_that_went_is_not_open)
{
    struct pht_action action = {.kind = PHT_ACTION_NONE};
    void *state = pht_screen_overview.create();

    pht_screen_overview.update(state, &view);
    pht_screen_overview.on_key(state, &view, 'G', &action);
    pht_screen_overview.on_key(state, &view, PHT_KEY_ENTER, &action);
    ck_assert_int_eq(action.kind, PHT_ACTION_NONE);
    forget_findings();
    pht_screen_overview.update(state, &view);
    ck_assert(!pht_screen_overview.back(state));
    pht_screen_overview.destroy(state);
}
END_TEST

static Suite *overview_suite(void)
{
    Suite *suite = suite_create("overview");
    TCase *tcase = tcase_create("overview");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, screen_reads_as_it_did);
    tcase_add_test(tcase, explanation_reads_as_it_did);
    tcase_add_test(tcase, first_draw_reads_as_it_did);
    tcase_add_test(tcase, rows_add_up_to_rss_in_bytes);
    tcase_add_test(tcase, empty_category_has_no_row);
    tcase_add_test(tcase, without_a_baseline_change_is_not_zero);
    tcase_add_test(tcase, all_is_well_in_a_sentence);
    tcase_add_test(tcase, warning_is_told_and_where_the_others_are);
    tcase_add_test(tcase, every_item_can_be_seen_on_the_smallest_screen);
    tcase_add_test(tcase, category_leads_to_its_screen);
    tcase_add_test(tcase, finding_that_went_is_not_open);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(overview_suite)
