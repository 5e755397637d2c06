#include "walk/glibc_main.h"

#include "base/checked.h"
#include "walk/word_reader.h"

/* So many chunks in a row are no accident, and no trick that anyone plays. */
#define CHAIN_CHUNKS 4096

/* ---- where a piece may begin -------------------------------------------------------------- */

struct search {
    struct pht_chunk_walk *walk;
    struct pht_word_reader *reader;
    struct pht_ranges *pieces; /* sorted, and what is taken by others */
};

static bool read_bytes(struct search *search, pht_addr chunk, uint64_t *raw, uint64_t *bytes)
{
    if (!pht_word_read(search->reader, chunk + sizeof(uint64_t), raw))
        return false;
    *bytes = pht_chunk_bytes(*raw);
    return true;
}

static bool is_fence(struct search *search, pht_addr chunk, pht_addr end)
{
    uint64_t raw, bytes;

    return end - chunk >= 2 * PHT_CHUNK_FENCE_BYTES &&
           read_bytes(search, chunk + PHT_CHUNK_FENCE_BYTES, &raw, &bytes) &&
           bytes == PHT_CHUNK_FENCE_BYTES;
}

/*
 * A chain of chunks of the main arena from `addr` on, that holds together for a while, or ends at
 * top or a fence. The first chunk of a piece has nothing free before it.
 */
static bool begins_at(struct search *search, pht_addr addr, pht_addr end)
{
    pht_addr top = search->walk->arena->top;
    uint64_t raw, bytes;

    for (int i = 0; i < CHAIN_CHUNKS; i++) {
        if (end - addr < PHT_CHUNK_BYTES_MIN || !read_bytes(search, addr, &raw, &bytes) ||
            (raw & (PHT_CHUNK_IS_MMAPPED | PHT_CHUNK_NON_MAIN_ARENA)) != 0 ||
            (i == 0 && !(raw & PHT_CHUNK_PREV_INUSE)))
            return false;
        if (addr == top)
            return true;
        if (bytes == PHT_CHUNK_FENCE_BYTES)
            return i > 0 && is_fence(search, addr, end);
        if (bytes < PHT_CHUNK_BYTES_MIN || !pht_chunk_is_aligned(bytes) || bytes > end - addr)
            return false;
        addr += bytes;
    }
    return true;
}

/* The first piece in [from, end) that begins at a multiple of `step`; `end` if there is none. */
static pht_addr find_piece(struct search *search, pht_addr from, pht_addr end, uint64_t step)
{
    for (pht_addr at = pht_round_up(from, step); at < end; at += step) {
        pht_addr page = pht_snapshot_next_resident(search->walk->snapshot,
                                                   pht_round_down(at, PHT_PAGE_BYTES), end);
        if (page > at)
            at = page;
        if (at < end && begins_at(search, at, end))
            return at;
    }
    return end;
}

/* ---- by brk ------------------------------------------------------------------------------- */

static bool add_piece(struct search *search, pht_addr start, pht_addr end)
{
    if (!pht_ranges_add(search->pieces, start, end))
        return false;
    pht_ranges_sort(search->pieces);
    return true;
}

/* What others took from brk in between counts as malloc's: sysmalloc() adds it to system_mem. */
static bool walk_contiguous(struct search *search, const struct pht_malloc_heap *heap)
{
    struct pht_chunk_walk *walk = search->walk;

    for (pht_addr at = heap->start; at < heap->end;) {
        at = pht_chunk_walk_piece(walk, at, heap->end);
        if (at >= heap->end || walk->out_of_memory)
            break;
        pht_word_reader_clear(search->reader);
        pht_addr piece = find_piece(search, at, heap->end, PHT_CHUNK_ALIGNMENT);
        walk->now.tally.arena.foreign_bytes += piece - at;
        at = piece;
    }
    walk->now.tally.arena.resident_bytes +=
        pht_snapshot_resident_bytes(walk->snapshot, heap->address, heap->end);
    return add_piece(search, heap->address, heap->end);
}

/* ---- by mmap ------------------------------------------------------------------------------ */

/* Returns where the piece ends. */
static pht_addr walk_piece(struct search *search, pht_addr address, pht_addr start, pht_addr limit)
{
    struct pht_chunk_walk *walk = search->walk;
    const struct pht_malloc_heap *last = &walk->roots->heaps.items[walk->arena->first_heap];
    pht_addr top = walk->arena->top;

    if (start <= top && top < limit)
        limit = last->end;
    pht_addr end = pht_chunk_walk_piece(walk, start, limit);
    walk->now.tally.arena.overhead_bytes += start - address;
    pht_owners_claim(walk->claims.owners, address, start, PHT_CATEGORY_MALLOC_UNOWNED);
    walk->now.tally.arena.heaps++;
    walk->now.tally.arena.resident_bytes +=
        pht_snapshot_resident_bytes(walk->snapshot, address, end);
    if (!add_piece(search, address, end))
        walk->out_of_memory = true;
    return end;
}

