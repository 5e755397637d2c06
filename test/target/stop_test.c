#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* ---- stopping and running on -------------------------------------------------------------- */

START_TEST(a_stopped_process_stands_still_until_it_is_resumed)
{
    child_start_beating(&child, child_beat);
    uint64_t before = pht_clock_us();
    child_stop(&child);
    child_wait_for_state(&child, 't');
    child_check_stands_still(&child);
    uint64_t stopped_us = child_resume(&child);
    ck_assert_uint_ge(stopped_us, 20000);
    ck_assert_uint_le(stopped_us, pht_clock_us() - before);
    child_check_runs(&child);
    ck_assert_int_eq(child_status(&child).tracer, 0);
}
END_TEST

START_TEST(it_can_be_stopped_again_and_again)
{
    child_start_beating(&child, child_beat);
    for (int i = 0; i < 200; i++) {
        child_stop(&child);
        unsigned long before = child_beats(&child);
        usleep(100);
        ck_assert_uint_eq(child_beats(&child), before);
        child_resume(&child);
    }
    child_check_runs(&child);
}
END_TEST

START_TEST(the_limit_ends_a_stop)
{
    uint64_t stopped_us = 0;
    bool expired = false;

    child_start_beating(&child, child_beat);
    ck_assert_int_eq(pht_stopper_stop(child.stopper, 100000), PHT_STOPPER_STOPPED);
    child_check_runs(&child);
    ck_assert_int_eq(pht_stopper_resume(child.stopper, &stopped_us, &expired), PHT_STOPPER_STOPPED);
    ck_assert(expired);
    ck_assert_uint_ge(stopped_us, 50000); /* attaching, which stops nobody, is in the limit */
    ck_assert_uint_lt(stopped_us, 200000);
    /* and the next stop is as good as the first */
    child_stop(&child);
    child_check_stands_still(&child);
    child_resume(&child);
    child_check_runs(&child);
}
END_TEST

START_TEST(all_threads_stop_and_run_on)
{
    child_start_beating(&child, child_beat_in_threads);
    for (int i = 0; i < 100; i++) {
        child_stop(&child);
        ck_assert_msg(!child_beats_within(&child, 1000), "a thread runs although it was stopped");
        child_resume(&child);
        child_check_runs(&child);
        usleep(1000);
    }
    child_check_all_threads_run(&child);
}
END_TEST

START_TEST(a_process_whose_first_thread_ended_is_stopped_too)
{
    child_start_beating(&child, child_beat_in_second_thread);
    child_wait_for_state(&child, 'Z');
    for (int i = 0; i < 3; i++) {
        child_stop(&child);
        child_check_stands_still(&child);
        child_resume(&child);
        child_check_runs(&child);
    }
    kill(child.pid, SIGKILL);
    child_check_can_be_collected(&child);
}
END_TEST

