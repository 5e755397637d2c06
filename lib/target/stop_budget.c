#include "target/stop_budget.h"

/*
 * A stop takes at least this long a thread on a host of today, from the first request to the last
 * release: to stop it, to notice that, to let it go.
 */
#define THREAD_US 20

/* After one failure the next stop is left out, then two, four ..., up to this many. */
#define SKIPS_MAX 64

bool pht_stop_budget_allows(struct pht_stop_budget *budget, uint32_t threads, uint64_t max_us)
{
    if ((uint64_t)threads * THREAD_US > max_us)
        return false;
    if (budget->skips == 0)
        return true;
    budget->skips--;
    return false;
}

void pht_stop_budget_learn(struct pht_stop_budget *budget, bool stopped)
{
    if (stopped) {
        *budget = (struct pht_stop_budget){0};
        return;
    }
    budget->skips = budget->failures < 6 ? UINT32_C(1) << budget->failures : SKIPS_MAX;
    budget->failures++;
}
