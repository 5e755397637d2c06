/*
 * The blocks of pymalloc's pools. Of a pool, the blocks that were handed out once lie between its
 * header and nextoffset; those of them that are free are in the list that begins with freeblock,
 * linked by their first words.
 */
#include <stdlib.h>

#include "base/checked.h"
#include "walk/census.h"
#include "walk/field.h"
#include "walk/pymalloc.h"

#define POOL_BYTES_MAX ((size_t)64 << 10)
#define POOL_BLOCKS_MAX (POOL_BYTES_MAX / 8)

/* What is read of one pool in one go is read again so often if it does not hold together. */
#define TRIES 3

#define GATHERED 1024

struct pool_walk {
    struct pht_census *census;
    struct pht_pymalloc_geometry geometry;
    pht_addr pool;
    uint64_t block_bytes;
    uint64_t blocks; /* that were handed out */
    uint64_t freed[POOL_BLOCKS_MAX / 64];
    unsigned char bytes[POOL_BYTES_MAX];
    /* Objects for which more has to be read, which is done for all of a pool at once. */
    size_t waiting;
    struct pht_found_object objects[GATHERED];
    uint32_t offsets[GATHERED];
    pht_addr addrs[GATHERED];
    uint8_t results[GATHERED];
    unsigned char more[GATHERED][PHT_OBJECT_MORE_BYTES];
};

/* ---- free blocks -------------------------------------------------------------------------- */

static bool is_freed(const struct pool_walk *walk, uint64_t block)
{
    return walk->freed[block / 64] >> block % 64 & 1;
}

/* False if the list leaves the pool, goes in circles, or is not as long as it should be. */
static bool find_freed(struct pool_walk *walk, pht_addr at, uint64_t count)
{
    pht_addr first = walk->pool + walk->geometry.header_bytes;

    for (uint64_t i = 0; i < (walk->blocks + 63) / 64; i++)
        walk->freed[i] = 0;
    for (; count > 0 && at != 0; count--) {
        uint64_t block = (at - first) / walk->block_bytes;
        if (at < first || block >= walk->blocks || is_freed(walk, block))
            return false;
        walk->freed[block / 64] |= (uint64_t)1 << block % 64;
        at = pht_field_u64(walk->bytes, at - walk->pool);
    }
    return count == 0 && at == 0;
}

/* ---- objects ------------------------------------------------------------------------------ */

static void count_one(struct pool_walk *walk, const struct pht_found_object *found, uint32_t offset,
                      const void *more)
{
    pht_census_count_block(walk->census, found, walk->pool + offset, walk->bytes + offset,
                           walk->block_bytes, walk->block_bytes, more);
}

static void count_waiting(struct pool_walk *walk)
{
    struct pht_census *census = walk->census;

    pht_snapshot_gather(census->snapshot, walk->addrs, walk->waiting, PHT_OBJECT_MORE_BYTES,
                        walk->more, walk->results);
    for (size_t i = 0; i < walk->waiting; i++)
        count_one(walk, &walk->objects[i], walk->offsets[i],
                  walk->results[i] == PHT_READ_OK ? walk->more[i] : NULL);
    walk->waiting = 0;
}

static void count_block(struct pool_walk *walk, uint32_t offset)
{
    struct pht_census *census = walk->census;
    const unsigned char *bytes = walk->bytes + offset;
    struct pht_found_object found;
    pht_addr more;

    if (!pht_census_find_object(census, bytes, walk->block_bytes, &found)) {
        count_one(walk, NULL, offset, NULL);
        return;
    }
    const struct pht_object object = {
        .address = walk->pool + offset + found.offset,
        .type = found.type,
        .bytes = bytes + found.offset,
        .size = walk->block_bytes - found.offset,
    };
    if (!pht_object_needs(&census->layout, &object, &more)) {
        count_one(walk, &found, offset, NULL);
        return;
    }
    walk->objects[walk->waiting] = found;
    walk->offsets[walk->waiting] = offset;
    walk->addrs[walk->waiting++] = more;
    if (walk->waiting == GATHERED)
        count_waiting(walk);
}

/* ---- pools -------------------------------------------------------------------------------- */

enum pool_result {
    POOL_READ,
    POOL_EMPTY,
    POOL_TORN,
    POOL_SWAPPED,
};

static enum pool_result read_pool(struct pool_walk *walk)
{
    const struct pht_python_layout *layout = &walk->census->roots->python->layout;
    enum pht_read_result why;
    struct pht_pool pool;

