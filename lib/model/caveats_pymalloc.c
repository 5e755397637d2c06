#include "model/caveats.h"

#include "base/human.h"

#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})

void pht_caveats_pymalloc_no_layout(struct pht_report *report)
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

void pht_caveats_pymalloc_unproven(struct pht_report *report,
                                   const struct pht_pymalloc_roots *roots)
{
    if (roots->unreadable)
        pht_report_warn(report, "roots-unreadable", NULL,
                        "pymalloc's roots are in swap or cannot be read: no pymalloc figures");
    else
        pht_report_warn(report, "layout-rejected", NULL,
                        "the layout of %s does not fit what is in memory: no pymalloc figures",
                        report->python->image);
}

void pht_caveats_mimalloc(struct pht_report *report)
{
    pht_report_warn(report, "pymalloc-off", NULL,
                    "PYTHONMALLOC=%s in the target: objects are in mimalloc, which this version "
                    "does not read",
                    pht_object_allocator_name(report->object_allocator));
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
    uint64_t torn = pymalloc->torn_pools, damaged = pymalloc->damaged_pools;
    uint64_t swapped = pymalloc->swapped_pools, arenas = pymalloc->damaged_arenas;

    if (torn > 0)
        pht_report_warn(report, "torn-pools", pht_caveats_torn_remedy(report), "%s of %s pools %s",
                        COUNT(torn), COUNT(pymalloc->totals.pools_used),
                        pht_caveats_why_torn(report, torn));
    if (damaged > 0)
        pht_report_warn(report, "damaged-pools", NULL,
                        "%s pool%s %s a header that makes no sense: counted as unknown",
                        COUNT(damaged), pht_human_plural(damaged), damaged == 1 ? "has" : "have");
    if (swapped > 0)
        pht_report_warn(report, "swapped-pools", NULL,
                        "%s pool%s %s in swap and stay%s there: counted as unknown", COUNT(swapped),
                        pht_human_plural(swapped), swapped == 1 ? "is" : "are",
                        swapped == 1 ? "s" : "");
    if (arenas > 0)
        pht_report_warn(report, "damaged-arenas", NULL, "%s arena%s contradict%s %s: left out",
                        COUNT(arenas), pht_human_plural(arenas), arenas == 1 ? "s" : "",
                        arenas == 1 ? "itself" : "themselves");
}

bool pht_caveats_pymalloc(struct pht_report *report)
{
    const struct pht_pymalloc *pymalloc = report->pymalloc;

    if (pymalloc == NULL)
        return false;
    check_allocator(report);
    check_pools(report);
    return pymalloc->torn_pools == 0 && pymalloc->totals.unknown_pool_bytes == 0 &&
           pymalloc->damaged_arenas == 0;
}
