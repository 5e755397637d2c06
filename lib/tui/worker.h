/*
 * A thread that takes reports, so that the screen never waits for one. It alone touches the target
 * while a report is taken.
 */
#ifndef PHT_LIB_TUI_WORKER_H
#define PHT_LIB_TUI_WORKER_H

#include "pyheaptop/model.h"

struct pht_worker;

/* Keeps the target. Signals that are blocked now are in the thread as well. */
struct pht_error *pht_worker_create(struct pht_target *target, struct pht_worker **ret);

/* Calls off what it does, and waits until it has ended. */
void pht_worker_destroy(struct pht_worker *worker);

/* Readable when there is something to collect. */
int pht_worker_fd(const struct pht_worker *worker);

/*
 * Take a report, once the one before was collected. What the options refer to is *kept*. The very
 * first is preceded by one of what the kernel tells, which takes no walk.
 */
void pht_worker_take(struct pht_worker *worker, const struct pht_report_options *options);

/* The report is not wanted any more: it fails with PHT_ERROR_CANCELLED, soon. */
void pht_worker_cancel(struct pht_worker *worker);

/* The same, and wait for it: afterwards the target is not stopped by us. */
void pht_worker_settle(struct pht_worker *worker);

bool pht_worker_is_busy(struct pht_worker *worker);

struct pht_progress pht_worker_progress(struct pht_worker *worker);

/* What was taken, or why not: one of both is not NULL, for the caller to release. */
struct pht_worker_result {
    struct pht_report *report;
    struct pht_error *error;
    uint64_t work_us; /* of a processor */
};

/* False: there is nothing. */
bool pht_worker_collect(struct pht_worker *worker, struct pht_worker_result *ret);

#endif
