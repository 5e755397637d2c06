#include "snapshot/pace.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"

static uint64_t now_us(void *context)
{
    (void)context;
    return pht_clock_us();
}

static void wait_us(void *context, uint64_t us)
{
    struct timespec left = {
        .tv_sec = (time_t)(us / 1000000),
        .tv_nsec = (long)(us % 1000000 * 1000),
    };

    (void)context;
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

void pht_pace_init(struct pht_pace *pace, uint64_t bytes_per_second)
{
    *pace = (struct pht_pace){
        .bytes_per_second = bytes_per_second,
        .clock = {.now_us = now_us, .wait_us = wait_us},
    };
    pthread_mutex_init(&pace->lock, NULL);
}

void pht_pace_deinit(struct pht_pace *pace)
{
    pthread_mutex_destroy(&pace->lock);
}

/* A single read is no larger than some MiB, so this fits. */
static uint64_t time_ns(const struct pht_pace *pace, uint64_t bytes)
{
    return bytes * 1000000000 / pace->bytes_per_second;
}

void pht_pace_spend(struct pht_pace *pace, uint64_t bytes)
{
    if (pace->bytes_per_second == 0 || bytes == 0)
        return;
    pthread_mutex_lock(&pace->lock);
    uint64_t now_ns = pace->clock.now_us(pace->clock.context) * 1000;
    if (pace->paid_ns < now_ns)
        pace->paid_ns = now_ns;
    pace->paid_ns += time_ns(pace, bytes);
    uint64_t ahead_us = (pace->paid_ns - now_ns) / 1000;
    pthread_mutex_unlock(&pace->lock);
    if (ahead_us > PHT_PACE_AHEAD_US)
        pace->clock.wait_us(pace->clock.context, ahead_us);
}
