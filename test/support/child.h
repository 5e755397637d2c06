/*
 * A child process to be stopped. Its threads count as long as they run, so that a test can see
 * whether they do; the stopper of it is what is tested. The child ends with the test.
 */
#ifndef PHT_TEST_SUPPORT_CHILD_H
#define PHT_TEST_SUPPORT_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/procfs.h"
#include "target/stop.h"

/* Far more than a stop needs, even on a busy machine; and how long things may take to show. */
#define CHILD_STOP_US 2000000
#define CHILD_PATIENCE_US 5000000

#define CHILD_THREADS 8

/* In memory that the child has in common with us. */
struct child_counters {
    atomic_ulong beats[CHILD_THREADS + 1]; /* the last one: threads that came and went */
    atomic_ulong newborn;                  /* how many of those there are */
};

struct child {
    pid_t pid;
    int process_fd; /* /proc/PID */
    struct pht_stopper *stopper;
    struct child_counters *counters;
};

void child_init(struct child *child);

/* Kills the child if it lives, and checks that no process of ours is left. */
void child_deinit(struct child *child);

/* Fork the child, which calls `life` and does not return, and make its stopper. */
void child_start(struct child *child, void (*life)(struct child *child));

/* The same, and wait until it counts. */
void child_start_beating(struct child *child, void (*life)(struct child *child));

/* A life: count without a pause. A test's own life may end in it. */
void child_beat(struct child *child);

/* CHILD_THREADS that stay, and others that come and go all the time. */
void child_beat_in_threads(struct child *child);

/* The first thread ends, and a second one goes on. */
void child_beat_in_second_thread(struct child *child);

/* Stop and resume as they should go; child_resume() returns how long the stop was. */
void child_stop(struct child *child);
uint64_t child_resume(struct child *child);

unsigned long child_beats(const struct child *child);
bool child_beats_within(const struct child *child, uint64_t us);

/* The test fails if it is not so; each looks for as long as it takes to tell. */
void child_check_stands_still(const struct child *child);
void child_check_runs(const struct child *child);
void child_check_all_threads_run(const struct child *child); /* those that stay */

struct pht_procfs_status child_status(const struct child *child);

/* `letter` as in /proc/PID/status. */
void child_wait_for_state(const struct child *child, char letter);

/*
 * It was killed, and its parent can collect it: nobody else holds on to what is left of it. It is
 * collected thereby.
 */
void child_check_can_be_collected(struct child *child);

#endif
