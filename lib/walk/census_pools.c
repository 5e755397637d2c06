/*
 * The blocks of pymalloc's pools. Of a pool, the blocks that were handed out once lie between its
 * header and nextoffset; those of them that are free are in the list that begins with freeblock,
 * linked by their first words.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/work.h"
#include "walk/census.h"
#include "walk/field.h"
#include "walk/pymalloc.h"

#define POOL_BYTES_MAX ((size_t)64 << 10)
#define POOL_BLOCKS_MAX (POOL_BYTES_MAX / 8)

/* What is read of one pool in one go is read again so often if it does not hold together. */
#define TRIES 3

/* Pools are read by so much at once: more leaves the processor's cache (peers.md). */
#define WINDOW_BYTES ((size_t)128 << 10)
#define WINDOW_POOLS_MAX (WINDOW_BYTES / ((size_t)4 << 10))

#define GATHERED 512

/* A pool in the window, whose blocks can be told apart. */
struct pool {
    uint32_t offset;
    uint32_t block_bytes;
    uint32_t object_count;
    uint64_t objects[POOL_BLOCKS_MAX / 64]; /* bits, in units of alignment from the pool on */
};

/* An object for which more has to be read, which is done for many at once. */
struct waiting {
    struct pht_object object;
    struct pool *pool;
    uint32_t offset;
};

struct pool_walk {
    struct pht_census *census;
    const struct pht_pymalloc_geometry *geometry;
    const struct pht_range *arena;
    unsigned alignment_shift;
    pht_addr start;    /* of the window */
    size_t read_bytes; /* of it, from its start on */
    struct pool pools[WINDOW_POOLS_MAX];
    size_t pool_count;
    size_t waiting_count;
    struct waiting waiting[GATHERED];
    pht_addr addrs[GATHERED];
    uint8_t results[GATHERED];
    unsigned char more[GATHERED][PHT_OBJECT_MORE_BYTES];
    unsigned char bytes[WINDOW_BYTES];
};

/* ---- objects ------------------------------------------------------------------------------ */

static void count_object(struct pool_walk *walk, struct pool *pool, uint32_t offset,
                         const struct pht_object *object, const void *more)
{
    uint32_t place = (offset - pool->offset) >> walk->alignment_shift;

    if (!pht_census_count_object(walk->census, object, pool->block_bytes, more, false))
        return;
    pool->objects[place / 64] |= (uint64_t)1 << place % 64;
    pool->object_count++;
}

static void count_waiting(struct pool_walk *walk)
{
    pht_snapshot_gather(walk->census->snapshot, walk->addrs, walk->waiting_count,
                        PHT_OBJECT_MORE_BYTES, walk->more, walk->results);
    for (size_t i = 0; i < walk->waiting_count; i++) {
        const struct waiting *waiting = &walk->waiting[i];
        count_object(walk, waiting->pool, waiting->offset, &waiting->object,
                     walk->results[i] == PHT_READ_OK ? walk->more[i] : NULL);
    }
    walk->waiting_count = 0;
}

/* Keys were often made with their dict, and lie nearby: NULL if not in what was read already. */
static const unsigned char *find_in_window(const struct pool_walk *walk, pht_addr addr)
{
    pht_addr into = addr - walk->start;

    return addr >= walk->start && walk->read_bytes >= PHT_OBJECT_MORE_BYTES &&
                   into <= walk->read_bytes - PHT_OBJECT_MORE_BYTES
               ? walk->bytes + into
               : NULL;
}

static void look_at_block(struct pool_walk *walk, struct pool *pool, uint32_t offset)
{
    struct pht_census *census = walk->census;
    const unsigned char *found = NULL;
    struct pht_object object;
    pht_addr more;

    if (!pht_census_find_object(census, walk->start + offset, walk->bytes + offset,
                                pool->block_bytes, census->hook_bytes, &object))
        return;
    if (!pht_object_may_need(object.type) || !pht_object_needs(&census->layout, &object, &more) ||
        (found = find_in_window(walk, more)) != NULL) {
        count_object(walk, pool, offset, &object, found);
        return;
    }
    walk->waiting[walk->waiting_count] = (struct waiting){object, pool, offset};
    walk->addrs[walk->waiting_count++] = more;
    if (walk->waiting_count == GATHERED)
        count_waiting(walk);
}

/* ---- pools -------------------------------------------------------------------------------- */

enum pool_result {
    POOL_READ,
    POOL_EMPTY,
    POOL_TORN,
    POOL_SWAPPED,
};

struct blocks {
    uint64_t count; /* that were handed out */
    uint64_t live;
    uint64_t freed[POOL_BLOCKS_MAX / 64];
};

static bool is_freed(const struct blocks *blocks, uint64_t i)
{
    return blocks->freed[i / 64] >> i % 64 & 1;
}

/* False if the list leads elsewhere, goes in circles, or is not as long as it should be. */
static bool find_freed(const struct pool_walk *walk, const struct pool *pool, pht_addr at,
                       uint64_t count, struct blocks *blocks)
{
    pht_addr first = walk->start + pool->offset + walk->geometry->header_bytes;

    memset(blocks->freed, 0, (blocks->count + 63) / 64 * sizeof(blocks->freed[0]));
    for (; count > 0 && at != 0; count--) {
        uint64_t block = (at - first) / pool->block_bytes;
        if (at < first || block >= blocks->count || at != first + block * pool->block_bytes ||
            is_freed(blocks, block))
            return false;
        blocks->freed[block / 64] |= (uint64_t)1 << block % 64;
        at = pht_field_u64(walk->bytes, at - walk->start);
    }
    return count == 0 && at == 0;
}

