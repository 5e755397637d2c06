#include "walk/glibc_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/glibc_settle.h"

/* A window is read so often before its damage is believed: twice itself, then with the last one. */
#define TRIES 3

/* Of one walk; a target that is damaged all over is not read over and over. */
#define REREADS_MAX 4096

enum step {
    STEP_ON,
    STEP_ENDED,
    STEP_BROKEN,
    STEP_UNREADABLE,
};

/* ---- the window --------------------------------------------------------------------------- */

static void drop_window(struct pht_chunk_walk *walk)
{
    walk->window_bytes = 0;
    walk->ahead = PHT_PAGE_BYTES;
}

static void save_position(struct pht_chunk_walk *walk)
{
    struct pht_chunk_position *oldest = walk->before;

    walk->before = walk->begin;
    walk->begin = oldest;
    *walk->begin = walk->now;
    walk->tries = 0;
}

static void save_first_position(struct pht_chunk_walk *walk)
{
    walk->begin = &walk->saved[0];
    walk->before = &walk->saved[1];
    *walk->begin = *walk->before = walk->now;
    walk->tries = 0;
}

/*
 * Chunks that are larger than the window leave nothing to read in between. Whole pages: a copy
 * that begins in the middle of a cache line is half as fast.
 */
static void fill_window(struct pht_chunk_walk *walk)
{
    pht_addr at = walk->now.at, behind = walk->window_start + walk->window_bytes;
    pht_addr from = pht_round_down(at, PHT_PAGE_BYTES);

    if (walk->tries == 0 || at > walk->broken_at)
        save_position(walk);
    /* Two pages at least: a header may stand on the border between them. */
    walk->ahead = at > behind + PHT_PAGE_BYTES ? 2 * PHT_PAGE_BYTES : 2 * walk->ahead;
    if (walk->ahead > PHT_CHUNK_WINDOW_BYTES)
        walk->ahead = PHT_CHUNK_WINDOW_BYTES;
    size_t wanted = walk->end - from < walk->ahead ? (size_t)(walk->end - from) : walk->ahead;
    walk->window_start = from;
    walk->window_bytes =
        pht_snapshot_read_some(walk->snapshot, from, walk->window, wanted, &walk->why);
}

/* `bytes` from here on, or up to the end of the piece; NULL if they cannot be read. */
static const uint8_t *look(struct pht_chunk_walk *walk, size_t bytes)
{
    pht_addr at = walk->now.at;

    if (walk->end - at < bytes)
        bytes = (size_t)(walk->end - at);
    if (at < walk->window_start || at + bytes > walk->window_start + walk->window_bytes)
        fill_window(walk);
    return at + bytes <= walk->window_start + walk->window_bytes
               ? walk->window + (at - walk->window_start)
               : NULL;
}

/* ---- ends --------------------------------------------------------------------------------- */

static enum step end_at_top(struct pht_chunk_walk *walk, pht_addr top,
                            const struct pht_chunk_header *header)
{
    if (!pht_chunk_settle(walk, header))
        return STEP_BROKEN;
    pht_chunk_tally_add_top(&walk->now.tally, walk->end - top);
    walk->now.top = top;
    walk->now.top_end = walk->end;
    if (!pht_free_run_end_at_top(&walk->now.run, &walk->runs) ||
        !pht_free_run_end_at_top(&walk->now.run_flushed, &walk->runs_flushed))
        walk->out_of_memory = true;
    walk->now.at = walk->end;
    return STEP_ENDED;
}

/* Two chunks of 16 bytes, or three if the old top had no more than 48, up to the end of a page. */
static size_t main_fence_bytes(struct pht_chunk_walk *walk)
{
    pht_addr at = walk->now.at;
    size_t bytes = (size_t)(pht_round_up(at, PHT_PAGE_BYTES) - at);
    const uint8_t *fence = look(walk, bytes);

    if (fence == NULL || bytes > walk->end - at || bytes < 2 * PHT_CHUNK_FENCE_BYTES ||
        bytes > 3 * PHT_CHUNK_FENCE_BYTES)
        return 0;
    for (size_t i = 0; i < bytes; i += PHT_CHUNK_FENCE_BYTES) {
        if ((pht_field_u64(fence, i + 8) & ~(uint64_t)PHT_CHUNK_FLAGS) != PHT_CHUNK_FENCE_BYTES)
            return 0;
    }
    return bytes;
}

