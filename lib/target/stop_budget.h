/*
 * Whether a stop is worth a try. One that cannot be had in time costs the target as much as one
 * that can, and a screen would try every few seconds: threads that are too many are not asked, and
 * what has failed is tried again less and less often.
 */
#ifndef PHT_LIB_TARGET_STOP_BUDGET_H
#define PHT_LIB_TARGET_STOP_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* Clear to zero before the first use. */
struct pht_stop_budget {
    uint32_t failures; /* in a row */
    uint32_t skips;    /* so many stops are not tried from now on */
};

/* False if a stop of so many threads is not to be tried now; each call is one stop that is wanted.
 */
bool pht_stop_budget_allows(struct pht_stop_budget *budget, uint32_t threads, uint64_t max_us);

/* How one that was tried went: true if all threads stopped in time. */
void pht_stop_budget_learn(struct pht_stop_budget *budget, bool stopped);

#endif
