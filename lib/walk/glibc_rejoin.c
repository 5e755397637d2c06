#include "walk/glibc_rejoin.h"

#include "base/checked.h"
#include "walk/field.h"
#include "walk/glibc_top.h"

#define CHAIN_CHUNKS 16

/* So far before a place, at most, a chain is looked for that leads across it. */
#define BEFORE_BYTES_MAX ((uint64_t)1 << 20)

/* Headers outside the window, of one search. Large chunks lead there, and much that is no chunk. */
#define READS_MAX 256

struct search {
    struct pht_chunk_walk *walk;
    pht_addr last;
    unsigned reads;
};

/* Anew, in one go. */
static void read_window(struct pht_chunk_walk *walk, pht_addr from)
{
    size_t wanted = walk->end - from < PHT_CHUNK_WINDOW_BYTES ? (size_t)(walk->end - from)
                                                              : PHT_CHUNK_WINDOW_BYTES;

    walk->rereads++;
    walk->window_start = from;
    walk->window_bytes =
        pht_snapshot_read_some(walk->snapshot, from, walk->window, wanted, &walk->why);
}

static bool read_header(struct search *search, pht_addr addr, uint64_t *prev_size, uint64_t *raw)
{
    const struct pht_chunk_walk *walk = search->walk;
    uint8_t bytes[PHT_CHUNK_HEADER_BYTES];
    const uint8_t *header = bytes;

    if (addr >= walk->window_start &&
        addr + sizeof(bytes) <= walk->window_start + walk->window_bytes) {
        header = walk->window + (addr - walk->window_start);
    } else if (search->reads == READS_MAX) {
        return false;
    } else {
        search->reads++;
        pht_snapshot_look_again(walk->snapshot, addr, addr + sizeof(bytes));
        if (pht_snapshot_read(walk->snapshot, addr, bytes, sizeof(bytes)) != PHT_READ_OK)
            return false;
    }
    *prev_size = pht_field_u64(header, 0);
    *raw = pht_field_u64(header, 8);
    return true;
}

/* True if a chain of chunks begins at `addr`, or leads to the last place. */
static bool begins_chain(struct search *search, pht_addr addr)
{
    const struct pht_chunk_walk *walk = search->walk;
    uint64_t bytes = 0, prev_size, raw;

    for (int i = 0; i < CHAIN_CHUNKS && addr < search->last; i++) {
        if (!read_header(search, addr, &prev_size, &raw) ||
            (i > 0 && !(raw & PHT_CHUNK_PREV_INUSE) && prev_size != bytes))
            return false;
        bytes = pht_chunk_bytes(raw);
        if (bytes < PHT_CHUNK_BYTES_MIN || !pht_chunk_is_aligned(bytes) ||
            raw & PHT_CHUNK_IS_MMAPPED || bytes > pht_chunk_last(walk) - addr)
            return false;
        if (bytes > search->last - addr)
            return i > 0 && pht_chunk_has_grown(walk);
        addr += bytes;
    }
    return true;
}

/* The chunk at `addr`, where a chain begins. */
static bool take_chunk(struct search *search, pht_addr addr, struct pht_chunk_cover *ret)
{
    uint64_t prev_size, raw, next;

    if (!read_header(search, addr, &prev_size, &raw))
        return false;
    *ret = (struct pht_chunk_cover){
        .start = addr,
        .end = addr + pht_chunk_bytes(raw),
        .in_use = true, /* before top, and before a fence that has not been written yet */
    };
    if (ret->end < search->last && read_header(search, ret->end, &prev_size, &next))
        ret->in_use = next & PHT_CHUNK_PREV_INUSE;
    return true;
}

/* `from` is where the walk began, or in the middle of a chunk. */
static bool find_cover_from(struct search *search, pht_addr from, pht_addr addr,
                            struct pht_chunk_cover *ret)
{
    pht_addr at = from, end;

    read_window(search->walk, pht_round_down(from, PHT_PAGE_BYTES));
    end = search->walk->window_start + search->walk->window_bytes;
    while (at <= addr) {
        if (begins_chain(search, at)) {
            if (!take_chunk(search, at, ret))
                return false;
            if (ret->end > addr)
                return true;
            at = ret->end;
        } else if (at < end) {
            at += PHT_CHUNK_ALIGNMENT;
        } else {
            return false;
        }
    }
    return false;
}

bool pht_chunk_find_cover(struct pht_chunk_walk *walk, pht_addr addr, pht_addr last,
                          struct pht_chunk_cover *ret)
{
    struct search search = {.walk = walk, .last = last};
    uint64_t before = PHT_CHUNK_WINDOW_BYTES / 2;

    for (; before < addr - walk->start && before < BEFORE_BYTES_MAX; before *= 2) {
        if (find_cover_from(&search, pht_round_down(addr - before, PHT_PAGE_BYTES), addr, ret))
            return true;
    }
    return before >= addr - walk->start && find_cover_from(&search, walk->start, addr, ret);
}

pht_addr pht_chunk_next_chain(struct pht_chunk_walk *walk, pht_addr addr, pht_addr last)
{
    struct search search = {.walk = walk, .last = last};
    pht_addr at = addr + PHT_CHUNK_ALIGNMENT;

    read_window(walk, pht_round_down(at, PHT_PAGE_BYTES));
    pht_addr end = walk->window_start + walk->window_bytes;
    while (at < last && at < end && !begins_chain(&search, at))
        at += PHT_CHUNK_ALIGNMENT;
    return at < last && at < end ? at : last;
}
