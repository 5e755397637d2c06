/* What the report for people says of malloc. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/human.h"
#include "support/golden.h"
#include "support/heap_glibc.h"
#include "support/heap_text.h"
#include "support/suite.h"

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
    heap_report_drop_pymalloc(report);
    pht_python_destroy(report->python);
    report->python = NULL;
    report->sections = PHT_SECTION_GLIBC;
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

/* ---- golden files ------------------------------------------------------------------------- */

static void as_it_is(void)
{
}

/* A program without threads, told to keep to one arena. */
static void keep_one_arena(void)
{
    heap_glibc_keep_arenas(report->glibc, 1);
    report->glibc->thread_count = 1;
    report->glibc->mmapped_count = 1;
    report->glibc->mmapped_bytes = report->glibc->mmapped_resident_bytes = 36 << 20;
    report->glibc->params.mmap_threshold_dynamic = false;
    report->arena_limit = (struct pht_arena_limit){1, "MALLOC_ARENA_MAX"};
    report->malloc_resident = (struct pht_malloc_resident){
        .main_arena_bytes = report->glibc->totals.resident_bytes,
        .mmapped_bytes = 36 << 20,
        .total_bytes = report->glibc->totals.resident_bytes + (36 << 20),
    };
}

static void load_jemalloc(void)
{
    heap_glibc_set_unused(report->glibc);
    pht_report_warn(report, "glibc-unused", NULL, "glibc's malloc was never used");
}

/* What was not read, in a process whose threads could not be listed, on an old glibc. */
static void leave_out_chunks(void)
{
    struct pht_glibc *glibc = report->glibc;

    glibc->arenas[0].unknown_bytes = 3 << 20;
    glibc->arenas[0].live_bytes -= 3 << 20;
    for (size_t i = 0; i < glibc->arena_count; i++) {
        glibc->arenas[i].tcache_bytes = glibc->arenas[i].tcache_chunks = 0;
        glibc->arenas[i].trimmable_bytes = glibc->arenas[i].trimmable_flushed_bytes = 0;
    }
    heap_glibc_add_up(glibc);
    for (size_t i = 0; i < glibc->arena_count; i++)
        glibc->arenas[i].threads = PHT_UNKNOWN;
    glibc->totals.threads = PHT_UNKNOWN;
    glibc->threads_known = false;
    glibc->thread_count = 0;
    glibc->torn_chunks = 2;
    glibc->params.thp_page_bytes = glibc->params.huge_page_bytes = PHT_UNKNOWN;
    glibc->params.tcache_count = glibc->params.tcache_max_bytes = PHT_UNKNOWN;
    glibc->params.trim_threshold_bytes = PHT_UNKNOWN;
    report->arena_limit = (struct pht_arena_limit){.arenas = PHT_UNKNOWN};
}

static const struct {
    const char *name;
    void (*alter)(void);
    bool full;
} goldens[] = {
    {"report_glibc.txt", as_it_is, true},
    {"report_one_arena.txt", keep_one_arena, false},
    {"report_glibc_unused.txt", load_jemalloc, false},
    {"report_glibc_left_out.txt", leave_out_chunks, true},
};

#define GOLDENS ((int)(sizeof(goldens) / sizeof(goldens[0])))

START_TEST(report_reads_as_it_did)
{
    goldens[_i].alter();
    write_report(goldens[_i].full);
    golden_check(text, goldens[_i].name);
}
END_TEST

START_TEST(short_form_says_how_to_see_the_rest)
{
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "2 more arenas: --section glibc"));
    ck_assert_ptr_nonnull(strstr(text, "2 more sizes: --section glibc"));
    ck_assert_ptr_null(strstr(text, "0x"));
}
END_TEST

static void check_holds(const char *format, unsigned long value)
{
    char wanted[32];

    snprintf(wanted, sizeof(wanted), format, value);
    ck_assert_msg(strstr(text, wanted) != NULL, "no %s", wanted);
}

