/*
 * Stopping a process for a moment. A helper process does the tracing, so that the stop ends
 * without us: it watches the limit itself, it ends when we end (for whatever reason), and when it
 * ends the kernel lets every traced thread run on. A process that an operator had stopped stays
 * stopped; signals that arrive during the stop are delivered after it. Linux: ptrace(2),
 * PTRACE_SEIZE, PTRACE_INTERRUPT, group-stop.
 */
#ifndef PHT_LIB_TARGET_STOP_H
#define PHT_LIB_TARGET_STOP_H

#include "pyheaptop/target.h"

struct pht_stopper;

/*
 * `process_fd` is /proc/PID. The helper is forked here, or by the steward if there is one, which
 * the stopper *keeps*; it does nothing until it is asked.
 */
struct pht_error *pht_stopper_create(int process_fd, struct pht_steward *steward,
                                     struct pht_stopper **ret);

/* The steward's part of it; `context` is the helper's number, -1 for none. */
int pht_stopper_perform(void *context, struct pht_errand *errand);

/* Lets the target run, if it is stopped. NULL accepted. */
void pht_stopper_destroy(struct pht_stopper *stopper);

enum pht_stopper_result {
    PHT_STOPPER_STOPPED,
    PHT_STOPPER_GAVE_UP, /* too many threads, or one that would not stop in time */
    PHT_STOPPER_REFUSED, /* ptrace said EPERM */
    PHT_STOPPER_EXITED,  /* no thread is left */
    PHT_STOPPER_EXECED,  /* another program took the process's place */
    PHT_STOPPER_FAILED,  /* the helper itself is gone */
};

enum pht_stopper_result pht_stopper_stop(struct pht_stopper *stopper, uint64_t max_us);

/* Meaningful after PHT_STOPPER_STOPPED; as pht_target_resume(). */
enum pht_stopper_result pht_stopper_resume(struct pht_stopper *stopper, uint64_t *stopped_us,
                                           bool *expired);

#endif
