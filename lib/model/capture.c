#include "model/capture.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/caveats.h"
#include "model/doubts.h"
#include "model/ledger.h"
#include "model/runtimes.h"

/* Layouts from the cache that led to what does not fit, while others are found. */
struct doubted {
    struct pht_python *python; /* NULL: not doubted */
    struct pht_libc *libc;
    bool python_disproved; /* it leads to nothing that could be right */
    bool libc_disproved;
};

struct capture {
    struct pht_target *target;
    const struct pht_report_options *options;
    struct pht_work *work;
    struct pht_report *report;
    bool has_pymalloc; /* its roots are among those that are frozen */
    bool has_glibc;
    struct pht_pymalloc_roots pymalloc;
    struct pht_glibc_roots glibc;
    struct pht_snapshot *snapshot;
    struct pht_census *census; /* while the walks are made */
    struct doubted doubted;
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
        /* There is nothing to copy, so nothing to stop for. */
        options.stop = PHT_STOP_NONE;
    }
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_ROOTS);
    if (error == NULL)
        error = pht_snapshot_take(capture->target, &options, freeze, capture, &capture->snapshot);
    if (error == NULL)
        pht_snapshot_set_work(capture->snapshot, capture->work);
    return error;
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

/* ---- the walks ---------------------------------------------------------------------------- */

static bool can_walk_pymalloc(const struct pht_pymalloc_roots *roots)
{
    return roots->proven && !(roots->unreadable && roots->arenas.count == 0);
}

static bool can_walk_glibc(const struct pht_glibc_roots *roots)
{
    return roots->proven && !(roots->unreadable && roots->arenas.count == 0);
}

static struct pht_error *walk_pymalloc(struct capture *capture)
{
    const struct pht_pymalloc_roots *roots = &capture->pymalloc;
    struct pht_report *report = capture->report;

    if (pht_doubts_nothing_to_read(roots))
        return pht_python_not_initialised(capture->target, report->python);
    report->object_allocator = roots->allocator;
    if (!can_walk_pymalloc(roots) || pht_runtimes_use_mimalloc(report))
        return NULL;
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_PYMALLOC);
    if (error != NULL)
        return error;
    report->pymalloc = pht_pymalloc_walk(capture->snapshot, roots, report->owners);
    error = pht_work_check(capture->work);
    return error != NULL || report->pymalloc != NULL ? error : pht_error_no_memory();
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

    if (!can_walk_glibc(roots))
        return NULL;
    if (!list_pymalloc_arenas(report->pymalloc, &others, &count))
        return pht_error_no_memory();
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_MALLOC);
    if (error != NULL)
        return error;
    report->glibc =
        pht_glibc_walk(capture->snapshot, roots, others, count, report->owners, capture->census);
    error = pht_work_check(capture->work);
    return error != NULL || report->glibc != NULL ? error : pht_error_no_memory();
}

/* Objects are looked for where pymalloc could be walked, with arenas or without. */
static struct pht_error *begin_census(struct capture *capture)
{
    struct pht_report *report = capture->report;
    bool out_of_memory = false;

    if (!(report->walks & PHT_SECTION_TYPES) || report->pymalloc == NULL)
        return NULL;
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_OBJECTS);
    if (error != NULL)
        return error;
    capture->census = pht_census_begin(capture->snapshot, &capture->pymalloc, report->pymalloc,
                                       report->owners, &capture->options->census, &out_of_memory);
    return out_of_memory ? pht_error_no_memory() : pht_work_check(capture->work);
}

static struct pht_error *end_census(struct capture *capture, struct pht_error *error)
{
    capture->report->objects = pht_census_end(capture->census, capture->report->glibc);
    capture->census = NULL;
    if (error == NULL && capture->report->objects == NULL)
        error = pht_error_no_memory();
    return error;
}

/* What a census of all of the process counts; PHT_UNKNOWN if it had to leave something out. */
static uint64_t count_tracked(const struct pht_report *report)
{
    const struct pht_objects *objects = report->objects;
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    const struct pht_glibc *glibc = report->glibc;

    if (objects == NULL || pymalloc == NULL || glibc == NULL || report->foreign_allocator_count > 0)
        return PHT_UNKNOWN;
    bool is_whole = objects->torn_pools == 0 && objects->swapped_pools == 0 &&
                    pymalloc->damaged_arenas == 0 && pymalloc->totals.unknown_pool_bytes == 0 &&
                    glibc->torn_chunks == 0 && glibc->damaged_chunks == 0 &&
                    glibc->damaged_arenas == 0 && glibc->swapped_pages == 0;
    return is_whole ? objects->totals.gc_tracked : PHT_UNKNOWN;
}

