#include "model/caveats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "model/runtimes.h"

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

/* By a signal, or by us for the whole walk: what was torn then cannot be whole before it runs. */
static bool stood_still(const struct pht_report *report)
{
    return report->kernel.is_stopped ||
           (report->snapshot.stop == PHT_STOP_FULL && !report->snapshot.expired);
}

const char *pht_caveats_why_torn(const struct pht_report *report, uint64_t count)
{
    if (stood_still(report))
        return count == 1 ? "was being changed when it stopped"
                          : "were being changed when it stopped";
    return count == 1 ? "changed while it was read" : "changed while they were read";
}

const char *pht_caveats_torn_remedy(const struct pht_report *report)
{
    return stood_still(report) ? "again, once the process has run on" : NULL;
}

static void check_stop(struct pht_report *report)
{
    const struct pht_snapshot_stats *stats = &report->snapshot;

    if (stats->not_tried)
        pht_report_warn(report, "stop-limit", "--max-stop=100 if the target can stand it",
                        "%" PRIu32 " threads are too many to be stopped in time, or could not be "
                        "of late: read without a stop",
                        report->process.threads);
    else if (stats->gave_up)
        pht_report_warn(report, "stop-limit", "--max-stop=100 if the target can stand it",
                        "not every thread could be stopped in time: read without a stop");
    if (stats->expired)
        pht_report_warn(report, "stop-expired", "a higher --max-stop, if the target can stand it",
                        "the stop reached its limit: the rest was read while the target ran");
    if (!stats->consistent)
        pht_report_warn(report, "roots-torn", "again; --stop=brief if it was read without a stop",
                        "the allocators' roots changed while they were read: figures may be off");
}

static void check_zero_pages(struct pht_report *report, const struct pht_target *target)
{
    if (!pht_target_sees_zero_pages(target))
        pht_report_warn(report, "zero-pages", "Linux 6.7 or later, or root",
                        "pages of zeros cannot be told from others: resident bytes of arenas "
                        "may be too high");
}

static void check_foreign_allocators(struct pht_report *report)
{
    for (size_t i = 0; i < report->foreign_allocator_count; i++) {
        const struct pht_foreign_allocator *allocator = &report->foreign_allocators[i];
        pht_report_warn(report, "other-allocator", NULL,
                        "%s is loaded%s: its memory is one category, and is not split up",
                        allocator->name, allocator->serves_malloc ? " and serves malloc()" : "");
    }
}

static void check_family(struct pht_report *report)
{
    if (report->family_count > 0 && !report->family_is_exact)
        pht_report_warn(report, "page-owners-hidden", "sudo, or CAP_SYS_ADMIN",
                        "the kernel hides page frames: what is exclusive is exact, with whom the "
                        "rest is shared is not known");
}

void pht_caveats_no_layout(struct pht_report *report)
{
    if ((report->walks & PHT_SECTION_PYMALLOC) && !pht_runtimes_know_pymalloc(report))
        pht_caveats_pymalloc_no_layout(report);
    if ((report->walks & PHT_SECTION_GLIBC) && !pht_runtimes_know_glibc(report))
        pht_caveats_glibc_no_layout(report);
}

static void check_layout_file(struct pht_report *report)
{
    if (report->is_layout_file_unused)
        pht_report_warn(report, "layout-other-build",
                        "--dump-layout with the same build of the interpreter",
                        "the layouts of the given file are of other builds, and were not used");
}

/* What stands in the structs of interpreters: their free lists, threads and strings. */
static void check_partial_layout(struct pht_report *report)
{
    const struct pht_python *python = report->python;

    if (python != NULL && python->is_partial && python->layout_source != PHT_LAYOUT_NONE)
        pht_report_warn(report, "layout-partial",
                        "--layout with what --dump-layout wrote where there is debug information",
                        "CPython %s is none of the built-in releases: free lists, interned "
                        "strings and frames of threads are not known",
                        python->version_text);
}

static void check_lender(struct pht_report *report)
{
    const struct pht_python *python = report->python;

    if (python != NULL && python->lent_build_id[0] != '\0')
        pht_report_warn(report, "layout-mismatched-debug", "debug symbols of the very build",
                        "the debug file of %s is of another build (build-id %.12s, not %.12s): its "
                        "types are used, none of its addresses",
                        python->image, python->lent_build_id,
                        python->build_id[0] != '\0' ? python->build_id : "none");
}

void pht_caveats_no_sandbox(struct pht_report *report, const char *why)
{
    pht_report_warn(report, "no-sandbox", "a kernel with seccomp filters; --no-sandbox is silent",
                    "the sandbox cannot be had (%s): the target's data was parsed without one",
                    why);
}

void pht_caveats_collect(struct pht_report *report, const struct pht_target *target)
{
    report->complete = true;
    check_layout_file(report);
    check_partial_layout(report);
    check_lender(report);
    if (report->has_snapshot)
        check_stop(report);
    if (report->walks & PHT_SECTION_PYMALLOC)
        report->complete = pht_caveats_pymalloc(report);
    if (report->walks & PHT_SECTION_GLIBC)
        report->complete = pht_caveats_glibc(report) && report->complete;
    if (report->walks & PHT_SECTION_TYPES)
        report->complete = pht_caveats_objects(report) && report->complete;
    else if (report->without_types && report->has_ledger)
        pht_report_warn(report, "no-census", "without --no-types",
                        "objects were not counted: Python's large ones show as malloc in use");
    if (report->has_snapshot && !report->snapshot.consistent)
        report->complete = false;
    report->complete = pht_caveats_gc(report) && report->complete;
    check_foreign_allocators(report);
    check_family(report);
    if (report->pymalloc != NULL || report->glibc != NULL)
        check_zero_pages(report, target);
}
