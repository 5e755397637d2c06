#include "model/capture.h"

#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/caveats.h"
#include "model/ledger.h"
#include "model/runtimes.h"

struct capture {
    struct pht_target *target;
    const struct pht_report_options *options;
    struct pht_report *report;
    bool has_pymalloc; /* its roots are among those that are frozen */
    bool has_glibc;
    struct pht_pymalloc_roots pymalloc;
    struct pht_glibc_roots glibc;
    struct pht_snapshot *snapshot;
};

/* Both, even if the first did not hold together: the other is needed all the same. */
static bool freeze(struct pht_snapshot *snapshot, void *context)
{
    struct capture *capture = context;
    bool consistent = true;

    if (capture->has_pymalloc)
        consistent = pht_pymalloc_freeze(snapshot, &capture->pymalloc);
    if (capture->has_glibc)
        consistent = pht_glibc_freeze(snapshot, &capture->glibc) && consistent;
    return consistent;
}

static struct pht_error *take(struct capture *capture)
{
    const struct pht_report *report = capture->report;

    capture->has_pymalloc = pht_runtimes_know_pymalloc(report);
    capture->has_glibc = pht_runtimes_know_glibc(report);
    if (capture->has_pymalloc)
        pht_pymalloc_roots_init(&capture->pymalloc, report->python);
    if (capture->has_glibc)
        pht_glibc_roots_init(&capture->glibc, report->libc);
    struct pht_snapshot_options options = capture->options->snapshot;
    if (!capture->has_pymalloc && !capture->has_glibc) {
        if (!pht_ledger_is_wanted(report))
            return NULL;
        options.stop = PHT_STOP_NONE;
    }
    return pht_snapshot_take(capture->target, &options, freeze, capture, &capture->snapshot);
}

static void drop(struct capture *capture)
{
    pht_snapshot_destroy(capture->snapshot);
    capture->snapshot = NULL;
    if (capture->has_pymalloc)
        pht_pymalloc_roots_deinit(&capture->pymalloc);
    if (capture->has_glibc)
        pht_glibc_roots_deinit(&capture->glibc);
    capture->has_pymalloc = capture->has_glibc = false;
}

/* PYTHONMALLOC=malloc leaves the statics of up to 3.11 without a sign of life. */
static bool is_switched_off(const struct pht_pymalloc_roots *roots)
{
    return roots->arenas.count == 0 &&
           (roots->allocator == PHT_ALLOCATOR_MALLOC ||
            roots->allocator == PHT_ALLOCATOR_MALLOC_DEBUG ||
            roots->allocator == PHT_ALLOCATOR_MIMALLOC || roots->allocator == PHT_ALLOCATOR_CUSTOM);
}

/* No arenas, and nothing else that serves objects: the runtime has yet to begin, or has ended. */
static bool has_nothing_to_read(const struct pht_pymalloc_roots *roots)
{
    return roots->arenas.count == 0 && roots->damaged_arenas == 0 && !roots->unreadable &&
           !is_switched_off(roots) &&
           (!roots->initialised || roots->allocator != PHT_ALLOCATOR_UNKNOWN);
}

static bool is_plausible(const struct pht_pymalloc_roots *roots)
{
    return roots->proven && roots->damaged_arenas == 0 && !has_nothing_to_read(roots);
}

/* A wrong layout from the cache shows when its roots make no sense. True if there was one. */
static bool forget_wrong_layouts(struct capture *capture)
{
    const struct pht_layout_options *options = &capture->options->layout;
    struct pht_report *report = capture->report;
    bool python = capture->has_pymalloc && !is_plausible(&capture->pymalloc) &&
                  pht_python_distrust_cache(report->python, options);
    bool libc = capture->has_glibc && !capture->glibc.proven &&
                pht_libc_distrust_cache(report->libc, options);

    if (!python && !libc)
        return false;
    pht_target_note(capture->target, "the cached layout of the %s does not fit; resolving it anew",
                    python ? "interpreter" : "C library");
    drop(capture);
    if (python) {
        pht_python_destroy(report->python);
        report->python = NULL;
    }
    if (libc) {
        pht_libc_destroy(report->libc);
        report->libc = NULL;
    }
    return true;
}

static struct pht_error *take_with_right_layouts(struct capture *capture)
{
    struct pht_error *error = take(capture);

