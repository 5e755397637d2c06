/* The report for people, all but its part on malloc, against the files of test/golden. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "pyheaptop/view.h"
#include "support/golden.h"
#include "support/heap_ledger.h"
#include "support/heap_text.h"
#include "support/suite.h"

static struct pht_report *report;
static char *text;

static void setup(void)
{
    setenv("TZ", "UTC", 1);
    tzset();
    report = heap_report_create();
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

static void warn_twice(void)
{
    pht_report_warn(report, "torn-pools", NULL, "2 of 114 pools changed while they were read");
    pht_report_warn(report, "stop-limit", "--max-stop=100 if the target can stand it",
                    "not every thread could be stopped in time");
}

static void add_state(void)
{
    heap_report_add_state(report);
}

static void keep_kernel_only(void)
{
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    pht_python_destroy(report->python);
    pht_libc_destroy(report->libc);
    report->python = NULL;
    report->libc = NULL;
    report->sections = PHT_SECTION_KERNEL;
    report->has_snapshot = false;
}

static void keep_pymalloc_only(void)
{
    heap_report_drop_glibc(report);
    pht_libc_destroy(report->libc);
    report->libc = NULL;
    report->sections = PHT_SECTION_PYMALLOC;
}

static void drop_layout(void)
{
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    report->python->layout_source = PHT_LAYOUT_NONE;
    report->libc->layout_source = PHT_LAYOUT_NONE;
    report->has_snapshot = false;
    pht_report_warn(report, "no-layout", "apt install python3-dbg", "no pymalloc figures");
    pht_report_warn(report, "no-libc-layout", "apt install libc6-dbg", "no glibc figures");
}

static void switch_off(void)
{
    struct pht_pymalloc *pymalloc = report->pymalloc;

    memset(&pymalloc->totals, 0, sizeof(pymalloc->totals));
    pymalloc->is_off = true;
    pymalloc->class_count = pymalloc->sparse_arenas = 0;
    pymalloc->arena_bytes = pymalloc->pool_bytes = pymalloc->alignment_bytes = PHT_UNKNOWN;
    pymalloc->allocator = report->object_allocator = PHT_ALLOCATOR_MALLOC;
}

static void keep_in_mimalloc(void)
{
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    report->sections = PHT_SECTION_PYMALLOC;
    report->object_allocator = PHT_ALLOCATOR_MIMALLOC;
    pht_report_warn(report, "pymalloc-off", NULL, "objects are in mimalloc");
}

static void leave_out_pools(void)
{
    struct pht_pymalloc_totals *totals = &report->pymalloc->totals;

    report->pymalloc->allocator = PHT_ALLOCATOR_PYMALLOC_DEBUG;
    totals->unknown_pool_bytes = 4 * 16384;
    totals->unused_pool_bytes -= 4 * 16384;
    totals->pools_free -= 4;
    report->snapshot.stop = PHT_STOP_NONE;
    report->snapshot.stops = 0;
    report->cgroup.limit_bytes = PHT_UNKNOWN;
}

static void forget_kernel(void)
{
    memset(&report->kernel, 0xff, sizeof(report->kernel));
    report->cgroup.known = false;
    heap_ledger_drop(report);
}

static const struct {
    const char *name;
    void (*alter)(void);
    bool full;
} goldens[] = {
    {"report_short.txt", warn_twice, false},
    {"report_full.txt", warn_twice, true},
    {"report_states.txt", add_state, false},
    {"report_kernel.txt", keep_kernel_only, false},
    {"report_pymalloc.txt", keep_pymalloc_only, true},
    {"report_no_layout.txt", drop_layout, false},
    {"report_pymalloc_off.txt", switch_off, false},
    {"report_mimalloc.txt", keep_in_mimalloc, false},
    {"report_left_out.txt", leave_out_pools, false},
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
    ck_assert_ptr_nonnull(strstr(text, "2 more size classes: --section pymalloc"));
    ck_assert_ptr_null(strstr(text, "0x7f2b9c001000"));
}
END_TEST

START_TEST(full_form_leaves_nothing_out)
{
    char row[32];

    write_report(true);
    ck_assert_ptr_null(strstr(text, "more size classes"));
    for (size_t i = 0; i < report->pymalloc->class_count; i++) {
        snprintf(row, sizeof(row), "\n%6u ", (unsigned)report->pymalloc->classes[i].block_bytes);
        ck_assert_msg(strstr(text, row) != NULL, "no row of class %s", row);
    }
    for (size_t i = 0; i < report->pymalloc->totals.arenas; i++) {
        snprintf(row, sizeof(row), "0x%lx", (unsigned long)report->pymalloc->arenas[i].address);
        ck_assert_msg(strstr(text, row) != NULL, "no row of arena %s", row);
    }
}
END_TEST

/* The unknown is "-" and neither 0 nor what a 64-bit number makes of it. */
START_TEST(unknown_figures_are_dashes)
{
    forget_kernel();
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    write_report(false);
    ck_assert_ptr_null(strstr(text, "16.0E"));
    ck_assert_ptr_null(strstr(text, "18,446,744"));
    ck_assert_ptr_nonnull(strstr(text, "RSS -"));
    ck_assert_ptr_nonnull(strstr(text, "PSS -"));
}
END_TEST

