#include "target/stopping.h"

#include "base/clock.h"
#include "target/priority.h"
#include "target/procfs.h"

static void drop_helper(struct pht_stopping *self)
{
    pht_stopper_destroy(self->stopper);
    self->stopper = NULL;
}

void pht_stopping_deinit(struct pht_stopping *self)
{
    drop_helper(self);
}

/* Courtesy is for the time in which the target runs: a thread that yields makes a stop longer. */
static void suspend_courtesy(struct pht_stopping *self)
{
    self->yields = pht_priority_is_yielding(0) && pht_priority_return(0);
}

static void resume_courtesy(struct pht_stopping *self)
{
    if (self->yields)
        pht_priority_yield(0);
    self->yields = false;
}

/* A helper that had to end, to let the target run, is replaced once. */
static struct pht_error *try_to_stop(struct pht_stopping *self, uint64_t max_us,
                                     enum pht_stopper_result *ret)
{
    *ret = PHT_STOPPER_FAILED;
    for (int tries = 0; *ret == PHT_STOPPER_FAILED && tries < 2; tries++) {
        if (self->stopper == NULL) {
            struct pht_error *error =
                pht_stopper_create(self->process_fd, self->steward, &self->stopper);
            if (error != NULL)
                return error;
        }
        self->asked_us = pht_clock_us();
        *ret = pht_stopper_stop(self->stopper, max_us);
        if (*ret != PHT_STOPPER_STOPPED)
            drop_helper(self);
    }
    return NULL;
}

/* What is not known is no reason not to try. */
static uint32_t count_threads(const struct pht_stopping *self)
{
    struct pht_procfs_status now;

    return pht_procfs_read_stat(self->process_fd, &now) ? now.threads : 1;
}

struct pht_error *pht_stopping_stop(struct pht_stopping *self, uint64_t max_us,
                                    enum pht_stop_outcome *ret, enum pht_stopper_result *why)
{
    *ret = PHT_STOP_NOT_TRIED;
    if (!pht_stop_budget_allows(&self->budget, count_threads(self), max_us))
        return NULL;
    suspend_courtesy(self);
    struct pht_error *error = try_to_stop(self, max_us, why);
    if (*why != PHT_STOPPER_STOPPED)
        resume_courtesy(self);
    if (error != NULL)
        return error;
    pht_stop_budget_learn(&self->budget, *why == PHT_STOPPER_STOPPED);
    *ret = *why == PHT_STOPPER_STOPPED ? PHT_STOP_STOPPED : PHT_STOP_GAVE_UP;
    return NULL;
}

void pht_stopping_resume(struct pht_stopping *self, uint64_t *stopped_us, bool *expired)
{
    enum pht_stopper_result result = pht_stopper_resume(self->stopper, stopped_us, expired);

    resume_courtesy(self);
    if (result == PHT_STOPPER_STOPPED)
        return;
    /* The helper is gone, so the target runs; since when is not known, but not longer than this. */
    *stopped_us = pht_clock_us() - self->asked_us;
    *expired = true;
    drop_helper(self);
}
