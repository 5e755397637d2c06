/*
 * From chunk to chunk through a piece of an arena.
 *
 * Invariants, each checked: a size is a multiple of 16, at least 32, and ends inside the piece; a
 * free chunk's size stands again behind it; the last chunk ends at top, or at a fence. A piece that
 * has grown since the stop is walked up to where it ended then, and the chunk that goes on behind
 * that is cut there. Where an invariant breaks, walk/glibc_repair.h tells what is done.
 */
#ifndef PHT_LIB_WALK_GLIBC_CHUNKS_H
#define PHT_LIB_WALK_GLIBC_CHUNKS_H

#include "walk/glibc_bins.h"
#include "walk/glibc_claims.h"
#include "walk/glibc_fastbins.h"
#include "walk/glibc_tally.h"
#include "walk/glibc_trim.h"

#define PHT_CHUNK_WINDOW_BYTES ((size_t)128 << 10)

/* So many windows can be read again. */
#define PHT_CHUNK_POSITIONS 4

struct pht_chunk_header {
    uint64_t prev_size;
    uint64_t raw;   /* size word, flags included */
    uint64_t bytes; /* and without them */
};

/* A chunk whose header was read; what it is shows only in the header behind it. */
struct pht_pending_chunk {
    pht_addr address;    /* 0: none */
    uint64_t raw;        /* size word, flags included */
    uint64_t words[2];   /* of its memory */
    uint32_t head_bytes; /* how much of it is kept for the census */
    unsigned char head[PHT_CENSUS_HEAD_BYTES];
};

struct pht_chunk_position {
    pht_addr at; /* the next header */
    struct pht_pending_chunk pending;
    size_t fast; /* the next in walk->fast, walk->lists->tcache */
    size_t tcache;
    size_t guessed; /* chunks in walk->guessed */
    struct pht_claim_position claims;
    struct pht_free_run run;
    struct pht_free_run run_flushed; /* as if every tcache were empty */
    pht_addr top;                    /* as it was found; 0: not yet */
    pht_addr top_end;
    struct pht_chunk_tally tally;
};

struct pht_chunk_walk {
    struct pht_snapshot *snapshot;
    const struct pht_glibc_roots *roots;
    const struct pht_malloc_lists *lists;
    const struct pht_malloc_arena_root *arena;
    bool is_main;
    const struct pht_listed_chunks *fast; /* in fastbins; NULL: told by their look */
    struct pht_guessed_chunks guessed;    /* as long as `fast` is NULL */
    struct pht_chunk_addrs unsorted;      /* of this arena, by address */
    struct pht_ranges runs;               /* free chunks that are next to each other */
    struct pht_ranges runs_flushed;
    struct pht_chunk_claims claims;
    pht_addr end; /* of the piece, in the stop: chunks, fences, top */
    pht_addr start;
    pht_addr top;   /* in this piece, or in what it got since; 0: it is in another */
    pht_addr reach; /* where a piece without top ends by now: `end`, or behind it */
    struct pht_chunk_position now;
    /* Where this window began, `saved[newest]`, and those before it. */
    struct pht_chunk_position saved[PHT_CHUNK_POSITIONS];
    size_t newest;
    size_t saved_count;
    unsigned tries;
    pht_addr broken_at; /* the last place that made no sense, and what was read there */
    uint64_t broken_raw;
    bool changes;                                   /* it was not the same each time */
    const struct pht_malloc_arena_root *anchors_of; /* the arena whose bins were collected */
    struct pht_chunk_addrs anchors;
    pht_addr window_start;
    size_t window_bytes;
    size_t ahead; /* how much is read next */
    enum pht_read_result why;
    bool out_of_memory;
    bool is_cancelled;     /* pieces end where they begin */
    uint64_t passed_bytes; /* of the pieces before this one */
    unsigned waits;        /* for a thread that had the arena's lock */
    uint64_t rereads;
    uint64_t torn_chunks;
    uint64_t damaged_chunks;
    uint64_t swapped_pages;
    uint8_t window[PHT_CHUNK_WINDOW_BYTES];
};

/*
 * Walk the chunks from `start` on, up to `end`. `walk->arena` is set, and the tally is that of its
 * arena. Returns where it ended: behind a fence, or `end`.
 */
pht_addr pht_chunk_walk_piece(struct pht_chunk_walk *walk, pht_addr start, pht_addr end);

/* [start, end) belongs to `category`, unless the walk goes back to before this. */
void pht_chunk_claim(struct pht_chunk_walk *walk, pht_addr start, pht_addr end,
                     enum pht_category category);

/* The same of the pending chunk, if it is in use. */
void pht_chunk_claim_live(struct pht_chunk_walk *walk, pht_addr start, pht_addr end);

void pht_chunk_walk_deinit(struct pht_chunk_walk *walk);

#endif
