#include "walk/glibc_tally.h"

#include <string.h>

#define EXACT_BYTES_MAX 1024
#define EXACT_ROWS (EXACT_BYTES_MAX / PHT_CHUNK_ALIGNMENT)
#define EXACT_LOG2 10
#define ROWS_A_POWER 4

/* ---- sizes -------------------------------------------------------------------------------- */

size_t pht_size_row_of(uint64_t bytes)
{
    if (bytes < EXACT_BYTES_MAX)
        return (size_t)(bytes / PHT_CHUNK_ALIGNMENT);
    unsigned log2 = 63 - (unsigned)__builtin_clzll(bytes);
    size_t quarter = (size_t)(bytes >> (log2 - 2)) & (ROWS_A_POWER - 1);
    return EXACT_ROWS + (log2 - EXACT_LOG2) * ROWS_A_POWER + quarter;
}

void pht_size_row_bounds(size_t row, uint64_t *min, uint64_t *max)
{
    *min = *max = row * PHT_CHUNK_ALIGNMENT;
    if (row < EXACT_ROWS)
        return;
    size_t above = row - EXACT_ROWS;
    uint64_t power = (uint64_t)EXACT_BYTES_MAX << above / ROWS_A_POWER;
    uint64_t step = power / ROWS_A_POWER;
    *min = power + above % ROWS_A_POWER * step;
    *max = *min + step - PHT_CHUNK_ALIGNMENT;
}

size_t pht_chunk_tally_list_sizes(const struct pht_chunk_tally *tally, struct pht_chunk_size *rows)
{
    size_t count = 0;

    for (size_t i = 0; i < PHT_SIZE_ROWS; i++) {
        const struct pht_size_row *row = &tally->sizes[i];
        if (row->live_chunks == 0 && row->free_chunks == 0)
            continue;
        struct pht_chunk_size *size = &rows[count++];
        pht_size_row_bounds(i, &size->min_bytes, &size->max_bytes);
        size->live_chunks = row->live_chunks;
        size->live_bytes = row->live_bytes;
        size->free_chunks = row->free_chunks;
        size->free_bytes = row->free_bytes;
    }
    return count;
}

/* ---- the largest free chunks -------------------------------------------------------------- */

static void keep_if_large(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes)
{
    size_t at = tally->largest_count;

    if (at == PHT_LARGEST_FREE && tally->largest[--at].bytes >= bytes)
        return;
    for (; at > 0 && tally->largest[at - 1].bytes < bytes; at--)
        tally->largest[at] = tally->largest[at - 1];
    tally->largest[at] =
        (struct pht_free_chunk){.address = addr, .bytes = bytes, .arena = tally->arena_index};
    if (tally->largest_count < PHT_LARGEST_FREE)
        tally->largest_count++;
}

/* ---- chunks ------------------------------------------------------------------------------- */

static void add_live(struct pht_chunk_tally *tally, uint64_t bytes)
{
    struct pht_size_row *row = &tally->sizes[pht_size_row_of(bytes)];

    row->live_chunks++;
    row->live_bytes += bytes;
    tally->arena.live_chunks++;
    tally->arena.live_bytes += bytes;
}

static void add_free(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes)
{
    struct pht_size_row *row = &tally->sizes[pht_size_row_of(bytes)];

    row->free_chunks++;
    row->free_bytes += bytes;
    keep_if_large(tally, addr, bytes);
}

void pht_chunk_tally_add(struct pht_chunk_tally *tally, enum pht_chunk_kind kind, pht_addr addr,
                         uint64_t raw)
{
    struct pht_glibc_arena *arena = &tally->arena;
    uint64_t bytes = pht_chunk_bytes(raw);

    if (kind == PHT_CHUNK_LIVE) {
        add_live(tally, bytes);
        return;
    }
    add_free(tally, addr, bytes);
    if (kind == PHT_CHUNK_TCACHE) {
        arena->tcache_chunks++;
        arena->tcache_bytes += bytes;
        return;
    }
    arena->free_chunks++;
    arena->free_bytes += bytes;
    if (kind == PHT_CHUNK_FAST) {
        arena->fast_chunks++;
        arena->fast_bytes += bytes;
    } else {
        arena->rest_chunks++;
        arena->rest_bytes += raw;
    }
}

static void forget_if_large(struct pht_chunk_tally *tally, pht_addr addr)
{
    size_t kept = 0;

    for (size_t i = 0; i < tally->largest_count; i++) {
        if (tally->largest[i].address != addr)
            tally->largest[kept++] = tally->largest[i];
    }
    tally->largest_count = kept;
}

void pht_chunk_tally_revive(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes)
{
    struct pht_size_row *row = &tally->sizes[pht_size_row_of(bytes)];

    row->free_chunks--;
    row->free_bytes -= bytes;
    tally->arena.free_chunks--;
    tally->arena.free_bytes -= bytes;
    tally->arena.fast_chunks--;
    tally->arena.fast_bytes -= bytes;
    forget_if_large(tally, addr);
    add_live(tally, bytes);
}

/* malloc_info(3) counts top as a free chunk. */
void pht_chunk_tally_add_top(struct pht_chunk_tally *tally, uint64_t bytes)
{
    tally->arena.top_bytes += bytes;
    tally->arena.rest_chunks++;
    tally->arena.rest_bytes += bytes;
}
