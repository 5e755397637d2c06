#include "walk/glibc_chunks.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/work.h"
#include "walk/field.h"
#include "walk/glibc_repair.h"
#include "walk/glibc_settle.h"
#include "walk/glibc_top.h"

/* Of a chunk, for the census. */
#define HEAD_BYTES (PHT_CHUNK_HEADER_BYTES + PHT_CENSUS_HEAD_BYTES)

/* ---- the window --------------------------------------------------------------------------- */

void pht_chunk_drop_window(struct pht_chunk_walk *walk)
{
    walk->window_bytes = 0;
    walk->ahead = PHT_PAGE_BYTES;
}

static void settle_position(struct pht_claim_position *position, size_t count)
{
    position->count -= count;
    position->sealed -= count;
}

/* The walk goes back behind the first `count` claims no more. */
static void settle_claims(struct pht_chunk_walk *walk, size_t count)
{
    pht_chunk_claims_settle(&walk->claims, count);
    for (unsigned i = 0; i < walk->saved_count; i++)
        settle_position(&pht_chunk_saved(walk, i)->claims, count);
    settle_position(&walk->now.claims, count);
}

/* As far back as `windows`; so many are saved. */
struct pht_chunk_position *pht_chunk_saved(struct pht_chunk_walk *walk, unsigned windows)
{
    return &walk->saved[(walk->newest + PHT_CHUNK_POSITIONS - windows) % PHT_CHUNK_POSITIONS];
}

static void save_position(struct pht_chunk_walk *walk)
{
    /* What is saved does not grow: the walk may come back to it. */
    walk->now.claims.sealed = walk->now.claims.count;
    walk->newest = (walk->newest + 1) % PHT_CHUNK_POSITIONS;
    walk->saved[walk->newest] = walk->now;
    if (walk->saved_count < PHT_CHUNK_POSITIONS)
        walk->saved_count++;
    settle_claims(walk, pht_chunk_saved(walk, (unsigned)walk->saved_count - 1)->claims.count);
    walk->tries = 0;
}

