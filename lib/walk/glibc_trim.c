#include "walk/glibc_trim.h"

#include "base/checked.h"

/* sizeof(struct malloc_chunk): header, links of the bin, links between sizes. */
#define HEAD_BYTES 48

/* What systrim() leaves of top. */
#define TOP_LEFT_BYTES (PHT_CHUNK_BYTES_MIN + 1)

#define HUGE_PAGE_BYTES_MAX ((uint64_t)16 << 30)

void pht_trim_run_end(struct pht_trim_run *run, struct pht_snapshot *snapshot)
{
    pht_addr from = pht_round_up(run->start + HEAD_BYTES, PHT_PAGE_BYTES);
    pht_addr to = pht_round_down(run->end, PHT_PAGE_BYTES);

    if (run->start != 0 && from < to)
        run->releasable_bytes += pht_snapshot_resident_bytes(snapshot, from, to);
    run->start = run->end = 0;
}

void pht_trim_run_add(struct pht_trim_run *run, struct pht_snapshot *snapshot, pht_addr addr,
                      uint64_t bytes)
{
    if (run->start == 0 || run->end != addr) {
        pht_trim_run_end(run, snapshot);
        run->start = addr;
    }
    run->end = addr + bytes;
}

/* systrim() does nothing unless top ends where the break is: others may use brk too. */
static bool ends_at_break(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                          const struct pht_malloc_arena_root *arena, pht_addr end)
{
    if (roots->current_break != 0)
        return roots->current_break == end;
    const struct pht_mapping *mapping = pht_maps_find(pht_snapshot_maps(snapshot), end - 1);
    return arena->is_contiguous && mapping != NULL && mapping->end == end;
}

void pht_trim_run_end_at_top(struct pht_trim_run *run, struct pht_snapshot *snapshot,
                             const struct pht_glibc_roots *roots,
                             const struct pht_malloc_arena_root *arena, pht_addr top, pht_addr end)
{
    bool is_main = arena == &roots->arenas.items[0];
    uint64_t unit = roots->params.thp_page_bytes;

    if (run->start != 0 && run->end == top) {
        top = run->start;
        run->start = run->end = 0;
    }
    pht_trim_run_end(run, snapshot);
    if (!is_main || end - top <= TOP_LEFT_BYTES || !ends_at_break(snapshot, roots, arena, end))
        return;
    if (unit == 0 || unit == PHT_UNKNOWN || !pht_is_power_of_two(unit) ||
        unit > HUGE_PAGE_BYTES_MAX)
        unit = PHT_PAGE_BYTES;
    uint64_t extra = pht_round_down(end - top - TOP_LEFT_BYTES, unit);
    run->releasable_bytes += pht_snapshot_resident_bytes(snapshot, end - extra, end);
}
