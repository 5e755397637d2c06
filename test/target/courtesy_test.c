/* Who goes first on the processor while a target is looked at. */
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/child.h"
#include "support/suite.h"

#define PATIENCE_US 10000000

/* Without CAP_SYS_NICE there is no way back, so the thread only loses its hurry. */
static bool may_return(void)
{
    return geteuid() == 0 && sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}) == 0 &&
           sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}) == 0;
}

static bool becomes(int class)
{
    uint64_t until = pht_clock_us() + PATIENCE_US;

    while (sched_getscheduler(0) != class && pht_clock_us() < until)
        ;
    return sched_getscheduler(0) == class;
}

START_TEST(the_caller_yields_and_comes_back)
{
    int yielded = may_return() ? SCHED_IDLE : SCHED_BATCH;

    for (int i = 0; i < 3; i++) {
        struct pht_courtesy *courtesy = pht_courtesy_begin();
        ck_assert_ptr_nonnull(courtesy);
        ck_assert_int_eq(sched_getscheduler(0), yielded);
        pht_courtesy_end(courtesy);
        ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
    }
}
END_TEST

START_TEST(ending_none_is_nothing)
{
    pht_courtesy_end(NULL);
}
END_TEST

/* A thread of the same processor that never sleeps. */
static pid_t start_rival(void)
{
    pid_t rival = fork();

    ck_assert_int_ge(rival, 0);
    if (rival > 0)
        return rival;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;)
        ;
}

START_TEST(a_busy_machine_does_not_starve_it)
{
    cpu_set_t before, one;

    if (!may_return())
        return;
    ck_assert_int_eq(sched_getaffinity(0, sizeof(before), &before), 0);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    pid_t rival = start_rival();
    ck_assert_int_eq(sched_setaffinity(0, sizeof(before), &before), 0);
    struct pht_courtesy *courtesy = pht_courtesy_begin();
    ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
    ck_assert(becomes(SCHED_BATCH));
    ck_assert_int_eq(sched_setaffinity(0, sizeof(before), &before), 0);
    pht_courtesy_end(courtesy);
    ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
    kill(rival, SIGKILL);
    waitpid(rival, NULL, 0);
}
END_TEST

START_TEST(a_stop_is_not_the_time_for_it)
{
    struct child child;
    struct pht_target *target;
    enum pht_stop_outcome outcome;
    uint64_t stopped_us;
    bool expired;

    child_init(&child);
    child_start_beating(&child, child_beat);
    ck_assert_ptr_null(pht_target_open(child.pid, NULL, &target));
    struct pht_courtesy *courtesy = pht_courtesy_begin();
    int yielded = sched_getscheduler(0);
    ck_assert_ptr_null(pht_target_stop(target, CHILD_STOP_US, &outcome));
    ck_assert_int_eq(outcome, PHT_STOP_STOPPED);
    ck_assert_int_ne(sched_getscheduler(0), SCHED_IDLE);
    ck_assert_ptr_null(pht_target_resume(target, &stopped_us, &expired));
    /* On a busy machine it may have come back to that by itself. */
    int again = sched_getscheduler(0);
    ck_assert(again == yielded || again == SCHED_BATCH);
    pht_courtesy_end(courtesy);
    pht_target_destroy(target);
    child_deinit(&child);
}
END_TEST

static Suite *courtesy_suite(void)
{
    Suite *suite = suite_create("courtesy");
    TCase *tests = tcase_create("courtesy");

    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_caller_yields_and_comes_back);
    tcase_add_test(tests, ending_none_is_nothing);
    tcase_add_test(tests, a_busy_machine_does_not_starve_it);
    tcase_add_test(tests, a_stop_is_not_the_time_for_it);
    suite_add_tcase(suite, tests);
    return suite;
}

SUITE_MAIN(courtesy_suite)
