/* What the report for people says of the family. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/golden.h"
#include "support/heap_ledger.h"
#include "support/heap_text.h"
#include "support/suite.h"

#define TARGET 1

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    report->sections = PHT_SECTION_FAMILY;
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

static void hide_frames(void)
{
    report->family_is_exact = false;
}

static const struct {
    const char *name;
    void (*alter)(void);
    bool full;
} goldens[] = {
    {"report_family.txt", as_it_is, true},
    {"report_family_hidden.txt", hide_frames, true},
    {"report_family_short.txt", as_it_is, false},
};

#define GOLDENS ((int)(sizeof(goldens) / sizeof(goldens[0])))

START_TEST(report_reads_as_it_did)
{
    goldens[_i].alter();
    write_report(goldens[_i].full);
    golden_check(text, goldens[_i].name);
}
END_TEST

/* ---- in short ----------------------------------------------------------------------------- */

START_TEST(short_form_is_a_sentence)
{
    write_report(false);
    check_holds("\nSharing  forked from 4700; 63.0M still shared with 4 relatives, 402M copied\n"
                "         since fork: --section family\n");
    check_lacks("Family");
}
END_TEST

START_TEST(short_form_of_a_parent_has_nothing_copied)
{
    report->family[0].is_target = true;
    report->family[TARGET].is_target = false;
    write_report(false);
    check_holds("\nSharing  63.0M still shared with 4 relatives: --section family\n");
}
END_TEST

START_TEST(short_form_without_frames_gives_bounds)
{
    hide_frames();
    write_report(false);
    check_holds("forked from 4700; up to 63.0M still shared with 4 relatives, at "
                "least\n         402M copied since fork: --section family\n");
}
END_TEST

START_TEST(one_relative_has_no_plural)
{
    heap_family_keep(report, 2);
    write_report(false);
    check_holds(" with 1 relative, ");
}
END_TEST

START_TEST(process_without_relatives_says_so_in_full)
{
    heap_family_keep(report, _i);
    write_report(false);
    check_lacks("Sharing");
    write_report(true);
    check_holds("\nFamily  no other process came from this program by fork alone\n");
}
END_TEST

START_TEST(family_is_shown_where_it_was_looked_for)
{
    report->sections = PHT_SECTION_ALL & ~PHT_SECTION_FAMILY;
    write_report(true);
    check_lacks("\nFamily");
    report->sections = PHT_SECTION_FAMILY;
    report->has_family = false;
    write_report(true);
    check_lacks("\nFamily");
}
END_TEST

/* ---- the tree ----------------------------------------------------------------------------- */

static void set_row(struct pht_family_row *row, pid_t pid, pid_t ppid, unsigned depth)
{
    row->pid = pid;
    row->ppid = ppid;
    row->depth = depth;
    row->is_target = false;
    heap_report_set(&row->comm, "p");
}

/* Rows may come generation by generation; a child stands below its parent all the same. */
START_TEST(children_stand_below_their_parents)
{
    set_row(&report->family[0], 1, 0, 0);
    set_row(&report->family[1], 2, 1, 1);
    set_row(&report->family[2], 3, 1, 1);
    set_row(&report->family[3], 4, 2, 2);
    set_row(&report->family[4], 5, 4, 3);
    write_report(true);
    check_holds("\n  1 p  ");
    const char *order[] = {"\n   |- 2 p ", "\n   |  `- 4 p ", "\n   |     `- 5 p ", "\n   `- 3 p "};
    const char *last = text;
    for (size_t i = 0; i < 4; i++) {
        check_holds(order[i]);
        ck_assert(strstr(text, order[i]) > last);
        last = strstr(text, order[i]);
    }
}
END_TEST

/* The parent of the family may not be of it: several stand at the top then. */
START_TEST(families_may_have_several_tops)
{
    set_row(&report->family[0], 1, 9, 0);
    set_row(&report->family[1], 2, 9, 0);
    set_row(&report->family[2], 3, 1, 1);
    set_row(&report->family[3], 4, 2, 1);
    set_row(&report->family[4], 5, 1, 1);
    write_report(true);
    const char *order[] = {"\n  1 p ", "\n   |- 3 p ", "\n   `- 5 p ", "\n  2 p ", "\n   `- 4 p "};
    const char *last = text;
    for (size_t i = 0; i < 5; i++) {
        check_holds(order[i]);
        ck_assert(strstr(text, order[i]) > last);
        last = strstr(text, order[i]);
    }
}
END_TEST

