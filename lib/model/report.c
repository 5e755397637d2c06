#include "pyheaptop/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "model/caveats.h"

void pht_report_destroy(struct pht_report *report)
{
    if (report == NULL)
        return;
    free(report->process.comm);
    free(report->process.command);
    free(report->process.exe);
    pht_python_destroy(report->python);
    pht_pymalloc_destroy(report->pymalloc);
    for (size_t i = 0; i < report->warnings.count; i++) {
        free(report->warnings.items[i].text);
        free(report->warnings.items[i].remedy);
    }
    free(report->warnings.items);
    free(report);
}

static void cleanup_report(struct pht_report **report)
{
    pht_report_destroy(*report);
}

static bool copy_process(const struct pht_process *from, struct pht_process *to)
{
    *to = *from;
    to->comm = strdup(from->comm);
    to->exe = strdup(from->exe);
    to->command = malloc(from->command_bytes + 1);
    if (to->comm == NULL || to->exe == NULL || to->command == NULL)
        return false;
    memcpy(to->command, from->command, from->command_bytes);
    to->command[from->command_bytes] = '\0';
    return true;
}

static struct pht_error *find_python(struct pht_target *target,
                                     const struct pht_report_options *options,
                                     struct pht_report *report)
{
    struct pht_maps maps;
    struct pht_error *error = pht_target_read_maps(target, &maps);

    if (error != NULL)
        return error;
    error = pht_python_find(target, &maps, &options->layout, &report->python);
    pht_maps_deinit(&maps);
    return error;
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

/* A wrong layout from the cache shows when its roots make no sense: once more, without it. */
static struct pht_error *freeze(struct pht_target *target, const struct pht_report_options *options,
                                struct pht_report *report, struct pht_pymalloc_roots *roots,
                                struct pht_snapshot **snapshot)
{
    struct pht_error *error;

    pht_pymalloc_roots_init(roots, report->python);
    error = pht_snapshot_take(target, &options->snapshot, pht_pymalloc_freeze, roots, snapshot);
    if (error != NULL || is_plausible(roots) ||
        !pht_python_distrust_cache(report->python, &options->layout))
        return error;
    pht_target_note(target, "the cached layout does not fit; resolving it anew");
    pht_snapshot_destroy(*snapshot);
    *snapshot = NULL;
    pht_pymalloc_roots_deinit(roots);
    pht_python_destroy(report->python);
    report->python = NULL;
    error = find_python(target, options, report);
    if (error != NULL)
        return error;
    pht_pymalloc_roots_init(roots, report->python);
    if (report->python->layout_source == PHT_LAYOUT_NONE)
        return NULL;
    return pht_snapshot_take(target, &options->snapshot, pht_pymalloc_freeze, roots, snapshot);
}

static struct pht_error *walk(struct pht_target *target, struct pht_report *report,
                              struct pht_snapshot *snapshot, const struct pht_pymalloc_roots *roots)
{
    uint64_t started = pht_clock_us();

    if (has_nothing_to_read(roots))
        return pht_python_not_initialised(target, report->python);
    report->object_allocator = roots->allocator;
    if (!roots->proven || (roots->unreadable && roots->arenas.count == 0)) {
        pht_caveats_unproven(report, roots);
        return NULL;
    }
    report->pymalloc = pht_pymalloc_walk(snapshot, roots);
    report->walk_us = pht_clock_us() - started;
    if (report->pymalloc == NULL)
        return pht_error_no_memory();
    if (report->pymalloc->totals.arenas == 0 && !report->pymalloc->is_off) {
        pht_caveats_no_arena(report);
        pht_pymalloc_destroy(report->pymalloc);
        report->pymalloc = NULL;
    }
    return NULL;
}

static struct pht_error *walk_python(struct pht_target *target,
                                     const struct pht_report_options *options,
                                     struct pht_report *report)
{
    struct pht_pymalloc_roots roots;
    struct pht_snapshot *snapshot = NULL;

    if (report->python->layout_source == PHT_LAYOUT_NONE || report->python->free_threaded) {
        pht_caveats_no_layout(report);
        return NULL;
    }
    struct pht_error *error = freeze(target, options, report, &roots, &snapshot);
    if (error == NULL && snapshot == NULL)
        pht_caveats_no_layout(report);
    if (error == NULL && snapshot != NULL)
        error = walk(target, report, snapshot, &roots);
    if (snapshot != NULL) {
        struct pht_error *release = pht_snapshot_release(snapshot);
        report->snapshot = pht_snapshot_stats(snapshot);
        report->has_snapshot = true;
        if (error == NULL)
            error = release;
        else
            pht_error_destroy(release);
    }
    pht_snapshot_destroy(snapshot);
    pht_pymalloc_roots_deinit(&roots);
    return error;
}

static void list_allocators(struct pht_report *report)
{
    if (report->pymalloc != NULL && report->pymalloc->totals.arenas > 0)
        report->allocators[report->allocator_count++] = "pymalloc";
}

struct pht_error *pht_report_take(struct pht_target *target,
                                  const struct pht_report_options *options, struct pht_report **ret)
{
    _cleanup_(cleanup_report) struct pht_report *report = calloc(1, sizeof(*report));
    struct pht_error *error = NULL;

    if (report == NULL || !copy_process(pht_target_process(target), &report->process))
        return pht_error_no_memory();
    report->sections = options->sections;
    report->number = options->number;
    if (options->sections & PHT_SECTION_PYMALLOC) {
        error = find_python(target, options, report);
        if (error == NULL)
            error = walk_python(target, options, report);
    }
    clock_gettime(CLOCK_REALTIME, &report->taken_at);
    if (error == NULL)
        error = pht_target_read_kernel_memory(target, &report->kernel);
    if (error == NULL) {
        pht_target_read_cgroup_memory(target, &report->cgroup);
        error = pht_target_check(target);
    } else {
        /* Whatever failed, that the process is gone explains it better. */
        struct pht_error *gone = pht_target_check(target);
        if (gone != NULL) {
            pht_error_destroy(error);
            error = gone;
        }
    }
    if (error != NULL)
        return error;
    list_allocators(report);
    pht_caveats_collect(report, target);
    *ret = pht_take_ptr(report);
    return NULL;
}
