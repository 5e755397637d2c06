#include "walk/glibc_trim.h"

#include "base/checked.h"

/* sizeof(struct malloc_chunk): header, links of the bin, links between sizes. */
#define HEAD_BYTES 48

/* What systrim() leaves of top. */
#define TOP_LEFT_BYTES (PHT_CHUNK_BYTES_MIN + 1)

static bool end_run(struct pht_free_run *run, struct pht_ranges *ranges, uint64_t least_bytes)
{
    bool kept = true;

    if (run->end - run->start >= least_bytes) {
        ranges->count = run->noted++;
        kept = pht_ranges_add(ranges, run->start, run->end);
    }
    run->start = run->end = 0;
    return kept;
}

bool pht_free_run_end(struct pht_free_run *run, struct pht_ranges *ranges)
{
    return end_run(run, ranges, PHT_PAGE_BYTES);
}

bool pht_free_run_end_at_top(struct pht_free_run *run, struct pht_ranges *ranges)
{
    return end_run(run, ranges, PHT_CHUNK_BYTES_MIN);
}

bool pht_free_run_add(struct pht_free_run *run, struct pht_ranges *ranges, pht_addr addr,
                      uint64_t bytes)
{
    bool kept = true;

    if (run->end != addr) {
        kept = pht_free_run_end(run, ranges);
        run->start = addr;
    }
    run->end = addr + bytes;
    return kept;
}

/* ---- what goes back ----------------------------------------------------------------------- */

struct trim {
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    const struct pht_malloc_arena_root *arena;
    pht_addr top; /* with what merges with it */
    pht_addr top_end;
    uint64_t bytes;
};

/*
 * Huge pages go back from the first on or not at all: madvise(2) refuses a range that begins
 * within one, and leaves the last one if the range ends within it (Linux 5.18, mm/madvise.c).
 */
static void fit_to_huge_pages(const struct trim *trim, pht_addr *from, pht_addr *to)
{
    uint64_t unit = trim->roots->params.huge_page_bytes;
    const struct pht_mapping *mapping = NULL;

    if (unit != 0 && unit != PHT_UNKNOWN && pht_is_power_of_two(unit))
        mapping = pht_maps_find(pht_snapshot_maps(trim->snapshot), *from);
    if (mapping != NULL && pht_glibc_is_huge(mapping))
        *to = *from % unit == 0 ? pht_round_down(*to, unit) : *from;
}

static void release(struct trim *trim, pht_addr start, pht_addr end)
{
    pht_addr from = pht_round_up(start + HEAD_BYTES, PHT_PAGE_BYTES);
    pht_addr to = pht_round_down(end, PHT_PAGE_BYTES);

    fit_to_huge_pages(trim, &from, &to);
    if (end == trim->top)
        trim->top = start;
    else if (from < to)
        trim->bytes += pht_snapshot_resident_bytes(trim->snapshot, from, to);
}

/* systrim() does nothing unless top ends where the break is: others may use brk too. */
static bool ends_at_break(const struct trim *trim)
{
    if (trim->roots->current_break != 0)
        return trim->roots->current_break == trim->top_end;
    const struct pht_mapping *mapping =
        pht_maps_find(pht_snapshot_maps(trim->snapshot), trim->top_end - 1);
    return trim->arena->is_contiguous && mapping != NULL && mapping->end == trim->top_end;
}

static void release_top(struct trim *trim)
{
    uint64_t unit = trim->roots->params.thp_page_bytes;

    if (trim->arena != &trim->roots->arenas.items[0] ||
        trim->top_end - trim->top <= TOP_LEFT_BYTES || !ends_at_break(trim))
        return;
    if (unit == 0 || unit == PHT_UNKNOWN || !pht_is_power_of_two(unit) ||
        unit > PHT_HUGE_PAGE_BYTES_MAX)
        unit = PHT_PAGE_BYTES;
    uint64_t extra = pht_round_down(trim->top_end - trim->top - TOP_LEFT_BYTES, unit);
    trim->bytes +=
        pht_snapshot_resident_bytes(trim->snapshot, trim->top_end - extra, trim->top_end);
}

uint64_t pht_trim_releasable(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                             const struct pht_malloc_arena_root *arena,
                             const struct pht_ranges *ranges, const struct pht_guessed_chunks *live,
                             pht_addr top, pht_addr top_end)
{
    struct trim trim = {
        .snapshot = snapshot,
        .roots = roots,
        .arena = arena,
        .top = top,
        .top_end = top_end,
    };

    for (size_t i = 0; i < ranges->count; i++) {
        pht_addr at = ranges->items[i].start, end = ranges->items[i].end;
        size_t next = pht_guessed_chunks_find(live, at);
        for (; next < live->count && live->items[next].address < end; next++) {
            release(&trim, at, live->items[next].address);
            at = live->items[next].address + live->items[next].bytes;
        }
        release(&trim, at, end);
    }
    release_top(&trim);
    return trim.bytes;
}
