/*
 * Invariant of an arena: it has as many pools in use as ntotalpools - nfreepools of its arena
 * object. Outside a stop the two are read at different times; when they disagree, both are read
 * again together, and what still disagrees is counted as torn. The headers are then believed, so
 * that the figures add up to the arenas in any case.
 */
#include "walk/pymalloc_arena.h"

#include <string.h>

#include "walk/field.h"

/* How often what looks torn is read again. */
#define REREADS_MAX 3

size_t pht_arena_carved_pools(const struct pht_pymalloc_geometry *geometry,
                              const struct pht_arena_root *arena)
{
    pht_addr first = pht_pymalloc_first_pool(geometry, arena->address);

    return (size_t)((arena->pool_address - first) / geometry->pool_bytes);
}

static void tally_pool(struct pht_arena_reader *reader, const struct pht_pool *pool,
                       struct pht_arena_tally *tally)
{
    const struct pht_pymalloc_geometry *geometry = &reader->geometry;
    uint64_t size = (uint64_t)(pool->size_class + 1) * geometry->alignment_bytes;

    tally->used++;
    tally->live_blocks += pool->live_blocks;
    tally->free_blocks += pool->free_blocks;
    tally->live_bytes += pool->live_blocks * size;
    tally->free_bytes += pool->free_blocks * size;
    tally->quantization_bytes += (geometry->pool_bytes - geometry->header_bytes) % size;
    tally->classes[pool->size_class].pools++;
    tally->classes[pool->size_class].live += pool->live_blocks;
    tally->classes[pool->size_class].free += pool->free_blocks;
}

static bool is_unsettled(enum pht_pool_state state)
{
    return state == PHT_POOL_ODD || state == PHT_POOL_TORN;
}

/* A header that makes no sense may be one that is being written: look again. */
static enum pht_pool_state reread_pool(struct pht_arena_reader *reader, pht_addr addr,
                                       uint32_t arena_index, unsigned char *header,
                                       struct pht_pool *pool)
{
    enum pht_pool_state state = PHT_POOL_ODD;

    for (int tries = 0; tries < REREADS_MAX && is_unsettled(state); tries++) {
        reader->rereads++;
        if (pht_snapshot_read(reader->snapshot, addr, header, reader->geometry.header_bytes) !=
            PHT_READ_OK)
            break;
        state =
            pht_pymalloc_decode_pool(&reader->geometry, reader->layout, header, arena_index, pool);
    }
    return state;
}

/* The arena's headers begin at slot `first` of the batch; those that are read again change. */
static void tally_arena(struct pht_arena_reader *reader, const struct pht_arena_root *arena,
                        struct pht_pool_batch *batch, size_t first, struct pht_arena_tally *tally)
{
    size_t end = first + pht_arena_carved_pools(&reader->geometry, arena);

    memset(tally, 0, sizeof(*tally));
    reader->settled = batch;
    reader->settled_first = first;
    for (size_t i = first; i < end; i++) {
        unsigned char *header = batch->headers + i * reader->geometry.header_bytes;
        enum pht_pool_state state = PHT_POOL_ODD;
        struct pht_pool pool;
        if (batch->read[i] == PHT_READ_SWAPPED) {
            tally->swapped++;
            continue;
        }
        if (batch->read[i] == PHT_READ_OK)
            state = pht_pymalloc_decode_pool(&reader->geometry, reader->layout, header,
                                             arena->index, &pool);
        if (is_unsettled(state))
            state = reread_pool(reader, batch->addrs[i], arena->index, header, &pool);
        if (state == PHT_POOL_USED || state == PHT_POOL_TORN)
            tally_pool(reader, &pool, tally);
        if (state == PHT_POOL_TORN)
            tally->torn++;
        if (state == PHT_POOL_ODD)
            tally->damaged++;
    }
}

static void append_pools(struct pht_arena_reader *reader, const struct pht_arena_root *arena,
                         struct pht_pool_batch *batch)
{
    pht_addr pool = pht_pymalloc_first_pool(&reader->geometry, arena->address);
    size_t pools = pht_arena_carved_pools(&reader->geometry, arena);

    for (size_t i = 0; i < pools; i++, pool += reader->geometry.pool_bytes)
        batch->addrs[batch->count++] = pool;
}

static void gather(struct pht_arena_reader *reader, struct pht_pool_batch *batch)
{
    pht_snapshot_gather(reader->snapshot, batch->addrs, batch->count, reader->geometry.header_bytes,
                        batch->headers, batch->read);
}

