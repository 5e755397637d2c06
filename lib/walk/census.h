/*
 * The census: every block of pymalloc and every chunk of malloc that is in use is looked at for a
 * Python object. An object proves itself: its reference count is one, its type is a type, and it
 * begins as far into its block as objects of that type do.
 *
 * Buffers that objects own are credited to the types of their owners. Those within pymalloc's
 * arenas at once; those in chunks of malloc are noted, so that the walk of chunks knows them when
 * it comes by.
 */
#ifndef PHT_LIB_WALK_CENSUS_H
#define PHT_LIB_WALK_CENSUS_H

#include "base/addr_set.h"
#include "base/vec.h"
#include "walk/census_arenas.h"
#include "walk/census_focus.h"
#include "walk/object_size.h"
#include "walk/unowned.h"

/* So much of a chunk is looked at. */
#define PHT_CENSUS_HEAD_BYTES 160

/* Most objects are of few types, which have places of their own in a table of so many. */
#define PHT_CENSUS_KNOWN_TYPES 256

/* What counts of references look like: from 3.12 on some objects are immortal. */
enum pht_count_form {
    PHT_COUNT_PLAIN,
    PHT_COUNT_IMMORTAL, /* negative as 32-bit numbers */
    PHT_COUNT_SPLIT,    /* the same, and the upper half of the word has flags: 3.14 */
};

/* Blocks that objects own, by address; `type` is that of the owner. */
struct pht_owned_block {
    pht_addr address;
    uint32_t type;
};

struct pht_owned_blocks {
    struct pht_owned_block *items;
    size_t count;
    size_t capacity;
};

/* Memory that objects have from mmap(2). */
struct pht_owned_part {
    pht_addr start;
    pht_addr end;
    uint32_t type;
};

struct pht_owned_mappings {
    struct pht_owned_part *items;
    size_t count;
    size_t capacity;
};

/* The largest so far: a heap with the smallest of them first. Others must be larger than that. */
struct pht_large_objects {
    uint64_t least_bytes; /* 0 while there is room */
    struct {
        uint64_t size_bytes;
        pht_addr address;
        uint32_t type;
    } items[PHT_LARGE_OBJECTS_MAX];
    size_t count;
};

struct pht_census {
    struct pht_snapshot *snapshot;
    const struct pht_pymalloc_roots *roots;
    struct pht_owners *owners;
    struct pht_census_options options;
    struct pht_object_layout layout;
    struct pht_types *types;
    struct {
        pht_addr address;
        const struct pht_type *type;
    } known_types[PHT_CENSUS_KNOWN_TYPES]; /* met before */
    const struct pht_range *here;          /* the arena that was met last; NULL: none so far */
    enum pht_count_form count_form;
    uint64_t references_max; /* that an object can have */
    uint32_t prefixes[4];    /* bytes in front of an object in its block, as types have them */
    unsigned prefix_count;
    uint64_t hook_bytes;       /* that debug hooks put in front of each block of pymalloc */
    uint64_t chunk_hook_bytes; /* and of what they asked malloc for */
    uint64_t raw_hook_bytes;   /* and of what PyMem_RawMalloc() gave */
    uint64_t tcache_key;       /* second word of what waits in a tcache; 0: not known */
    struct {
        struct pht_type_sum *items; /* by the index of the type */
        size_t count;
        size_t capacity;
    } sums;
    struct pht_census_arenas *arenas;
    uint64_t blocks;               /* in use, of the pools that could be read */
    uint64_t block_bytes;          /* of those */
    struct pht_owned_blocks owned; /* in chunks of malloc; sorted when their walk begins */
    struct pht_owned_blocks late;  /* of objects that are in chunks themselves */
    struct pht_addr_set shared;    /* keys that several dicts use, in chunks of malloc */
    struct pht_owned_mappings mappings;
    size_t owned_cursor;
    struct pht_unowned unowned;
    struct pht_large_objects large;
    struct pht_object_size size; /* used again and again */
    struct pht_focus_walk focus;
    struct pht_objects *result;
    bool out_of_memory;
};

/* Every block of every pool of every arena that nobody has begun to walk. */
void pht_census_walk_pools(struct pht_census *census);

