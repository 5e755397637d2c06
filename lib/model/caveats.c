#include "model/caveats.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/human.h"
#include "base/vec.h"

bool pht_report_warn(struct pht_report *report, const char *id, const char *remedy,
                     const char *format, ...)
{
    struct pht_warning warning = {.id = id, .remedy = remedy != NULL ? strdup(remedy) : NULL};
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&warning.text, format, arguments);
    va_end(arguments);
    if (length >= 0 && pht_vec_push(&report->warnings, warning))
        return true;
    if (length >= 0)
        free(warning.text);
    free(warning.remedy);
    return false;
}

void pht_caveats_no_layout(struct pht_report *report)
{
    const struct pht_python *python = report->python;

    if (python->free_threaded) {
        pht_report_warn(report, "free-threaded", NULL,
                        "free-threaded CPython %u.%ut keeps objects in mimalloc, which this "
                        "version does not read",
                        python->version.major, python->version.minor);
        return;
    }
    const struct pht_error *cause = python->layout_error;
    pht_report_warn(report, cause != NULL ? pht_error_id(cause->code) : "no-layout",
                    cause != NULL ? cause->remedy : NULL, "%s: no pymalloc figures",
                    cause != NULL ? cause->text : "no layout");
}

void pht_caveats_unproven(struct pht_report *report, const struct pht_pymalloc_roots *roots)
{
    if (roots->unreadable)
        pht_report_warn(report, "roots-unreadable", NULL,
                        "pymalloc's roots are in swap or cannot be read: no pymalloc figures");
    else
        pht_report_warn(report, "layout-rejected", NULL,
                        "the layout of %s does not fit what is in memory: no pymalloc figures",
                        report->python->image);
}

void pht_caveats_no_arena(struct pht_report *report)
{
    char arenas[PHT_HUMAN_MAX];

    if (report->pymalloc->swapped_arenas > 0)
        pht_report_warn(report, "swapped-arenas", NULL,
                        "all %s arenas are in swap and stay there: no pymalloc figures",
                        pht_human_count(report->pymalloc->swapped_arenas, arenas));
    else
        pht_report_warn(
            report, "damaged-arenas", NULL,
            "all %s arenas contradict themselves: no pymalloc figures",
            pht_human_count(report->pymalloc->damaged_arenas + report->pymalloc->vanished_arenas,
                            arenas));
}

static void check_stop(struct pht_report *report)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;

    if (stats->gave_up)
        pht_report_warn(report, "stop-limit", "--max-stop=100 if the target can stand it",
                        "not every thread could be stopped in time: read without a stop");
    if (stats->expired)
        pht_report_warn(report, "stop-expired", "a higher --max-stop, if the target can stand it",
                        "the stop reached its limit: the rest was read while the target ran");
    if (!stats->consistent)
        pht_report_warn(report, "roots-torn", "again; --stop=brief if it was read without a stop",
                        "pymalloc's roots changed while they were read: figures may be off");
}

static void check_allocator(struct pht_report *report)
{
    const enum pht_object_allocator allocator = report->pymalloc->allocator;
    const char *name = pht_object_allocator_name(allocator);

    if (!report->pymalloc->is_off || name == NULL)
        return;
    if (allocator == PHT_ALLOCATOR_CUSTOM)
        pht_report_warn(report, "pymalloc-off", NULL,
                        "an allocator that is not CPython's serves objects: no pymalloc");
    else
        pht_report_warn(report, "pymalloc-off", NULL, "PYTHONMALLOC=%s in the target: no pymalloc",
                        name);
}

static void check_pools(struct pht_report *report)
{
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    char torn[PHT_HUMAN_MAX], all[PHT_HUMAN_MAX];

    pht_human_count(pymalloc->totals.pools_used, all);
    if (pymalloc->torn_pools > 0)
        pht_report_warn(report, "torn-pools", NULL, "%s of %s pools changed while they were read",
                        pht_human_count(pymalloc->torn_pools, torn), all);
    if (pymalloc->damaged_pools > 0)
        pht_report_warn(report, "damaged-pools", NULL,
                        "%s pools have a header that makes no sense: counted as unknown",
                        pht_human_count(pymalloc->damaged_pools, torn));
    if (pymalloc->swapped_pools > 0)
        pht_report_warn(report, "swapped-pools", NULL,
                        "%s pools are in swap and stay there: counted as unknown",
                        pht_human_count(pymalloc->swapped_pools, torn));
    if (pymalloc->damaged_arenas > 0)
        pht_report_warn(report, "damaged-arenas", NULL, "%s arenas contradict themselves: left out",
                        pht_human_count(pymalloc->damaged_arenas, torn));
}

static void check_zero_pages(struct pht_report *report, const struct pht_target *target)
{
    if (!pht_target_sees_zero_pages(target))
        pht_report_warn(report, "zero-pages", "Linux 6.7 or later, or root",
                        "pages of zeros cannot be told from others: resident bytes of arenas "
                        "may be too high");
}

void pht_caveats_collect(struct pht_report *report, const struct pht_target *target)
{
    if (report->has_snapshot)
        check_stop(report);
    if (report->pymalloc != NULL) {
        check_allocator(report);
        check_pools(report);
        check_zero_pages(report, target);
    }
    const struct pht_pymalloc *pymalloc = report->pymalloc;
    report->complete =
        !(report->sections & PHT_SECTION_PYMALLOC) ||
        (pymalloc != NULL && report->snapshot.consistent && pymalloc->torn_pools == 0 &&
         pymalloc->totals.unknown_pool_bytes == 0 && pymalloc->damaged_arenas == 0);
    if (report->sections == PHT_SECTION_ALL)
        pht_report_warn(report, "not-walked", NULL,
                        "this version walks pymalloc only: malloc, objects by type, mappings and "
                        "relatives are not split up");
}
