#include "walk/glibc_top.h"

#include "base/checked.h"

pht_addr pht_chunk_read_top(struct pht_chunk_walk *walk)
{
    pht_addr top;

    if (pht_snapshot_read(walk->snapshot,
                          walk->arena->address + walk->roots->libc->layout.state_top, &top,
                          sizeof(top)) != PHT_READ_OK ||
        !pht_chunk_addr_is_sane(top))
        return walk->arena->top;
    return top;
}

static pht_addr heap_of(const struct pht_chunk_walk *walk, pht_addr addr)
{
    return pht_round_down(addr, pht_glibc_heap_max_bytes(walk->roots));
}

/* In the piece, or in what a heap, or brk, can have given it since. */
static bool is_in_piece(const struct pht_chunk_walk *walk, pht_addr top)
{
    if (top < walk->start)
        return false;
    if (top < walk->end)
        return true;
    return walk->is_main ? walk->arena->is_contiguous
                         : heap_of(walk, top) == heap_of(walk, walk->start);
}

/* A heap that is no longer the newest ends with a fence, by now perhaps behind where it ended. */
static pht_addr heap_end(struct pht_chunk_walk *walk)
{
    pht_addr heap = heap_of(walk, walk->start);
    uint64_t bytes;

    if (pht_snapshot_read(walk->snapshot, heap + walk->roots->libc->layout.heap_size, &bytes,
                          sizeof(bytes)) != PHT_READ_OK ||
        bytes > pht_glibc_heap_max_bytes(walk->roots) || heap + bytes < walk->end)
        return walk->end;
    return heap + bytes;
}

void pht_chunk_follow_top(struct pht_chunk_walk *walk, pht_addr from)
{
    pht_addr top = pht_chunk_read_top(walk);

    if (top == walk->top)
        return;
    if (is_in_piece(walk, top)) {
        if (top < from)
            return;
        walk->top = top;
    } else if (walk->top != 0 && !walk->is_main) {
        walk->top = 0;
        walk->reach = heap_end(walk);
    } else {
        return;
    }
    walk->changes = true;
}

bool pht_chunk_has_grown(const struct pht_chunk_walk *walk)
{
    return walk->top != 0 ? walk->top >= walk->end : walk->reach > walk->end;
}

bool pht_chunk_is_top_by_now(struct pht_chunk_walk *walk, pht_addr from)
{
    pht_addr top = pht_chunk_read_top(walk);

    return top != walk->top && top >= walk->start && top < from;
}
