/*
 * A work that may be watched and called off: the inner side of pyheaptop/progress.h. Loops over
 * much data tell how far they are and end early where that returns false; what they have made
 * until then is thrown away by whoever began the work. A work that is NULL goes on.
 */
#ifndef PHT_LIB_BASE_WORK_H
#define PHT_LIB_BASE_WORK_H

#include <pthread.h>
#include <stdatomic.h>

#include "pyheaptop/error.h"
#include "pyheaptop/progress.h"

struct pht_work {
    const struct pht_watch *watch; /* NULL: nobody watches */
    pthread_t owner;               /* the thread that tells */
    struct pht_progress progress;  /* but for `done` */
    _Atomic uint64_t done;
    atomic_bool is_cancelled;
};

/* By the thread that will tell. The work *keeps* `watch`. */
void pht_work_init(struct pht_work *work, const struct pht_watch *watch);

/* PHT_ERROR_CANCELLED if it was called off, then or before. */
struct pht_error *pht_work_begin(struct pht_work *work, enum pht_stage stage);

/* What the stage is made of, once that is known. `unit` is a constant. False: called off. */
bool pht_work_measure(struct pht_work *work, uint64_t total, const char *unit);

/* `done` more, by any thread, or up to `done` in all. False: called off. */
bool pht_work_advance(struct pht_work *work, uint64_t done);
bool pht_work_reach(struct pht_work *work, uint64_t done);

struct pht_error *pht_work_check(const struct pht_work *work);

#endif
