#include "model/caveats.h"

#include "base/human.h"
#include "model/runtimes.h"

#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})

/* What lies in swap is left there, and cannot be told from what is not there. */
static bool has_swap(const struct pht_report *report)
{
    return report->kernel.swap_bytes > 0;
}

/* True if that is nothing to wonder at. */
static bool explain_absence(struct pht_report *report)
{
    if (!pht_gc_is_known(report->python)) {
        pht_report_warn(report, "gc-unknown", NULL,
                        "where CPython %s has its collector is not known: no gc figures",
                        report->python->version_text);
        return true;
    }
    pht_report_warn(report, "gc-unproven", "again, in case it was collecting; --stop=full",
                    "no state of a collector where it should be%s: no gc figures",
                    has_swap(report) ? ", or it is in swap" : "");
    return false;
}

static void check_freelists(struct pht_report *report)
{
    if (report->freelists.count == 0)
        pht_report_warn(report, "freelists-unknown", NULL,
                        "the free lists of this interpreter are not found: what they keep counts "
                        "as in use");
}

/* A layout that is missing was told before, and with it what it costs. */
bool pht_caveats_gc(struct pht_report *report)
{
    const struct pht_gc *gc = report->gc;
    const char *remedy = pht_caveats_torn_remedy(report);

    if (!pht_runtimes_want_gc(report) || !pht_runtimes_know_pymalloc(report))
        return true;
    check_freelists(report);
    if (gc == NULL)
        return explain_absence(report);
    if (gc->torn_lists > 0)
        pht_report_warn(report, "gc-torn",
                        remedy != NULL ? remedy : "again, in case it was collecting; --stop=full",
                        "%s list%s of the collector %s%s: not counted", COUNT(gc->torn_lists),
                        pht_human_plural(gc->torn_lists),
                        pht_caveats_why_torn(report, gc->torn_lists),
                        has_swap(report) ? ", or led into swap" : "");
    if (gc->long_lists > 0)
        pht_report_warn(report, "gc-long", NULL,
                        "%s list%s of the collector %s too long to follow: not counted",
                        COUNT(gc->long_lists), pht_human_plural(gc->long_lists),
                        gc->long_lists == 1 ? "is" : "are");
    return gc->torn_lists == 0;
}