/* sysmalloc() ends a piece of the main arena, which ends with a page, with chunks of 16 bytes. */
static enum step end_at_main_fence(struct pht_chunk_walk *walk,
                                   const struct pht_chunk_header *header)
{
    size_t bytes = main_fence_bytes(walk);

    if (bytes == 0 || !pht_chunk_settle(walk, header))
        return STEP_BROKEN;
    pht_chunk_end_runs(walk);
    walk->now.tally.arena.overhead_bytes += bytes;
    walk->now.at += bytes;
    return STEP_ENDED;
}

/*
 * And a heap with one of 16 bytes, which may be missing, and one of size 0. Of an old top that was
 * too small to be freed, a chunk of 32 bytes is left, which counts as part of the fence.
 */
static enum step end_at_heap_fence(struct pht_chunk_walk *walk,
                                   const struct pht_chunk_header *header)
{
    struct pht_chunk_position *now = &walk->now;
    struct pht_glibc_arena *arena = &now->tally.arena;

    if (header->bytes == PHT_CHUNK_FENCE_BYTES &&
        now->at == walk->end - 2 * PHT_CHUNK_FENCE_BYTES) {
        if (!pht_chunk_settle(walk, header))
            return STEP_BROKEN;
        arena->overhead_bytes += PHT_CHUNK_FENCE_BYTES;
        now->at += PHT_CHUNK_FENCE_BYTES;
        return STEP_ON;
    }
    if (header->bytes != 0 || now->at != walk->end - PHT_CHUNK_FENCE_BYTES)
        return STEP_BROKEN;
    if (now->pending.address != 0 && header->raw & PHT_CHUNK_PREV_INUSE) {
        arena->overhead_bytes += now->at - now->pending.address;
        now->pending.address = 0;
    }
    if (!pht_chunk_settle(walk, header))
        return STEP_BROKEN;
    pht_chunk_end_runs(walk);
    arena->overhead_bytes += PHT_CHUNK_FENCE_BYTES;
    now->at = walk->end;
    return STEP_ENDED;
}

/* ---- one step
 * ------------------------------------------------------------------------------------
 */

static bool fits(const struct pht_chunk_walk *walk, const struct pht_chunk_header *header)
{
    pht_addr last = walk->top != 0 ? walk->top : walk->end;
    uint64_t foreign = PHT_CHUNK_IS_MMAPPED | (walk->is_main ? PHT_CHUNK_NON_MAIN_ARENA : 0);

    return header->bytes >= PHT_CHUNK_BYTES_MIN && pht_chunk_is_aligned(header->bytes) &&
           header->bytes <= last - walk->now.at && !(header->raw & foreign);
}

static enum step step(struct pht_chunk_walk *walk, struct pht_chunk_header *header)
{
    struct pht_chunk_position *now = &walk->now;
    const uint8_t *bytes;

    if (walk->end - now->at < PHT_CHUNK_HEADER_BYTES)
        return STEP_BROKEN;
    bytes = look(walk, PHT_CHUNK_BYTES_MIN);
    if (bytes == NULL)
        return STEP_UNREADABLE;
    header->prev_size = pht_field_u64(bytes, 0);
    header->raw = pht_field_u64(bytes, 8);
    header->bytes = header->raw & ~(uint64_t)PHT_CHUNK_FLAGS;
    if (now->at == walk->top)
        return end_at_top(walk, now->at, header);
    if (header->bytes < PHT_CHUNK_BYTES_MIN && !walk->is_main && walk->top == 0)
        return end_at_heap_fence(walk, header);
    if (header->bytes == PHT_CHUNK_FENCE_BYTES && walk->is_main)
        return end_at_main_fence(walk, header);
    if (!fits(walk, header) || walk->end - now->at < PHT_CHUNK_BYTES_MIN ||
        !pht_chunk_settle(walk, header))
        return STEP_BROKEN;
    now->pending = (struct pht_pending_chunk){
        .address = now->at,
        .raw = header->raw,
        .words = {pht_field_u64(bytes, 16), pht_field_u64(bytes, 24)},
    };
    now->at += header->bytes;
    return STEP_ON;
}

/* ---- damage
 * --------------------------------------------------------------------------------------
 */

static void look_again(struct pht_chunk_walk *walk)
{
    pht_addr from = walk->before->at, to = walk->now.at + PHT_PAGE_BYTES;

    if (to > walk->end)
        to = walk->end;
    if (from < to && to - from <= 4 * PHT_CHUNK_WINDOW_BYTES)
        pht_snapshot_look_again(walk->snapshot, from, to);
    else
        pht_snapshot_look_again(walk->snapshot, to - PHT_PAGE_BYTES, to);
}