static uint64_t expected_used(const struct pht_arena_root *arena)
{
    return arena->ntotalpools - arena->nfreepools;
}

static bool agrees(const struct pht_arena_root *arena, const struct pht_arena_tally *tally)
{
    uint64_t seen = tally->used + tally->damaged + tally->swapped;

    /* Behind an unreadable header may be a free pool as well as a used one. */
    return tally->used <= expected_used(arena) && expected_used(arena) <= seen;
}

enum arena_now {
    ARENA_THERE,
    ARENA_ODD, /* cannot be read, or is just being written */
    ARENA_GONE,
};

/* The arena object as it is now; the array may have moved. */
static enum arena_now reread_arena(struct pht_arena_reader *reader, struct pht_arena_root *arena)
{
    unsigned char object[PHT_COPIED_STRUCT_MAX];
    uint64_t object_bytes = reader->layout->arena_object_bytes;
    struct pht_arena_root now = *arena;
    uint64_t array;

    reader->rereads++;
    if (pht_snapshot_read(reader->snapshot, reader->arenas_field, &array, sizeof(array)) !=
            PHT_READ_OK ||
        pht_snapshot_read(reader->snapshot, array + arena->index * object_bytes, object,
                          object_bytes) != PHT_READ_OK)
        return ARENA_ODD;
    pht_pymalloc_decode_arena(reader->layout, object, &now);
    if (now.address != arena->address)
        return ARENA_GONE;
    if (!pht_pymalloc_arena_is_sane(&now) || !pht_pymalloc_arena_fits(&reader->geometry, &now))
        return ARENA_ODD;
    *arena = now;
    return ARENA_THERE;
}

static void retally_arena(struct pht_arena_reader *reader, const struct pht_arena_root *arena,
                          struct pht_arena_tally *tally)
{
    pht_snapshot_look_again(reader->snapshot, arena->address,
                            arena->address + reader->geometry.arena_bytes);
    reader->one.count = 0;
    append_pools(reader, arena, &reader->one);
    gather(reader, &reader->one);
    tally_arena(reader, arena, &reader->one, 0, tally);
}

/*
 * Read arena object and headers together until they agree. Damage counts as disagreement, since
 * an arena that is gone leaves other data behind. False: it is gone.
 */
static bool settle(struct pht_arena_reader *reader, struct pht_arena_root *arena,
                   struct pht_arena_tally *tally)
{
    for (int tries = 0; tries < REREADS_MAX && (tally->damaged > 0 || !agrees(arena, tally));
         tries++) {
        if (reread_arena(reader, arena) == ARENA_GONE)
            return false;
        retally_arena(reader, arena, tally);
    }
    if (!agrees(arena, tally)) {
        uint64_t expected = expected_used(arena);
        tally->torn += tally->used > expected ? tally->used - expected : expected - tally->used;
    }
    return true;
}

void pht_arena_reader_gather(struct pht_arena_reader *reader, const struct pht_arena_root *arenas,
                             size_t count)
{
    reader->next = 0;
    reader->many.count = 0;
    for (size_t i = 0; i < count; i++)
        append_pools(reader, &arenas[i], &reader->many);
    gather(reader, &reader->many);
}

bool pht_arena_reader_next(struct pht_arena_reader *reader, struct pht_arena_root *arena,
                           struct pht_arena_tally *ret)
{
    size_t first = reader->next;

    reader->next += pht_arena_carved_pools(&reader->geometry, arena);
    tally_arena(reader, arena, &reader->many, first, ret);
    return settle(reader, arena, ret);
}

/* A header that could not be read, or was being written, is left as it was met. */
void pht_arena_reader_list_classes(const struct pht_arena_reader *reader,
                                   const struct pht_arena_root *arena, uint8_t *ret)
{
    const struct pht_pool_batch *batch = reader->settled;
    size_t carved = pht_arena_carved_pools(&reader->geometry, arena);

    for (size_t i = 0; i < carved; i++) {
        size_t slot = reader->settled_first + i;
        const unsigned char *header = batch->headers + slot * reader->geometry.header_bytes;
        uint32_t size_class = pht_field_u32(header, reader->layout->pool_szidx);
        if (batch->read[slot] == PHT_READ_OK && size_class < reader->geometry.classes &&
            pht_field_u32(header, reader->layout->pool_count) > 0)
            ret[i] = (uint8_t)size_class;
    }
}
