/*
 * Memory that malloc has and nobody uses. No byte is in two of these findings: where arenas of
 * threads are told to be too many, the others speak of the main arena alone.
 */
#include <string.h>

#include "model/findings.h"

/* Threads that share eight arenas seldom wait for each other: see NARENAS of malloc/arena.c. */
#define MANY_ARENAS 8

/*
 * Requests of this many bytes get a mapping of their own, which free() gives back, until a larger
 * one was freed (DEFAULT_MMAP_THRESHOLD_MIN of malloc/malloc.c).
 */
#define MMAP_THRESHOLD_BYTES ((uint64_t)128 << 10)

/* Reading a module's code raises the threshold a little in most processes: that is no drift. */
#define DRIFTED_BYTES (8 * MMAP_THRESHOLD_BYTES)

/* Of what malloc has beside mmapped chunks: less is what a heap in motion needs. */
#define FRAGMENTED_PERCENT 20

/* What some arenas have that is resident and not in use, and what of that would go back. */
struct kept {
    size_t arenas;
    size_t idle_arenas; /* that no thread is attached to */
    uint64_t resident_bytes;
    uint64_t idle_bytes;       /* neither in use nor administration */
    uint64_t trimmable_bytes;  /* what malloc_trim(0) gives back of that */
    uint64_t fragmented_bytes; /* in bins and tcaches, and not trimmable */
};

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t less(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

/* Of chunks in use not all may be resident, so that this is rather too little than too much. */
static void add_arena(struct kept *kept, const struct pht_glibc_arena *arena)
{
    uint64_t free_bytes = arena->free_bytes + arena->tcache_bytes;
    uint64_t unused = less(arena->resident_bytes, arena->live_bytes);

    kept->arenas++;
    kept->idle_arenas += arena->threads == 0;
    kept->resident_bytes += arena->resident_bytes;
    kept->idle_bytes += smaller(unused, free_bytes + arena->top_bytes);
    kept->trimmable_bytes += arena->trimmable_bytes;
    kept->fragmented_bytes += less(smaller(unused, free_bytes), arena->trimmable_bytes);
}

static struct kept add_up(const struct pht_glibc *glibc, bool with_main, bool with_threads)
{
    struct kept kept = {0};

    for (size_t i = 0; i < glibc->arena_count; i++) {
        if (glibc->arenas[i].is_main ? with_main : with_threads)
            add_arena(&kept, &glibc->arenas[i]);
    }
    return kept;
}

/* ---- arenas of threads -------------------------------------------------------------------- */

static void advise_fewer(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_arena_limit *limit = &judge->report->arena_limit;

    if (limit->source == NULL || strcmp(limit->source, "processors") == 0)
        pht_judge_advise(judge, finding, "MALLOC_ARENA_MAX=2 in its environment");
    else if (strcmp(limit->source, "mallopt") == 0)
        pht_judge_advise(judge, finding, "a lower M_ARENA_MAX where it calls mallopt(3)");
    else
        pht_judge_advise(judge, finding, "a lower limit: %s says %s", limit->source,
                         COUNT(limit->arenas));
}

static void say_limit(struct pht_judge *judge, struct pht_finding *finding)
{
    const struct pht_arena_limit *limit = &judge->report->arena_limit;

    pht_judge_note(finding, "arena_limit", limit->arenas);
    if (limit->arenas != PHT_UNKNOWN)
        pht_judge_say(judge, finding, "; there may be %s", COUNT(limit->arenas));
    if (limit->source != NULL && strcmp(limit->source, "processors") == 0)
        pht_judge_say(judge, finding, ", 8 for each processor");
    pht_judge_say(judge, finding, ".");
}

/* True if that was told. */
static bool judge_arenas(struct pht_judge *judge)
{
    const struct pht_glibc *glibc = judge->report->glibc;
    struct kept threads = add_up(glibc, false, true);
    enum pht_severity severity;

    if (threads.arenas < MANY_ARENAS || !pht_judge_weigh(judge, threads.idle_bytes, &severity))
        return false;
    struct pht_finding *finding =
        pht_judge_add(judge, "glibc-arenas", severity, threads.idle_bytes);
    pht_judge_say(judge, finding, "%s (%s of RSS) is free in %s arenas of threads",
                  BYTES(threads.idle_bytes), RSS_SHARE(judge, threads.idle_bytes),
                  COUNT(threads.arenas));
    if (glibc->threads_known && threads.idle_arenas > 0)
        pht_judge_say(judge, finding, ", %s of which no thread uses", COUNT(threads.idle_arenas));
    say_limit(judge, finding);
    pht_judge_note(finding, "thread_arenas", threads.arenas);
    pht_judge_note(finding, "threads", judge->report->process.threads);
    pht_judge_note(finding, "idle_arenas",
                   glibc->threads_known ? threads.idle_arenas : PHT_UNKNOWN);
    pht_judge_note(finding, "resident_bytes", threads.resident_bytes);
    pht_judge_note(finding, "trimmable_bytes", threads.trimmable_bytes);
    advise_fewer(judge, finding);
    if (pht_is_share(threads.trimmable_bytes, 50, threads.idle_bytes))
        pht_judge_advise(judge, finding, "; malloc_trim(0) gives back %s now",
                         BYTES(threads.trimmable_bytes));
    return true;
}

/* ---- what malloc_trim(3) would give back -------------------------------------------------- */

/* Free chunks that a request for a mapping of its own would have had. */
static uint64_t count_large_free(const struct pht_glibc *glibc, uint64_t *chunks)
{
    uint64_t bytes = 0;

    *chunks = 0;
    for (size_t i = 0; i < glibc->size_count; i++) {
        if (glibc->sizes[i].min_bytes < MMAP_THRESHOLD_BYTES)
            continue;
        *chunks += glibc->sizes[i].free_chunks;
        bytes += glibc->sizes[i].free_bytes;
    }
    return bytes;
}

/*
 * Large blocks came from the heap because the threshold rose, and left their places there. What
 * many small ones leave when they are freed together is larger than the threshold on average.
 */
static bool has_drifted(const struct pht_glibc *glibc, uint64_t trimmable)
{
    const struct pht_malloc_params *params = &glibc->params;
    uint64_t chunks, bytes = count_large_free(glibc, &chunks);

    return params->mmap_threshold_dynamic && params->mmap_threshold_bytes != PHT_UNKNOWN &&
           params->mmap_threshold_bytes >= DRIFTED_BYTES && chunks > 0 &&
           bytes / chunks <= params->mmap_threshold_bytes && pht_is_share(bytes, 50, trimmable);
}

static void note_trimmable(struct pht_finding *finding, const struct pht_glibc *glibc,
                           const struct kept *kept)
{
    pht_judge_note(finding, "trimmable_bytes", kept->trimmable_bytes);
    pht_judge_note(finding, "main_arena_trimmable_bytes", glibc->arenas[0].trimmable_bytes);
    pht_judge_note(finding, "main_arena_top_bytes", glibc->arenas[0].top_bytes);
    pht_judge_note(finding, "free_bytes", kept->idle_bytes);
    pht_judge_note(finding, "trim_threshold_bytes", glibc->params.trim_threshold_bytes);
    pht_judge_note(finding, "mmap_threshold_bytes", glibc->params.mmap_threshold_bytes);
}

static void tell_drift(struct pht_judge *judge, const struct kept *kept, enum pht_severity severity)
{
    const struct pht_glibc *glibc = judge->report->glibc;
    uint64_t chunks, bytes = count_large_free(glibc, &chunks);
    struct pht_finding *finding =
        pht_judge_add(judge, "mmap-threshold-drift", severity, kept->trimmable_bytes);

    pht_judge_say(judge, finding,
                  "%s (%s of RSS) is free inside glibc and could go back, most of it in %s chunk%s "
                  "of 128K and more: malloc's mmap threshold has risen to %s, so that such blocks "
                  "come from the heap and stay there when they are freed.",
                  BYTES(kept->trimmable_bytes), RSS_SHARE(judge, kept->trimmable_bytes),
                  COUNT(chunks), PLURAL(chunks), BYTES(glibc->params.mmap_threshold_bytes));
    note_trimmable(finding, glibc, kept);
    pht_judge_note(finding, "large_free_chunks", chunks);
    pht_judge_note(finding, "large_free_bytes", bytes);
    pht_judge_advise(judge, finding,
                     "MALLOC_MMAP_THRESHOLD_=131072 in its environment, which keeps the threshold "
                     "where it was; malloc_trim(0) gives back what is free now");
}

static void advise_trim(struct pht_judge *judge, struct pht_finding *finding,
                        const struct pht_glibc *glibc, uint64_t trimmable)
{
    const struct pht_glibc_arena *main_arena = &glibc->arenas[0];

    if (!pht_is_share(main_arena->trimmable_bytes, 50, trimmable)) {
        pht_judge_advise(judge, finding,
                         "call malloc_trim(0) after peaks, which trims arenas of threads as well; "
                         "or MALLOC_ARENA_MAX=2, so that fewer of them keep memory");
        return;
    }
    pht_judge_advise(judge, finding,
                     "call malloc_trim(0) after peaks: ctypes.CDLL(\"libc.so.6\").malloc_trim(0)");
    if (pht_is_share(smaller(main_arena->top_bytes, trimmable), 50, trimmable) &&
        glibc->params.trim_threshold_bytes != PHT_UNKNOWN &&
        glibc->params.trim_threshold_bytes > MMAP_THRESHOLD_BYTES)
        pht_judge_advise(judge, finding,
                         "; or MALLOC_TRIM_THRESHOLD_=131072: a top goes back by itself only above "
                         "%s now",
                         BYTES(glibc->params.trim_threshold_bytes));
}

static void tell_trimmable(struct pht_judge *judge, const struct kept *kept, bool with_threads,
                           enum pht_severity severity)
{
    const struct pht_glibc *glibc = judge->report->glibc;
    uint64_t in_main = glibc->arenas[0].trimmable_bytes;
    struct pht_finding *finding =
        pht_judge_add(judge, "glibc-trimmable", severity, kept->trimmable_bytes);

    pht_judge_say(judge, finding,
                  "%s (%s of RSS) is free inside glibc in whole pages, which malloc_trim(0) would "
                  "give back",
                  BYTES(kept->trimmable_bytes), RSS_SHARE(judge, kept->trimmable_bytes));
    if (!with_threads || in_main == kept->trimmable_bytes)
        pht_judge_say(judge, finding, ", all of it in the main arena.");
    else if (in_main > 0)
        pht_judge_say(judge, finding, "; %s of it is in the main arena.", BYTES(in_main));
    else
        pht_judge_say(judge, finding, ", all of it in arenas of threads.");
    note_trimmable(finding, glibc, kept);
    advise_trim(judge, finding, glibc, kept->trimmable_bytes);
}

static void judge_trimmable(struct pht_judge *judge, bool with_threads)
{
    struct kept kept = add_up(judge->report->glibc, true, with_threads);
    enum pht_severity severity;

    if (!pht_judge_weigh(judge, kept.trimmable_bytes, &severity))
        return;
    if (has_drifted(judge->report->glibc, kept.trimmable_bytes))
        tell_drift(judge, &kept, severity);
    else
        tell_trimmable(judge, &kept, with_threads, severity);
}

/* ---- what it would not -------------------------------------------------------------------- */

static const struct pht_chunk_size *find_most_free(const struct pht_glibc *glibc)
{
    const struct pht_chunk_size *most = NULL;

    for (size_t i = 0; i < glibc->size_count; i++) {
        if (most == NULL || glibc->sizes[i].free_bytes > most->free_bytes)
            most = &glibc->sizes[i];
    }
    return most;
}

static void say_size(struct pht_judge *judge, struct pht_finding *finding,
                     const struct pht_chunk_size *size)
{
    pht_judge_say(judge, finding, " Most is in %s chunk%s of %s%s", COUNT(size->free_chunks),
                  PLURAL(size->free_chunks), BYTES(size->min_bytes),
                  size->max_bytes > size->min_bytes ? " and more" : "");
    if (size->live_chunks > 0)
        pht_judge_say(judge, finding, ", beside %s of that size in use", COUNT(size->live_chunks));
    pht_judge_say(judge, finding, ".");
    pht_judge_note(finding, "chunk_min_bytes", size->min_bytes);
    pht_judge_note(finding, "chunk_max_bytes", size->max_bytes);
    pht_judge_note(finding, "free_chunks", size->free_chunks);
    pht_judge_note(finding, "live_chunks", size->live_chunks);
}

static void judge_fragmented(struct pht_judge *judge, bool with_threads)
{
    const struct pht_glibc *glibc = judge->report->glibc;
    struct kept kept = add_up(glibc, true, with_threads);
    const struct pht_chunk_size *most = find_most_free(glibc);
    uint64_t bytes = kept.fragmented_bytes;
    enum pht_severity severity;

    if (!pht_judge_weigh(judge, bytes, &severity) ||
        !pht_is_share(bytes, FRAGMENTED_PERCENT, kept.resident_bytes))
        return;
    struct pht_finding *finding = pht_judge_add(judge, "glibc-fragmented", severity, bytes);
    pht_judge_say(judge, finding,
                  "%s (%s of RSS) is free inside glibc, in pages that it shares with chunks in "
                  "use: malloc_trim(0) cannot give it back.",
                  BYTES(bytes), RSS_SHARE(judge, bytes));
    pht_judge_note(finding, "fragmented_bytes", bytes);
    pht_judge_note(finding, "trimmable_bytes", kept.trimmable_bytes);
    pht_judge_note(finding, "resident_bytes", kept.resident_bytes);
    if (most != NULL)
        say_size(judge, finding, most);
    pht_judge_advise(judge, finding, "%s; what lives long is best made before the peak",
                     pht_judge_recycling(judge));
}

void pht_judge_glibc(struct pht_judge *judge)
{
    const struct pht_glibc *glibc = judge->report->glibc;

    if (glibc == NULL || glibc->arena_count == 0)
        return;
    bool has_told_threads = judge_arenas(judge);
    judge_trimmable(judge, !has_told_threads);
    judge_fragmented(judge, !has_told_threads);
}