/* The same in as many threads as options say. */
void pht_census_walk_in_parts(struct pht_census *census);

/*
 * The ints and floats of 2.7, whose places are in blocks of malloc. Their lists are followed before
 * the walk of chunks, and their chunks noted.
 */
void pht_census_walk_numbers(struct pht_census *census);

/*
 * A part of a census does its pools in a thread of its own and shares only the arenas. NULL where
 * memory is short, or the target cannot be read.
 */
struct pht_census *pht_census_begin_part(const struct pht_census *whole);
void pht_census_destroy(struct pht_census *census);

/* The arena that an address is in, NULL if in none. Links mostly lead to objects nearby. */
static inline const struct pht_range *pht_census_arena_of(struct pht_census *census,
                                                          pht_addr address)
{
    const struct pht_range *here = census->here;

    if (here != NULL && address - here->start < here->end - here->start)
        return here;
    const struct pht_range *arena = pht_census_arenas_find(census->arenas, address);
    if (arena != NULL)
        census->here = arena;
    return arena;
}

/* ---- objects ------------------------------------------------------------------------------ */

/* What tells an object, once the layout is known. */
void pht_census_init_prefixes(struct pht_census *census);

/*
 * The object in a block that begins at `block` and with these `size` bytes, `hook_bytes` of them
 * those of debug hooks. False if there is none. `*ret` leads into `bytes`.
 */
bool pht_census_find_object(struct pht_census *census, pht_addr block, const unsigned char *bytes,
                            size_t size, uint64_t hook_bytes, struct pht_object *ret);

/*
 * Count an object in a block of `block_bytes`, and claim its buffers. One that contradicts itself,
 * or would be larger than its block, is none: false. `more` is as for pht_object_measure(), `late`
 * as for pht_census_own().
 */
bool pht_census_count_object(struct pht_census *census, const struct pht_object *object,
                             uint64_t block_bytes, const void *more, bool late);

/* ---- buffers ------------------------------------------------------------------------------ */

/*
 * An object of `type` owns this. A block of an arena is its own from now on; what is elsewhere is
 * noted, in `late` if its chunk may have gone by already.
 */
void pht_census_own(struct pht_census *census, const struct pht_object_buffer *buffer,
                    const struct pht_type *type, bool late);

/* What was noted, when all objects are known: late chunks, and memory that is mapped. */
void pht_census_own_noted(struct pht_census *census);

/* ---- sums and lists ----------------------------------------------------------------------- */

static inline void pht_tally_add(struct pht_tally *tally, uint64_t count, uint64_t bytes)
{
    tally->count += count;
    tally->bytes += bytes;
}

struct pht_type_sum *pht_census_add_sum(struct pht_census *census, uint32_t type);

static inline struct pht_type_sum *pht_census_sum_of(struct pht_census *census, uint32_t type)
{
    return type < census->sums.count ? &census->sums.items[type] : pht_census_add_sum(census, type);
}

void pht_type_sum_add(struct pht_type_sum *sum, const struct pht_type_sum *part);

void pht_large_objects_add(struct pht_large_objects *large, pht_addr address, uint32_t type,
                           uint64_t size_bytes);

/* An object may be one of the largest. */
static inline void pht_large_objects_offer(struct pht_large_objects *large, pht_addr address,
                                           uint32_t type, uint64_t size_bytes)
{
    if (size_bytes > large->least_bytes)
        pht_large_objects_add(large, address, type, size_bytes);
}

/* The types are listed: list the largest objects, with their previews. */
void pht_census_list_largest(struct pht_census *census);

/* ---- chunks of malloc --------------------------------------------------------------------- */

/*
 * Whether the chunk whose memory begins at `memory`, with its first `size` bytes in `bytes`, is of
 * any interest. Asked for a chunk after the other, by rising address with few exceptions.
 */
bool pht_census_wants(struct pht_census *census, pht_addr memory, const unsigned char *bytes,
                      size_t size);

/* Count that chunk, of `chunk_bytes`. True if it is Python's. */
bool pht_census_count_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                            const unsigned char *bytes, size_t size);

/* A chunk that is of no interest, with its first `size` bytes: what nobody owns is sampled. */
void pht_census_pass_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                           const unsigned char *bytes, size_t size);

#endif
