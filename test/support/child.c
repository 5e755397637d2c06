#include "support/child.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define NEWBORN_THREADS 48

/* ---- lives -------------------------------------------------------------------------------- */

void child_beat(struct child *child)
{
    for (;;)
        atomic_fetch_add(&child->counters->beats[0], 1);
}

/* With a pause, so that many threads get their turn on few processors. */
static void *beat(void *counter)
{
    for (;; usleep(50))
        atomic_fetch_add((atomic_ulong *)counter, 1);
    return NULL;
}

/* Long enough to be seen running while the others stand still. */
static void *beat_for_a_while(void *child_counters)
{
    struct child_counters *counters = child_counters;

    for (uint64_t end = pht_clock_us() + 5000; pht_clock_us() < end; usleep(50))
        atomic_fetch_add(&counters->beats[CHILD_THREADS], 1);
    atomic_fetch_sub(&counters->newborn, 1);
    return NULL;
}

static pthread_t start_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, run, argument) != 0)
        _exit(1);
    return thread;
}

void child_beat_in_threads(struct child *child)
{
    struct child_counters *counters = child->counters;

    for (int i = 0; i < CHILD_THREADS; i++)
        start_thread(beat, &counters->beats[i]);
    for (;;) {
        if (atomic_load(&counters->newborn) >= NEWBORN_THREADS) {
            usleep(10);
            continue;
        }
        atomic_fetch_add(&counters->newborn, 1);
        pthread_detach(start_thread(beat_for_a_while, counters));
    }
}

void child_beat_in_second_thread(struct child *child)
{
    start_thread(beat, &child->counters->beats[0]);
    pthread_exit(NULL);
}

/* ---- beginning and end -------------------------------------------------------------------- */

void child_init(struct child *child)
{
    *child = (struct child){.pid = -1, .process_fd = -1};
    child->counters = mmap(NULL, sizeof(*child->counters), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(child->counters, MAP_FAILED);
}

void child_deinit(struct child *child)
{
    pht_stopper_destroy(child->stopper);
    if (child->pid > 0) {
        kill(child->pid, SIGKILL);
        waitpid(child->pid, NULL, 0);
    }
    close(child->process_fd);
    munmap(child->counters, sizeof(*child->counters));
    /* Helpers that were given up are gone too. */
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
    ck_assert_int_eq(errno, ECHILD);
}

void child_start(struct child *child, void (*life)(struct child *child))
{
    char path[32];

    child->pid = fork();
    ck_assert_int_ge(child->pid, 0);
    if (child->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        life(child);
        _exit(0);
    }
    snprintf(path, sizeof(path), "/proc/%d", child->pid);
    child->process_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(child->process_fd, 0);
    ck_assert_ptr_null(pht_stopper_create(child->process_fd, NULL, &child->stopper));
}

void child_start_beating(struct child *child, void (*life)(struct child *child))
{
    child_start(child, life);
    child_check_runs(child);
}

void child_check_can_be_collected(struct child *child)
{
    int status;
    pid_t ended = 0;

    for (uint64_t end = pht_clock_us() + CHILD_PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        ended = waitpid(child->pid, &status, WNOHANG);
        if (ended != 0)
            break;
    }
    ck_assert_msg(ended == child->pid, "its parent cannot collect it");
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGKILL);
    child->pid = -1;
}

/* ---- stopping it -------------------------------------------------------------------------- */

void child_stop(struct child *child)
{
    ck_assert_int_eq(pht_stopper_stop(child->stopper, CHILD_STOP_US), PHT_STOPPER_STOPPED);
}

uint64_t child_resume(struct child *child)
{
    uint64_t stopped_us = 0;
    bool expired = true;

    ck_assert_int_eq(pht_stopper_resume(child->stopper, &stopped_us, &expired),
                     PHT_STOPPER_STOPPED);
    ck_assert(!expired);
    return stopped_us;
}

/* ---- watching it -------------------------------------------------------------------------- */

unsigned long child_beats(const struct child *child)
{
    unsigned long sum = 0;

    for (int i = 0; i <= CHILD_THREADS; i++)
        sum += atomic_load(&child->counters->beats[i]);
    return sum;
}

bool child_beats_within(const struct child *child, uint64_t us)
{
    unsigned long before = child_beats(child);

    for (uint64_t end = pht_clock_us() + us; pht_clock_us() < end; usleep(200)) {
        if (child_beats(child) != before)
            return true;
    }
    return false;
}

void child_check_stands_still(const struct child *child)
{
    ck_assert_msg(!child_beats_within(child, 20000), "it runs although it was stopped");
}

void child_check_runs(const struct child *child)
{
    ck_assert_msg(child_beats_within(child, CHILD_PATIENCE_US), "it does not run");
}

void child_check_all_threads_run(const struct child *child)
{
    for (int i = 0; i < CHILD_THREADS; i++) {
        const atomic_ulong *beats = &child->counters->beats[i];
        unsigned long before = atomic_load(beats);
        uint64_t end = pht_clock_us() + CHILD_PATIENCE_US;
        while (atomic_load(beats) == before && pht_clock_us() < end)
            usleep(200);
        ck_assert_msg(atomic_load(beats) != before, "thread %d does not run", i);
    }
}

struct pht_procfs_status child_status(const struct child *child)
{
    struct pht_procfs_status status;

    ck_assert(pht_procfs_read_status(child->process_fd, &status));
    return status;
}

void child_wait_for_state(const struct child *child, char letter)
{
    char state = 0;

    for (uint64_t end = pht_clock_us() + CHILD_PATIENCE_US; pht_clock_us() < end; usleep(200)) {
        state = child_status(child).state;
        if (state == letter)
            return;
    }
    ck_abort_msg("its state is %c, not %c", state, letter);
}
