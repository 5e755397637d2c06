/* Reports taken of a fake target, as far as that goes without a program file behind it. */
#include <string.h>
#include <time.h>

#include "pyheaptop/model.h"
#include "support/fake_target.h"
#include "support/suite.h"

static struct fake_target *fake;
static struct pht_report *report;

static void setup(void)
{
    fake = fake_target_create();
    report = NULL;
    fake->counters = (struct pht_kernel_memory){.peak_rss_bytes = 4711, .major_faults = UINT64_MAX};
    fake_target_map(fake, 0x10000, 0x18000, FAKE_PRIVATE);
    fake_target_set_pages(fake, 0x10000, 0x13000, FAKE_RESIDENT);
    fake_target_set_pages(fake, 0x14000, 0x15000, FAKE_SWAPPED);
    fake_target_map(fake, 0x20000, 0x22000, FAKE_FILE);
    fake_target_set_pages(fake, 0x21000, 0x22000, FAKE_RESIDENT);
    fake->cgroup = (struct pht_cgroup_memory){.known = true, .limit_bytes = 99};
}

static void teardown(void)
{
    ck_assert_uint_eq(fake->read_count, 0);
    pht_report_destroy(report);
    fake_target_destroy(fake);
}

static struct pht_error *take(unsigned sections)
{
    const struct pht_report_options options = {.sections = sections, .number = 3};

    return pht_report_take(fake->target, &options, &report);
}

START_TEST(kernel_section_needs_no_python_and_no_stop)
{
    ck_assert_ptr_null(take(PHT_SECTION_KERNEL));
    ck_assert_uint_eq(report->kernel.rss_bytes, 0x4000);
    ck_assert_uint_eq(report->kernel.anon_bytes, 0x3000);
    ck_assert_uint_eq(report->kernel.file_bytes, 0x1000);
    ck_assert_uint_eq(report->kernel.swap_bytes, 0x1000);
    ck_assert_uint_eq(report->kernel.virtual_bytes, 0xa000);
    ck_assert_uint_eq(report->kernel.peak_rss_bytes, 4711);
    ck_assert_uint_eq(report->kernel.major_faults, PHT_UNKNOWN);
    ck_assert(report->cgroup.known);
    ck_assert_uint_eq(report->cgroup.limit_bytes, 99);
    ck_assert_uint_eq(report->number, 3);
    ck_assert_uint_eq(report->sections, PHT_SECTION_KERNEL);
    ck_assert_ptr_null(report->python);
    ck_assert_ptr_null(report->pymalloc);
    ck_assert(!report->has_snapshot);
    ck_assert(report->complete);
    ck_assert_uint_eq(report->allocator_count, 0);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert_uint_eq(fake->stops, 0);
    ck_assert_uint_ge(fake->checks, 1);
}
END_TEST

START_TEST(report_outlives_the_target)
{
    ck_assert_ptr_null(take(PHT_SECTION_KERNEL));
    fake_target_destroy(fake);
    fake = fake_target_create();
    ck_assert_int_eq(report->process.pid, 42);
    ck_assert_str_eq(report->process.comm, "python3");
    ck_assert_str_eq(report->process.exe, "/usr/bin/python3");
    ck_assert_uint_eq(report->process.command_bytes, sizeof("python3\0service.py"));
    ck_assert_mem_eq(report->process.command, "python3\0service.py", sizeof("python3\0service.py"));
}
END_TEST

/* time(2) would not do: it reads a clock of the last tick, which can be in the second before. */
static time_t second_now(void)
{
    struct timespec now;

    ck_assert_int_eq(clock_gettime(CLOCK_REALTIME, &now), 0);
    return now.tv_sec;
}

START_TEST(report_is_dated_when_it_was_taken)
{
    time_t before = second_now();

    ck_assert_ptr_null(take(PHT_SECTION_KERNEL));
    ck_assert_int_ge(report->taken_at.tv_sec, before);
    ck_assert_int_le(report->taken_at.tv_sec, second_now());
}
END_TEST

START_TEST(target_without_python_is_an_error_where_python_is_asked_for)
{
    struct pht_error *error = take(_i == 0 ? PHT_SECTION_PYMALLOC : PHT_SECTION_ALL);

    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NOT_PYTHON);
    ck_assert_ptr_null(report);
    ck_assert_uint_eq(fake->stops, 0);
    pht_error_destroy(error);
}
END_TEST

/* The other sections work on any process: that it is no Python is no error. */
START_TEST(target_without_a_c_library_is_a_warning)
{
    ck_assert_ptr_null(take(PHT_SECTION_GLIBC | PHT_SECTION_KERNEL));
    ck_assert_ptr_null(report->python);
    ck_assert_ptr_null(report->libc);
    ck_assert_ptr_null(report->glibc);
    ck_assert(!report->has_snapshot);
    ck_assert(!report->complete);
    ck_assert_uint_eq(report->rereads, PHT_UNKNOWN);
    ck_assert_uint_eq(report->allocator_count, 0);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, "libc-none");
    ck_assert_uint_eq(fake->stops, 0);
}
END_TEST

START_TEST(target_that_ended_meanwhile_is_an_error)
{
    struct pht_error *error;

    fake->has_ended = true;
    error = take(PHT_SECTION_KERNEL);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_EXITED_EARLY);
    pht_error_destroy(error);
}
END_TEST

START_TEST(end_of_the_target_explains_every_other_failure)
{
    struct pht_error *error;

    fake->smaps_fail = (_i & 1) == 0;
    fake->counters_fail = (_i & 1) != 0;
    fake->has_ended = _i & 2;
    error = take(PHT_SECTION_KERNEL);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, fake->has_ended ? PHT_ERROR_EXITED_EARLY : PHT_ERROR_INTERNAL);
    pht_error_destroy(error);
}
END_TEST

START_TEST(destroying_no_report_is_fine)
{
    pht_report_destroy(NULL);
}
END_TEST

static Suite *report_suite(void)
{
    Suite *suite = suite_create("report");
    TCase *tcase = tcase_create("report");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, kernel_section_needs_no_python_and_no_stop);
    tcase_add_test(tcase, report_outlives_the_target);
    tcase_add_test(tcase, report_is_dated_when_it_was_taken);
    tcase_add_loop_test(tcase, target_without_python_is_an_error_where_python_is_asked_for, 0, 2);
    tcase_add_test(tcase, target_without_a_c_library_is_a_warning);
    tcase_add_test(tcase, target_that_ended_meanwhile_is_an_error);
    tcase_add_loop_test(tcase, end_of_the_target_explains_every_other_failure, 0, 4);
    tcase_add_test(tcase, destroying_no_report_is_fine);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(report_suite)
