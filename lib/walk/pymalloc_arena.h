/*
 * The pool headers of arenas: gathered for many arenas at once, added up for each, and read again
 * where they seem to be changing.
 */
#ifndef PHT_LIB_WALK_PYMALLOC_ARENA_H
#define PHT_LIB_WALK_PYMALLOC_ARENA_H

#include "walk/pymalloc.h"

/* Pool headers that are gathered in one go: one arena of the largest kind, 16 of the usual. */
struct pht_pool_batch {
    size_t count;
    pht_addr addrs[PHT_ARENA_POOLS_MAX];
    uint8_t read[PHT_ARENA_POOLS_MAX]; /* enum pht_read_result */
    unsigned char headers[PHT_ARENA_POOLS_MAX * PHT_COPIED_STRUCT_MAX];
};

/* What the headers of one arena say. */
struct pht_arena_tally {
    uint64_t used;
    uint64_t live_blocks;
    uint64_t free_blocks;
    uint64_t live_bytes;
    uint64_t free_bytes;
    uint64_t quantization_bytes;
    uint64_t torn;
    uint64_t damaged;
    uint64_t swapped;
    struct {
        uint32_t pools;
        uint32_t live;
        uint32_t free;
    } classes[PHT_SIZE_CLASSES_MAX];
};

struct pht_arena_reader {
    struct pht_snapshot *snapshot;
    const struct pht_python_layout *layout;
    struct pht_pymalloc_geometry geometry;
    pht_addr arenas_field; /* of the state whose arenas are read */
    uint64_t rereads;
    size_t next;                    /* slot in `many` of the arena that is next */
    struct pht_pool_batch *settled; /* the headers that the last tally is of, from that slot on */
    size_t settled_first;
    struct pht_pool_batch many; /* of the arenas in turn */
    struct pht_pool_batch one;  /* of an arena that is read again */
};

/* How many pools of an arena were ever carved: so many headers it has. */
size_t pht_arena_carved_pools(const struct pht_pymalloc_geometry *geometry,
                              const struct pht_arena_root *arena);

/* Gather for `count` arenas, which have no more than PHT_ARENA_POOLS_MAX headers together. */
void pht_arena_reader_gather(struct pht_arena_reader *reader, const struct pht_arena_root *arenas,
                             size_t count);

/*
 * Add up the next arena of those gathered. `arena` is brought up to date if it had to be read
 * again. False: it was given back to the system meanwhile.
 */
bool pht_arena_reader_next(struct pht_arena_reader *reader, struct pht_arena_root *arena,
                           struct pht_arena_tally *ret);

/* The size class of each pool that the last tally, which is of `arena`, has counted. */
void pht_arena_reader_list_classes(const struct pht_arena_reader *reader,
                                   const struct pht_arena_root *arena, uint8_t *ret);

/* Claim what the last tally, which is of `arena`, has counted. */
void pht_arena_reader_claim(struct pht_arena_reader *reader, const struct pht_arena_root *arena,
                            struct pht_owners *owners);

#endif
