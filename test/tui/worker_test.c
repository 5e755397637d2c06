/* Reports that are taken beside the screen: of this very test, and of a child that ends. */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/suite.h"
#include "tui/worker.h"

#define PATIENCE_MS 60000

static pid_t child;
static struct pht_target *target;
static struct pht_worker *worker;

/* A process that waits; it is no Python, so only the kernel's parts can be had of it. */
static void setup(void)
{
    child = fork();
    if (child == 0) {
        for (;;)
            pause();
    }
    ck_assert_ptr_null(pht_target_open(child, NULL, &target));
    ck_assert_ptr_null(pht_worker_create(target, &worker));
}

static void teardown(void)
{
    pht_worker_destroy(worker);
    pht_target_destroy(target);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void take(unsigned sections)
{
    const struct pht_report_options options = {.sections = sections, .number = 7};

    pht_worker_take(worker, &options);
}

static struct pht_worker_result collect(void)
{
    struct pollfd poller = {.fd = pht_worker_fd(worker), .events = POLLIN};
    struct pht_worker_result result;

    while (!pht_worker_collect(worker, &result))
        ck_assert_int_eq(poll(&poller, 1, PATIENCE_MS), 1);
    return result;
}

START_TEST(kernel_report_comes_before_the_first)
{
    take(PHT_SECTION_KERNEL | PHT_SECTION_MAPS);
    struct pht_worker_result quick = collect(), wanted = collect();
    ck_assert_ptr_nonnull(quick.report);
    ck_assert_uint_eq(quick.report->number, 0);
    ck_assert_uint_gt(quick.report->kernel.rss_bytes, 0);
    ck_assert_ptr_nonnull(wanted.report);
    ck_assert_uint_eq(wanted.report->number, 7);
    pht_report_destroy(quick.report);
    pht_report_destroy(wanted.report);
    ck_assert(!pht_worker_is_busy(worker));
    struct pht_worker_result none;
    ck_assert(!pht_worker_collect(worker, &none));

    take(PHT_SECTION_KERNEL);
    wanted = collect();
    ck_assert_uint_eq(wanted.report->number, 7);
    pht_report_destroy(wanted.report);
}
END_TEST

START_TEST(what_fails_is_told)
{
    take(PHT_SECTION_ALL);
    pht_report_destroy(collect().report);
    struct pht_worker_result result = collect();
    ck_assert_ptr_null(result.report);
    ck_assert_ptr_nonnull(result.error);
    ck_assert_int_eq(result.error->code, PHT_ERROR_NOT_PYTHON);
    pht_error_destroy(result.error);
}
END_TEST

START_TEST(target_that_ended_is_told)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    take(PHT_SECTION_KERNEL);
    struct pht_worker_result result = collect();
    ck_assert_ptr_nonnull(result.error);
    ck_assert_int_eq(result.error->code, PHT_ERROR_EXITED_EARLY);
    pht_error_destroy(result.error);
}
END_TEST

START_TEST(settling_leaves_nothing_under_way)
{
    take(PHT_SECTION_ALL);
    pht_worker_settle(worker);
    ck_assert(!pht_worker_is_busy(worker));
}
END_TEST

/* The teardown ends it with results that nobody collected, or while it works. */
START_TEST(end_comes_at_any_time)
{
    take(PHT_SECTION_KERNEL | PHT_SECTION_MAPS);
    if (_i == 0)
        pht_worker_settle(worker);
}
END_TEST

static Suite *worker_suite(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("worker");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, kernel_report_comes_before_the_first);
    tcase_add_test(tcase, what_fails_is_told);
    tcase_add_test(tcase, target_that_ended_is_told);
    tcase_add_test(tcase, settling_leaves_nothing_under_way);
    tcase_add_loop_test(tcase, end_comes_at_any_time, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(worker_suite)
