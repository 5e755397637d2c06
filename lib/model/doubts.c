#include "model/doubts.h"

/*
 * A target that runs tears a pool or a chunk in a thousand at most, and a stop finds one for each
 * thread; a wrong offset spoils a third of them and more. So one in twenty raises doubts.
 */
#define BAD_SHARE 20

/* One each microsecond for twelve days. */
#define ARENAS_TOTAL_MAX ((uint64_t)1 << 40)

/* 16 TiB: no heap that brk(2) gave is larger. */
#define BREAK_BYTES_MAX ((uint64_t)1 << 44)

static bool is_large_share(uint64_t bad, uint64_t all)
{
    return bad > all / BAD_SHARE;
}

/* ---- pymalloc ----------------------------------------------------------------------------- */

/* PYTHONMALLOC=malloc leaves the statics of up to 3.11 without a sign of life. */
static bool is_switched_off(const struct pht_pymalloc_roots *roots)
{
    return roots->arenas.count == 0 && (roots->allocator == PHT_ALLOCATOR_MALLOC ||
                                        roots->allocator == PHT_ALLOCATOR_MALLOC_DEBUG ||
                                        roots->allocator == PHT_ALLOCATOR_MIMALLOC ||
                                        roots->allocator == PHT_ALLOCATOR_MIMALLOC_DEBUG ||
                                        roots->allocator == PHT_ALLOCATOR_CUSTOM);
}

bool pht_doubts_nothing_to_read(const struct pht_pymalloc_roots *roots)
{
    return roots->arenas.count == 0 && roots->damaged_arenas == 0 && !roots->unreadable &&
           !is_switched_off(roots) &&
           (!roots->initialised || roots->allocator != PHT_ALLOCATOR_UNKNOWN);
}

/*
 * Arenas were allocated at least as often as there ever were at once, which is at least as many
 * as there are and no more than the array of arena objects has, for it never shrinks. 2.7 counts
 * only those that there are.
 */
static bool are_counters_sane(const struct pht_pymalloc_root *root, unsigned major)
{
    if (root->narenas == PHT_UNKNOWN)
        return false;
    if (root->arenas_peak == PHT_UNKNOWN || root->arenas_allocated_total == PHT_UNKNOWN)
        return major < 3;
    return root->arenas_peak >= root->arenas && root->arenas_peak <= root->maxarenas &&
           root->arenas_allocated_total >= root->arenas_peak &&
           root->arenas_allocated_total <= ARENAS_TOTAL_MAX;
}

/* Before 3.4 there were no hooks. tracemalloc and its like show as an allocator of their own. */
static bool is_allocator_sane(const struct pht_pymalloc_roots *roots)
{
    return roots->python->version.major < 3 ||
           (roots->allocator != PHT_ALLOCATOR_UNKNOWN && roots->allocator != PHT_ALLOCATOR_CUSTOM);
}

bool pht_doubts_pymalloc_roots(const struct pht_pymalloc_roots *roots)
{
    for (size_t i = 0; i < roots->states.count; i++) {
        if (!are_counters_sane(&roots->states.items[i], roots->python->version.major))
            return true;
    }
    return !roots->proven || !roots->consistent || pht_doubts_nothing_to_read(roots) ||
           !is_allocator_sane(roots);
}

bool pht_doubts_pymalloc(const struct pht_pymalloc *pymalloc)
{
    uint64_t bad = pymalloc->torn_pools + pymalloc->damaged_pools;

    return pymalloc->damaged_arenas > 0 ||
           is_large_share(bad, pymalloc->totals.pools_used + pymalloc->damaged_pools);
}

/* ---- glibc -------------------------------------------------------------------------------- */

static bool is_arena(const struct pht_glibc_roots *roots, pht_addr address)
{
    for (size_t i = 0; i < roots->arenas.count; i++) {
        if (roots->arenas.items[i].address == address)
            return true;
    }
    return false;
}

/*
 * Where malloc was used, a thread has an arena, which is one of the ring; and a tcache, if this
 * version and its tunables give threads one.
 */
static bool are_threads_sane(const struct pht_glibc_roots *roots)
{
    bool has_arena = false, has_tcache = false;
    bool wants_tcache = roots->params.tcache_count != PHT_UNKNOWN && roots->params.tcache_count > 0;

    /* Up to 2.22 threads keep their arena in another variable. */
    if (!roots->threads_known)
        return !roots->libc->threads.known || (roots->libc->layout.thread_arena == PHT_UNKNOWN &&
                                               roots->libc->layout.tcache_bytes == PHT_UNKNOWN);
    for (size_t i = 0; i < roots->threads.count; i++) {
        const struct pht_malloc_thread_root *thread = &roots->threads.items[i];
        if (thread->arena != 0 && !is_arena(roots, thread->arena))
            return false;
        has_arena |= thread->arena != 0;
        has_tcache |= thread->tcache != 0;
    }
    return has_arena && (has_tcache || !wants_tcache);
}

/* The break lies behind where malloc began, and behind all that it took while it was alone. */
static bool is_break_sane(const struct pht_glibc_roots *roots)
{
    const struct pht_malloc_arena_root *main_arena = &roots->arenas.items[0];
    pht_addr least = roots->params.sbrk_base;

    if (main_arena->is_contiguous && main_arena->heaps > 0)
        least = roots->heaps.items[main_arena->first_heap].end;
    return roots->current_break >= least && roots->current_break - least <= BREAK_BYTES_MAX;
}

bool pht_doubts_glibc_roots(const struct pht_glibc_roots *roots)
{
    if (!roots->proven || !roots->consistent)
        return true;
    /* Another allocator serves the process: malloc's state tells nothing. */
    if (roots->arenas.count == 0 || roots->arenas.items[0].system_bytes == 0)
        return false;
    return !are_threads_sane(roots) || !is_break_sane(roots);
}

bool pht_doubts_glibc(const struct pht_glibc *glibc)
{
    const struct pht_glibc_arena *totals = &glibc->totals;
    uint64_t bad = glibc->torn_chunks + glibc->damaged_chunks;

    return glibc->damaged_arenas > 0 ||
           is_large_share(bad, totals->live_chunks + totals->free_chunks + totals->tcache_chunks) ||
           is_large_share(totals->unknown_bytes, totals->system_bytes);
}
