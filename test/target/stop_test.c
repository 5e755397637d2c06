#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/suite.h"
#include "target/procfs.h"
#include "target/stop.h"

/* Far more than a stop needs, even on a busy machine; and how long things may take to show. */
#define LONG_US 2000000
#define PATIENCE_US 5000000

#define THREADS 8
#define NEWBORN_THREADS 48
#define IDLE_THREADS 500

/* What the child does, for us to watch. */
struct shared {
    atomic_ulong beats[THREADS + 1]; /* the last one: threads that came and went */
    atomic_ulong newborn;            /* how many of those there are */
    atomic_ulong signals;
    atomic_ulong value_sum;
    atomic_bool enough; /* signals were sent */
    atomic_ulong sent;
};

static struct shared *shared;

static pid_t child;
static int process_fd = -1;
static struct pht_stopper *stopper;

/* ---- the child ---------------------------------------------------------------------------- */

static void beat_for_ever(void)
{
    for (;;)
        atomic_fetch_add(&shared->beats[0], 1);
}

/* With a pause, so that many threads get their turn on few processors. */
static void *beat(void *counter)
{
    for (;; usleep(50))
        atomic_fetch_add((atomic_ulong *)counter, 1);
    return NULL;
}

/* Long enough to be seen running while the others stand still. */
static void *beat_for_a_while(void *counter)
{
    for (uint64_t end = pht_clock_us() + 5000; pht_clock_us() < end; usleep(50))
        atomic_fetch_add((atomic_ulong *)counter, 1);
    atomic_fetch_sub(&shared->newborn, 1);
    return NULL;
}

static void start_threads(void)
{
    for (int i = 0; i < THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, beat, &shared->beats[i]) != 0)
            _exit(1);
    }
}

static void beat_in_threads(void)
{
    start_threads();
    for (;;) {
        pthread_t thread;
        if (atomic_load(&shared->newborn) >= NEWBORN_THREADS) {
            usleep(10);
            continue;
        }
        atomic_fetch_add(&shared->newborn, 1);
        if (pthread_create(&thread, NULL, beat_for_a_while, &shared->beats[THREADS]) != 0)
            _exit(1);
        pthread_detach(thread);
    }
}

static void leave_the_rest_to_a_thread(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, beat, &shared->beats[0]) != 0)
        _exit(1);
    pthread_exit(NULL);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    atomic_fetch_add(&shared->signals, 1);
    atomic_fetch_add(&shared->value_sum, (unsigned long)info->si_value.sival_int);
}

static void take_signals(void)
{
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGRTMIN, &action, NULL);
}

static void beat_and_take_signals(void)
{
    take_signals();
    beat_for_ever();
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
static void take_signals_among_threads(void)
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
    beat_for_ever();
}

/* A shell that becomes a shell that becomes a shell ... */
static void exec_for_ever(void)
{
    execl("/bin/sh", "sh", "-c", "exec sh -c \"$0\" \"$0\"", "exec sh -c \"$0\" \"$0\"", NULL);
    _exit(1);
}

/* ---- watching it -------------------------------------------------------------------------- */

static unsigned long beats(void)
{
    unsigned long sum = 0;

    for (int i = 0; i <= THREADS; i++)
        sum += atomic_load(&shared->beats[i]);
    return sum;
}

static bool beats_within(uint64_t us)
{
    unsigned long before = beats();

    for (uint64_t end = pht_clock_us() + us; pht_clock_us() < end; usleep(200)) {
        if (beats() != before)
            return true;
    }
    return false;
}

static void check_stands_still(void)
{
    ck_assert_msg(!beats_within(20000), "it runs although it was stopped");
}

static void check_runs(void)
{
    ck_assert_msg(beats_within(PATIENCE_US), "it does not run");
}

static struct pht_procfs_status status_now(void)
{
    struct pht_procfs_status status;

    ck_assert(pht_procfs_read_status(process_fd, &status));
    return status;
}

static void wait_for_state(char letter)
{
    char state = 0;

    for (uint64_t end = pht_clock_us() + PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        state = status_now().state;
        if (state == letter)
            return;
    }
    ck_abort_msg("its state is %c, not %c", state, letter);
}

