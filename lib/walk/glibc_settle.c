#include "walk/glibc_settle.h"

#include "base/sorted.h"
#include "walk/field.h"
#include "walk/glibc_top.h"

static bool is_listed(const struct pht_listed_chunks *chunks, size_t *next,
                      const struct pht_pending_chunk *chunk)
{
    while (*next < chunks->count && chunks->items[*next].address < chunk->address)
        ++*next;
    return *next < chunks->count && chunks->items[*next].address == chunk->address &&
           chunks->items[*next].link == chunk->words[0];
}

/*
 * From 2.34 on a chunk in a tcache carries a number that all have in common. It is no proof, since
 * it stays when a thread ends and its chunks go to fastbins, and with whoever gets them then.
 */
static bool has_key(const struct pht_chunk_walk *walk, const struct pht_pending_chunk *chunk)
{
    uint64_t place = walk->roots->libc->layout.tcache_entry_key / sizeof(uint64_t);

    return walk->roots->tcache_key != 0 && place < sizeof(chunk->words) / sizeof(chunk->words[0]) &&
           chunk->words[place] == walk->roots->tcache_key;
}

static bool is_tcached(struct pht_chunk_walk *walk)
{
    struct pht_chunk_position *now = &walk->now;

    if (!walk->roots->threads_known)
        return has_key(walk, &now->pending);
    return is_listed(&walk->lists->tcache, &now->tcache, &now->pending);
}

static bool is_fast(struct pht_chunk_walk *walk)
{
    struct pht_chunk_position *now = &walk->now;
    struct pht_guessed_chunk chunk;

    if (walk->fast != NULL)
        return is_listed(walk->fast, &now->fast, &now->pending);
    if (!pht_glibc_looks_fast(walk->roots, walk->arena, now->pending.address,
                              pht_chunk_bytes(now->pending.raw), now->pending.words[0], &chunk))
        return false;
    walk->guessed.count = now->guessed++;
    if (!pht_vec_push(&walk->guessed, chunk))
        walk->out_of_memory = true;
    return true;
}

static enum pht_chunk_kind kind_in_use(struct pht_chunk_walk *walk)
{
    if (is_tcached(walk))
        return PHT_CHUNK_TCACHE;
    return is_fast(walk) ? PHT_CHUNK_FAST : PHT_CHUNK_LIVE;
}

static enum pht_chunk_kind kind_in_bin(const struct pht_chunk_walk *walk)
{
    const struct pht_chunk_addrs *unsorted = &walk->unsorted;
    pht_addr chunk = walk->now.pending.address;
    size_t i = pht_sorted_find(unsorted->items, unsorted->count, sizeof(chunk), chunk);

    return i < unsorted->count && unsorted->items[i] == chunk ? PHT_CHUNK_UNSORTED : PHT_CHUNK_BIN;
}

void pht_chunk_end_runs(struct pht_chunk_walk *walk)
{
    if (!pht_free_run_end(&walk->now.run, &walk->runs) ||
        !pht_free_run_end(&walk->now.run_flushed, &walk->runs_flushed))
        walk->out_of_memory = true;
}

static void go_on_with_runs(struct pht_chunk_walk *walk, enum pht_chunk_kind kind, pht_addr addr,
                            uint64_t bytes)
{
    struct pht_chunk_position *now = &walk->now;
    bool kept = true;

    if (kind == PHT_CHUNK_LIVE) {
        pht_chunk_end_runs(walk);
        return;
    }
    if (kind == PHT_CHUNK_TCACHE)
        kept = pht_free_run_end(&now->run, &walk->runs);
    else
        kept = pht_free_run_add(&now->run, &walk->runs, addr, bytes);
    if (!pht_free_run_add(&now->run_flushed, &walk->runs_flushed, addr, bytes) || !kept)
        walk->out_of_memory = true;
}

/* What the piece got since the stop is not counted, so its last chunk ends with it. */
static uint64_t cut_at_end(struct pht_chunk_walk *walk)
{
    struct pht_pending_chunk *chunk = &walk->now.pending;
    uint64_t bytes = pht_chunk_bytes(chunk->raw), left = walk->end - chunk->address;

    if (bytes > left) {
        chunk->raw -= bytes - left;
        bytes = left;
    }
    return bytes;
}

