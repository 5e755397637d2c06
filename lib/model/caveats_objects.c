#include "model/caveats.h"

#include "base/human.h"

#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})

/* Without pymalloc's roots nobody could look for objects, and why there are none is told. */
static void explain_none(struct pht_report *report)
{
    if (report->pymalloc != NULL)
        pht_report_warn(report, "objects-unknown", NULL,
                        "objects of this build are not known: no types, and Python's large "
                        "objects count as malloc in use");
}

/* Memory that was an object once may look like one still; more of it than that is damage. */
static bool is_damaged(const struct pht_objects *objects)
{
    return objects->damaged_objects > objects->totals.objects / 1000;
}

static void check_objects(struct pht_report *report)
{
    const struct pht_objects *objects = report->objects;
    uint64_t damaged = objects->damaged_objects;
    uint64_t torn = objects->torn_pools, swapped = objects->swapped_pools;

    if (is_damaged(objects))
        pht_report_warn(report, "damaged-objects", NULL,
                        "%s block%s begin%s like a Python object and contradict%s %s: not counted",
                        COUNT(damaged), pht_human_plural(damaged), damaged == 1 ? "s" : "",
                        damaged == 1 ? "s" : "", damaged == 1 ? "itself" : "themselves");
    if (torn > 0)
        pht_report_warn(report, "torn-objects", NULL,
                        "the blocks of %s pool%s could not be told apart: objects in %s are not "
                        "counted",
                        COUNT(torn), pht_human_plural(torn), torn == 1 ? "it" : "them");
    if (swapped > 0)
        pht_report_warn(report, "swapped-objects", NULL,
                        "blocks of %s pool%s are in swap and stay there: objects in %s are not "
                        "counted",
                        COUNT(swapped), pht_human_plural(swapped), swapped == 1 ? "it" : "them");
}

bool pht_caveats_objects(struct pht_report *report)
{
    const struct pht_objects *objects = report->objects;

    if (objects == NULL) {
        explain_none(report);
        return false;
    }
    check_objects(report);
    return !is_damaged(objects) && objects->torn_pools == 0 && objects->swapped_pools == 0;
}