START_TEST(target_is_marked)
{
    write_report(true);
    check_holds("|- 4711 celery worker <  ");
    ck_assert_ptr_eq(strchr(strchr(text, '<') + 1, '<'), NULL);
}
END_TEST

START_TEST(what_does_not_fit_of_what_was_copied_is_dots)
{
    write_report(true);
    check_holds("  402M  P 302M, N 88.0M, p 12.0M\n");
    report->family[TARGET].copied.bytes[PHT_CATEGORY_STACKS] = 4096;
    write_report(true);
    check_holds("  402M  P 302M, N 88.0M, ..\n");
}
END_TEST

START_TEST(figures_that_are_not_known_are_dashes)
{
    write_report(true);
    check_holds("`- 4720 helper             -     -      -      -  -\n");
}
END_TEST

START_TEST(hidden_frames_are_told)
{
    write_report(true);
    check_lacks("hidden");
    hide_frames();
    write_report(true);
    check_holds("  page owners are hidden (needs CAP_SYS_ADMIN): exclusive or shared only\n");
}
END_TEST

START_TEST(letters_are_explained_where_nothing_else_does)
{
    write_report(true);
    check_holds("  letters: P python_small  p pymalloc_slack  N malloc_unowned\n");
    report->sections |= PHT_SECTION_CATEGORIES;
    write_report(true);
    check_lacks("letters:");
}
END_TEST

START_TEST(names_of_relatives_are_escaped)
{
    heap_report_set(&report->family[2].comm, "\x1b[2J\xff");
    write_report(true);
    check_holds("4712 \\x1b[2J\\xff ");
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

static void huge_figures(void)
{
    for (size_t i = 0; i < report->family_count; i++) {
        struct pht_family_row *row = &report->family[i];
        row->pid = row->ppid = 4194304;
        row->rss_bytes = row->pss_bytes = (uint64_t)1023 << 50;
        row->shared_with_target_bytes = row->copied_bytes = (uint64_t)1023 << 50;
        for (int j = 0; j < PHT_CATEGORIES; j++)
            row->copied.bytes[j] = (uint64_t)1023 << 50;
    }
}

static void deep_tree(void)
{
    for (size_t i = 0; i < report->family_count; i++) {
        set_row(&report->family[i], 4194300 + (pid_t)i, 4194299 + (pid_t)i, (unsigned)i * 3);
        heap_report_set(&report->family[i].comm, "\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b\x1b");
    }
    report->family[4].is_target = true;
}

static void wide_names(void)
{
    for (size_t i = 0; i < report->family_count; i++)
        heap_report_set(&report->family[i].comm, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                                                 "\xc3\xa9");
}

static void (*const widths[])(void) = {as_it_is, hide_frames, huge_figures, deep_tree, wide_names};

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

static void add_tree_tests(TCase *tcase)
{
    tcase_add_test(tcase, children_stand_below_their_parents);
    tcase_add_test(tcase, families_may_have_several_tops);
    tcase_add_test(tcase, target_is_marked);
    tcase_add_test(tcase, what_does_not_fit_of_what_was_copied_is_dots);
    tcase_add_test(tcase, figures_that_are_not_known_are_dashes);
    tcase_add_test(tcase, hidden_frames_are_told);
    tcase_add_test(tcase, letters_are_explained_where_nothing_else_does);
    tcase_add_test(tcase, names_of_relatives_are_escaped);
    tcase_add_loop_test(tcase, no_line_is_longer_than_a_terminal, 0, WIDTHS);
}

static Suite *text_family_suite(void)
{
    Suite *suite = suite_create("text_family");
    TCase *tcase = tcase_create("text_family");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, report_reads_as_it_did, 0, GOLDENS);
    tcase_add_test(tcase, short_form_is_a_sentence);
    tcase_add_test(tcase, short_form_of_a_parent_has_nothing_copied);
    tcase_add_test(tcase, short_form_without_frames_gives_bounds);
    tcase_add_test(tcase, one_relative_has_no_plural);
    tcase_add_loop_test(tcase, process_without_relatives_says_so_in_full, 0, 2);
    tcase_add_test(tcase, family_is_shown_where_it_was_looked_for);
    add_tree_tests(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_family_suite)