START_TEST(a_process_that_another_traces_is_refused)
{
    int ready[2];
    char byte;

    child_start_beating(&child, child_beat);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_SEIZE, child.pid, NULL, NULL) == 0 && write(ready[1], "t", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(pht_stopper_stop(child.stopper, CHILD_STOP_US), PHT_STOPPER_REFUSED);
    child_check_runs(&child);
    ck_assert_int_eq(child_status(&child).tracer, tracer);
    kill(tracer, SIGKILL);
    waitpid(tracer, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    child_stop(&child);
    child_resume(&child);
}
END_TEST

START_TEST(resuming_what_was_not_stopped_fails)
{
    uint64_t stopped_us;
    bool expired;

    child_start_beating(&child, child_beat);
    ck_assert_int_eq(pht_stopper_resume(child.stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    child_stop(&child);
    child_resume(&child);
    ck_assert_int_eq(pht_stopper_resume(child.stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    child_check_runs(&child);
}
END_TEST

/* ---- ends --------------------------------------------------------------------------------- */

START_TEST(a_process_killed_during_the_stop_ends)
{
    uint64_t stopped_us;
    bool expired;

    child_start_beating(&child, _i == 0 ? child_beat : child_beat_in_threads);
    child_stop(&child);
    kill(child.pid, SIGKILL);
    usleep(10000);
    pht_stopper_resume(child.stopper, &stopped_us, &expired);
    child_check_can_be_collected(&child);
}
END_TEST

START_TEST(a_process_killed_after_the_stop_ends)
{
    child_start_beating(&child, _i == 0 ? child_beat : child_beat_in_threads);
    child_stop(&child);
    child_resume(&child);
    kill(child.pid, SIGKILL);
    child_check_can_be_collected(&child);
}
END_TEST

START_TEST(a_process_that_has_ended_cannot_be_stopped)
{
    child_start_beating(&child, _i == 0 ? child_beat : child_beat_in_threads);
    child_stop(&child); /* so that the helper is there already */
    child_resume(&child);
    kill(child.pid, SIGKILL);
    child_check_can_be_collected(&child);
    ck_assert_int_eq(pht_stopper_stop(child.stopper, CHILD_STOP_US), PHT_STOPPER_EXITED);
}
END_TEST

START_TEST(a_process_that_nobody_has_collected_cannot_be_stopped)
{
    siginfo_t info;

    child_start_beating(&child, child_beat);
    child_stop(&child);
    child_resume(&child);
    kill(child.pid, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)child.pid, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(pht_stopper_stop(child.stopper, CHILD_STOP_US), PHT_STOPPER_EXITED);
}
END_TEST

/* A shell that becomes a shell that becomes a shell ... */
static void exec_for_ever(struct child *unused)
{
    (void)unused;
    execl("/bin/sh", "sh", "-c", "exec sh -c \"$0\" \"$0\"", "exec sh -c \"$0\" \"$0\"", NULL);
    _exit(1);
}

START_TEST(a_process_that_execs_is_stopped_or_let_go)
{
    unsigned stopped = 0, execed = 0;
    uint64_t stopped_us;
    bool expired;

    child_start(&child, exec_for_ever);
    for (int i = 0; i < 300; i++) {
        enum pht_stopper_result result = pht_stopper_stop(child.stopper, CHILD_STOP_US);
        ck_assert_msg(result == PHT_STOPPER_STOPPED || result == PHT_STOPPER_EXECED, "result %d",
                      result);
        if (result == PHT_STOPPER_STOPPED) {
            stopped++;
            pht_stopper_resume(child.stopper, &stopped_us, &expired);
        } else {
            execed++;
        }
        usleep((useconds_t)(i * 7 % 400));
    }
    ck_assert_uint_gt(stopped, 0);
    uint64_t stack_before = child_status(&child).stack_start;
    uint64_t end = pht_clock_us() + CHILD_PATIENCE_US;
    while (child_status(&child).stack_start == stack_before && pht_clock_us() < end)
        usleep(200);
    ck_assert_msg(child_status(&child).stack_start != stack_before,
                  "it no longer runs (%u execs seen)", execed);
}
END_TEST

static Suite *stop_suite(void)
{
    Suite *suite = suite_create("target/stop");
    TCase *stops = tcase_create("stops");
    TCase *ends = tcase_create("ends");
    TCase *all[] = {stops, ends};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        tcase_add_checked_fixture(all[i], setup, teardown);
        tcase_set_timeout(all[i], 30);
        suite_add_tcase(suite, all[i]);
    }
    tcase_add_test(stops, a_stopped_process_stands_still_until_it_is_resumed);
    tcase_add_test(stops, it_can_be_stopped_again_and_again);
    tcase_add_test(stops, the_limit_ends_a_stop);
    tcase_add_test(stops, all_threads_stop_and_run_on);
    tcase_add_test(stops, a_process_whose_first_thread_ended_is_stopped_too);
    tcase_add_test(stops, a_process_that_another_traces_is_refused);
    tcase_add_test(stops, resuming_what_was_not_stopped_fails);
    tcase_add_loop_test(ends, a_process_killed_during_the_stop_ends, 0, 2);
    tcase_add_loop_test(ends, a_process_killed_after_the_stop_ends, 0, 2);
    tcase_add_loop_test(ends, a_process_that_has_ended_cannot_be_stopped, 0, 2);
    tcase_add_test(ends, a_process_that_nobody_has_collected_cannot_be_stopped);
    tcase_add_test(ends, a_process_that_execs_is_stopped_or_let_go);
    return suite;
}

SUITE_MAIN(stop_suite)
