/* What malloc's part of a report has to say about its gaps. */
#include "model/caveats.h"

#include <string.h>

#include "support/fake_target.h"
#include "support/heap_glibc.h"
#include "support/heap_report.h"
#include "support/suite.h"

static struct fake_target *fake;
static struct pht_report *report;

static void setup(void)
{
    fake = fake_target_create();
    report = heap_report_create();
    heap_report_drop_pymalloc(report);
    report->sections = report->walks = PHT_SECTION_GLIBC;
}

static void teardown(void)
{
    pht_report_destroy(report);
    fake_target_destroy(fake);
}

static void torn(void)
{
    report->glibc->torn_chunks = 1;
}

static void damaged(void)
{
    report->glibc->damaged_chunks = 2;
}

static void damaged_arenas(void)
{
    report->glibc->damaged_arenas = 1;
}

static void swapped(void)
{
    report->glibc->swapped_pages = 1234;
}

static void unknown(void)
{
    report->glibc->totals.unknown_bytes = 3 << 20;
}

static void one_chunk_less(void)
{
    report->glibc->mmapped_count--;
}

static void fewer_bytes(void)
{
    report->glibc->mmapped_bytes -= 4096;
}

static void one_chunk_more(void)
{
    report->glibc->params.mmapped_chunks--;
}

static void hidden_threads(void)
{
    report->glibc->threads_known = false;
}

static void inconsistent(void)
{
    report->snapshot.consistent = false;
}

static void unused(void)
{
    heap_glibc_set_unused(report->glibc);
}

static void hides_zeros(void)
{
    fake->hides_zero_pages = true;
}

static const struct {
    void (*cause)(void);
    const char *id;
    bool complete;
    const char *text; /* part of it, where it holds a figure */
} cases[] = {
    {torn, "torn-chunks", false, "1 chunk of malloc changed while it was read"},
    {damaged, "damaged-chunks", false, "2 chunks of malloc make no sense"},
    {damaged_arenas, "libc-damaged-arenas", false, "1 arena of malloc contradicts itself"},
    {swapped, "swapped-pages", false, "1,234 pages with headers of chunks are in swap"},
    {unknown, "unknown-chunks", false, "3.00M"},
    {one_chunk_less, "mmapped-mismatch", false,
     "3 mmapped chunks of 67,108,864 bytes together, and 2 of 67,108,864 bytes were found"},
    {fewer_bytes, "mmapped-mismatch", false, "3 of 67,104,768 bytes were found"},
    {one_chunk_more, "mmapped-mismatch", false, "counts 2 mmapped chunks"},
    {hidden_threads, "threads-unknown", false, NULL},
    {inconsistent, "roots-torn", false, NULL},
    {unused, "glibc-unused", true, "another allocator"},
    {hides_zeros, "zero-pages", true, NULL},
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(cause_has_its_warning_and_no_other)
{
    cases[_i].cause();
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, cases[_i].id);
    ck_assert_int_eq(report->complete, cases[_i].complete);
    if (cases[_i].text != NULL)
        ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, cases[_i].text));
}
END_TEST

START_TEST(report_without_gaps_has_no_warning)
{
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

START_TEST(report_that_lacks_malloc_is_not_complete)
{
    heap_report_drop_glibc(report);
    pht_caveats_collect(report, fake->target);
    ck_assert(!report->complete);
}
END_TEST

/* An old glibc may lack a counter: then there is nothing to compare with. */
START_TEST(count_that_is_not_known_is_no_mismatch)
{
    report->glibc->mmapped_count--;
    if (_i == 0)
        report->glibc->params.mmapped_chunks = PHT_UNKNOWN;
    else
        report->glibc->params.mmapped_bytes = PHT_UNKNOWN;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

START_TEST(count_of_bytes_that_glibc_gets_wrong_is_no_mismatch)
{
    report->libc->layout.state_fastbins = PHT_UNKNOWN;
    report->glibc->params.mmapped_bytes += 16;
    report->glibc->params.mmapped_chunks += _i;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, _i);
}
END_TEST

/* A program that only ever asked for large chunks uses malloc. */
START_TEST(malloc_with_a_mmapped_chunk_is_in_use)
{
    heap_glibc_set_unused(report->glibc);
    report->glibc->mmapped_count = report->glibc->params.mmapped_chunks = 1;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
}
END_TEST

/* ---- no layout ---------------------------------------------------------------------------- */

static void check_only_warning(const char *id, const char *text)
{
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, id);
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, text));
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, "no glibc figures"));
}

