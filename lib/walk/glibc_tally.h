/*
 * Adding up chunks: the figures of the arena they belong to, sizes, the largest free ones.
 *
 * A tally is plain data, so that a walk can go back to where it was: copy it, copy it back.
 */
#ifndef PHT_LIB_WALK_GLIBC_TALLY_H
#define PHT_LIB_WALK_GLIBC_TALLY_H

#include "walk/glibc.h"

/* Sizes below 1 KiB have a row each, larger ones four rows for each power of two. */
#define PHT_SIZE_ROWS 256

enum pht_chunk_kind {
    PHT_CHUNK_LIVE,
    PHT_CHUNK_BIN,
    PHT_CHUNK_UNSORTED,
    PHT_CHUNK_FAST,
    PHT_CHUNK_TCACHE,
};

/* The row of a chunk's size, and the sizes that a row has. */
size_t pht_size_row_of(uint64_t bytes);
void pht_size_row_bounds(size_t row, uint64_t *min, uint64_t *max);

struct pht_size_row {
    uint64_t live_chunks;
    uint64_t live_bytes;
    uint64_t free_chunks;
    uint64_t free_bytes;
};

struct pht_chunk_tally {
    struct pht_snapshot *snapshot; /* borrowed; tells what is resident */
    size_t arena_index;
    struct pht_glibc_arena arena;           /* the one that is walked */
    uint64_t fast_chunks[PHT_FASTBINS_MAX]; /* its chunks in fastbins, by their size */
    struct pht_size_row sizes[PHT_SIZE_ROWS];
    struct pht_free_chunk largest[PHT_LARGEST_FREE];
    size_t largest_count;
};

/* `raw` is the size word as it stands, flags included. */
void pht_chunk_tally_add(struct pht_chunk_tally *tally, enum pht_chunk_kind kind, pht_addr addr,
                         uint64_t raw);

/* A chunk that was added as one in a fastbin is live. */
void pht_chunk_tally_revive(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes);

void pht_chunk_tally_add_top(struct pht_chunk_tally *tally, pht_addr addr, uint64_t bytes);

/* All chunks of the arena were added. */
void pht_chunk_tally_end_arena(struct pht_chunk_tally *tally);

/* The rows that have chunks into `rows`, which has room for PHT_SIZE_ROWS; returns how many. */
size_t pht_chunk_tally_list_sizes(const struct pht_chunk_tally *tally, struct pht_chunk_size *rows);

#endif
