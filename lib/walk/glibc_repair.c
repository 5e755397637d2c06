#include "walk/glibc_repair.h"

#include "base/checked.h"
#include "base/sorted.h"
#include "walk/field.h"
#include "walk/glibc_rejoin.h"
#include "walk/glibc_settle.h"
#include "walk/glibc_top.h"

/* Before damage is believed, it is read so often, each time from a window earlier on. */
#define TRIES PHT_CHUNK_POSITIONS

/* And the two ends of a chunk, before that. */
#define PAIRS 2

/* And the chunks around a place where the walk has lost its way. */
#define COVERS 3

/*
 * A thread that was halted with a chunk in its hands gets the processor again some time. So often,
 * of one walk, it is waited for, and so long.
 */
#define WAITS_MAX 10
#define WAIT_US 2000

/* Of one walk; a target that is damaged all over is not read over and over. */
#define REREADS_MAX 4096

/* The first place that is in doubt. */
static pht_addr lost_from(const struct pht_chunk_walk *walk)
{
    const struct pht_chunk_position *now = &walk->now;

    return now->pending.address != 0 ? now->pending.address : now->at;
}

/* As far back as `windows`, or as is known. */
static struct pht_chunk_position *position_before(struct pht_chunk_walk *walk, unsigned windows)
{
    unsigned known = (unsigned)walk->saved_count - 1;

    return pht_chunk_saved(walk, windows < known ? windows : known);
}

static void look_again(struct pht_chunk_walk *walk, pht_addr from, pht_addr to)
{
    if (to > walk->end)
        to = walk->end;
    if (from >= to || to - from > 4 * PHT_CHUNK_WINDOW_BYTES)
        from = to - PHT_PAGE_BYTES;
    pht_snapshot_look_again(walk->snapshot, from, to);
}

/* The header of the chunk that was pending then is read again, too. */
static void go_back(struct pht_chunk_walk *walk, unsigned windows)
{
    while (windows + 1 < walk->saved_count && walk->top != 0 &&
           position_before(walk, windows)->at > walk->top)
        windows++;
    walk->now = *position_before(walk, windows);
    /* What was saved behind this holds no longer. */
    for (unsigned i = 0; i < windows && i + 1 < walk->saved_count; i++)
        *position_before(walk, i) = walk->now;
    walk->now.at = lost_from(walk);
    walk->now.pending.address = 0;
    pht_chunk_drop_window(walk);
}

/*
 * Between the reads of a chunk's two ends, some time passes, more of it the larger the chunk is;
 * what malloc is at work on may never agree. So they are read in one go.
 */
static bool settle_anew(struct pht_chunk_walk *walk)
{
    for (int i = 0; i < PAIRS && walk->now.pending.address != 0 && walk->rereads < REREADS_MAX;
         i++) {
        walk->rereads++;
        if (pht_chunk_settle_anew(walk)) {
            pht_chunk_drop_window(walk);
            return true;
        }
    }
    return false;
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
    look_again(walk, position_before(walk, walk->tries)->at, at + PHT_PAGE_BYTES);
    walk->tries++;
    walk->rereads++;
    pht_chunk_follow_top(walk, position_before(walk, PHT_CHUNK_POSITIONS)->at);
    go_back(walk, walk->tries - 1);
    return true;
}

/* The first place behind `addr` where a chunk is known to begin. */
static pht_addr next_anchor(struct pht_chunk_walk *walk, pht_addr addr)
{
    const struct pht_chunk_addrs *anchors = &walk->anchors;

    if (walk->anchors_of != walk->arena) {
        if (!pht_glibc_bins_collect(walk->snapshot, walk->roots, walk->arena, walk->lists,
                                    &walk->anchors))
            walk->out_of_memory = true;
        walk->anchors_of = walk->arena;
    }
    size_t next =
        pht_sorted_find(anchors->items, anchors->count, sizeof(anchors->items[0]), addr + 1);
    return next < anchors->count ? anchors->items[next] : PHT_USER_ADDR_MAX;
}

/* Where chunks end for sure: at top, or at the fence of a heap. */
static pht_addr last_anchor(const struct pht_chunk_walk *walk, pht_addr addr)
{
    if (pht_chunk_has_grown(walk))
        return walk->end;
    if (walk->top != 0)
        return walk->top;
    pht_addr fence = walk->end - 2 * PHT_CHUNK_FENCE_BYTES;
    return !walk->is_main && addr < fence ? fence : walk->end;
}

static enum pht_chunk_step begin_at(struct pht_chunk_walk *walk, pht_addr at)
{
    pht_chunk_end_runs(walk);
    walk->now.pending.address = 0;
    walk->now.at = at;
    pht_chunk_save_first_position(walk);
    pht_chunk_drop_window(walk);
    return at == walk->end || walk->out_of_memory ? PHT_STEP_ENDED : PHT_STEP_ON;
}

/* Begin anew at the next place that is known; what is left out counts as unknown. */
static enum pht_chunk_step skip_to(struct pht_chunk_walk *walk, pht_addr from, pht_addr to)
{
    walk->now.tally.arena.unknown_bytes += to - from;
    return begin_at(walk, to);
}