START_TEST(full_form_leaves_nothing_of_malloc_out)
{
    const struct pht_glibc *glibc = report->glibc;
    char count[PHT_HUMAN_MAX];

    write_report(true);
    ck_assert_ptr_null(strstr(text, " more "));
    for (size_t i = 0; i < glibc->arena_count; i++)
        check_holds("0x%lx", glibc->arenas[i].address);
    for (size_t i = 0; i < glibc->largest_free_count; i++)
        check_holds("0x%lx", glibc->largest_free[i].address);
    for (size_t i = 0; i < glibc->mmapped_count; i++)
        check_holds("0x%lx", glibc->mmapped[i].address);
    for (size_t i = 0; i < glibc->thread_count; i++)
        check_holds("\n  %lu ", (unsigned long)glibc->threads[i].tid);
    for (size_t i = 0; i < glibc->size_count; i++)
        ck_assert_ptr_nonnull(strstr(text, pht_human_count(glibc->sizes[i].live_chunks, count)));
}
END_TEST

/* The short form shows the main arena and the largest of the others, whatever their order. */
START_TEST(short_form_shows_the_largest_arenas)
{
    report->glibc->arenas[5].resident_bytes = (uint64_t)1 << 30;
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "\n  main "));
    ck_assert_ptr_nonnull(strstr(text, "\n  arena 5 "));
    ck_assert_ptr_null(strstr(text, "\n  arena 3 "));
    ck_assert(strstr(text, "\n  main ") < strstr(text, "\n  arena 5 "));
    ck_assert(strstr(text, "\n  arena 5 ") < strstr(text, "\n  arena 1 "));
}
END_TEST

START_TEST(one_of_a_thing_has_no_plural)
{
    keep_one_arena();
    report->glibc->totals.tcache_chunks = 1;
    report->process.threads = 1;
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "Glibc malloc  1 arena  1 heap  1 mmapped chunk\n"));
    ck_assert_ptr_nonnull(strstr(text, "tcache of 1 thread: 45.0K in 1 chunk\n"));
    ck_assert_ptr_null(strstr(text, "all arenas"));
}
END_TEST

START_TEST(tcache_that_is_switched_off_is_not_described)
{
    report->glibc->params.tcache_count = 0;
    write_report(true);
    ck_assert_ptr_null(strstr(text, "tcaches of"));
    ck_assert_ptr_nonnull(strstr(text, "tcache_count 0"));
}
END_TEST

/* A thread may be attached to an arena that was left out. */
START_TEST(arena_that_is_not_known_is_a_dash)
{
    report->glibc->threads[0].arena = 0x1234;
    write_report(true);
    ck_assert_ptr_nonnull(strstr(text, "\n  4723       - "));
}
END_TEST

/* The unknown is "-" and neither 0 nor what a 64-bit number makes of it. */
START_TEST(unknown_figures_are_dashes)
{
    leave_out_chunks();
    memset(&report->glibc->params, 0xff, sizeof(report->glibc->params));
    report->glibc->params.mmap_threshold_dynamic = false;
    write_report(_i);
    ck_assert_ptr_null(strstr(text, "16.0E"));
    ck_assert_ptr_null(strstr(text, "18,446,744"));
    ck_assert_ptr_nonnull(strstr(text, "mmap_threshold - "));
    ck_assert_ptr_nonnull(strstr(text, "arena_max -\n"));
}
END_TEST

/* The number of arenas may be known and who said so not. */
START_TEST(arena_limit_without_a_source_is_a_number)
{
    report->arena_limit = (struct pht_arena_limit){4, NULL};
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "arena_max 4  "));
}
END_TEST

START_TEST(flush_is_told_only_where_it_shows)
{
    uint64_t now = report->glibc->totals.trimmable_bytes;

    report->glibc->totals.trimmable_flushed_bytes = _i == 0 ? now : 2 * now;
    write_report(false);
    ck_assert((strstr(text, "if the tcaches were empty") != NULL) == (_i == 1));
}
END_TEST