START_TEST(missing_layout_hands_on_cause_and_remedy)
{
    report->libc->layout_source = PHT_LAYOUT_NONE;
    report->libc->layout_error = pht_error_try(
        pht_error_create(PHT_ERROR_NO_LAYOUT, "no debug information"), "apt install libc6-dbg");
    pht_caveats_no_layout(report);
    check_only_warning("no-libc-layout", "no debug information");
    ck_assert_str_eq(report->warnings.items[0].remedy, "apt install libc6-dbg");
}
END_TEST

START_TEST(missing_layout_without_a_cause_still_warns)
{
    report->libc->layout_source = PHT_LAYOUT_NONE;
    pht_caveats_no_layout(report);
    check_only_warning("no-libc-layout", "no layout");
}
END_TEST

START_TEST(library_that_is_not_glibc_is_named)
{
    report->libc->family = _i == 0 ? PHT_LIBC_MUSL : PHT_LIBC_OTHER;
    report->libc->layout_source = PHT_LAYOUT_NONE;
    pht_caveats_no_layout(report);
    check_only_warning(_i == 0 ? "libc-musl" : "libc-other", _i == 0 ? "musl" : "libc.so.6");
}
END_TEST

START_TEST(program_without_a_library_says_so)
{
    pht_libc_destroy(report->libc);
    report->libc = NULL;
    pht_caveats_no_layout(report);
    check_only_warning("libc-none", "no C library");
}
END_TEST

START_TEST(known_layout_needs_no_word)
{
    pht_caveats_no_layout(report);
    ck_assert_uint_eq(report->warnings.count, 0);
}
END_TEST

START_TEST(malloc_that_was_not_asked_for_is_not_missed)
{
    pht_libc_destroy(report->libc);
    report->libc = NULL;
    heap_report_drop_glibc(report);
    report->sections = report->walks = PHT_SECTION_KERNEL;
    pht_caveats_no_layout(report);
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

START_TEST(roots_that_cannot_be_read_are_told_from_a_layout_that_does_not_fit)
{
    const struct pht_glibc_roots roots = {.unreadable = _i};

    pht_caveats_glibc_unproven(report, &roots);
    check_only_warning(_i ? "libc-roots-unreadable" : "libc-layout-rejected",
                       _i ? "swap" : "libc.so.6");
}
END_TEST

static Suite *caveats_glibc_suite(void)
{
    Suite *suite = suite_create("caveats_glibc");
    TCase *tcase = tcase_create("caveats_glibc");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, cause_has_its_warning_and_no_other, 0, CASES);
    tcase_add_test(tcase, report_without_gaps_has_no_warning);
    tcase_add_test(tcase, report_that_lacks_malloc_is_not_complete);
    tcase_add_loop_test(tcase, count_that_is_not_known_is_no_mismatch, 0, 2);
    tcase_add_loop_test(tcase, count_of_bytes_that_glibc_gets_wrong_is_no_mismatch, 0, 2);
    tcase_add_test(tcase, malloc_with_a_mmapped_chunk_is_in_use);
    tcase_add_test(tcase, missing_layout_hands_on_cause_and_remedy);
    tcase_add_test(tcase, missing_layout_without_a_cause_still_warns);
    tcase_add_loop_test(tcase, library_that_is_not_glibc_is_named, 0, 2);
    tcase_add_test(tcase, program_without_a_library_says_so);
    tcase_add_test(tcase, known_layout_needs_no_word);
    tcase_add_test(tcase, malloc_that_was_not_asked_for_is_not_missed);
    tcase_add_loop_test(tcase, roots_that_cannot_be_read_are_told_from_a_layout_that_does_not_fit,
                        0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(caveats_glibc_suite)
