#include "walk/glibc_tally.h"

#include <string.h>

#include "base/checked.h"

#define EXACT_BYTES_MAX 1024
#define EXACT_ROWS (EXACT_BYTES_MAX / PHT_CHUNK_ALIGNMENT)
/* sizeof(struct malloc_chunk): what a free chunk needs of itself. */
#define LINKED_BYTES 48

#define SMALL_BYTES_MAX 1008

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

/* ---- kinds of free chunks ----------------------------------------------------------------- */

const char *pht_free_kind_name(enum pht_free_kind kind)
{
    static const char *const names[] = {
        [PHT_FREE_TCACHE] = "tcache", [PHT_FREE_FAST] = "fast",   [PHT_FREE_UNSORTED] = "unsorted",
        [PHT_FREE_SMALL] = "small",   [PHT_FREE_LARGE] = "large", [PHT_FREE_TOP] = "top",
    };

    return names[kind];
}

static uint64_t page_bytes(const struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes)
{
    pht_addr from = pht_round_up(addr + LINKED_BYTES, PHT_PAGE_BYTES);
    pht_addr to = pht_round_down(addr + bytes, PHT_PAGE_BYTES);

    return from < to ? pht_snapshot_resident_bytes(tally->snapshot, from, to) : 0;
}

static void add_kind(struct pht_chunk_tally *tally, enum pht_free_kind kind, pht_addr addr,
                     uint64_t bytes)
{
    struct pht_free_sum *sum = &tally->arena.kinds[kind];

    sum->chunks++;
    sum->bytes += bytes;
    sum->page_bytes += page_bytes(tally, addr, bytes);
    if (bytes > sum->largest_bytes)
        sum->largest_bytes = bytes;
}

static uint64_t *fast_chunks_of(struct pht_chunk_tally *tally, uint64_t bytes)
{
    size_t bin = (size_t)((bytes - PHT_CHUNK_BYTES_MIN) / PHT_CHUNK_ALIGNMENT);

    return &tally->fast_chunks[bin < PHT_FASTBINS_MAX ? bin : PHT_FASTBINS_MAX - 1];
}

static enum pht_free_kind bin_of(uint64_t bytes)
{
    return bytes <= SMALL_BYTES_MAX ? PHT_FREE_SMALL : PHT_FREE_LARGE;
}

/* Chunks in fastbins may be taken back, so their largest is known only now. */
void pht_chunk_tally_end_arena(struct pht_chunk_tally *tally)
{
    struct pht_free_sum *fast = &tally->arena.kinds[PHT_FREE_FAST];

    fast->chunks = tally->arena.fast_chunks;
    fast->bytes = tally->arena.fast_bytes;
    for (size_t i = 0; i < PHT_FASTBINS_MAX; i++) {
        if (tally->fast_chunks[i] > 0)
            fast->largest_bytes = PHT_CHUNK_BYTES_MIN + i * PHT_CHUNK_ALIGNMENT;
    }
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
        add_kind(tally, PHT_FREE_TCACHE, addr, bytes);
        arena->tcache_chunks++;
        arena->tcache_bytes += bytes;
        return;
    }
    arena->free_chunks++;
    arena->free_bytes += bytes;
    if (kind == PHT_CHUNK_FAST) {
        arena->fast_chunks++;
        arena->fast_bytes += bytes;
        ++*fast_chunks_of(tally, bytes);
    } else {
        add_kind(tally, kind == PHT_CHUNK_UNSORTED ? PHT_FREE_UNSORTED : bin_of(bytes), addr,
                 bytes);
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
    --*fast_chunks_of(tally, bytes);
    forget_if_large(tally, addr);
    add_live(tally, bytes);
}

/* malloc_info(3) counts top as a free chunk. */
void pht_chunk_tally_add_top(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes)
{
    add_kind(tally, PHT_FREE_TOP, addr, bytes);
    tally->arena.top_bytes += bytes;
    tally->arena.rest_chunks++;
    tally->arena.rest_bytes += bytes;
}