START_TEST(arenas_that_were_all_left_out_are_not_called_off)
{
    switch_off();
    report->pymalloc->allocator = report->object_allocator = PHT_ALLOCATOR_PYMALLOC;
    report->pymalloc->damaged_arenas = 3;
    report->pymalloc->is_off = false;
    write_report(false);
    ck_assert_ptr_null(strstr(text, "pymalloc off"));
}
END_TEST

START_TEST(time_is_local)
{
    setenv("TZ", "XYZ-5:30", 1);
    tzset();
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "2026-11-22 19:33:07 +0530"));
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

static void as_it_is(void)
{
}

static void long_command(void)
{
    char command[500];

    memset(command, 'x', sizeof(command));
    report->process.pid = 4194304;
    heap_report_set_command(report, command, sizeof(command));
}

static void long_runtime(void)
{
    report->python->debug_build = true;
    report->python->cached = true;
    snprintf(report->python->version_text, sizeof(report->python->version_text), "3.15.10rc2+");
}

static void free_threaded_runtime(void)
{
    long_runtime();
    report->python->free_threaded = true;
}

static void huge_figures(void)
{
    uint64_t *figures = (uint64_t *)&report->kernel;
    uint64_t *totals = (uint64_t *)&report->pymalloc->totals;

    for (size_t i = 0; i < sizeof(report->kernel) / sizeof(*figures); i++)
        figures[i] = (uint64_t)1023 << 40;
    report->kernel.minor_faults = report->kernel.major_faults = 123456789012;
    for (size_t i = 1; i < sizeof(report->pymalloc->totals) / sizeof(*totals); i++)
        totals[i] = (uint64_t)1023 << 30;
    for (size_t i = 0; i < report->pymalloc->class_count; i++) {
        report->pymalloc->classes[i].pools = 9999999;
        report->pymalloc->classes[i].live_blocks = 9999999999;
        report->pymalloc->classes[i].live_bytes = (uint64_t)1023 << 40;
        report->pymalloc->classes[i].live_percent = 100;
    }
    report->pymalloc->sparse_arenas = 12345678;
    report->pymalloc->sparse_live_bytes = report->pymalloc->sparse_held_bytes = (uint64_t)999 << 40;
    report->snapshot.stopped_us = report->walk_us = 123456789;
    report->snapshot.read_bytes = (uint64_t)999 << 40;
    report->pymalloc->torn_pools = 123456789;
    report->process.uptime_seconds = 123456789;
    report->process.uid = 4294967294;
    report->process.threads = 32768;
    report->glibc->torn_chunks = 123456789;
}

static void long_libc(void)
{
    snprintf(report->libc->version_text, sizeof(report->libc->version_text), "2.43.9000-rc12");
    report->libc->cached = true;
}

static void debug_hooks(void)
{
    report->pymalloc->allocator = PHT_ALLOCATOR_PYMALLOC_DEBUG;
}

static void long_warning(void)
{
    pht_report_warn(report, "not-walked",
                    "a remedy that is so long that it does not fit into "
                    "what is left of the line that it stands on",
                    "this version walks pymalloc and glibc's malloc: objects by type, mappings "
                    "and relatives are not split up");
}