/* Where the arena's top is by now; where it was in the stop, if that cannot be told. */
static pht_addr read_top(struct pht_chunk_walk *walk)
{
    pht_addr top;

    if (pht_snapshot_read(walk->snapshot,
                          walk->arena->address + walk->roots->libc->layout.state_top, &top,
                          sizeof(top)) != PHT_READ_OK ||
        !pht_chunk_addr_is_sane(top))
        return walk->arena->top;
    return top;
}

/*
 * Top may have moved since the roots were copied: down when what was before it was freed, up when
 * chunks were cut from it, or into this piece when a newer one was given back. The piece still
 * ends where it did.
 */
static void follow_top(struct pht_chunk_walk *walk)
{
    pht_addr top = read_top(walk);

    if (top == walk->top || top < walk->before->at || top >= walk->end)
        return;
    walk->top = top;
    walk->changes = true;
}

static bool try_again(struct pht_chunk_walk *walk, const struct pht_chunk_header *header)
{
    pht_addr at = walk->now.at;

    if (walk->tries == 0) {
        walk->broken_at = at;
        walk->broken_raw = header->raw;
        walk->changes = false;
    } else if (at != walk->broken_at || header->raw != walk->broken_raw) {
        walk->changes = true;
    }
    if (walk->tries == TRIES || walk->rereads == REREADS_MAX)
        return false;
    look_again(walk);
    walk->tries++;
    walk->rereads++;
    follow_top(walk);
    bool from_before = walk->tries == TRIES || (walk->top != 0 && walk->top < walk->begin->at);
    walk->now = from_before ? *walk->before : *walk->begin;
    drop_window(walk);
    return true;
}

