/* What the report for people says of mappings. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "support/golden.h"
#include "support/heap_ledger.h"
#include "support/heap_text.h"
#include "support/suite.h"
#include "view/split.h"

#define MIB ((uint64_t)1 << 20)

/* Places of some mappings in the list. */
#define PROGRAM 0
#define HEAP 1
#define LIBRARY 15

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    report->sections = PHT_SECTION_MAPS;
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
}

static void drop_ledger(void)
{
    heap_ledger_drop(report);
}

static const struct {
    const char *name;
    void (*alter)(void);
    bool full;
} goldens[] = {
    {"report_maps.txt", put_in_swap, true},
    {"report_maps_alone.txt", drop_ledger, true},
    {"report_maps_short.txt", as_it_is, false},
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

START_TEST(short_form_shows_the_largest)
{
    write_report(false);
    check_holds("  ... 14 more mappings: --section maps\n");
    check_lacks("[stack]");
    ck_assert(strstr(text, "7f2b9c000000") < strstr(text, "55d0c8a3e000"));
    ck_assert(strstr(text, "55d0c8a3e000") < strstr(text, "7f2b5c000000"));
}
END_TEST

START_TEST(full_form_shows_all_by_address)
{
    const char *last = NULL;
    char address[32];

    write_report(true);
    check_lacks(" more ");
    for (size_t i = 0; i < report->mapping_count; i++) {
        snprintf(address, sizeof(address), "\n  %lx ", report->smaps.maps.items[i].start);
        check_holds(address);
        ck_assert(strstr(text, address) > last);
        last = strstr(text, address);
    }
}
END_TEST

START_TEST(as_many_mappings_as_fit_need_no_option)
{
    report->mapping_count = 5;
    write_report(false);
    check_lacks(" more ");
    report->mapping_count = 6;
    write_report(false);
    check_holds("  ... 1 more mapping: --section maps\n");
}
END_TEST

START_TEST(process_without_mappings_has_a_title)
{
    report->mapping_count = 0;
    write_report(_i);
    check_holds("Mappings  0  size 3.03G");
    check_lacks("start");
}
END_TEST

START_TEST(columns_that_would_be_empty_are_left_out)
{
    write_report(true);
    check_lacks(" swap  prot");
    check_holds("  owners  ");
    put_in_swap();
    write_report(true);
    check_holds(" swap  prot");
    drop_ledger();
    write_report(true);
    check_lacks("owners");
    check_lacks("letters:");
}
END_TEST

START_TEST(resident_bytes_are_those_of_the_ledger)
{
    report->smaps.memory[HEAP].rss_bytes = 1 * MIB;
    write_report(true);
    check_holds("  55d0c8a3e000  512M  475M  438M  37.0M  rw-p  ");
    drop_ledger();
    write_report(true);
    check_holds("  55d0c8a3e000  512M 1.00M  438M  37.0M  rw-p  ");
}
END_TEST

START_TEST(mappings_are_called_by_kind_and_end_of_path)
{
    write_report(true);
    check_holds("  FFFFFFFFFF  python3.11\n");
    check_lacks("/usr/bin/python3.11\n");
    check_holds("  FFFFFFFFFF  libcrypto.so.3 (del..\n");
    check_holds("  [heap]\n");
    check_holds("  anonymous [anon: ri..\n");
    report->smaps.maps.items[PROGRAM].name = "/";
    write_report(true);
    check_holds("  FFFFFFFFFF  /\n");
    report->smaps.maps.items[PROGRAM].name = "";
    write_report(true);
    check_holds("  FFFFFFFFFF  file\n");
}
END_TEST

START_TEST(names_of_mappings_are_escaped)
{
    report->smaps.maps.items[PROGRAM].name = "/x\x1b[2J\xff\n";
    write_report(true);
    check_holds("  x\\x1b[2J\\xff\\x0a\n");
}
END_TEST

START_TEST(letters_are_explained_where_nothing_else_does)
{
    write_report(false);
    check_holds("  letters: P python_small  p pymalloc_slack");
    report->sections |= PHT_SECTION_CATEGORIES;
    write_report(false);
    check_lacks("letters:");
}
END_TEST

START_TEST(maps_are_shown_where_they_were_asked_for)
{
    report->sections = PHT_SECTION_CATEGORIES;
    write_report(true);
    check_lacks("\nMappings");
}
END_TEST

/* ---- bars --------------------------------------------------------------------------------- */

static const struct {
    uint64_t small;
    uint64_t slack;
    uint64_t left;
    const char *bar;
} bars[] = {
    {0, 0, 0, ""},
    {1, 0, 0, "PPPPPPPPPP"},
    {0, 0, 4096, "??????????"},
    {50, 50, 0, "PPPPPppppp"},
    {90, 10, 0, "PPPPPPPPPp"},
    {96, 4, 0, "PPPPPPPPPP"},
    {33, 33, 34, "PPPpppp???"},
    {UINT64_MAX / 2, 0, UINT64_MAX / 2, "PPPPP?????"},
};

#define BARS ((int)(sizeof(bars) / sizeof(bars[0])))

START_TEST(bar_shows_the_shares)
{
    struct pht_split split = {{0}};
    char bar[11];

    split.bytes[PHT_CATEGORY_PYTHON_SMALL] = bars[_i].small;
    split.bytes[PHT_CATEGORY_PYMALLOC_SLACK] = bars[_i].slack;
    split.bytes[PHT_CATEGORY_UNATTRIBUTED] = bars[_i].left;
    pht_split_bar(&split, bars[_i].small + bars[_i].slack + bars[_i].left, 10, bar);
    ck_assert_str_eq(bar, bars[_i].bar);
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

static void huge_figures(void)
{
    put_in_swap();
    for (size_t i = 0; i < report->mapping_count; i++) {
        report->smaps.maps.items[i].start = i;
        report->smaps.maps.items[i].end = (uint64_t)1023 << 50;
        report->smaps.memory[i] = (struct pht_mapping_memory){
            .exclusive_bytes = (uint64_t)1023 << 50,
            .shared_bytes = (uint64_t)1023 << 50,
            .swap_bytes = (uint64_t)1023 << 50,
        };
    }
    report->smaps.maps.items[18].start = 0xffffffffff600000;
    report->smaps.maps.items[18].end = 0xffffffffff601000;
    memset(&report->kernel, 0xfe, sizeof(report->kernel));
}

static void long_names(void)
{
    for (size_t i = 0; i < report->mapping_count; i++)
        report->smaps.maps.items[i].name = "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
                                           "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    put_in_swap();
}

static void (*const widths[])(void) = {as_it_is, put_in_swap, drop_ledger, huge_figures,
                                       long_names};

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

static Suite *text_maps_suite(void)
{
    Suite *suite = suite_create("text_maps");
    TCase *tcase = tcase_create("text_maps");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, report_reads_as_it_did, 0, GOLDENS);
    tcase_add_test(tcase, short_form_shows_the_largest);
    tcase_add_test(tcase, full_form_shows_all_by_address);
    tcase_add_test(tcase, as_many_mappings_as_fit_need_no_option);
    tcase_add_loop_test(tcase, process_without_mappings_has_a_title, 0, 2);
    tcase_add_test(tcase, columns_that_would_be_empty_are_left_out);
    tcase_add_test(tcase, resident_bytes_are_those_of_the_ledger);
    tcase_add_test(tcase, mappings_are_called_by_kind_and_end_of_path);
    tcase_add_test(tcase, names_of_mappings_are_escaped);
    tcase_add_test(tcase, letters_are_explained_where_nothing_else_does);
    tcase_add_test(tcase, maps_are_shown_where_they_were_asked_for);
    tcase_add_loop_test(tcase, bar_shows_the_shares, 0, BARS);
    tcase_add_loop_test(tcase, no_line_is_longer_than_a_terminal, 0, WIDTHS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_maps_suite)
