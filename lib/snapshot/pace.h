/*
 * So many bytes of a target a second, and no more: whoever has read too much waits. Not for reads
 * during a stop, which a wait would make longer.
 */
#ifndef PHT_LIB_SNAPSHOT_PACE_H
#define PHT_LIB_SNAPSHOT_PACE_H

#include <pthread.h>
#include <stdint.h>

/* As much may be read ahead of its time, so that not every read is a wait. */
#define PHT_PACE_AHEAD_US 10000

/* Where time comes from; a test has its own. */
struct pht_pace_clock {
    uint64_t (*now_us)(void *context);
    void (*wait_us)(void *context, uint64_t us);
    void *context;
};

/* Shared by the threads that read one target. */
struct pht_pace {
    uint64_t bytes_per_second; /* 0: no limit */
    struct pht_pace_clock clock;
    pthread_mutex_t lock;
    uint64_t paid_ns; /* by then what was read so far has had its time */
};

void pht_pace_init(struct pht_pace *pace, uint64_t bytes_per_second);
void pht_pace_deinit(struct pht_pace *pace);

/* `bytes` were read. Time in which nothing was is not saved up. */
void pht_pace_spend(struct pht_pace *pace, uint64_t bytes);

#endif