static bool wants_gc(const struct capture *capture)
{
    return pht_runtimes_want_gc(capture->report) && capture->has_pymalloc;
}

static struct pht_error *walk_gc(struct capture *capture)
{
    struct pht_report *report = capture->report;

    pht_freelists_read(capture->snapshot, report->python, &report->freelists);
    if (report->objects != NULL) {
        pht_freelists_own(&report->freelists, report->objects);
        pht_freelists_add_numbers(report->objects, &report->freelists);
    }
    return pht_gc_walk(capture->snapshot, report->python, count_tracked(report), &report->gc)
               ? NULL
               : pht_error_no_memory();
}

static bool has_other_allocator(const struct pht_report *report)
{
    return report->foreign_allocator_count > 0 || pht_runtimes_use_mimalloc(report);
}

static struct pht_error *walk_regions(struct capture *capture)
{
    struct pht_report *report = capture->report;
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_REGIONS);

    if (error != NULL)
        return error;
    return pht_regions_walk(capture->snapshot, &report->smaps,
                            capture->has_pymalloc ? &capture->pymalloc : NULL,
                            capture->has_glibc ? &capture->glibc : NULL,
                            has_other_allocator(report), report->owners, &report->regions)
               ? NULL
               : pht_error_no_memory();
}

/* Right after the roots were copied. */
static struct pht_error *begin_ledger(struct capture *capture)
{
    struct pht_report *report = capture->report;
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_PAGES);

    if (error == NULL)
        error = pht_target_read_smaps(capture->target, &report->smaps);
    if (error == NULL && !pht_ledger_begin(capture->snapshot, report))
        error = pht_error_no_memory();
    return error;
}

static struct pht_error *walk(struct capture *capture)
{
    uint64_t started = pht_clock_us();
    struct pht_error *error = NULL;

    if (capture->snapshot == NULL)
        return NULL;
    pht_ledger_drop(capture->report);
    if (pht_ledger_is_wanted(capture->report))
        error = begin_ledger(capture);
    if (error == NULL && capture->has_pymalloc)
        error = walk_pymalloc(capture);
    if (error == NULL)
        error = begin_census(capture);
    if (error == NULL && capture->has_glibc)
        error = walk_glibc(capture);
    if (capture->census != NULL)
        error = end_census(capture, error);
    if (error == NULL && wants_gc(capture))
        error = walk_gc(capture);
    if (error == NULL && capture->report->owners != NULL)
        error = walk_regions(capture);
    capture->report->walk_us = pht_clock_us() - started;
    return error;
}

/* ---- layouts from the cache --------------------------------------------------------------- */

static void doubt_python(struct capture *capture, bool disproved)
{
    struct doubted *doubted = &capture->doubted;
    struct pht_report *report = capture->report;

    if (!pht_python_distrust_cache(report->python, &report->process, &capture->options->layout))
        return;
    pht_target_note(capture->target,
                    "the cached layout of the interpreter does not fit; resolving it anew");
    doubted->python = report->python;
    doubted->python_disproved = disproved;
    report->python = NULL;
}

static void doubt_libc(struct capture *capture, bool disproved)
{
    struct doubted *doubted = &capture->doubted;
    struct pht_report *report = capture->report;

    if (!pht_libc_distrust_cache(report->libc, &report->process, &capture->options->layout))
        return;
    pht_target_note(capture->target,
                    "the cached layout of the C library does not fit; resolving it anew");
    doubted->libc = report->libc;
    doubted->libc_disproved = disproved;
    report->libc = NULL;
}

static bool is_doubted(const struct capture *capture)
{
    return capture->doubted.python != NULL || capture->doubted.libc != NULL;
}

static void judge_roots(struct capture *capture)
{
    if (capture->has_pymalloc && pht_doubts_pymalloc_roots(&capture->pymalloc))
        doubt_python(capture, !capture->pymalloc.proven);
    if (capture->has_glibc && pht_doubts_glibc_roots(&capture->glibc))
        doubt_libc(capture, !capture->glibc.proven);
}

