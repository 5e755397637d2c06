/*
 * What a census looks at closely if it is asked to: the types that live in an arena of pymalloc or
 * in blocks of one size, or the sizes of the objects of one type. Nothing of it is kept otherwise.
 */
#ifndef PHT_LIB_WALK_CENSUS_FOCUS_H
#define PHT_LIB_WALK_CENSUS_FOCUS_H

#include "base/vec.h"
#include "walk/object_size.h"

struct pht_census;

/* Row `i` has sizes from 2^i on. */
#define PHT_FOCUS_SIZES 64

struct pht_focus_sum {
    struct pht_tally objects;
    struct pht_tally buffers;
};

struct pht_focus_walk {
    struct pht_census_focus on;
    pht_addr arena_end;
    struct {
        struct pht_focus_sum *items; /* by the index of the type in the census */
        size_t count;
        size_t capacity;
    } types;
    struct pht_tally blocks;
    struct pht_tally sizes[PHT_FOCUS_SIZES];
    struct pht_tally in_blocks;
    struct pht_tally in_chunks;
};

/* Blocks in use of a pool in the arena that begins at `arena`. */
void pht_focus_add_pool(struct pht_focus_walk *walk, pht_addr arena, uint64_t block_bytes,
                        uint64_t blocks);

/*
 * An object that was counted, in a block of pymalloc or a chunk of malloc that has `block_bytes`.
 * False when memory is short.
 */
bool pht_focus_add_object(struct pht_focus_walk *walk, const struct pht_object *object,
                          uint64_t size_bytes, uint64_t block_bytes, bool in_chunk);

/* A block of pymalloc that an object of `type` owns. False when memory is short. */
bool pht_focus_add_buffer(struct pht_focus_walk *walk, pht_addr block, uint32_t type,
                          uint64_t block_bytes);

/* What a part of the census found; `types` are its types' indices in the whole. */
bool pht_focus_add_part(struct pht_focus_walk *walk, const struct pht_focus_walk *part,
                        const uint32_t *types);

/* The types are listed: put what was found into the result. False when memory is short. */
bool pht_focus_finish(struct pht_census *census);

void pht_focus_deinit(struct pht_focus_walk *walk);

#endif
