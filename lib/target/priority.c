#include "target/priority.h"

#include <sched.h>

static bool is_ordinary(int class)
{
    return class == SCHED_OTHER || class == SCHED_BATCH || class == SCHED_IDLE;
}

static bool set_class(pid_t thread, int class)
{
    const struct sched_param parameter = {.sched_priority = class == SCHED_FIFO ? 1 : 0};

    return is_ordinary(sched_getscheduler(thread)) &&
           sched_setscheduler(thread, class, &parameter) == 0;
}

void pht_priority_raise(void)
{
    set_class(0, SCHED_FIFO);
}

bool pht_priority_yield(pid_t thread)
{
    bool yields = set_class(thread, SCHED_IDLE);

    /* Whoever waits already would wait for the next tick of the scheduler. */
    if (yields && thread == 0)
        sched_yield();
    return yields;
}

bool pht_priority_is_yielding(pid_t thread)
{
    return sched_getscheduler(thread) == SCHED_IDLE;
}

bool pht_priority_hold_on(void)
{
    bool yielded = pht_priority_is_yielding(0) && pht_priority_return(0);

    if (yielded)
        sched_yield();
    return yielded;
}

void pht_priority_let_go(bool yielded)
{
    if (yielded)
        set_class(0, SCHED_IDLE);
}

bool pht_priority_batch(pid_t thread)
{
    return set_class(thread, SCHED_BATCH);
}

bool pht_priority_return(pid_t thread)
{
    return set_class(thread, SCHED_OTHER);
}