    size_t got = pht_snapshot_read_some(walk->census->snapshot, walk->pool, walk->bytes,
                                        walk->geometry.pool_bytes, &why);
    if (got < walk->geometry.pool_bytes)
        return why == PHT_READ_SWAPPED ? POOL_SWAPPED : POOL_TORN;
    enum pht_pool_state state =
        pht_pymalloc_decode_pool(&walk->geometry, layout, walk->bytes,
                                 pht_field_u32(walk->bytes, layout->pool_arenaindex), &pool);
    if (state == PHT_POOL_FREE)
        return POOL_EMPTY;
    if (state != PHT_POOL_USED)
        return POOL_TORN;
    walk->block_bytes = (uint64_t)(pool.size_class + 1) * walk->geometry.alignment_bytes;
    walk->blocks =
        (pht_field_u32(walk->bytes, layout->pool_nextoffset) - walk->geometry.header_bytes) /
        walk->block_bytes;
    return find_freed(walk, pht_field_u64(walk->bytes, layout->pool_freeblock),
                      walk->blocks - pool.live_blocks)
               ? POOL_READ
               : POOL_TORN;
}

static void walk_pool(struct pool_walk *walk)
{
    enum pool_result result = POOL_TORN;

    for (int tries = 0; tries < TRIES && result == POOL_TORN; tries++)
        result = read_pool(walk);
    walk->census->result->torn_pools += result == POOL_TORN;
    walk->census->result->swapped_pools += result == POOL_SWAPPED;
    if (result != POOL_READ)
        return;
    for (uint64_t i = 0; i < walk->blocks; i++) {
        if (!is_freed(walk, i))
            count_block(walk, (uint32_t)(walk->geometry.header_bytes + i * walk->block_bytes));
    }
    count_waiting(walk);
}

/* ---- size classes, by pool ---------------------------------------------------------------- */

static void gather_classes(struct pht_census *census, size_t arena, pht_addr first, size_t pools)
{
    const struct pht_python_layout *layout = &census->roots->python->layout;
    uint64_t pool_bytes = census->pymalloc->pool_bytes;
    pht_addr addrs[PHT_ARENA_POOLS_MAX] = {0};
    uint32_t classes[PHT_ARENA_POOLS_MAX];
    uint8_t results[PHT_ARENA_POOLS_MAX];

    for (size_t i = 0; i < pools; i++)
        addrs[i] = first + i * pool_bytes + layout->pool_szidx;
    pht_snapshot_gather(census->snapshot, addrs, pools, sizeof(classes[0]), classes, results);
    for (size_t i = 0; i < pools; i++)
        census->classes[arena * census->arena_pools + i] =
            results[i] == PHT_READ_OK && classes[i] < PHT_SIZE_CLASSES_MAX ? (uint8_t)classes[i]
                                                                           : PHT_CENSUS_NO_CLASS;
}

static size_t pools_of(const struct pool_walk *walk, const struct pht_range *arena)
{
    pht_addr first = pht_pymalloc_first_pool(&walk->geometry, arena->start);

    return (size_t)((arena->end - first) / walk->geometry.pool_bytes);
}

void pht_census_walk_pools(struct pht_census *census)
{
    struct pool_walk *walk = malloc(sizeof(*walk));
    const struct pht_pymalloc *pymalloc = census->pymalloc;

    if (walk == NULL || pymalloc->pool_bytes > POOL_BYTES_MAX || census->arena_count == 0) {
        census->out_of_memory = census->out_of_memory || walk == NULL;
        free(walk);
        return;
    }
    walk->census = census;
    walk->waiting = 0;
    walk->geometry = (struct pht_pymalloc_geometry){
        .arena_bytes = pymalloc->arena_bytes,
        .pool_bytes = pymalloc->pool_bytes,
        .alignment_bytes = pymalloc->alignment_bytes,
        .header_bytes = census->roots->python->layout.pool_header_bytes,
        .classes = (uint32_t)(512 / pymalloc->alignment_bytes),
    };
    for (size_t i = 0; i < census->arena_count; i++)
        gather_classes(census, i, pht_pymalloc_first_pool(&walk->geometry, census->arenas[i].start),
                       pools_of(walk, &census->arenas[i]));
    for (size_t i = 0; i < census->arena_count; i++) {
        size_t pools = pools_of(walk, &census->arenas[i]);
        walk->pool = pht_pymalloc_first_pool(&walk->geometry, census->arenas[i].start);
        for (size_t j = 0; j < pools && !census->out_of_memory; j++) {
            walk_pool(walk);
            walk->pool += walk->geometry.pool_bytes;
        }
    }
    free(walk);
}
