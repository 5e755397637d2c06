/* Memory that pymalloc has and Python does not use: arenas that few blocks keep. */
#include <string.h>

#include "model/findings.h"

/*
 * Free blocks between live ones are what a heap in motion has: up to a fifth of it is usual. A
 * quarter is left over from something larger.
 */
#define SLACK_PERCENT 25

#define CLASSES_NAMED 3

struct slack {
    uint64_t bytes;                                   /* resident */
    const struct pht_size_class *most[CLASSES_NAMED]; /* free blocks of a size, most first */
    size_t classes;
    uint64_t class_bytes; /* free blocks of those */
    uint64_t pinning;     /* size of the blocks that have most pools of nearly empty arenas; 0 */
};

static void insert_class(struct slack *slack, const struct pht_size_class *class)
{
    size_t at = slack->classes;

    while (at > 0 && slack->most[at - 1]->free_bytes < class->free_bytes)
        at--;
    if (at == CLASSES_NAMED || class->free_bytes == 0)
        return;
    if (slack->classes < CLASSES_NAMED)
        slack->classes++;
    memmove(&slack->most[at + 1], &slack->most[at],
            (slack->classes - at - 1) * sizeof(slack->most[0]));
    slack->most[at] = class;
}

static void find_classes(const struct pht_pymalloc *pymalloc, struct slack *slack)
{
    for (size_t i = 0; i < pymalloc->class_count; i++)
        insert_class(slack, &pymalloc->classes[i]);
    for (size_t i = 0; i < slack->classes; i++)
        slack->class_bytes += slack->most[i]->free_bytes;
}

/* As the walk counts sparse_arenas: live blocks are less than a tenth. */
static bool is_sparse(const struct pht_pymalloc *pymalloc, const struct pht_arena *arena)
{
    return arena->live_bytes < pymalloc->arena_bytes / 10;
}

static uint64_t find_pinning(const struct pht_pymalloc *pymalloc)
{
    uint64_t pools[PHT_SIZE_CLASSES_MAX] = {0};
    size_t most = 0;

    for (size_t i = 0; i < pymalloc->totals.arenas; i++) {
        const struct pht_arena *arena = &pymalloc->arenas[i];
        if (!is_sparse(pymalloc, arena) || arena->pool_classes == NULL)
            continue;
        for (size_t j = 0; j < pymalloc->arena_bytes / pymalloc->pool_bytes; j++) {
            if (arena->pool_classes[j] < PHT_SIZE_CLASSES_MAX)
                pools[arena->pool_classes[j]]++;
        }
    }
    for (size_t i = 0; i < PHT_SIZE_CLASSES_MAX; i++)
        most = pools[i] > pools[most] ? i : most;
    return pools[most] > 0 ? (most + 1) * pymalloc->alignment_bytes : 0;
}

/* "64, 128 and 80" */
static void say_classes(struct pht_judge *judge, struct pht_finding *finding,
                        const struct slack *slack)
{
    pht_judge_say(judge, finding, " Free blocks of size class%s ", slack->classes > 1 ? "es" : "");
    for (size_t i = 0; i < slack->classes; i++) {
        const char *separator = i == 0 ? "" : i + 1 < slack->classes ? ", " : " and ";
        pht_judge_say(judge, finding, "%s%s", separator, COUNT(slack->most[i]->block_bytes));
    }
    pht_judge_say(judge, finding, " hold %s.", BYTES(slack->class_bytes));
}

static void say_sparse(struct pht_judge *judge, struct pht_finding *finding,
                       const struct pht_pymalloc *pymalloc, uint64_t pinning)
{
    bool is_one = pymalloc->sparse_arenas == 1;

    pht_judge_say(judge, finding, " %s arena%s under 10%% used: %s in use keeps %s from release",
                  COUNT(pymalloc->sparse_arenas), is_one ? " is" : "s are",
                  BYTES(pymalloc->sparse_live_bytes), BYTES(pymalloc->sparse_held_bytes));
    if (pinning > 0)
        pht_judge_say(judge, finding, ", most of it of size class %s", COUNT(pinning));
    pht_judge_say(judge, finding, ".");
}

static void note(struct pht_finding *finding, const struct pht_pymalloc *pymalloc,
                 const struct slack *slack)
{
    pht_judge_note(finding, "pymalloc_slack_bytes", slack->bytes);
    pht_judge_note(finding, "live_bytes", pymalloc->totals.live_bytes);
    pht_judge_note(finding, "free_bytes", pymalloc->totals.free_bytes);
    pht_judge_note(finding, "unused_pool_bytes", pymalloc->totals.unused_pool_bytes);
    pht_judge_note(finding, "arenas", pymalloc->totals.arenas);
    pht_judge_note(finding, "sparse_arenas", pymalloc->sparse_arenas);
    pht_judge_note(finding, "sparse_live_bytes", pymalloc->sparse_live_bytes);
    pht_judge_note(finding, "sparse_held_bytes", pymalloc->sparse_held_bytes);
    for (size_t i = 0; i < CLASSES_NAMED && slack->most[i] != NULL; i++) {
        static const char *const names[CLASSES_NAMED] = {
            "first_class_block_bytes", "second_class_block_bytes", "third_class_block_bytes"};
        pht_judge_note(finding, names[i], slack->most[i]->block_bytes);
    }
    pht_judge_note(finding, "class_free_bytes", slack->class_bytes);
}

/* Arenas that are nearly empty want the few that live long elsewhere; others want no such peak. */
static void advise(struct pht_judge *judge, struct pht_finding *finding,
                   const struct pht_pymalloc *pymalloc, const struct slack *slack)
{
    bool is_pinned = pht_is_share(pymalloc->sparse_held_bytes, 50, slack->bytes);

    if (is_pinned)
        pht_judge_advise(judge, finding,
                         "make what lives long before the peak, so that the few do "
                         "not keep arenas of the many; or ");
    pht_judge_advise(judge, finding, "%s", pht_judge_recycling(judge));
    if (!is_pinned)
        pht_judge_advise(judge, finding, "; what is free serves the next peak");
}

void pht_judge_pymalloc(struct pht_judge *judge)
{
    const struct pht_pymalloc *pymalloc = judge->report->pymalloc;
    struct slack slack = {.bytes = pht_judge_category(judge, PHT_CATEGORY_PYMALLOC_SLACK)};
    uint64_t used = pht_judge_category(judge, PHT_CATEGORY_PYTHON_SMALL);
    enum pht_severity severity;

    if (pymalloc == NULL || !pht_judge_weigh(judge, slack.bytes, &severity) ||
        !pht_is_share(slack.bytes, SLACK_PERCENT, slack.bytes + used))
        return;
    find_classes(pymalloc, &slack);
    slack.pinning = find_pinning(pymalloc);
    struct pht_finding *finding = pht_judge_add(judge, "pymalloc-slack", severity, slack.bytes);
    pht_judge_say(judge, finding, "%s (%s of RSS) is free memory inside pymalloc.",
                  BYTES(slack.bytes), RSS_SHARE(judge, slack.bytes));
    if (pht_is_share(pymalloc->totals.unused_pool_bytes, 50, slack.bytes))
        pht_judge_say(judge, finding, " Most is in free pools of arenas that are still in use.");
    else if (slack.classes > 0)
        say_classes(judge, finding, &slack);
    if (pymalloc->sparse_arenas > 0)
        say_sparse(judge, finding, pymalloc, slack.pinning);
    note(finding, pymalloc, &slack);
    advise(judge, finding, pymalloc, &slack);
}