/* Where a chain begins in what is resident behind the place that is in swap. */
static pht_addr next_resident_chain(struct pht_chunk_walk *walk, pht_addr last)
{
    pht_addr page = pht_round_down(walk->now.at, PHT_PAGE_BYTES) + PHT_PAGE_BYTES;

    if (walk->rereads >= REREADS_MAX || page >= last)
        return last;
    page = pht_snapshot_next_resident(walk->snapshot, page, last);
    return page < last ? pht_chunk_next_chain(walk, page - PHT_CHUNK_ALIGNMENT, last) : last;
}

static enum pht_chunk_step skip_swapped(struct pht_chunk_walk *walk)
{
    walk->swapped_pages++;
    pht_chunk_settle_owned(walk);
    pht_addr from = lost_from(walk), last = last_anchor(walk, from);
    pht_addr chain = next_resident_chain(walk, last), to = next_anchor(walk, from);
    return skip_to(walk, from, to < chain ? to : chain);
}

static bool is_locked(struct pht_chunk_walk *walk)
{
    uint64_t offset = walk->roots->libc->layout.state_mutex;
    uint32_t mutex;

    return offset != PHT_UNKNOWN &&
           pht_snapshot_read(walk->snapshot, walk->arena->address + offset, &mutex,
                             sizeof(mutex)) == PHT_READ_OK &&
           mutex != 0;
}

/*
 * The arena is not as it was in the stop, or whoever holds its lock was halted in the middle of a
 * change: what makes no sense is no damage.
 */
static bool is_at_work(struct pht_chunk_walk *walk)
{
    return pht_chunk_read_top(walk) != walk->arena->top || is_locked(walk);
}

/* All from `from` on was freed since the stop, and became part of top. */
static enum pht_chunk_step end_at_new_top(struct pht_chunk_walk *walk, pht_addr from)
{
    walk->torn_chunks++;
    walk->now.pending.address = 0;
    return pht_chunk_end_at_top(walk, from,
                                &(struct pht_chunk_header){.raw = PHT_CHUNK_PREV_INUSE});
}

/* All before `from` was counted as what it was then; the rest of that chunk is what it is now. */
static bool rejoin_now(struct pht_chunk_walk *walk, pht_addr from, pht_addr last,
                       enum pht_chunk_step *step)
{
    struct pht_chunk_cover cover;

    for (int i = 0; i < COVERS && walk->rereads < REREADS_MAX; i++) {
        if (!pht_chunk_find_cover(walk, from, last, &cover))
            continue;
        pht_addr end = cover.end < walk->end ? cover.end : walk->end;
        pht_chunk_settle_rest(walk, from, end, cover.in_use);
        *step = begin_at(walk, end);
        return true;
    }
    return false;
}

/* Whoever has the lock may be at work on what makes no sense. */
static bool rejoin(struct pht_chunk_walk *walk, pht_addr from, pht_addr last,
                   enum pht_chunk_step *step)
{
    bool was_locked;

    do {
        was_locked = is_locked(walk);
        if (rejoin_now(walk, from, last, step))
            return true;
    } while (was_locked && walk->waits++ < WAITS_MAX && pht_snapshot_wait(walk->snapshot, WAIT_US));
    return false;
}

enum pht_chunk_step pht_chunk_repair(struct pht_chunk_walk *walk,
                                     const struct pht_chunk_header *header)
{
    if (settle_anew(walk) || try_again(walk, header))
        return PHT_STEP_ON;
    pht_addr from = lost_from(walk);
    if (pht_chunk_is_top_by_now(walk, from))
        return end_at_new_top(walk, from);
    pht_chunk_follow_top(walk, from);
    pht_addr last = last_anchor(walk, from), to = last;
    if (walk->changes || is_at_work(walk)) {
        enum pht_chunk_step step;
        walk->torn_chunks++;
        if (rejoin(walk, from, last, &step))
            return step;
        if (walk->rereads < REREADS_MAX)
            to = pht_chunk_next_chain(walk, from, last);
    } else {
        walk->damaged_chunks++;
    }
    if (to == last)
        to = next_anchor(walk, from);
    return skip_to(walk, from, to < last ? to : last);
}

enum pht_chunk_step pht_chunk_pass_over(struct pht_chunk_walk *walk)
{
    if (walk->now.at == walk->top)
        return pht_chunk_end_at_top(walk, walk->top,
                                    &(struct pht_chunk_header){.raw = PHT_CHUNK_PREV_INUSE});
    if (walk->why == PHT_READ_SWAPPED)
        return skip_swapped(walk);
    if (try_again(walk, &(struct pht_chunk_header){0}))
        return PHT_STEP_ON;
    pht_addr from = lost_from(walk);
    if (pht_chunk_is_top_by_now(walk, from))
        return end_at_new_top(walk, from);
    walk->torn_chunks++;
    return skip_to(walk, from, last_anchor(walk, from));
}
