/*
 * The stops of one live process, over and over: by a helper that is begun when it is needed, if a
 * stop is worth a try, and without the courtesy that would make it longer.
 */
#ifndef PHT_LIB_TARGET_STOPPING_H
#define PHT_LIB_TARGET_STOPPING_H

#include "target/stop.h"
#include "target/stop_budget.h"

/* Set the first two, clear the others. */
struct pht_stopping {
    int process_fd;              /* /proc/PID, borrowed */
    struct pht_steward *steward; /* or NULL */
    struct pht_stopper *stopper;
    struct pht_stop_budget budget;
    bool yields; /* the thread that stopped the target had yielded the processor before */
    uint64_t asked_us;
};

void pht_stopping_deinit(struct pht_stopping *self);

/* `*why` says how it went, if it was tried. Short memory, and no helper to be had, are errors. */
struct pht_error *pht_stopping_stop(struct pht_stopping *self, uint64_t max_us,
                                    enum pht_stop_outcome *ret, enum pht_stopper_result *why);

/* As pht_target_resume(). */
void pht_stopping_resume(struct pht_stopping *self, uint64_t *stopped_us, bool *expired);

#endif
