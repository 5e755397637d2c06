#include <stdlib.h>

#include "base/cleanup.h"
#include "snapshot/internal.h"

/* Roots that do not hold together are read again, so often. */
#define FREEZE_TRIES 3

const char *pht_stop_mode_name(enum pht_stop_mode mode)
{
    switch (mode) {
    case PHT_STOP_BRIEF:
        return "brief";
    case PHT_STOP_FULL:
        return "full";
    case PHT_STOP_NONE:
        break;
    }
    return "none";
}

static void run_freeze(struct pht_snapshot *snapshot, pht_freeze freeze, void *context)
{
    snapshot->freezing = true;
    snapshot->stats.consistent = freeze(snapshot, context);
    snapshot->freezing = false;
    pht_page_cache_clear(&snapshot->pages);
}

struct pht_error *pht_snapshot_release(struct pht_snapshot *snapshot)
{
    uint64_t stopped_us = 0;
    bool expired = false;

    if (!snapshot->stopped)
        return NULL;
    snapshot->stopped = false;
    struct pht_error *error = pht_target_resume(snapshot->target, &stopped_us, &expired);
    snapshot->stats.stopped_us += stopped_us;
    snapshot->stats.expired = snapshot->stats.expired || expired;
    return error;
}

static struct pht_error *freeze_stopped(struct pht_snapshot *snapshot, pht_freeze freeze,
                                        void *context)
{
    enum pht_stop_outcome outcome;
    struct pht_error *error =
        pht_target_stop(snapshot->target, snapshot->options.max_stop_us, &outcome);

    if (error != NULL)
        return error;
    snapshot->stats.gave_up = outcome != PHT_STOP_STOPPED;
    snapshot->stats.not_tried = outcome == PHT_STOP_NOT_TRIED;
    snapshot->stats.stop = snapshot->stats.gave_up ? PHT_STOP_NONE : snapshot->options.stop;
    if (snapshot->stats.gave_up) {
        run_freeze(snapshot, freeze, context);
        return NULL;
    }
    snapshot->stopped = true;
    snapshot->stats.stops++;
    run_freeze(snapshot, freeze, context);
    if (snapshot->options.stop == PHT_STOP_BRIEF)
        return pht_snapshot_release(snapshot);
    return NULL;
}

static struct pht_error *freeze_roots(struct pht_snapshot *snapshot, pht_freeze freeze,
                                      void *context)
{
    struct pht_error *error = NULL;

    for (int tries = 0; tries < FREEZE_TRIES && error == NULL; tries++) {
        if (tries > 0) {
            error = pht_snapshot_release(snapshot);
            if (error == NULL)
                error = pht_snapshot_refresh_maps(snapshot);
            if (error != NULL)
                break;
        }
        if (snapshot->options.stop == PHT_STOP_NONE)
            run_freeze(snapshot, freeze, context);
        else
            error = freeze_stopped(snapshot, freeze, context);
        if (snapshot->stats.consistent)
            break;
    }
    return error;
}

static void cleanup_snapshot(struct pht_snapshot **snapshot)
{
    pht_snapshot_destroy(*snapshot);
}

struct pht_error *pht_snapshot_take(struct pht_target *target,
                                    const struct pht_snapshot_options *options, pht_freeze freeze,
                                    void *context, struct pht_snapshot **ret)
{
    _cleanup_(cleanup_snapshot) struct pht_snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot == NULL)
        return pht_error_no_memory();
    snapshot->target = target;
    snapshot->options = *options;
    pht_pace_init(&snapshot->own_pace, options->bytes_per_second);
    snapshot->pace = &snapshot->own_pace;
    pht_page_cache_init(&snapshot->pages, target);
    pht_file_pages_init(&snapshot->files, target);
    struct pht_error *error = pht_target_read_maps(target, &snapshot->maps);
    if (error == NULL && options->stop != PHT_STOP_NONE)
        run_freeze(snapshot, freeze, context);
    if (error == NULL)
        error = freeze_roots(snapshot, freeze, context);
    if (error != NULL)
        return error;
    *ret = pht_take_ptr(snapshot);
    return NULL;
}

void pht_snapshot_destroy(struct pht_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    pht_error_destroy(pht_snapshot_release(snapshot));
    pht_page_cache_deinit(&snapshot->pages);
    pht_file_pages_deinit(&snapshot->files);
    pht_maps_deinit(&snapshot->maps);
    pht_pace_deinit(&snapshot->own_pace);
    free(snapshot);
}

struct pht_snapshot *pht_snapshot_branch(const struct pht_snapshot *snapshot)
{
    struct pht_snapshot *branch = calloc(1, sizeof(*branch));

    if (branch == NULL)
        return NULL;
    branch->target = snapshot->target;
    branch->work = snapshot->work;
    pht_pace_init(&branch->own_pace, 0);
    branch->pace = snapshot->stopped ? &branch->own_pace : snapshot->pace;
    pht_page_cache_init(&branch->pages, branch->target);
    pht_file_pages_init(&branch->files, branch->target);
    struct pht_error *error = pht_target_read_maps(branch->target, &branch->maps);
    if (error == NULL)
        return branch;
    pht_error_destroy(error);
    pht_snapshot_destroy(branch);
    return NULL;
}

void pht_snapshot_join(struct pht_snapshot *snapshot, struct pht_snapshot *branch)
{
    snapshot->stats.read_bytes += branch->stats.read_bytes;
    pht_snapshot_destroy(branch);
}

bool pht_snapshot_wait(struct pht_snapshot *snapshot, uint64_t us)
{
    const struct pht_pace_clock *clock = &snapshot->pace->clock;

    if (!snapshot->stopped)
        clock->wait_us(clock->context, us);
    return !snapshot->stopped;
}

struct pht_snapshot_stats pht_snapshot_stats(const struct pht_snapshot *snapshot)
{
    return snapshot->stats;
}

void pht_snapshot_set_work(struct pht_snapshot *snapshot, struct pht_work *work)
{
    snapshot->work = work;
}

struct pht_work *pht_snapshot_work(const struct pht_snapshot *snapshot)
{
    return snapshot->work;
}

const struct pht_maps *pht_snapshot_maps(const struct pht_snapshot *snapshot)
{
    return &snapshot->maps;
}
