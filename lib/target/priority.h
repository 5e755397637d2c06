/*
 * Who goes first on the processor: we do while a target stands still, and everybody else does
 * while we walk. Linux: sched(7). SCHED_FIFO, and the way back from SCHED_IDLE, need CAP_SYS_NICE;
 * without it stops are longer on a busy host, and nothing else changes.
 *
 * `thread` is a thread of this process, 0 for the one that calls. Only the classes for ordinary
 * work are changed: whoever gave a thread a real-time priority meant it.
 */
#ifndef PHT_LIB_TARGET_PRIORITY_H
#define PHT_LIB_TARGET_PRIORITY_H

#include <stdbool.h>
#include <sys/types.h>

/* Before all ordinary threads (SCHED_FIFO). For the calling thread, for good. */
void pht_priority_raise(void);

/* After all others (SCHED_IDLE): whoever wakes up takes the processor from it at once. */
bool pht_priority_yield(pid_t thread);
bool pht_priority_is_yielding(pid_t thread);

/*
 * For a call in which the kernel holds the target's memory map for long: smaps, page maps. Whoever
 * loses the processor meanwhile keeps the target waiting, and one that yields loses it to anybody.
 * So it does not yield for so long, and begins with a time slice of its own. Returns what
 * pht_priority_let_go() wants: whether it yielded.
 */
bool pht_priority_hold_on(void);
void pht_priority_let_go(bool yielded);

/* Among the others, but without hurry (SCHED_BATCH). */
bool pht_priority_batch(pid_t thread);

/* As it was when it began: SCHED_OTHER. */
bool pht_priority_return(pid_t thread);

#endif