void pht_chunk_save_first_position(struct pht_chunk_walk *walk)
{
    walk->saved_count = 0;
    walk->now.claims.sealed = walk->now.claims.count;
    settle_claims(walk, walk->now.claims.count);
    save_position(walk);
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
    walk->is_cancelled =
        !pht_work_reach(pht_snapshot_work(walk->snapshot), walk->passed_bytes + (at - walk->start));
    /* Two pages at least: a header may stand on the border between them. */
    walk->ahead = at > behind + PHT_PAGE_BYTES ? 2 * (size_t)PHT_PAGE_BYTES : 2 * walk->ahead;
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

/* ---- claims ------------------------------------------------------------------------------- */

void pht_chunk_claim(struct pht_chunk_walk *walk, pht_addr start, pht_addr end,
                     enum pht_category category)
{
    if (!pht_chunk_claims_add(&walk->claims, &walk->now.claims, start, end, category))
        walk->out_of_memory = true;
}

void pht_chunk_claim_live(struct pht_chunk_walk *walk, pht_addr start, pht_addr end)
{
    const struct pht_pending_chunk *chunk = &walk->now.pending;

    if (!pht_chunk_claims_add_live(&walk->claims, &walk->now.claims, start, end, chunk->head,
                                   chunk->head_bytes))
        walk->out_of_memory = true;
}

static void add_overhead(struct pht_chunk_walk *walk, pht_addr start, pht_addr end)
{
    walk->now.tally.arena.overhead_bytes += end - start;
    pht_chunk_claim(walk, start, end, PHT_CATEGORY_MALLOC_UNOWNED);
}

/* ---- ends --------------------------------------------------------------------------------- */

enum pht_chunk_step pht_chunk_end_at_top(struct pht_chunk_walk *walk, pht_addr top,
                                         const struct pht_chunk_header *header)
{
    if (!pht_chunk_settle(walk, header))
        return PHT_STEP_BROKEN;
    pht_chunk_tally_add_top(&walk->now.tally, top, walk->end - top);
    pht_chunk_claim(walk, top, walk->end, PHT_CATEGORY_MALLOC_TOP);
    walk->now.top = top;
    walk->now.top_end = walk->end;
    if (!pht_free_run_end_at_top(&walk->now.run, &walk->runs) ||
        !pht_free_run_end_at_top(&walk->now.run_flushed, &walk->runs_flushed))
        walk->out_of_memory = true;
    walk->now.at = walk->end;
    return PHT_STEP_ENDED;
}

/* Two chunks of 16 bytes, or three if the old top had no more than 48, up to the end of a page. */
static size_t main_fence_bytes(struct pht_chunk_walk *walk)
{
    pht_addr at = walk->now.at;
    size_t bytes = (size_t)(pht_round_up(at, PHT_PAGE_BYTES) - at);

    if (bytes > walk->end - at || bytes < 2 * PHT_CHUNK_FENCE_BYTES ||
        bytes > 3 * PHT_CHUNK_FENCE_BYTES)
        return 0;
    const uint8_t *fence = look(walk, bytes);
    if (fence == NULL)
        return 0;
    for (size_t i = 0; i < bytes; i += PHT_CHUNK_FENCE_BYTES) {
        if (pht_chunk_bytes(pht_field_u64(fence, i + 8)) != PHT_CHUNK_FENCE_BYTES)
            return 0;
    }
    return bytes;
}

/* sysmalloc() ends a piece of the main arena, which ends with a page, with chunks of 16 bytes. */
static enum pht_chunk_step end_at_main_fence(struct pht_chunk_walk *walk,
                                             const struct pht_chunk_header *header)
{
    size_t bytes = main_fence_bytes(walk);

    if (bytes == 0 || !pht_chunk_settle(walk, header))
        return PHT_STEP_BROKEN;
    pht_chunk_end_runs(walk);
    add_overhead(walk, walk->now.at, walk->now.at + bytes);
    walk->now.at += bytes;
    return PHT_STEP_ENDED;
}

/*
 * And a heap with one of 16 bytes, which may be missing, and one of size 0. Of an old top that was
 * too small to be freed, a chunk of 32 bytes is left, which counts as part of the fence.
 */
static enum pht_chunk_step end_at_heap_fence(struct pht_chunk_walk *walk,
                                             const struct pht_chunk_header *header)
{
    struct pht_chunk_position *now = &walk->now;

    if (header->bytes == PHT_CHUNK_FENCE_BYTES &&
        now->at == walk->end - 2 * PHT_CHUNK_FENCE_BYTES) {
        if (!pht_chunk_settle(walk, header))
            return PHT_STEP_BROKEN;
        add_overhead(walk, now->at, now->at + PHT_CHUNK_FENCE_BYTES);
        now->at += PHT_CHUNK_FENCE_BYTES;
        return PHT_STEP_ON;
    }
    if (header->bytes != 0 || now->at != walk->end - PHT_CHUNK_FENCE_BYTES)
        return PHT_STEP_BROKEN;
    if (now->pending.address != 0 && header->raw & PHT_CHUNK_PREV_INUSE) {
        add_overhead(walk, now->pending.address, now->at);
        now->pending.address = 0;
    }
    if (!pht_chunk_settle(walk, header))
        return PHT_STEP_BROKEN;
    pht_chunk_end_runs(walk);
    add_overhead(walk, now->at, now->at + PHT_CHUNK_FENCE_BYTES);
    now->at = walk->end;
    return PHT_STEP_ENDED;
}

/* What the last chunk is shows in the header behind it, in what the piece got since the stop. */
static bool settle_last(struct pht_chunk_walk *walk, struct pht_chunk_header *header)
{
    pht_addr at = walk->now.at;
    uint8_t bytes[PHT_CHUNK_HEADER_BYTES];

    pht_snapshot_look_again(walk->snapshot, at, at + sizeof(bytes));
    if (pht_snapshot_read(walk->snapshot, at, bytes, sizeof(bytes)) != PHT_READ_OK)
        return false;
    *header = pht_chunk_read_header(walk, at, bytes);
    bool ends = at == walk->top || (walk->top == 0 && header->bytes <= PHT_CHUNK_FENCE_BYTES);
    return (ends || pht_chunk_fits(walk, at, header)) && pht_chunk_settle(walk, header);
}

static enum pht_chunk_step end_in_growth(struct pht_chunk_walk *walk,
                                         struct pht_chunk_header *header)
{
    if (!pht_chunk_has_grown(walk) ||
        (walk->now.pending.address != 0 && !settle_last(walk, header)))
        return PHT_STEP_BROKEN;
    pht_chunk_end_runs(walk);
    walk->now.at = walk->end;
    return PHT_STEP_ENDED;
}

/* ---- one step ----------------------------------------------------------------------------- */

/* For the census; as much as the window has of it. */
static void keep_head(struct pht_chunk_walk *walk, const uint8_t *memory)
{
    struct pht_pending_chunk *chunk = &walk->now.pending;
    size_t left = walk->window_bytes - (size_t)(memory - walk->window);
    uint64_t bytes = pht_chunk_bytes(chunk->raw) - sizeof(uint64_t);

    chunk->head_bytes = 0;
    if (walk->claims.census == NULL || memory > walk->window + walk->window_bytes)
        return;
    if (bytes > left)
        bytes = left;
    if (bytes > sizeof(chunk->head))
        bytes = sizeof(chunk->head);
    memcpy(chunk->head, memory, bytes);
    chunk->head_bytes = (uint32_t)bytes;
}

/* What of a chunk can be read: a header may be the last of its page, with the next one in swap. */
static const uint8_t *look_at_chunk(struct pht_chunk_walk *walk, size_t *looked)
{
    static const size_t sizes[] = {HEAD_BYTES, PHT_CHUNK_BYTES_MIN, PHT_CHUNK_HEADER_BYTES};

    for (size_t i = walk->claims.census != NULL ? 0 : 1; i < 3; i++) {
        const uint8_t *bytes = look(walk, sizes[i]);
        *looked = sizes[i];
        if (bytes != NULL)
            return bytes;
    }
    return NULL;
}

static enum pht_chunk_step step(struct pht_chunk_walk *walk, struct pht_chunk_header *header)
{
    struct pht_chunk_position *now = &walk->now;
    const uint8_t *bytes;
    size_t looked;

    if (now->at >= walk->end)
        return end_in_growth(walk, header);
    if (walk->end - now->at < PHT_CHUNK_HEADER_BYTES)
        return PHT_STEP_BROKEN;
    bytes = look_at_chunk(walk, &looked);
    if (bytes == NULL)
        return PHT_STEP_UNREADABLE;
    *header = pht_chunk_read_header(walk, now->at, bytes);
    if (now->at == walk->top)
        return pht_chunk_end_at_top(walk, now->at, header);
    if (header->bytes < PHT_CHUNK_BYTES_MIN && !walk->is_main && walk->top == 0)
        return end_at_heap_fence(walk, header);
    if (header->bytes == PHT_CHUNK_FENCE_BYTES && walk->is_main)
        return end_at_main_fence(walk, header);
    bool is_whole = walk->end - now->at >= PHT_CHUNK_BYTES_MIN;
    if (!pht_chunk_fits(walk, now->at, header) || (!is_whole && !pht_chunk_has_grown(walk)) ||
        !pht_chunk_settle(walk, header))
        return PHT_STEP_BROKEN;
    now->pending.address = now->at;
    now->pending.raw = header->raw;
    bool has_words = is_whole && looked >= PHT_CHUNK_BYTES_MIN;
    now->pending.words[0] = has_words ? pht_field_u64(bytes, 16) : 0;
    now->pending.words[1] = has_words ? pht_field_u64(bytes, 24) : 0;
    keep_head(walk, bytes + PHT_CHUNK_HEADER_BYTES);
    now->at += header->bytes;
    return PHT_STEP_ON;
}

/* ---- the whole ---------------------------------------------------------------------------- */

pht_addr pht_chunk_walk_piece(struct pht_chunk_walk *walk, pht_addr start, pht_addr end)
{
    enum pht_chunk_step next = PHT_STEP_ON;
    pht_addr top = walk->arena->top;

    walk->start = start;
    walk->end = end;
    walk->top = top >= start && top < end ? top : 0;
    walk->reach = end;
    walk->now.at = start;
    walk->now.pending.address = 0;
    walk->now.fast = walk->fast != NULL ? pht_listed_chunks_find(walk->fast, start) : 0;
    walk->now.tcache = pht_listed_chunks_find(&walk->lists->tcache, start);
    pht_chunk_save_first_position(walk);
    walk->broken_at = 0;
    pht_chunk_drop_window(walk);
    while (next == PHT_STEP_ON && !walk->is_cancelled) {
        struct pht_chunk_header header = {0};
        next = step(walk, &header);
        if (next == PHT_STEP_BROKEN)
            next = pht_chunk_repair(walk, &header);
        else if (next == PHT_STEP_UNREADABLE)
            next = pht_chunk_pass_over(walk);
    }
    if (walk->is_cancelled)
        walk->now.at = end;
    walk->saved_count = 0;
    walk->now.claims.sealed = walk->now.claims.count;
    settle_claims(walk, walk->now.claims.count);
    walk->passed_bytes += walk->now.at - start;
    return walk->now.at;
}

void pht_chunk_walk_deinit(struct pht_chunk_walk *walk)
{
    free(walk->anchors.items);
    free(walk->unsorted.items);
    free(walk->guessed.items);
    free(walk->runs.items);
    free(walk->runs_flushed.items);
    free(walk->claims.waiting.items);
}