/* The first place behind `addr` where a chunk is known to begin. */
static pht_addr next_anchor(struct pht_chunk_walk *walk, pht_addr addr)
{
    const struct pht_chunk_addrs *anchors = &walk->anchors;
    size_t low = 0, high;

    if (walk->anchors_of != walk->arena) {
        if (!pht_glibc_bins_collect(walk->snapshot, walk->roots, walk->arena, walk->lists,
                                    &walk->anchors))
            walk->out_of_memory = true;
        walk->anchors_of = walk->arena;
    }
    for (high = anchors->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (anchors->items[middle] <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < anchors->count ? anchors->items[low] : PHT_USER_ADDR_MAX;
}

/* Where chunks end for sure: at top, or at the fence of a heap. */
static pht_addr last_anchor(const struct pht_chunk_walk *walk, pht_addr addr)
{
    if (walk->top != 0)
        return walk->top;
    pht_addr fence = walk->end - 2 * PHT_CHUNK_FENCE_BYTES;
    return !walk->is_main && addr < fence ? fence : walk->end;
}

/* So many chunks in a row, each of which fits to the next, are no accident. */
#define CHAIN_CHUNKS 16

/* True if a chain of chunks begins in the window at `addr`, or top, or the fence of a heap. */
static bool begins_chain(const struct pht_chunk_walk *walk, pht_addr addr, pht_addr last)
{
    uint64_t bytes = 0;

    for (int i = 0; i < CHAIN_CHUNKS && addr < last; i++) {
        if (addr + PHT_CHUNK_HEADER_BYTES > walk->window_start + walk->window_bytes)
            return false;
        const uint8_t *header = walk->window + (addr - walk->window_start);
        uint64_t raw = pht_field_u64(header, 8);
        if (i > 0 && !(raw & PHT_CHUNK_PREV_INUSE) && pht_field_u64(header, 0) != bytes)
            return false;
        bytes = raw & ~(uint64_t)PHT_CHUNK_FLAGS;
        if (bytes < PHT_CHUNK_BYTES_MIN || !pht_chunk_is_aligned(bytes) || bytes > last - addr ||
            raw & PHT_CHUNK_IS_MMAPPED)
            return false;
        addr += bytes;
    }
    return true;
}

/*
 * Where a target is at work, what the bins know is soon out of date; but not far behind, chunks
 * that it is not at work on stand as they should. `last` if there are none in a window.
 */
static pht_addr next_chain(struct pht_chunk_walk *walk, pht_addr addr, pht_addr last)
{
    pht_addr from = pht_round_down(addr, PHT_PAGE_BYTES), at = addr + PHT_CHUNK_ALIGNMENT;
    size_t wanted = walk->end - from < PHT_CHUNK_WINDOW_BYTES ? (size_t)(walk->end - from)
                                                              : PHT_CHUNK_WINDOW_BYTES;

    walk->window_start = from;
    walk->window_bytes =
        pht_snapshot_read_some(walk->snapshot, from, walk->window, wanted, &walk->why);
    while (at < last && at < from + walk->window_bytes && !begins_chain(walk, at, last))
        at += PHT_CHUNK_ALIGNMENT;
    return at < last && at < from + walk->window_bytes ? at : last;
}

/* Begin anew at the next place that is known; what is left out counts as unknown. */
static enum step skip_to(struct pht_chunk_walk *walk, pht_addr from, pht_addr to)
{
    struct pht_chunk_position *now = &walk->now;

    now->tally.arena.unknown_bytes += to - from;
    pht_chunk_end_runs(walk);
    now->pending.address = 0;
    now->at = to;
    save_first_position(walk);
    drop_window(walk);
    return to == walk->end || walk->out_of_memory ? STEP_ENDED : STEP_ON;
}

/* The first place that is in doubt. */
static pht_addr lost_from(const struct pht_chunk_walk *walk)
{
    const struct pht_chunk_position *now = &walk->now;

    return now->pending.address != 0 ? now->pending.address : now->at;
}

/*
 * The arena is not as it was in the stop, or whoever holds its lock was halted in the middle of a
 * change: what makes no sense is no damage.
 */
static bool is_at_work(struct pht_chunk_walk *walk)
{
    uint64_t offset = walk->roots->libc->layout.state_mutex;
    uint32_t mutex;

    if (read_top(walk) != walk->arena->top)
        return true;
    return offset != PHT_UNKNOWN &&
           pht_snapshot_read(walk->snapshot, walk->arena->address + offset, &mutex,
                             sizeof(mutex)) == PHT_READ_OK &&
           mutex != 0;
}

/* What was before the old top was freed, and more than a window of it has become top. */
static bool is_top_by_now(struct pht_chunk_walk *walk, pht_addr from)
{
    pht_addr top = read_top(walk);

    return top != walk->top && top >= walk->start && top < from;
}

static enum step repair(struct pht_chunk_walk *walk, const struct pht_chunk_header *header)
{
    if (try_again(walk, header))
        return STEP_ON;
    pht_addr from = lost_from(walk), last = last_anchor(walk, from), to = last;
    if (is_top_by_now(walk, from)) {
        walk->torn_chunks++;
        walk->now.pending.address = 0;
        return end_at_top(walk, from, header);
    }
    if (walk->changes || is_at_work(walk)) {
        walk->torn_chunks++;
        to = next_chain(walk, from, last);
    } else {
        walk->damaged_chunks++;
    }
    if (to == last)
        to = next_anchor(walk, from);
    return skip_to(walk, from, to < last ? to : last);
}

/* Swapped pages stay in swap; any other page has gone since, and so has what lay behind it. */
static enum step pass_over(struct pht_chunk_walk *walk)
{
    pht_addr from = lost_from(walk), last = last_anchor(walk, from);

    if (walk->now.at == walk->top)
        return end_at_top(walk, walk->top, &(struct pht_chunk_header){.raw = PHT_CHUNK_PREV_INUSE});
    if (walk->why != PHT_READ_SWAPPED) {
        walk->torn_chunks++;
        return skip_to(walk, from, last);
    }
    walk->swapped_pages++;
    pht_addr to = next_anchor(walk, from);
    return skip_to(walk, from, to < last ? to : last);
}

/* ---- the whole ---------------------------------------------------------------------------- */

pht_addr pht_chunk_walk_piece(struct pht_chunk_walk *walk, pht_addr start, pht_addr end)
{
    enum step next = STEP_ON;
    pht_addr top = walk->arena->top;

    walk->start = start;
    walk->end = end;
    walk->top = top >= start && top < end ? top : 0;
    walk->now.at = start;
    walk->now.pending.address = 0;
    walk->now.fast = walk->fast != NULL ? pht_listed_chunks_find(walk->fast, start) : 0;
    walk->now.tcache = pht_listed_chunks_find(&walk->lists->tcache, start);
    save_first_position(walk);
    walk->broken_at = 0;
    drop_window(walk);
    while (next == STEP_ON) {
        struct pht_chunk_header header = {0};
        next = step(walk, &header);
        if (next == STEP_BROKEN)
            next = repair(walk, &header);
        else if (next == STEP_UNREADABLE)
            next = pass_over(walk);
    }
    return walk->now.at;
}

void pht_chunk_walk_deinit(struct pht_chunk_walk *walk)
{
    free(walk->anchors.items);
    free(walk->guessed.items);
    free(walk->runs.items);
    free(walk->runs_flushed.items);
}
