#include "pyheaptop/model.h"

/* Of the time that a stop may be: one part in so many. */
#define STOP_SHARE 200

uint64_t pht_pace_us(const struct pht_report *report, uint64_t wanted_us)
{
    uint64_t stopped_us = report->has_snapshot ? report->snapshot.stopped_us : 0;
    uint64_t least_us = stopped_us < UINT64_MAX / STOP_SHARE ? stopped_us * STOP_SHARE : UINT64_MAX;

    return wanted_us > least_us ? wanted_us : least_us;
}
