/* What the kernel does to the process: its cgroup's limit, and swap. */
#include <string.h>

#include "model/findings.h"

/* The kernel kills at the limit; above nine tenths a burst is enough. */
#define NEAR_PERCENT 90

/* Of the limit: a process with less of its own is not who fills the cgroup. */
#define OWN_PERCENT 25

/* ---- the limit ---------------------------------------------------------------------------- */

static enum pht_category find_largest(const struct pht_judge *judge)
{
    int largest = 0;

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (pht_judge_category(judge, (enum pht_category)i) >
            pht_judge_category(judge, (enum pht_category)largest))
            largest = i;
    }
    return (enum pht_category)largest;
}

static void advise_limit(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_category_name *name = pht_category_name(find_largest(judge));

    pht_judge_advise(judge, finding, "what the other findings say; else a higher limit");
    if (judge->report->has_ledger)
        pht_judge_advise(judge, finding, ": most is %c, %s", name->letter, name->label);
}

/*
 * A cgroup holds page cache too, which goes when memory is short: it may be full without danger.
 * Memory of the process that only swap could take counts, and it alone makes that urgent.
 */
static void judge_limit(struct pht_judge *judge)
{
    const struct pht_cgroup_memory *cgroup = &judge->report->cgroup;
    const struct pht_kernel_memory *kernel = &judge->report->kernel;
    uint64_t own = kernel->anon_bytes + kernel->shmem_bytes;

    if (!cgroup->known || cgroup->limit_bytes == UINT64_MAX || kernel->anon_bytes == UINT64_MAX ||
        kernel->shmem_bytes == UINT64_MAX || cgroup->current_bytes == UINT64_MAX)
        return;
    bool is_urgent = pht_is_share(own, NEAR_PERCENT, cgroup->limit_bytes);
    bool is_near = pht_is_share(cgroup->current_bytes, NEAR_PERCENT, cgroup->limit_bytes) &&
                   pht_is_share(own, OWN_PERCENT, cgroup->limit_bytes);
    if (!is_urgent && !is_near)
        return;
    struct pht_finding *finding =
        pht_judge_add(judge, "cgroup-limit-near",
                      is_urgent ? PHT_SEVERITY_HIGH : PHT_SEVERITY_MEDIUM, PHT_UNKNOWN);
    pht_judge_say(judge, finding,
                  "Its cgroup uses %s of the %s that it may, and %s of that is memory of this "
                  "process that cannot be given up.",
                  BYTES(cgroup->current_bytes), BYTES(cgroup->limit_bytes), BYTES(own));
    if (cgroup->oom_kills != UINT64_MAX && cgroup->oom_kills > 0)
        pht_judge_say(judge, finding, " The kernel has killed in it %s time%s.",
                      COUNT(cgroup->oom_kills), PLURAL(cgroup->oom_kills));
    pht_judge_note(finding, "limit_bytes", cgroup->limit_bytes);
    pht_judge_note(finding, "current_bytes", cgroup->current_bytes);
    pht_judge_note(finding, "own_bytes", own);
    pht_judge_note(finding, "oom_kills", cgroup->oom_kills);
    advise_limit(judge, finding);
}

/* ---- swap --------------------------------------------------------------------------------- */

/* What nobody uses costs nothing there. */
static uint64_t count_free(const struct pht_report *report)
{
    return report->categories[PHT_CATEGORY_PYMALLOC_SLACK].swapped_bytes +
           report->categories[PHT_CATEGORY_MALLOC_FREE].swapped_bytes +
           report->categories[PHT_CATEGORY_MALLOC_TOP].swapped_bytes;
}

static uint64_t count_python(const struct pht_report *report)
{
    return report->categories[PHT_CATEGORY_PYTHON_SMALL].swapped_bytes +
           report->categories[PHT_CATEGORY_PYTHON_LARGE].swapped_bytes;
}

static void judge_swap(struct pht_judge *judge)
{
    const struct pht_report *report = judge->report;
    uint64_t swapped = report->kernel.swap_bytes, rss = report->kernel.rss_bytes;

    if (swapped == UINT64_MAX || swapped < PHT_REMARKABLE_BYTES ||
        !pht_is_share(swapped, PHT_REMARKABLE_PERCENT, rss) || !report->has_ledger)
        return;
    uint64_t unused = count_free(report), python = count_python(report);
    bool is_unused = pht_is_share(unused, 50, swapped);
    struct pht_finding *finding =
        pht_judge_add(judge, "swap", is_unused ? PHT_SEVERITY_INFO : PHT_SEVERITY_MEDIUM, swapped);
    pht_judge_say(judge, finding, "%s of the process is in swap, beside %s that is resident.",
                  BYTES(swapped), BYTES(rss));
    if (python > 0)
        pht_judge_say(judge, finding,
                      " %s of that is Python objects, which each full collection brings back.",
                      BYTES(python));
    pht_judge_note(finding, "swap_bytes", swapped);
    pht_judge_note(finding, "swapped_python_bytes", python);
    pht_judge_note(finding, "swapped_free_bytes", unused);
    pht_judge_note(finding, "major_faults", report->kernel.major_faults);
    if (is_unused)
        pht_judge_advise(judge, finding,
                         "nothing: most of it is free memory of allocators, and nobody misses it");
    else
        pht_judge_advise(judge, finding,
                         "more memory for it, or less in it; gc.freeze() keeps the collector from "
                         "what is there to stay");
}

void pht_judge_kernel(struct pht_judge *judge)
{
    judge_limit(judge);
    judge_swap(judge);
}

/* ---- allocators that are not walked ------------------------------------------------------- */

static const char *advise_allocator(const char *name)
{
    static const struct {
        const char *name;
        const char *advice;
    } known[] = {
        {"jemalloc", "MALLOC_CONF=background_thread:true,dirty_decay_ms:1000 returns what is free; "
                     "stats_print:true tells how much that is"},
        {"tcmalloc", "TCMALLOC_RELEASE_RATE=10 returns what is free"},
        {"mimalloc", "MIMALLOC_PURGE_DELAY=0 returns what is free; MIMALLOC_SHOW_STATS=1 tells how "
                     "much that is"},
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(known[i].name, name) == 0)
            return known[i].advice;
    }
    return "its own statistics";
}

static const char *find_allocator(const struct pht_report *report)
{
    for (size_t i = 0; i < report->allocator_count; i++) {
        const char *name = report->allocators[i];
        if (strcmp(name, "pymalloc") != 0 && strcmp(name, "glibc") != 0)
            return name;
    }
    return NULL;
}

void pht_judge_other_allocators(struct pht_judge *judge)
{
    uint64_t bytes = pht_judge_category(judge, PHT_CATEGORY_OTHER_ALLOCATOR);
    const char *name = find_allocator(judge->report);
    enum pht_severity severity;

    if (name == NULL || !pht_judge_weigh(judge, bytes, &severity))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "other-allocator", PHT_SEVERITY_INFO, bytes);
    pht_judge_say(judge, finding,
                  "%s (%s of RSS) is memory of %s: what of it is free is not known here.",
                  BYTES(bytes), RSS_SHARE(judge, bytes), name);
    pht_judge_note_text(judge, finding, "allocator", name);
    pht_judge_note(finding, "other_allocator_bytes", bytes);
    pht_judge_advise(judge, finding, "%s", advise_allocator(name));
}
