#include "target/priority.h"

#include <sched.h>

void pht_priority_raise(void)
{
    const struct sched_param first = {.sched_priority = 1};

    if (sched_getscheduler(0) == SCHED_OTHER)
        sched_setscheduler(0, SCHED_FIFO, &first);
}