START_TEST(huge_pages_are_told_where_they_are_used)
{
    report->glibc->params.thp_page_bytes = 2 << 20;
    report->glibc->params.huge_page_bytes = 1 << 30;
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "transparent huge pages 2.00M"));
    ck_assert_ptr_nonnull(strstr(text, "huge pages 1.00G"));
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

static void huge_malloc(struct pht_glibc *glibc)
{
    uint64_t *totals = (uint64_t *)&glibc->totals.heaps;
    size_t figures = (sizeof(glibc->totals) - offsetof(struct pht_glibc_arena, heaps)) / 8;

    for (size_t i = 0; i < figures; i++)
        totals[i] = (uint64_t)1023 << 30;
    glibc->totals.heaps = glibc->totals.threads = 32768;
    glibc->totals.tcache_chunks = 999999999;
    for (size_t i = 0; i < glibc->arena_count; i++) {
        pht_addr address = glibc->arenas[i].address;
        glibc->arenas[i] = glibc->totals;
        glibc->arenas[i].address = address;
    }
    glibc->sizes[0] = (struct pht_chunk_size){
        1047552, 1048575, 9999999999, (uint64_t)999 << 40, 9999999999, (uint64_t)999 << 40};
    glibc->threads[0].tid = 4194304;
    glibc->threads[0].tcache_bytes = (uint64_t)1023 << 20;
    glibc->params.mmap_threshold_bytes = glibc->params.trim_threshold_bytes = (uint64_t)1023 << 40;
    glibc->params.thp_page_bytes = glibc->params.huge_page_bytes = 1 << 30;
    glibc->params.tcache_count = 65535;
    glibc->params.tcache_max_bytes = 4 << 20;
    glibc->torn_chunks = 123456789;
}

static void huge_figures(void)
{
    report->process.processors = 4096;
    report->arena_limit.arenas = 32768;
    huge_malloc(report->glibc);
    for (size_t i = 0; i < 4; i++)
        ((uint64_t *)&report->malloc_resident)[i] = (uint64_t)1023 << 30;
}

static void long_source(void)
{
    report->arena_limit = (struct pht_arena_limit){12345, "MALLOC_ARENA_MAX"};
    report->glibc->params.thp_page_bytes = report->glibc->params.huge_page_bytes = 2 << 20;
}

static void (*const widths[])(void) = {
    as_it_is, keep_one_arena, leave_out_chunks, huge_figures, long_source,
};

#define WIDTHS ((int)(sizeof(widths) / sizeof(widths[0])))

START_TEST(no_line_is_longer_than_a_terminal)
{
    widths[_i]();
    write_report(true);
    heap_text_check_width(text);
    free(text);
    write_report(false);
    heap_text_check_width(text);
}
END_TEST

static Suite *text_glibc_suite(void)
{
    Suite *suite = suite_create("text_glibc");
    TCase *tcase = tcase_create("text_glibc");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, report_reads_as_it_did, 0, GOLDENS);
    tcase_add_test(tcase, short_form_says_how_to_see_the_rest);
    tcase_add_test(tcase, full_form_leaves_nothing_of_malloc_out);
    tcase_add_test(tcase, short_form_shows_the_largest_arenas);
    tcase_add_test(tcase, one_of_a_thing_has_no_plural);
    tcase_add_test(tcase, tcache_that_is_switched_off_is_not_described);
    tcase_add_test(tcase, arena_that_is_not_known_is_a_dash);
    tcase_add_loop_test(tcase, unknown_figures_are_dashes, 0, 2);
    tcase_add_test(tcase, arena_limit_without_a_source_is_a_number);
    tcase_add_loop_test(tcase, flush_is_told_only_where_it_shows, 0, 2);
    tcase_add_test(tcase, huge_pages_are_told_where_they_are_used);
    tcase_add_loop_test(tcase, no_line_is_longer_than_a_terminal, 0, WIDTHS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_glibc_suite)