static void wait_for_signals(unsigned long count)
{
    for (uint64_t end = pht_clock_us() + PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        if (atomic_load(&shared->signals) == count)
            return;
    }
    ck_abort_msg("%lu signals arrived, not %lu", atomic_load(&shared->signals), count);
}

/* Its parent can collect it at once: nobody else holds on to what is left of it. */
static void check_can_be_collected(void)
{
    int status;
    pid_t ended = 0;

    for (uint64_t end = pht_clock_us() + PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        ended = waitpid(child, &status, WNOHANG);
        if (ended != 0)
            break;
    }
    ck_assert_msg(ended == child, "its parent cannot collect it");
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    child = -1;
}

/* ---- fixture ------------------------------------------------------------------------------ */

static void start(void (*life)(void))
{
    char path[32];

    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        life();
        _exit(0);
    }
    snprintf(path, sizeof(path), "/proc/%d", child);
    process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(process_fd, 0);
    ck_assert_ptr_null(pht_stopper_create(process_fd, &stopper));
}

static void start_beating(void (*life)(void))
{
    start(life);
    check_runs();
}

static void setup(void)
{
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
}

static void teardown(void)
{
    pht_stopper_destroy(stopper);
    stopper = NULL;
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    close(process_fd);
    munmap(shared, sizeof(*shared));
    /* Helpers that were given up are gone too. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

static void stop(void)
{
    ck_assert_int_eq(pht_stopper_stop(stopper, LONG_US), PHT_STOPPER_STOPPED);
}

static uint64_t resume(void)
{
    uint64_t stopped_us = 0;
    bool expired = true;

    ck_assert_int_eq(pht_stopper_resume(stopper, &stopped_us, &expired), PHT_STOPPER_STOPPED);
    ck_assert(!expired);
    return stopped_us;
}

/* ---- stopping and running on -------------------------------------------------------------- */

START_TEST(a_stopped_process_stands_still_until_it_is_resumed)
{
    start_beating(beat_for_ever);
    uint64_t before = pht_clock_us();
    stop();
    wait_for_state('t');
    check_stands_still();
    uint64_t stopped_us = resume();
    ck_assert_uint_ge(stopped_us, 20000);
    ck_assert_uint_le(stopped_us, pht_clock_us() - before);
    check_runs();
    ck_assert_int_eq(status_now().tracer, 0);
}
END_TEST

START_TEST(it_can_be_stopped_again_and_again)
{
    start_beating(beat_for_ever);
    for (int i = 0; i < 200; i++) {
        stop();
        unsigned long before = beats();
        usleep(100);
        ck_assert_uint_eq(beats(), before);
        resume();
    }
    check_runs();
}
END_TEST

START_TEST(the_limit_ends_a_stop)
{
    uint64_t stopped_us = 0;
    bool expired = false;

    start_beating(beat_for_ever);
    ck_assert_int_eq(pht_stopper_stop(stopper, 100000), PHT_STOPPER_STOPPED);
    check_runs();
    ck_assert_int_eq(pht_stopper_resume(stopper, &stopped_us, &expired), PHT_STOPPER_STOPPED);
    ck_assert(expired);
    ck_assert_uint_ge(stopped_us, 50000); /* attaching, which stops nobody, is in the limit */
    ck_assert_uint_lt(stopped_us, 200000);
    /* and the next stop is as good as the first */
    stop();
    check_stands_still();
    resume();
    check_runs();
}
END_TEST

START_TEST(all_threads_stop_and_run_on)
{
    start_beating(beat_in_threads);
    for (int i = 0; i < 100; i++) {
        stop();
        ck_assert_msg(!beats_within(1000), "a thread runs although it was stopped");
        resume();
        check_runs();
        usleep(1000);
    }
    for (int i = 0; i < THREADS; i++) {
        unsigned long before = atomic_load(&shared->beats[i]);
        uint64_t end = pht_clock_us() + PATIENCE_US;
        while (atomic_load(&shared->beats[i]) == before && pht_clock_us() < end)
            usleep(200);
        ck_assert_msg(atomic_load(&shared->beats[i]) != before, "thread %d does not run", i);
    }
}
END_TEST

START_TEST(a_process_whose_first_thread_ended_is_stopped_too)
{
    start_beating(leave_the_rest_to_a_thread);
    wait_for_state('Z');
    for (int i = 0; i < 3; i++) {
        stop();
        check_stands_still();
        resume();
        check_runs();
    }
    kill(child, SIGKILL);
    check_can_be_collected();
}
END_TEST

/* ---- signals ------------------------------------------------------------------------------ */

START_TEST(a_process_that_was_stopped_before_stays_stopped)
{
    start_beating(beat_for_ever);
    kill(child, SIGSTOP);
    wait_for_state('T');
    for (int i = 0; i < 10; i++) {
        stop();
        resume();
        wait_for_state('T');
        ck_assert_msg(!beats_within(2000), "it was woken up");
    }
    kill(child, SIGCONT);
    check_runs();
}
END_TEST

START_TEST(threads_that_were_stopped_before_stay_stopped)
{
    start_beating(beat_in_threads);
    kill(child, SIGSTOP);
    wait_for_state('T');
    for (int i = 0; i < 10; i++) {
        stop();
        resume();
        ck_assert_msg(!beats_within(2000), "it was woken up");
    }
    kill(child, SIGCONT);
    check_runs();
}
END_TEST

START_TEST(a_stop_by_an_operator_during_the_stop_takes_effect_after_it)
{
    start_beating(beat_for_ever);
    stop();
    kill(child, SIGSTOP);
    resume();
    wait_for_state('T');
    check_stands_still();
    kill(child, SIGCONT);
    check_runs();
}
END_TEST

START_TEST(a_process_that_is_continued_during_the_stop_runs_after_it)
{
    start_beating(beat_for_ever);
    kill(child, SIGSTOP);
    wait_for_state('T');
    stop();
    kill(child, SIGCONT);
    check_stands_still();
    resume();
    check_runs();
}
END_TEST

START_TEST(a_signal_during_the_stop_is_delivered_after_it)
{
    start_beating(beat_and_take_signals);
    stop();
    kill(child, SIGUSR1);
    check_stands_still();
    ck_assert_uint_eq(atomic_load(&shared->signals), 0);
    resume();
    wait_for_signals(1);
    check_runs();
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
    for (; !atomic_load(&shared->enough); usleep(5)) {
        union sigval value = {.sival_int = (int)sent + 1};
        if (sent >= atomic_load(&shared->signals) + 32)
            continue;
        if (sigqueue(child, SIGRTMIN, value) < 0)
            _exit(1);
        atomic_store(&shared->sent, ++sent);
    }
    _exit(0);
}

START_TEST(no_signal_is_lost_or_doubled_by_stops)
{
    int status;

    start_beating(take_signals_among_threads);
    pid_t sender = fork();
    if (sender == 0)
        send_signals();
    uint64_t end = pht_clock_us() + PATIENCE_US;
    for (int i = 0; (i < 100 || atomic_load(&shared->sent) < 1000) && pht_clock_us() < end; i++) {
        stop();
        resume();
        usleep(100);
    }
    atomic_store(&shared->enough, true);
    ck_assert_int_eq(waitpid(sender, &status, 0), sender);
    ck_assert_int_eq(status, 0);
    unsigned long sent = atomic_load(&shared->sent);
    wait_for_signals(sent);
    ck_assert_uint_gt(sent, 0);
    ck_assert_uint_eq(atomic_load(&shared->value_sum), sent * (sent + 1) / 2);
}
END_TEST

/* ---- ends --------------------------------------------------------------------------------- */

START_TEST(a_process_killed_during_the_stop_ends)
{
    uint64_t stopped_us;
    bool expired;

    start_beating(_i == 0 ? beat_for_ever : beat_in_threads);
    stop();
    kill(child, SIGKILL);
    usleep(10000);
    pht_stopper_resume(stopper, &stopped_us, &expired);
    check_can_be_collected();
}
END_TEST

START_TEST(a_process_killed_after_the_stop_ends)
{
    start_beating(_i == 0 ? beat_for_ever : beat_in_threads);
    stop();
    resume();
    kill(child, SIGKILL);
    check_can_be_collected();
}
END_TEST

START_TEST(a_process_that_has_ended_cannot_be_stopped)
{
    start_beating(_i == 0 ? beat_for_ever : beat_in_threads);
    stop(); /* so that the helper is there already */
    resume();
    kill(child, SIGKILL);
    check_can_be_collected();
    ck_assert_int_eq(pht_stopper_stop(stopper, LONG_US), PHT_STOPPER_EXITED);
}
END_TEST

START_TEST(a_process_that_nobody_has_collected_cannot_be_stopped)
{
    siginfo_t info;

    start_beating(beat_for_ever);
    stop();
    resume();
    kill(child, SIGKILL);
    ck_assert_int_eq(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    ck_assert_int_eq(pht_stopper_stop(stopper, LONG_US), PHT_STOPPER_EXITED);
}
END_TEST

START_TEST(a_process_that_execs_is_stopped_or_let_go)
{
    unsigned stopped = 0, execed = 0;
    uint64_t stopped_us;
    bool expired;

    start(exec_for_ever);
    for (int i = 0; i < 300; i++) {
        enum pht_stopper_result result = pht_stopper_stop(stopper, LONG_US);
        ck_assert_msg(result == PHT_STOPPER_STOPPED || result == PHT_STOPPER_EXECED, "result %d",
                      result);
        if (result == PHT_STOPPER_STOPPED) {
            stopped++;
            pht_stopper_resume(stopper, &stopped_us, &expired);
        } else {
            execed++;
        }
        usleep((useconds_t)(i * 7 % 400));
    }
    ck_assert_uint_gt(stopped, 0);
    uint64_t stack_before = status_now().stack_start, end = pht_clock_us() + PATIENCE_US;
    while (status_now().stack_start == stack_before && pht_clock_us() < end)
        usleep(200);
    ck_assert_msg(status_now().stack_start != stack_before, "it no longer runs (%u execs seen)",
                  execed);
}
END_TEST

/* ---- the helper --------------------------------------------------------------------------- */

/* Of our children, the one that is not the target. */
static pid_t helper_pid(void)
{
    _cleanup_free_ char *children = pht_procfs_read(AT_FDCWD, "/proc/thread-self/children", NULL);
    char *rest = children, *number;

    ck_assert_ptr_nonnull(children);
    while ((number = strsep(&rest, " ")) != NULL) {
        pid_t pid = (pid_t)atoi(number);
        if (pid > 0 && pid != child)
            return pid;
    }
    ck_abort_msg("there is no helper");
}

START_TEST(the_target_runs_when_the_helper_is_killed)
{
    uint64_t stopped_us;
    bool expired;

    start_beating(beat_in_threads);
    stop();
    kill(helper_pid(), SIGKILL);
    check_runs();
    ck_assert_int_eq(pht_stopper_resume(stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    ck_assert_int_eq(pht_stopper_stop(stopper, LONG_US), PHT_STOPPER_FAILED);
    ck_assert_int_eq(status_now().tracer, 0);
}
END_TEST

START_TEST(signals_from_a_terminal_do_not_end_the_helper)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGALRM};

    start_beating(beat_for_ever);
    stop();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        kill(helper_pid(), signals[i]);
    check_stands_still();
    resume();
    check_runs();
}
END_TEST

START_TEST(the_target_runs_when_the_stopper_is_destroyed)
{
    start_beating(beat_in_threads);
    stop();
    pht_stopper_destroy(stopper);
    stopper = NULL;
    check_runs();
    ck_assert_int_eq(status_now().tracer, 0);
}
END_TEST

/* Stops the child on its own account, says so, and waits for its end. */
static void be_a_stopper(int ready)
{
    struct pht_stopper *own;

    if (pht_stopper_create(process_fd, &own) != NULL ||
        pht_stopper_stop(own, LONG_US) != PHT_STOPPER_STOPPED || write(ready, "s", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

START_TEST(the_target_runs_when_we_are_killed)
{
    int ready[2];
    char byte;

    start_beating(beat_in_threads);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t program = fork();
    if (program == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        be_a_stopper(ready[1]);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    check_stands_still();
    uint64_t killed_at = pht_clock_us();
    kill(program, SIGKILL);
    check_runs();
    ck_assert_uint_lt(pht_clock_us() - killed_at, LONG_US / 2);
    waitpid(program, NULL, 0);
    close(ready[0]);
}
END_TEST

START_TEST(the_helper_keeps_none_of_our_files_open)
{
    int ends[2];
    struct pollfd poller;

    start_beating(beat_for_ever);
    pht_stopper_destroy(stopper);
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_ptr_null(pht_stopper_create(process_fd, &stopper));
    stop();
    close(ends[1]);
    poller = (struct pollfd){.fd = ends[0], .events = POLLIN};
    ck_assert_int_eq(poll(&poller, 1, 1000), 1);
    ck_assert_int_ne(poller.revents & POLLHUP, 0);
    close(ends[0]);
    resume();
}
END_TEST

START_TEST(a_process_that_another_traces_is_refused)
{
    int ready[2];
    char byte;

    start_beating(beat_for_ever);
    ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
    pid_t tracer = fork();
    if (tracer == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0 && write(ready[1], "t", 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    ck_assert_int_eq(pht_stopper_stop(stopper, LONG_US), PHT_STOPPER_REFUSED);
    check_runs();
    ck_assert_int_eq(status_now().tracer, tracer);
    kill(tracer, SIGKILL);
    waitpid(tracer, NULL, 0);
    close(ready[0]);
    close(ready[1]);
    stop();
    resume();
}
END_TEST

START_TEST(resuming_what_was_not_stopped_fails)
{
    uint64_t stopped_us;
    bool expired;

    start_beating(beat_for_ever);
    ck_assert_int_eq(pht_stopper_resume(stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    stop();
    resume();
    ck_assert_int_eq(pht_stopper_resume(stopper, &stopped_us, &expired), PHT_STOPPER_FAILED);
    check_runs();
}
END_TEST

static Suite *stop_suite(void)
{
    Suite *suite = suite_create("target/stop");
    TCase *stops = tcase_create("stops");
    TCase *signals = tcase_create("signals");
    TCase *ends = tcase_create("ends");
    TCase *helper = tcase_create("helper");
    TCase *all[] = {stops, signals, ends, helper};

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
    tcase_add_test(signals, a_process_that_was_stopped_before_stays_stopped);
    tcase_add_test(signals, threads_that_were_stopped_before_stay_stopped);
    tcase_add_test(signals, a_stop_by_an_operator_during_the_stop_takes_effect_after_it);
    tcase_add_test(signals, a_process_that_is_continued_during_the_stop_runs_after_it);
    tcase_add_test(signals, a_signal_during_the_stop_is_delivered_after_it);
    tcase_add_test(signals, no_signal_is_lost_or_doubled_by_stops);
    tcase_add_loop_test(ends, a_process_killed_during_the_stop_ends, 0, 2);
    tcase_add_loop_test(ends, a_process_killed_after_the_stop_ends, 0, 2);
    tcase_add_loop_test(ends, a_process_that_has_ended_cannot_be_stopped, 0, 2);
    tcase_add_test(ends, a_process_that_nobody_has_collected_cannot_be_stopped);
    tcase_add_test(ends, a_process_that_execs_is_stopped_or_let_go);
    tcase_add_test(helper, the_target_runs_when_the_helper_is_killed);
    tcase_add_test(helper, signals_from_a_terminal_do_not_end_the_helper);
    tcase_add_test(helper, the_target_runs_when_the_stopper_is_destroyed);
    tcase_add_test(helper, the_target_runs_when_we_are_killed);
    tcase_add_test(helper, the_helper_keeps_none_of_our_files_open);
    tcase_add_test(helper, a_process_that_another_traces_is_refused);
    tcase_add_test(helper, resuming_what_was_not_stopped_fails);
    return suite;
}

SUITE_MAIN(stop_suite)