static void take_from(uint64_t *left, uint64_t bytes)
{
    *left -= bytes < *left ? bytes : *left;
}

/* Pieces that mmap gave begin with a page. `*left` is what the arena still has, as it says. */
static void walk_mapping(struct search *search, pht_addr at, pht_addr end, uint64_t *left)
{
    while (at < end && *left != 0 && !search->walk->out_of_memory) {
        const struct pht_range *taken = pht_ranges_find(search->pieces, at);
        pht_addr until = taken != NULL && taken->start < end ? taken->start : end;
        pht_addr piece = at < until ? find_piece(search, at, until, PHT_PAGE_BYTES) : until;
        if (piece < until) {
            at = walk_piece(search, piece, piece, until);
            take_from(left, at - piece);
        } else {
            at = taken != NULL && taken->start < end ? taken->end : end;
        }
    }
}

/*
 * Where brk served malloc, there may be several pieces, and what others took from it in between
 * counts as malloc's while the arena was contiguous. Returns how much lies in between.
 */
static uint64_t walk_brk(struct search *search, const struct pht_malloc_heap *heap, pht_addr end,
                         uint64_t *left)
{
    uint64_t between = 0;
    pht_addr at = walk_piece(search, heap->address, heap->start, end);

    take_from(left, at - heap->address);
    while (at < end && *left != 0 && !search->walk->out_of_memory) {
        pht_word_reader_clear(search->reader);
        pht_addr piece = find_piece(search, at, end, PHT_CHUNK_ALIGNMENT);
        if (piece >= end)
            break;
        between += piece - at;
        at = walk_piece(search, piece, piece, end);
        take_from(left, at - piece);
    }
    return between;
}

/* What was not found, and what was given up in a piece whose end is not known. */
static void add_missing(struct pht_glibc_arena *arena, uint64_t between)
{
    uint64_t found = arena->live_bytes + arena->free_bytes + arena->tcache_bytes +
                     arena->top_bytes + arena->overhead_bytes;
    uint64_t missing = found < arena->system_bytes ? arena->system_bytes - found : 0;

    arena->foreign_bytes = missing < between ? missing : between;
    arena->unknown_bytes = missing - arena->foreign_bytes;
}

static bool walk_noncontiguous(struct search *search, const struct pht_malloc_heap *heap)
{
    struct pht_chunk_walk *walk = search->walk;
    const struct pht_mapping *first =
        pht_maps_find(pht_snapshot_maps(walk->snapshot), heap->address);
    pht_addr current_break = walk->roots->current_break;
    uint64_t left = walk->arena->system_bytes, between = 0;

    walk->now.tally.arena.heaps = 0;
    if (first != NULL && pht_glibc_may_own(first)) {
        pht_addr end = first->end;
        if (current_break > heap->start && current_break <= end)
            between = walk_brk(search, heap, pht_round_up(current_break, PHT_PAGE_BYTES), &left);
        else
            walk_mapping(search, heap->start, end, &left);
    }
    for (size_t i = 0; i < pht_snapshot_maps(walk->snapshot)->count; i++) {
        const struct pht_mapping *mapping = &pht_snapshot_maps(walk->snapshot)->items[i];
        if (pht_glibc_may_own(mapping))
            walk_mapping(search, mapping->start, mapping->end, &left);
    }
    add_missing(&walk->now.tally.arena, between);
    return !walk->out_of_memory;
}

bool pht_glibc_walk_main(struct pht_chunk_walk *walk, const struct pht_ranges *taken,
                         struct pht_ranges *ret)
{
    const struct pht_malloc_heap *heap = &walk->roots->heaps.items[walk->arena->first_heap];
    struct search search = {.walk = walk, .pieces = ret};
    bool walked = false;

    search.reader = pht_word_reader_create(walk->snapshot);
    if (search.reader == NULL || !pht_ranges_copy(taken, ret)) {
        pht_word_reader_destroy(search.reader);
        return false;
    }
    if (walk->arena->is_contiguous) {
        walk->now.tally.arena.overhead_bytes += heap->start - heap->address;
        pht_owners_claim(walk->claims.owners, heap->address, heap->start,
                         PHT_CATEGORY_MALLOC_UNOWNED);
        walked = walk_contiguous(&search, heap);
    } else {
        walked = walk_noncontiguous(&search, heap);
    }
    pht_word_reader_destroy(search.reader);
    return walked && !walk->out_of_memory;
}
