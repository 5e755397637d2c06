#include "walk/glibc_fastbins.h"

#include <stdlib.h>

static pht_addr next_of(const struct pht_listed_chunk *chunk)
{
    return pht_glibc_reveal(true, chunk->address + PHT_CHUNK_HEADER_BYTES, chunk->link);
}

/* The pieces of a main arena that did not grow by brk alone are not known beforehand. */
static bool lies_in(const struct pht_glibc_roots *roots, const struct pht_malloc_arena_root *arena,
                    pht_addr addr)
{
    if (arena == &roots->arenas.items[0] && !arena->is_contiguous)
        return true;
    for (size_t i = 0; i < arena->heaps; i++) {
        const struct pht_malloc_heap *heap = &roots->heaps.items[arena->first_heap + i];
        if (addr >= heap->start && addr < heap->end)
            return true;
    }
    return false;
}

bool pht_glibc_looks_fast(const struct pht_glibc_roots *roots,
                          const struct pht_malloc_arena_root *arena,
                          const struct pht_listed_chunk *chunk, uint64_t bytes)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    pht_addr next = next_of(chunk);

    if (layout->state_fastbins == PHT_UNKNOWN ||
        bytes >= PHT_CHUNK_BYTES_MIN +
                     layout->state_fastbins_bytes / sizeof(pht_addr) * PHT_CHUNK_ALIGNMENT)
        return false;
    return next == 0 || (pht_chunk_addr_is_sane(next) && lies_in(roots, arena, next));
}

/* False if the list leads to a chunk that is not there, or that was met before. */
static bool follow(const struct pht_listed_chunks *chunks, pht_addr head, bool *met)
{
    for (pht_addr at = head; at != 0;) {
        size_t i = pht_listed_chunks_find(chunks, at);
        if (i == chunks->count || chunks->items[i].address != at || met[i])
            return false;
        met[i] = true;
        at = next_of(&chunks->items[i]);
    }
    return true;
}

static enum pht_fastbins_outcome keep_met(struct pht_listed_chunks *chunks, const bool *met)
{
    size_t all = chunks->count, kept = 0;

    for (size_t i = 0; i < all; i++) {
        if (met[i])
            chunks->items[kept++] = chunks->items[i];
    }
    chunks->count = kept;
    return kept == all ? PHT_FASTBINS_EXACT : PHT_FASTBINS_FEWER;
}

enum pht_fastbins_outcome pht_glibc_confirm_fastbins(const struct pht_malloc_arena_root *arena,
                                                     struct pht_listed_chunks *chunks)
{
    bool *met = calloc(chunks->count + 1, sizeof(*met));
    bool followed = true;

    if (met == NULL)
        return PHT_FASTBINS_NO_MEMORY;
    for (size_t bin = 0; bin < PHT_FASTBINS_MAX; bin++)
        followed = follow(chunks, arena->fastbins[bin], met) && followed;
    enum pht_fastbins_outcome outcome = followed ? keep_met(chunks, met) : PHT_FASTBINS_BROKEN;
    free(met);
    return outcome;
}