static void (*const widths[])(void) = {
    as_it_is,    add_state,     warn_twice,   long_command,          huge_figures,
    debug_hooks, forget_kernel, long_runtime, free_threaded_runtime, long_warning,
    long_libc,
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

/* ---- names from a hostile target ---------------------------------------------------------- */

static void check_printable(void)
{
    char *valid = pht_text_utf8(text, strlen(text));

    ck_assert_str_eq(valid, text);
    for (const char *at = text; *at != '\0'; at++)
        ck_assert_msg(*at == '\n' || (unsigned char)*at >= 0x20, "raw control 0x%02x", *at);
    ck_assert_ptr_null(strstr(text, "\xc2\x9b"));
    ck_assert_ptr_null(strchr(text, 0x7f));
    free(valid);
}

static const char *const hostile[] = {
    "\x1b[2J\x1b]0;title\a", "line\nbreak\rreturn\ttab",
    "\xc2\x9b;31m",          "\x7f\x08\x08",
    "\xff\xfe\xc3",          "%s%n%x",
};

#define HOSTILE ((int)(sizeof(hostile) / sizeof(hostile[0])))

START_TEST(nothing_of_the_target_is_shown_unescaped)
{
    heap_report_set_command(report, hostile[_i], strlen(hostile[_i]) + 1);
    heap_report_set(&report->process.comm, hostile[_i]);
    pht_report_warn(report, "id", NULL, "%s", hostile[_i]);
    write_report(true);
    check_printable();
    teardown();
    setup();
    heap_report_set_command(report, "", 0);
    heap_report_set(&report->process.comm, hostile[_i]);
    write_report(true);
    check_printable();
}
END_TEST

START_TEST(remedies_are_escaped_too)
{
    pht_report_warn(report, "id", hostile[_i], "text");
    write_report(true);
    check_printable();
}
END_TEST

START_TEST(escapes_show_what_was_there)
{
    heap_report_set_command(report, "python3\0\x1b[2J", 12);
    write_report(false);
    ck_assert_ptr_nonnull(strstr(text, "python3 \\x1b[2J\n"));
}
END_TEST

/* A name that is cut is cut between characters. */
START_TEST(long_names_are_cut_where_a_character_ends)
{
    char command[204];

    memset(command, 'x', 4);
    for (size_t i = (size_t)_i; i + 2 <= sizeof(command); i += 2)
        memcpy(command + i, "\xc3\xa9", 2);
    heap_report_set_command(report, command, sizeof(command) - (size_t)_i % 2);
    write_report(false);
    heap_text_check_width(text);
    char *valid = pht_text_utf8(text, strlen(text));
    ck_assert_str_eq(valid, text);
    ck_assert_ptr_null(strstr(text, "\\xc3"));
    free(valid);
}
END_TEST

static Suite *text_report_suite(void)
{
    Suite *suite = suite_create("text_report");
    TCase *content = tcase_create("content"), *form = tcase_create("form");

    tcase_add_checked_fixture(content, setup, teardown);
    tcase_add_loop_test(content, report_reads_as_it_did, 0, GOLDENS);
    tcase_add_test(content, short_form_says_how_to_see_the_rest);
    tcase_add_test(content, full_form_leaves_nothing_out);
    tcase_add_test(content, unknown_figures_are_dashes);
    tcase_add_test(content, arenas_that_were_all_left_out_are_not_called_off);
    tcase_add_test(content, time_is_local);
    suite_add_tcase(suite, content);
    tcase_add_checked_fixture(form, setup, teardown);
    tcase_add_loop_test(form, no_line_is_longer_than_a_terminal, 0, WIDTHS);
    tcase_add_loop_test(form, nothing_of_the_target_is_shown_unescaped, 0, HOSTILE);
    tcase_add_loop_test(form, remedies_are_escaped_too, 0, HOSTILE);
    tcase_add_test(form, escapes_show_what_was_there);
    tcase_add_loop_test(form, long_names_are_cut_where_a_character_ends, 0, 4);
    suite_add_tcase(suite, form);
    return suite;
}

SUITE_MAIN(text_report_suite)