bool pht_chunk_settle(struct pht_chunk_walk *walk, const struct pht_chunk_header *next)
{
    struct pht_chunk_position *now = &walk->now;

    if (now->pending.address == 0)
        return true;
    if (!(next->raw & PHT_CHUNK_PREV_INUSE) && next->prev_size != pht_chunk_bytes(now->pending.raw))
        return false;
    uint64_t bytes = cut_at_end(walk);
    bool in_use = next->raw & PHT_CHUNK_PREV_INUSE;
    enum pht_chunk_kind kind = in_use ? kind_in_use(walk) : kind_in_bin(walk);
    pht_chunk_tally_add(&now->tally, kind, now->pending.address, now->pending.raw);
    if (kind == PHT_CHUNK_LIVE)
        pht_chunk_claim_live(walk, now->pending.address, now->pending.address + bytes);
    else
        pht_chunk_claim(walk, now->pending.address, now->pending.address + bytes,
                        PHT_CATEGORY_MALLOC_FREE);
    go_on_with_runs(walk, kind, now->pending.address, bytes);
    now->pending.address = 0;
    return true;
}

/* A chunk that is not the one that was looked for is taken for the next time. */
static bool has_both_ends(struct pht_chunk_walk *walk, const uint8_t *first, pht_addr end,
                          const struct pht_chunk_header *next)
{
    struct pht_pending_chunk *chunk = &walk->now.pending;
    struct pht_chunk_header header = pht_chunk_read_header(walk, chunk->address, first);

    if (!pht_chunk_fits(walk, chunk->address, &header))
        return false;
    chunk->raw = header.raw;
    chunk->words[0] = pht_field_u64(first, 16);
    chunk->words[1] = pht_field_u64(first, 24);
    chunk->head_bytes = 0;
    return chunk->address + header.bytes == end &&
           (end == walk->top || pht_chunk_fits(walk, end, next));
}

bool pht_chunk_settle_anew(struct pht_chunk_walk *walk)
{
    const struct pht_pending_chunk *chunk = &walk->now.pending;
    pht_addr ends[2] = {chunk->address, chunk->address + pht_chunk_bytes(chunk->raw)};
    uint8_t bytes[2][PHT_CHUNK_BYTES_MIN], results[2];

    for (int i = 0; i < 2; i++)
        pht_snapshot_look_again(walk->snapshot, ends[i], ends[i] + PHT_CHUNK_BYTES_MIN);
    pht_snapshot_gather(walk->snapshot, ends, 2, PHT_CHUNK_BYTES_MIN, bytes, results);
    if (results[0] != PHT_READ_OK || results[1] != PHT_READ_OK)
        return false;
    struct pht_chunk_header next = pht_chunk_read_header(walk, ends[1], bytes[1]);
    if (!has_both_ends(walk, bytes[0], ends[1], &next) || !pht_chunk_settle(walk, &next))
        return false;
    walk->now.at = ends[1];
    return true;
}

void pht_chunk_settle_owned(struct pht_chunk_walk *walk)
{
    struct pht_pending_chunk *chunk = &walk->now.pending;

    if (chunk->address == 0 || chunk->head_bytes == 0 || walk->claims.census == NULL ||
        !pht_census_wants(walk->claims.census, chunk->address + PHT_CHUNK_HEADER_BYTES, chunk->head,
                          chunk->head_bytes))
        return;
    uint64_t bytes = cut_at_end(walk);
    pht_chunk_tally_add(&walk->now.tally, PHT_CHUNK_LIVE, chunk->address, chunk->raw);
    pht_chunk_claim_live(walk, chunk->address, chunk->address + bytes);
    chunk->address = 0;
}

void pht_chunk_settle_rest(struct pht_chunk_walk *walk, pht_addr from, pht_addr to, bool in_use)
{
    pht_chunk_tally_add(&walk->now.tally, in_use ? PHT_CHUNK_LIVE : PHT_CHUNK_BIN, from, to - from);
    pht_chunk_claim(walk, from, to,
                    in_use ? PHT_CATEGORY_MALLOC_UNOWNED : PHT_CATEGORY_MALLOC_FREE);
    pht_chunk_end_runs(walk);
}
