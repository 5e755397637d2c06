#include "tui/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

/* The kernel's report, and the one that was asked for. */
#define RESULTS_MAX 2

struct pht_worker {
    struct pht_target *target;
    pthread_t thread;
    int wake_fd;
    atomic_bool is_cancelled;
    struct pht_watch watch;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* Under the lock. */
    bool is_ending;
    bool is_busy;
    bool is_first;
    struct pht_report_options options;
    struct pht_progress progress;
    struct pht_worker_result results[RESULTS_MAX];
    size_t result_count;
};

/* ---- in the thread ------------------------------------------------------------------------ */

static bool tell(void *context, const struct pht_progress *progress)
{
    struct pht_worker *worker = context;

    pthread_mutex_lock(&worker->lock);
    worker->progress = *progress;
    pthread_mutex_unlock(&worker->lock);
    return !atomic_load(&worker->is_cancelled);
}

static void deliver(struct pht_worker *worker, struct pht_worker_result result, bool is_last)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&worker->lock);
    worker->results[worker->result_count++] = result;
    worker->is_busy = !is_last;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    /* A counter that is full is readable as well. */
    if (write(worker->wake_fd, &one, sizeof(one)) < 0)
        return;
}

/* What is known at once. Whatever keeps it from being told, the walk will meet it as well. */
static void take_quickly(struct pht_worker *worker, const struct pht_report_options *options)
{
    struct pht_report_options quick = *options;
    struct pht_report *report;

    quick.sections = PHT_SECTION_KERNEL | PHT_SECTION_MAPS;
    quick.number = 0;
    struct pht_error *error = pht_report_take(worker->target, &quick, &report);
    if (error == NULL)
        deliver(worker, (struct pht_worker_result){.report = report}, false);
    pht_error_destroy(error);
}

/* Of the processors, in this thread and those that help it. */
static uint64_t worked_us(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

static void take(struct pht_worker *worker, const struct pht_report_options *options, bool is_first)
{
    struct pht_courtesy *courtesy = pht_courtesy_begin();
    struct pht_worker_result result = {0};

    if (is_first)
        take_quickly(worker, options);
    uint64_t before_us = worked_us();
    result.error = pht_report_take(worker->target, options, &result.report);
    result.work_us = worked_us() - before_us;
    if (result.error != NULL)
        result.report = NULL;
    pht_courtesy_end(courtesy);
    deliver(worker, result, true);
}

static void *work(void *context)
{
    struct pht_worker *worker = context;

    for (;;) {
        pthread_mutex_lock(&worker->lock);
        while (!worker->is_busy && !worker->is_ending)
            pthread_cond_wait(&worker->changed, &worker->lock);
        bool is_ending = worker->is_ending && !worker->is_busy;
        bool is_first = worker->is_first;
        struct pht_report_options options = worker->options;
        worker->is_first = false;
        pthread_mutex_unlock(&worker->lock);
        if (is_ending)
            return NULL;
        take(worker, &options, is_first);
    }
}

/* ---- from outside ------------------------------------------------------------------------- */

struct pht_error *pht_worker_create(struct pht_target *target, struct pht_worker **ret)
{
    struct pht_worker *worker = calloc(1, sizeof(*worker));

    if (worker == NULL)
        return pht_error_no_memory();
    worker->target = target;
    worker->is_first = true;
    worker->watch = (struct pht_watch){.tell = tell, .context = worker};
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int number = worker->wake_fd < 0 ? errno : pthread_create(&worker->thread, NULL, work, worker);
    if (number != 0) {
        if (worker->wake_fd >= 0)
            close(worker->wake_fd);
        free(worker);
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot start a thread: errno %d", number);
    }
    *ret = worker;
    return NULL;
}

void pht_worker_destroy(struct pht_worker *worker)
{
    if (worker == NULL)
        return;
    atomic_store(&worker->is_cancelled, true);
    pthread_mutex_lock(&worker->lock);
    worker->is_ending = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    pthread_join(worker->thread, NULL);
    for (size_t i = 0; i < worker->result_count; i++) {
        pht_report_destroy(worker->results[i].report);
        pht_error_destroy(worker->results[i].error);
    }
    close(worker->wake_fd);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

int pht_worker_fd(const struct pht_worker *worker)
{
    return worker->wake_fd;
}

void pht_worker_take(struct pht_worker *worker, const struct pht_report_options *options)
{
    atomic_store(&worker->is_cancelled, false);
    pthread_mutex_lock(&worker->lock);
    worker->options = *options;
    worker->options.watch = &worker->watch;
    worker->progress = (struct pht_progress){0};
    worker->is_busy = true;
    pthread_cond_broadcast(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void pht_worker_cancel(struct pht_worker *worker)
{
    atomic_store(&worker->is_cancelled, true);
}

void pht_worker_settle(struct pht_worker *worker)
{
    pht_worker_cancel(worker);
    pthread_mutex_lock(&worker->lock);
    while (worker->is_busy)
        pthread_cond_wait(&worker->changed, &worker->lock);
    pthread_mutex_unlock(&worker->lock);
}

bool pht_worker_is_busy(struct pht_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    bool is_busy = worker->is_busy;
    pthread_mutex_unlock(&worker->lock);
    return is_busy;
}

struct pht_progress pht_worker_progress(struct pht_worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    struct pht_progress progress = worker->progress;
    pthread_mutex_unlock(&worker->lock);
    return progress;
}

bool pht_worker_collect(struct pht_worker *worker, struct pht_worker_result *ret)
{
    uint64_t count;

    if (read(worker->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return false;
    pthread_mutex_lock(&worker->lock);
    bool is_there = worker->result_count > 0;
    if (is_there) {
        *ret = worker->results[0];
        worker->results[0] = worker->results[1];
        worker->result_count--;
    }
    pthread_mutex_unlock(&worker->lock);
    return is_there;
}
