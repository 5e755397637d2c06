/* The collector: what it does not do, and what it cannot. */
#include "model/findings.h"

/* A hundred times the usual threshold, and ten times that. */
#define WAITING_OBJECTS 100000
#define MANY_WAITING_OBJECTS 1000000

/* Before that, gc.garbage is a curiosity. */
#define MANY_GARBAGE 1000

static void judge_garbage(struct pht_judge *judge, const struct pht_gc *gc)
{
    const struct pht_python *python = judge->report->python;
    bool is_old = python != NULL && python->version.major < 3;

    if (gc->garbage == PHT_UNKNOWN || gc->garbage == 0)
        return;
    enum pht_severity severity =
        gc->garbage >= MANY_GARBAGE ? PHT_SEVERITY_MEDIUM : PHT_SEVERITY_INFO;
    struct pht_finding *finding = pht_judge_add(judge, "uncollectable", severity, PHT_UNKNOWN);
    pht_judge_say(
        judge, finding,
        "gc.garbage holds %s object%s: they, and all that they refer to, are never freed.",
        COUNT(gc->garbage), PLURAL(gc->garbage));
    pht_judge_note(finding, "garbage", gc->garbage);
    if (is_old)
        pht_judge_advise(judge, finding,
                         "break the cycles of these objects, or do without __del__() in them");
    else
        pht_judge_advise(judge, finding,
                         "look whether gc.DEBUG_SAVEALL is set; else it is an extension's type "
                         "that cannot be collected");
}

/* A threshold of 0 switches it off as well. */
static bool is_disabled(const struct pht_gc *gc)
{
    return !gc->enabled || gc->generations[0].threshold == 0;
}

/* New objects stay in the youngest generation until somebody collects. */
static void judge_disabled(struct pht_judge *judge, const struct pht_gc *gc)
{
    uint64_t waiting = gc->generations[0].objects;

    if (!is_disabled(gc) || waiting == PHT_UNKNOWN || waiting < WAITING_OBJECTS)
        return;
    enum pht_severity severity =
        waiting >= MANY_WAITING_OBJECTS ? PHT_SEVERITY_MEDIUM : PHT_SEVERITY_INFO;
    struct pht_finding *finding = pht_judge_add(judge, "gc-disabled", severity, PHT_UNKNOWN);
    pht_judge_say(judge, finding,
                  "The collector is %s, and %s objects have been made since it last ran: cycles "
                  "among them are not freed.",
                  gc->enabled ? "off (its threshold is 0)" : "disabled", COUNT(waiting));
    pht_judge_note(finding, "objects", waiting);
    pht_judge_advise(judge, finding,
                     "gc.collect() between requests or tasks; or gc.enable() in workers, where it "
                     "was disabled before a fork");
}

/* Where nobody forked, freezing has no use, and costs. */
static void judge_frozen(struct pht_judge *judge, const struct pht_gc *gc)
{
    const struct pht_report *report = judge->report;

    if (gc->frozen == PHT_UNKNOWN || gc->frozen < WAITING_OBJECTS || !report->has_family ||
        report->family_count > 1)
        return;
    struct pht_finding *finding = pht_judge_add(judge, "gc-frozen", PHT_SEVERITY_INFO, PHT_UNKNOWN);
    pht_judge_say(judge, finding,
                  "%s objects are frozen, which no collection looks at any more, and no relative "
                  "shares pages with this process.",
                  COUNT(gc->frozen));
    pht_judge_note(finding, "frozen", gc->frozen);
    pht_judge_advise(judge, finding, "gc.freeze() only right before a fork; gc.unfreeze() else");
}

void pht_judge_gc(struct pht_judge *judge)
{
    const struct pht_gc *gc = judge->report->gc;

    if (gc == NULL)
        return;
    judge_garbage(judge, gc);
    judge_disabled(judge, gc);
    judge_frozen(judge, gc);
}