static void judge_walks(struct capture *capture)
{
    const struct pht_report *report = capture->report;

    bool has_odd_gc = wants_gc(capture) && report->gc == NULL && pht_gc_is_known(report->python);
    if (has_odd_gc || (report->pymalloc != NULL && pht_doubts_pymalloc(report->pymalloc)))
        doubt_python(capture, false);
    if (report->glibc != NULL && pht_doubts_glibc(report->glibc))
        doubt_libc(capture, false);
}

/*
 * The debug information may no longer be at hand. Then a layout that was only doubted is better
 * than none.
 */
static void answer_python(struct capture *capture)
{
    struct pht_python *before = capture->doubted.python, **now = &capture->report->python;
    bool is_lost = (*now)->layout_source == PHT_LAYOUT_NONE && !capture->doubted.python_disproved;

    if (is_lost) {
        struct pht_python *without = *now;
        *now = before;
        before = without;
    }
    if (is_lost || memcmp(&before->layout, &(*now)->layout, sizeof(before->layout)) == 0)
        pht_python_keep_doubted(*now, &capture->report->process, &capture->options->layout);
    pht_python_destroy(before);
    capture->doubted.python = NULL;
}

static void answer_libc(struct capture *capture)
{
    struct pht_libc *before = capture->doubted.libc, **now = &capture->report->libc;
    bool is_lost = (*now)->layout_source == PHT_LAYOUT_NONE && !capture->doubted.libc_disproved;

    if (is_lost) {
        struct pht_libc *without = *now;
        *now = before;
        before = without;
    }
    if (is_lost || memcmp(&before->layout, &(*now)->layout, sizeof(before->layout)) == 0)
        pht_libc_keep_doubted(*now, &capture->report->process, &capture->options->layout);
    pht_libc_destroy(before);
    capture->doubted.libc = NULL;
}

/* Forget what was found by the layouts that are doubted, and find others. */
static struct pht_error *resolve_anew(struct capture *capture)
{
    struct pht_report *report = capture->report;

    drop(capture);
    pht_pymalloc_destroy(report->pymalloc);
    report->pymalloc = NULL;
    pht_glibc_destroy(report->glibc);
    report->glibc = NULL;
    pht_objects_destroy(report->objects);
    report->objects = NULL;
    free(report->gc);
    report->gc = NULL;
    report->freelists.count = 0;
    report->object_allocator = PHT_ALLOCATOR_UNKNOWN;
    struct pht_error *error = pht_work_begin(capture->work, PHT_STAGE_LAYOUTS);
    if (error == NULL)
        error = pht_runtimes_find(capture->target, capture->options, report);
    if (error == NULL && capture->doubted.python != NULL)
        answer_python(capture);
    if (error == NULL && capture->doubted.libc != NULL && report->libc != NULL)
        answer_libc(capture);
    pht_python_destroy(capture->doubted.python);
    pht_libc_destroy(capture->doubted.libc);
    capture->doubted = (struct doubted){0};
    return error;
}

/* A layout is doubted at most once: what comes of that is not from the cache, or kept as right. */
static struct pht_error *look(struct capture *capture)
{
    for (;;) {
        struct pht_error *error = take(capture);
        if (error != NULL)
            return error;
        judge_roots(capture);
        if (!is_doubted(capture)) {
            error = walk(capture);
            if (error != NULL)
                return error;
            judge_walks(capture);
        }
        if (!is_doubted(capture))
            return NULL;
        error = resolve_anew(capture);
        if (error != NULL)
            return error;
    }
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void explain(struct capture *capture)
{
    struct pht_report *report = capture->report;

    pht_caveats_no_layout(report);
    if (capture->has_pymalloc && !can_walk_pymalloc(&capture->pymalloc))
        pht_caveats_pymalloc_unproven(report, &capture->pymalloc);
    else if (capture->has_pymalloc && pht_runtimes_use_mimalloc(report))
        pht_caveats_mimalloc(report);
    if (report->pymalloc != NULL && report->pymalloc->totals.arenas == 0 &&
        !report->pymalloc->is_off) {
        pht_caveats_no_arena(report);
        pht_pymalloc_destroy(report->pymalloc);
        report->pymalloc = NULL;
    }
    if (capture->has_glibc && !can_walk_glibc(&capture->glibc))
        pht_caveats_glibc_unproven(report, &capture->glibc);
}

struct pht_error *pht_capture(struct pht_target *target, const struct pht_report_options *options,
                              struct pht_work *work, struct pht_report *report)
{
    struct capture capture = {.target = target, .options = options, .work = work, .report = report};
    struct pht_error *error = look(&capture);

    if (error == NULL)
        explain(&capture);
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
