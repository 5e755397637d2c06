#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "pyheaptop/target.h"
#include "target/priority.h"

/* How often the watch looks whether courtesy became starvation. */
#define TICK_MS 25

/* Less than this share of a tick on the processor is starvation. */
#define STARVED_SHARE 4

struct pht_courtesy {
    pid_t thread;        /* the one that yields */
    clockid_t processor; /* its time on the processor */
    pthread_t watch;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool begun;
    bool ending;
};

static uint64_t read_ns(clockid_t clock)
{
    struct timespec time;

    if (clock_gettime(clock, &time) < 0)
        return 0;
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

/* False once the courtesy ends. */
static bool wait_a_tick(struct pht_courtesy *self)
{
    uint64_t until_ns = read_ns(CLOCK_MONOTONIC) + (uint64_t)TICK_MS * 1000000;
    const struct timespec until = {.tv_sec = (time_t)(until_ns / 1000000000),
                                   .tv_nsec = (long)(until_ns % 1000000000)};

    pthread_mutex_lock(&self->lock);
    while (!self->ending &&
           pthread_cond_clockwait(&self->wake, &self->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    bool goes_on = !self->ending;
    pthread_mutex_unlock(&self->lock);
    return goes_on;
}

static void tell_begun(struct pht_courtesy *self)
{
    pthread_mutex_lock(&self->lock);
    self->begun = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->lock);
}

/* Before this returns nobody may stop a target: the class would change in the middle of it. */
static void wait_begun(struct pht_courtesy *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->begun)
        pthread_cond_wait(&self->wake, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

/*
 * A thread that has not run for most of a tick may be waiting for a disk; then it loses no more
 * than its courtesy.
 */
static void *watch(void *argument)
{
    struct pht_courtesy *self = argument;

    /* The way back is tried here first: a thread that cannot return would starve for good. */
    bool can_return = pht_priority_yield(0) && pht_priority_return(0);
    if (can_return)
        pht_priority_yield(self->thread);
    else
        pht_priority_batch(self->thread);
    tell_begun(self);
    uint64_t before = read_ns(CLOCK_MONOTONIC), worked = read_ns(self->processor);
    while (wait_a_tick(self)) {
        uint64_t now = read_ns(CLOCK_MONOTONIC), works = read_ns(self->processor);
        if (pht_priority_is_yielding(self->thread) &&
            (works - worked) * STARVED_SHARE < now - before)
            pht_priority_batch(self->thread);
        before = now;
        worked = works;
    }
    return NULL;
}

struct pht_courtesy *pht_courtesy_begin(void)
{
    struct pht_courtesy *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->thread = (pid_t)syscall(SYS_gettid);
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->wake, NULL);
    if (pthread_getcpuclockid(pthread_self(), &self->processor) == 0 &&
        pthread_create(&self->watch, NULL, watch, self) == 0) {
        wait_begun(self);
        return self;
    }
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->lock);
    free(self);
    return NULL;
}

struct pht_courtesy *pht_courtesy_inherit(void)
{
    return pht_priority_is_yielding(0) ? pht_courtesy_begin() : NULL;
}

void pht_courtesy_end(struct pht_courtesy *courtesy)
{
    if (courtesy == NULL)
        return;
    pthread_mutex_lock(&courtesy->lock);
    courtesy->ending = true;
    pthread_cond_signal(&courtesy->wake);
    pthread_mutex_unlock(&courtesy->lock);
    pthread_join(courtesy->watch, NULL);
    pht_priority_return(0);
    pthread_cond_destroy(&courtesy->wake);
    pthread_mutex_destroy(&courtesy->lock);
    free(courtesy);
}
