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

/* Which of the ints and floats of 2.7 are not counted, and where their memory is. */
static bool check_numbers(struct pht_report *report)
{
    const struct pht_objects *objects = report->objects;
    bool is_whole = true;

    for (size_t i = 0; i < objects->numbers_count; i++) {
        const struct pht_numbers *numbers = &objects->numbers[i];
        if (!numbers->is_known)
            pht_report_warn(report, "numbers-unknown", NULL,
                            "the list of the %ss of 2.7 is not found: they count as malloc in use",
                            numbers->type);
        else if (numbers->is_torn)
            pht_report_warn(report, "numbers-torn", "again; --stop=full",
                            "the list of the %ss of 2.7 changed while it was followed, or led into "
                            "swap: the rest of them counts as malloc in use",
                            numbers->type);
        is_whole = is_whole && !numbers->is_torn;
    }
    return is_whole;
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
    return check_numbers(report) && !is_damaged(objects) && objects->torn_pools == 0 &&
           objects->swapped_pools == 0;
}