/* Of a pool whose bytes are in the window. */
static enum pool_result decode_pool(const struct pool_walk *walk, struct pool *pool,
                                    struct blocks *blocks)
{
    const struct pht_python_layout *layout = &walk->census->roots->python->layout;
    const unsigned char *header = walk->bytes + pool->offset;
    struct pht_pool decoded;

    enum pht_pool_state state = pht_pymalloc_decode_pool(
        walk->geometry, layout, header, pht_field_u32(header, layout->pool_arenaindex), &decoded);
    if (state == PHT_POOL_FREE)
        return POOL_EMPTY;
    if (state != PHT_POOL_USED)
        return POOL_TORN;
    pool->block_bytes = (decoded.size_class + 1) * (uint32_t)walk->geometry->alignment_bytes;
    blocks->count =
        (pht_field_u32(header, layout->pool_nextoffset) - walk->geometry->header_bytes) /
        pool->block_bytes;
    blocks->live = decoded.live_blocks;
    return find_freed(walk, pool, pht_field_u64(header, layout->pool_freeblock),
                      blocks->count - blocks->live, blocks)
               ? POOL_READ
               : POOL_TORN;
}

static enum pool_result read_pool(struct pool_walk *walk, struct pool *pool, struct blocks *blocks)
{
    enum pht_read_result why;
    size_t got =
        pht_snapshot_read_some(walk->census->snapshot, walk->start + pool->offset,
                               walk->bytes + pool->offset, walk->geometry->pool_bytes, &why);

    if (got < walk->geometry->pool_bytes)
        return why == PHT_READ_SWAPPED ? POOL_SWAPPED : POOL_TORN;
    return decode_pool(walk, pool, blocks);
}

/* `is_read`: its bytes are in the window already. */
static void walk_pool(struct pool_walk *walk, uint32_t offset, bool is_read)
{
    struct pool *pool = &walk->pools[walk->pool_count];
    struct blocks blocks;

    pool->offset = offset;
    enum pool_result result = is_read ? decode_pool(walk, pool, &blocks) : POOL_TORN;
    for (int tries = is_read; tries < TRIES && result == POOL_TORN; tries++)
        result = read_pool(walk, pool, &blocks);
    walk->census->result->torn_pools += result == POOL_TORN;
    walk->census->result->swapped_pools += result == POOL_SWAPPED;
    if (result != POOL_READ)
        return;
    walk->pool_count++;
    pool->object_count = 0;
    memset(pool->objects, 0, walk->census->arenas->pool_words * sizeof(pool->objects[0]));
    offset += (uint32_t)walk->geometry->header_bytes;
    for (uint64_t i = 0; i < blocks.count; i++, offset += pool->block_bytes) {
        if (!is_freed(&blocks, i))
            look_at_block(walk, pool, offset);
    }
    walk->census->blocks += blocks.live;
    walk->census->block_bytes += blocks.live * pool->block_bytes;
    pht_focus_add_pool(&walk->census->focus, walk->arena->start, pool->block_bytes, blocks.live);
}

/* ---- windows ------------------------------------------------------------------------------ */

/* An object's proof is better than that of an owner, which may be what is left of an object. */
static void take_objects(struct pool_walk *walk)
{
    struct pht_holders *holders = &walk->census->result->blocks;

    for (size_t i = 0; i < walk->pool_count; i++) {
        const struct pool *pool = &walk->pools[i];
        uint64_t owned = pht_census_arenas_take_many(walk->census->arenas, walk->arena,
                                                     walk->start + pool->offset, pool->objects);
        holders->buffers.count -= owned;
        holders->buffers.bytes -= owned * pool->block_bytes;
        pht_tally_add(&holders->objects, pool->object_count,
                      (uint64_t)pool->object_count * pool->block_bytes);
    }
}

static void walk_window(struct pool_walk *walk, size_t bytes)
{
    enum pht_read_result why;

    walk->read_bytes =
        pht_snapshot_read_some(walk->census->snapshot, walk->start, walk->bytes, bytes, &why);
    walk->pool_count = 0;
    for (size_t end = walk->geometry->pool_bytes; end <= bytes; end += walk->geometry->pool_bytes)
        walk_pool(walk, (uint32_t)(end - walk->geometry->pool_bytes), end <= walk->read_bytes);
    count_waiting(walk);
    take_objects(walk);
}

static void walk_arena(struct pool_walk *walk, const struct pht_range *arena)
{
    uint64_t pool_bytes = walk->geometry->pool_bytes;

    walk->arena = arena;
    walk->census->here = arena;
    walk->start = pht_pymalloc_first_pool(walk->geometry, arena->start);
    pht_addr end = pht_round_down(arena->end, pool_bytes);
    while (walk->start < end && !walk->census->out_of_memory) {
        size_t bytes =
            end - walk->start < WINDOW_BYTES ? (size_t)(end - walk->start) : WINDOW_BYTES;
        walk_window(walk, bytes);
        walk->start += bytes;
    }
}

void pht_census_walk_pools(struct pht_census *census)
{
    struct pht_census_arenas *arenas = census->arenas;
    struct pht_work *work = pht_snapshot_work(census->snapshot);
    struct pool_walk *walk = malloc(sizeof(*walk));
    size_t i;

    census->out_of_memory = census->out_of_memory || walk == NULL;
    if (walk != NULL && arenas->count > 0 && arenas->geometry.pool_bytes <= POOL_BYTES_MAX) {
        walk->census = census;
        walk->geometry = &arenas->geometry;
        walk->alignment_shift = arenas->alignment_shift;
        walk->waiting_count = 0;
        while ((i = atomic_fetch_add(&arenas->next, 1)) < arenas->count) {
            walk_arena(walk, &arenas->ranges[i]);
            if (!pht_work_advance(work, 1))
                break;
        }
    }
    free(walk);
}
