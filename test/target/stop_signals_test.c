/* Signals before, during and after a stop: each takes effect once, and as it would without it. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/child.h"
#include "support/suite.h"

#define IDLE_THREADS 500

/* In memory that the child, the sender and we have in common. */
struct signal_counters {
    atomic_ulong sent;
    atomic_bool enough; /* were sent */
    atomic_ulong taken;
    atomic_ulong value_sum; /* of those */
};

static struct child child;
static struct signal_counters *counters;

static void setup(void)
{
    child_init(&child);
    counters =
        mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(counters, MAP_FAILED);
}

static void teardown(void)
{
    munmap(counters, sizeof(*counters));
    child_deinit(&child);
}

/* ---- the child ---------------------------------------------------------------------------- */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    atomic_fetch_add(&counters->taken, 1);
    atomic_fetch_add(&counters->value_sum, (unsigned long)info->si_value.sival_int);
}

static void take_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
}

static void beat_and_take_signals(struct child *self)
{
    take_signals();
    child_beat(self);
}

static void *idle(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

/*
 * Signals go to the first thread alone. It is attached to first, and stopped only when all others
 * are attached to as well: what arrives in between stops it in another way.
 */
static void take_signals_among_threads(struct child *self)
{
    sigset_t number;

    take_signals();
    sigemptyset(&number);
    sigaddset(&number, SIGRTMIN);
    pthread_sigmask(SIG_BLOCK, &number, NULL);
    for (int i = 0; i < IDLE_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, idle, NULL) != 0)
            _exit(1);
    }
    pthread_sigmask(SIG_UNBLOCK, &number, NULL);
    child_beat(self);
}

/* ---- SIGSTOP and SIGCONT ------------------------------------------------------------------ */

START_TEST(a_process_that_was_stopped_before_stays_stopped)
{
    child_start_beating(&child, child_beat);
    kill(child.pid, SIGSTOP);
    child_wait_for_state(&child, 'T');
    for (int i = 0; i < 10; i++) {
        child_stop(&child);
        child_resume(&child);
        child_wait_for_state(&child, 'T');
        ck_assert_msg(!child_beats_within(&child, 2000), "it was woken up");
    }
    kill(child.pid, SIGCONT);
    child_check_runs(&child);
}
END_TEST

START_TEST(threads_that_were_stopped_before_stay_stopped)
{
    child_start_beating(&child, child_beat_in_threads);
    kill(child.pid, SIGSTOP);
    child_wait_for_state(&child, 'T');
    for (int i = 0; i < 10; i++) {
        child_stop(&child);
        child_resume(&child);
        ck_assert_msg(!child_beats_within(&child, 2000), "it was woken up");
    }
    kill(child.pid, SIGCONT);
    child_check_runs(&child);
}
END_TEST

START_TEST(a_stop_by_an_operator_during_the_stop_takes_effect_after_it)
{
    child_start_beating(&child, child_beat);
    child_stop(&child);
    kill(child.pid, SIGSTOP);
    child_resume(&child);
    child_wait_for_state(&child, 'T');
    child_check_stands_still(&child);
    kill(child.pid, SIGCONT);
    child_check_runs(&child);
}
END_TEST

START_TEST(a_process_that_is_continued_during_the_stop_runs_after_it)
{
    child_start_beating(&child, child_beat);
    kill(child.pid, SIGSTOP);
    child_wait_for_state(&child, 'T');
    child_stop(&child);
    kill(child.pid, SIGCONT);
    child_check_stands_still(&child);
    child_resume(&child);
    child_check_runs(&child);
}
END_TEST

/* ---- signals with a handler --------------------------------------------------------------- */

static void wait_for_signals(unsigned long count)
{
    for (uint64_t end = pht_clock_us() + CHILD_PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        if (atomic_load(&counters->taken) == count)
            return;
    }
    ck_abort_msg("%lu signals arrived, not %lu", atomic_load(&counters->taken), count);
}

START_TEST(a_signal_during_the_stop_is_delivered_after_it)
{
    child_start_beating(&child, beat_and_take_signals);
    child_stop(&child);
    kill(child.pid, SIGUSR1);
    child_check_stands_still(&child);
    ck_assert_uint_eq(atomic_load(&counters->taken), 0);
    child_resume(&child);
    wait_for_signals(1);
    child_check_runs(&child);
}
END_TEST

/*
 * Numbered signals, with pauses in which the target can take them, while one of few processors
 * is the helper's. Not too many wait: the queue is shared by all processes of a user.
 */
static void send_signals(void)
{
    unsigned long sent = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    for (; !atomic_load(&counters->enough); usleep(5)) {
        union sigval value = {.sival_int = (int)sent + 1};
        if (sent >= atomic_load(&counters->taken) + 32)
            continue;
        if (sigqueue(child.pid, SIGRTMIN, value) < 0)
            _exit(1);
        atomic_store(&counters->sent, ++sent);
    }
    _exit(0);
}

START_TEST(no_signal_is_lost_or_doubled_by_stops)
{
    int status;

    child_start_beating(&child, take_signals_among_threads);
    pid_t sender = fork();
    if (sender == 0)
        send_signals();
    uint64_t end = pht_clock_us() + CHILD_PATIENCE_US;
    for (int i = 0; (i < 100 || atomic_load(&counters->sent) < 1000) && pht_clock_us() < end; i++) {
        child_stop(&child);
        child_resume(&child);
        usleep(100);
    }
    atomic_store(&counters->enough, true);
    ck_assert_int_eq(waitpid(sender, &status, 0), sender);
    ck_assert_int_eq(status, 0);
    unsigned long sent = atomic_load(&counters->sent);
    wait_for_signals(sent);
    ck_assert_uint_gt(sent, 0);
    ck_assert_uint_eq(atomic_load(&counters->value_sum), sent * (sent + 1) / 2);
}
END_TEST

static Suite *stop_signals_suite(void)
{
    Suite *suite = suite_create("target/stop_signals");
    TCase *tcase = tcase_create("stop_signals");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, a_process_that_was_stopped_before_stays_stopped);
    tcase_add_test(tcase, threads_that_were_stopped_before_stay_stopped);
    tcase_add_test(tcase, a_stop_by_an_operator_during_the_stop_takes_effect_after_it);
    tcase_add_test(tcase, a_process_that_is_continued_during_the_stop_runs_after_it);
    tcase_add_test(tcase, a_signal_during_the_stop_is_delivered_after_it);
    tcase_add_test(tcase, no_signal_is_lost_or_doubled_by_stops);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(stop_signals_suite)