    if (error != NULL || !forget_wrong_layouts(capture))
        return error;
    error = pht_runtimes_find(capture->target, capture->options, capture->report);
    return error != NULL ? error : take(capture);
}

static struct pht_error *walk_pymalloc(struct capture *capture)
{
    const struct pht_pymalloc_roots *roots = &capture->pymalloc;
    struct pht_report *report = capture->report;

    if (has_nothing_to_read(roots))
        return pht_python_not_initialised(capture->target, report->python);
    report->object_allocator = roots->allocator;
    if (!roots->proven || (roots->unreadable && roots->arenas.count == 0)) {
        pht_caveats_pymalloc_unproven(report, roots);
        return NULL;
    }
    report->pymalloc = pht_pymalloc_walk(capture->snapshot, roots, report->owners);
    if (report->pymalloc == NULL)
        return pht_error_no_memory();
    if (report->pymalloc->totals.arenas == 0 && !report->pymalloc->is_off) {
        pht_caveats_no_arena(report);
        pht_pymalloc_destroy(report->pymalloc);
        report->pymalloc = NULL;
    }
    return NULL;
}

/* Where no mmapped chunk of malloc can be. False when memory is short. */
static bool list_pymalloc_arenas(const struct pht_pymalloc *pymalloc, struct pht_range **ret,
                                 size_t *count)
{
    *ret = NULL;
    *count = pymalloc != NULL ? pymalloc->totals.arenas : 0;
    if (*count == 0)
        return true;
    *ret = calloc(*count, sizeof(**ret));
    if (*ret == NULL)
        return false;
    for (size_t i = 0; i < *count; i++)
        (*ret)[i] = (struct pht_range){pymalloc->arenas[i].address,
                                       pymalloc->arenas[i].address + pymalloc->arena_bytes};
    return true;
}

static struct pht_error *walk_glibc(struct capture *capture)
{
    const struct pht_glibc_roots *roots = &capture->glibc;
    struct pht_report *report = capture->report;
    _cleanup_free_ struct pht_range *others = NULL;
    size_t count;

    if (!roots->proven || (roots->unreadable && roots->arenas.count == 0)) {
        pht_caveats_glibc_unproven(report, roots);
        return NULL;
    }
    if (!list_pymalloc_arenas(report->pymalloc, &others, &count))
        return pht_error_no_memory();
    report->glibc = pht_glibc_walk(capture->snapshot, roots, others, count, report->owners);
    return report->glibc != NULL ? NULL : pht_error_no_memory();
}

static struct pht_error *walk_regions(struct capture *capture)
{
    struct pht_report *report = capture->report;

    return pht_regions_walk(capture->snapshot, &report->smaps,
                            capture->has_pymalloc ? &capture->pymalloc : NULL,
                            capture->has_glibc ? &capture->glibc : NULL,
                            report->foreign_allocator_count > 0, report->owners, &report->regions)
               ? NULL
               : pht_error_no_memory();
}

static struct pht_error *walk(struct capture *capture)
{
    uint64_t started = pht_clock_us();
    struct pht_error *error = NULL;

    if (pht_ledger_is_wanted(capture->report))
        error = pht_ledger_begin(capture->target, capture->snapshot, capture->report);
    if (error == NULL && capture->has_pymalloc)
        error = walk_pymalloc(capture);
    if (error == NULL && capture->has_glibc)
        error = walk_glibc(capture);
    if (error == NULL && capture->report->owners != NULL)
        error = walk_regions(capture);
    capture->report->walk_us = pht_clock_us() - started;
    return error;
}

struct pht_error *pht_capture(struct pht_target *target, const struct pht_report_options *options,
                              struct pht_report *report)
{
    struct capture capture = {.target = target, .options = options, .report = report};
    struct pht_error *error = take_with_right_layouts(&capture);

    if (error == NULL) {
        pht_caveats_no_layout(report);
        error = walk(&capture);
    }
    if (capture.snapshot != NULL) {
        struct pht_error *release = pht_snapshot_release(capture.snapshot);
        report->snapshot = pht_snapshot_stats(capture.snapshot);
        report->has_snapshot = true;
        if (error == NULL)
            error = release;
        else
            pht_error_destroy(release);
    }
    drop(&capture);
    return error;
}
