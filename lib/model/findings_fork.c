/* Pages that were copied after fork: of a worker, or by the workers of a master. */
#include "model/findings.h"

/* What the processes have for Python: pages that are written to whenever somebody looks at them. */
static uint64_t python_part(const struct pht_split *split)
{
    return split->bytes[PHT_CATEGORY_PYTHON_SMALL] + split->bytes[PHT_CATEGORY_PYMALLOC_SLACK] +
           split->bytes[PHT_CATEGORY_PYTHON_LARGE];
}

static const struct pht_family_row *find_target(const struct pht_report *report)
{
    for (size_t i = 0; i < report->family_count; i++) {
        if (report->family[i].is_target)
            return &report->family[i];
    }
    return NULL;
}

/* gc.freeze() is of 3.7; from 3.12 on, some objects have no count of references to write. */
static void advise(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_python *python = judge->report->python;
    const struct pht_gc *gc = judge->report->gc;
    bool can_freeze =
        python != NULL &&
        (python->version.major > 3 || (python->version.major == 3 && python->version.minor >= 7));

    if (gc != NULL && gc->frozen != PHT_UNKNOWN && gc->frozen > 0)
        pht_judge_advise(judge, finding,
                         "large data outside of objects (arrays, mmap, a store beside the "
                         "workers): gc.freeze() was called already, and what is left is counts of "
                         "references, which are written whenever an object is used");
    else if (can_freeze)
        pht_judge_advise(judge, finding,
                         "gc.disable() at the start of the master and gc.freeze() right before it "
                         "forks; large data that is only read outside of objects (arrays, mmap)");
    else
        pht_judge_advise(judge, finding,
                         "gc.disable() in the master before it forks; large data that is only read "
                         "outside of objects (arrays, mmap)");
}

static void finish(struct pht_judge *judge, struct pht_finding *finding, uint64_t copied,
                   uint64_t python)
{
    const struct pht_gc *gc = judge->report->gc;

    pht_judge_say(judge, finding,
                  " %s of that is memory of Python objects, which are written to whenever they are "
                  "used: their references are counted in them.",
                  BYTES(python));
    pht_judge_note(finding, "copied_bytes", copied);
    pht_judge_note(finding, "copied_python_bytes", python);
    pht_judge_note(finding, "frozen", gc != NULL ? gc->frozen : PHT_UNKNOWN);
    advise(judge, finding);
}

static void judge_worker(struct pht_judge *judge, const struct pht_family_row *worker)
{
    uint64_t python = python_part(&worker->copied);
    enum pht_severity severity;

    if (!pht_judge_weigh(judge, python, &severity))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "copied-after-fork", severity, python);
    pht_judge_say(judge, finding, "%s (%s of RSS) was shared with its parent %d, and copied since.",
                  BYTES(worker->copied_bytes), RSS_SHARE(judge, worker->copied_bytes),
                  worker->ppid);
    finish(judge, finding, worker->copied_bytes, python);
}

/* All children together, beside what the master itself has. */
static void judge_master(struct pht_judge *judge, const struct pht_family_row *master)
{
    const struct pht_report *report = judge->report;
    uint64_t copied = 0, python = 0, children = 0;
    enum pht_severity severity;

    for (size_t i = 0; i < report->family_count; i++) {
        const struct pht_family_row *row = &report->family[i];
        if (row->ppid != master->pid || row->copied_bytes == PHT_UNKNOWN)
            continue;
        children++;
        copied += row->copied_bytes;
        python += python_part(&row->copied);
    }
    if (!pht_judge_weigh(judge, python, &severity))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "copied-after-fork", severity, python);
    pht_judge_say(judge, finding, "Its %s forked process%s copied %s of what %s shared with it.",
                  COUNT(children), children == 1 ? " has" : "es have", BYTES(copied),
                  children == 1 ? "it" : "they");
    pht_judge_note(finding, "children", children);
    finish(judge, finding, copied, python);
}

/*
 * Pages are known to be copies by their frames alone, which needs rights; without, what is not
 * shared with anybody may be a process's own.
 */
void pht_judge_fork(struct pht_judge *judge)
{
    const struct pht_report *report = judge->report;
    const struct pht_family_row *target = report->has_family ? find_target(report) : NULL;

    if (target == NULL || !report->family_is_exact)
        return;
    if (target->copied_bytes != PHT_UNKNOWN)
        judge_worker(judge, target);
    else
        judge_master(judge, target);
}
