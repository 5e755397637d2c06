/* The helper that traces: what it lives through, and that its end, or ours, frees the target. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/child.h"
#include "support/suite.h"

static struct child child;

static void setup(void)
{
    child_init(&child);
}

static void teardown(void)
{
    child_deinit(&child);
}

/* Of our children, the one that is not the target. */
static pid_t helper_pid(void)
{
    _cleanup_free_ char *children = pht_procfs_read(AT_FDCWD, "/proc/thread-self/children", NULL);
    char *rest = children, *number;

    ck_assert_ptr_nonnull(children);
    while ((number = strsep(&rest, " ")) != NULL) {
        pid_t pid = (pid_t)atoi(number);
        if (pid > 0 && pid != child.pid)
            return pid;
    }
    ck_abort_msg("there is no helper");
}

START_TEST(the_target_runs_when_the_helper_is_killed)
{
    uint64_t stopped_us;
    bool expired;

    child_start_beating(&child, child_beat_in_threads);
    child_stop(&child);
    kill(helper_pid(), SIGKILL);
    child_check_runs(&child);
    ck_assert_int_eq(pht_stopper_resume(child.stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    ck_assert_int_eq(pht_stopper_stop(child.stopper, CHILD_STOP_US), PHT_STOPPER_FAILED);
    ck_assert_int_eq(child_status(&child).tracer, 0);
}
END_TEST

START_TEST(signals_from_a_terminal_do_not_end_the_helper)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};

    child_start_beating(&child, child_beat);
    child_stop(&child);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        kill(helper_pid(), signals[i]);
    child_check_stands_still(&child);
    child_resume(&child);
    child_check_runs(&child);
}
END_TEST

START_TEST(the_target_runs_when_the_stopper_is_destroyed)
{
    child_start_beating(&child, child_beat_in_threads);
    child_stop(&child);
    pht_stopper_destroy(child.stopper);
    child.stopper = NULL;
    child_check_runs(&child);
    ck_assert_int_eq(child_status(&child).tracer, 0);
}
END_TEST

/* Stops the child on its own account, says so, and waits for its end. */
static void be_a_stopper(int ready)
{
    struct pht_stopper *own;

    if (pht_stopper_create(child.process_fd, NULL, &own) != NULL ||
        pht_stopper_stop(own, CHILD_STOP_US) != PHT_STOPPER_STOPPED || write(ready, "s", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

START_TEST(the_target_runs_when_we_are_killed)
{
    int ready[2];
    char byte;

    child_start_beating(&child, child_beat_in_threads);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t program = fork();
    if (program == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_a_stopper(ready[1]);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    child_check_stands_still(&child);
    uint64_t killed_at = pht_clock_us();
    kill(program, SIGKILL);
    child_check_runs(&child);
    ck_assert_uint_lt(pht_clock_us() - killed_at, CHILD_STOP_US / 2);
    waitpid(program, NULL, 0);
    close(ready[0]);
}
END_TEST

START_TEST(the_helper_keeps_none_of_our_files_open)
{
    int ends[2];
    struct pollfd poller;

    child_start_beating(&child, child_beat);
    pht_stopper_destroy(child.stopper);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_ptr_null(pht_stopper_create(child.process_fd, NULL, &child.stopper));
    child_stop(&child);
    close(ends[1]);
    poller = (struct pollfd){.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 1000), 1);
    ck_assert_int_ne(poller.revents & POLLHUP, 0);
    close(ends[0]);
    child_resume(&child);
}
END_TEST

static Suite *stop_helper_suite(void)
{
    Suite *suite = suite_create("target/stop_helper");
    TCase *tcase = tcase_create("stop_helper");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, the_target_runs_when_the_helper_is_killed);
    tcase_add_test(tcase, signals_from_a_terminal_do_not_end_the_helper);
    tcase_add_test(tcase, the_target_runs_when_the_stopper_is_destroyed);
    tcase_add_test(tcase, the_target_runs_when_we_are_killed);
    tcase_add_test(tcase, the_helper_keeps_none_of_our_files_open);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(stop_helper_suite)
