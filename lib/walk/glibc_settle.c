#include "walk/glibc_settle.h"

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

bool pht_chunk_settle(struct pht_chunk_walk *walk, const struct pht_chunk_header *next)
{
    struct pht_chunk_position *now = &walk->now;
    enum pht_chunk_kind kind = PHT_CHUNK_BIN;

    if (now->pending.address == 0)
        return true;
    uint64_t bytes = pht_chunk_bytes(now->pending.raw);
    if (next->raw & PHT_CHUNK_PREV_INUSE)
        kind = kind_in_use(walk);
    else if (next->prev_size != bytes)
        return false;
    pht_chunk_tally_add(&now->tally, kind, now->pending.address, now->pending.raw);
    pht_chunk_claim(walk, now->pending.address, now->pending.address + bytes,
                    kind == PHT_CHUNK_LIVE ? PHT_CATEGORY_MALLOC_UNOWNED
                                           : PHT_CATEGORY_MALLOC_FREE);
    go_on_with_runs(walk, kind, now->pending.address, bytes);
    now->pending.address = 0;
    return true;
}
