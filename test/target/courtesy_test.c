/* Who goes first on the processor while a target is looked at. */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/child.h"
#include "support/suite.h"
#include "target/priority.h"

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

/* On a busy machine it may have come back to the second by itself. */
static bool has_yielded(void)
{
    int class = sched_getscheduler(0);

    return class == SCHED_BATCH || (class == SCHED_IDLE && may_return());
}

START_TEST(the_caller_yields_and_comes_back)
{
    for (int i = 0; i < 3; i++) {
        struct pht_courtesy *courtesy = pht_courtesy_begin();
        ck_assert_ptr_nonnull(courtesy);
        ck_assert(has_yielded());
        pht_courtesy_end(courtesy);
        ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
    }
}
END_TEST

static void *inherit(void *courtesy)
{
    *(struct pht_courtesy **)courtesy = pht_courtesy_inherit();
    int class = sched_getscheduler(0);
    pht_courtesy_end(*(struct pht_courtesy **)courtesy);
    return (void *)(intptr_t) class;
}

static int class_of_a_thread(struct pht_courtesy **its_courtesy)
{
    pthread_t thread;
    void *class;

    ck_assert_int_eq(pthread_create(&thread, NULL, inherit, its_courtesy), 0);
    ck_assert_int_eq(pthread_join(thread, &class), 0);
    return (int)(intptr_t) class;
}

START_TEST(a_thread_yields_if_the_one_that_began_it_does)
{
    struct pht_courtesy *its_courtesy;

    ck_assert_int_eq(class_of_a_thread(&its_courtesy), SCHED_OTHER);
    ck_assert_ptr_null(its_courtesy);
    struct pht_courtesy *courtesy = pht_courtesy_begin();
    ck_assert_int_ne(class_of_a_thread(&its_courtesy), SCHED_OTHER);
    pht_courtesy_end(courtesy);
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

/* In it the kernel holds what the target may need. */
START_TEST(a_long_call_is_not_the_time_for_it)
{
    ck_assert(!pht_priority_hold_on());
    pht_priority_let_go(false);
    ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
    if (!may_return())
        return;
    ck_assert(pht_priority_yield(0));
    ck_assert(pht_priority_hold_on());
    ck_assert_int_eq(sched_getscheduler(0), SCHED_OTHER);
    pht_priority_let_go(true);
    ck_assert_int_eq(sched_getscheduler(0), SCHED_IDLE);
    ck_assert(pht_priority_return(0));
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
    ck_assert_ptr_null(pht_target_stop(target, CHILD_STOP_US, &outcome));
    ck_assert_int_eq(outcome, PHT_STOP_STOPPED);
    ck_assert_int_ne(sched_getscheduler(0), SCHED_IDLE);
    ck_assert_ptr_null(pht_target_resume(target, &stopped_us, &expired));
    ck_assert(has_yielded());
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
    tcase_add_test(tests, a_thread_yields_if_the_one_that_began_it_does);
    tcase_add_test(tests, a_busy_machine_does_not_starve_it);
    tcase_add_test(tests, a_long_call_is_not_the_time_for_it);
    tcase_add_test(tests, a_stop_is_not_the_time_for_it);
    suite_add_tcase(suite, tests);
    return suite;
}

SUITE_MAIN(courtesy_suite)
