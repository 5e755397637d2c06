/*
 * Counting pymalloc's pools, arena by arena, from their headers alone.
 *
 * Invariant of an arena: it has as many pools in use as ntotalpools - nfreepools of its arena
 * object. Outside a stop the two are read at different times; when they disagree, both are read
 * again together, and what still disagrees is counted as torn. The headers are then believed, so
 * that the figures add up to the arenas in any case.
 */
#include "walk/pymalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/vec.h"

/* How often what looks torn is read again. */
#define REREADS_MAX 3

/* Pool headers that are gathered in one go: one arena of the largest kind, 16 of the usual. */
struct batch {
    size_t count;
    pht_addr addrs[PHT_ARENA_POOLS_MAX];
    uint8_t read[PHT_ARENA_POOLS_MAX]; /* enum pht_read_result */
    unsigned char headers[PHT_ARENA_POOLS_MAX * PHT_POOL_HEADER_MAX];
};

struct walk {
    struct pht_snapshot *snapshot;
    const struct pht_python_layout *layout;
    const struct pht_pymalloc_root *state;
    struct pht_pymalloc_geometry geometry;
    struct pht_pymalloc *result;
    struct pht_pymalloc_totals *totals; /* of the state that is walked */
    struct pht_size_class classes[PHT_SIZE_CLASSES_MAX];
    size_t arena_count;
    struct batch many; /* of the arenas in turn */
    struct batch one;  /* of an arena that is read again */
};

/* What the headers of one arena say. */
struct tally {
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

static size_t carved_pools(const struct walk *walk, const struct pht_arena_root *arena)
{
    pht_addr first = pht_pymalloc_first_pool(&walk->geometry, arena->address);

    return (size_t)((arena->pool_address - first) / walk->geometry.pool_bytes);
}

static void tally_pool(struct walk *walk, const struct pht_pool *pool, struct tally *tally)
{
    const struct pht_pymalloc_geometry *geometry = &walk->geometry;
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
static enum pht_pool_state reread_pool(struct walk *walk, pht_addr addr, uint32_t arena_index,
                                       struct pht_pool *pool)
{
    unsigned char header[PHT_POOL_HEADER_MAX];
    enum pht_pool_state state = PHT_POOL_ODD;

    for (int tries = 0; tries < REREADS_MAX && is_unsettled(state); tries++) {
        walk->result->rereads++;
        if (pht_snapshot_read(walk->snapshot, addr, header, walk->geometry.header_bytes) !=
            PHT_READ_OK)
            break;
        state = pht_pymalloc_decode_pool(&walk->geometry, walk->layout, header, arena_index, pool);
    }
    return state;
}

/* The arena's headers begin at slot `first` of the batch. */
static void tally_arena(struct walk *walk, const struct pht_arena_root *arena,
                        const struct batch *batch, size_t first, struct tally *tally)
{
    size_t end = first + carved_pools(walk, arena);

    memset(tally, 0, sizeof(*tally));
    for (size_t i = first; i < end; i++) {
        const unsigned char *header = batch->headers + i * walk->geometry.header_bytes;
        enum pht_pool_state state = PHT_POOL_ODD;
        struct pht_pool pool;
        if (batch->read[i] == PHT_READ_SWAPPED) {
            tally->swapped++;
            continue;
        }
        if (batch->read[i] == PHT_READ_OK)
            state = pht_pymalloc_decode_pool(&walk->geometry, walk->layout, header, arena->index,
                                             &pool);
        if (is_unsettled(state))
            state = reread_pool(walk, batch->addrs[i], arena->index, &pool);
        if (state == PHT_POOL_USED || state == PHT_POOL_TORN)
            tally_pool(walk, &pool, tally);
        if (state == PHT_POOL_TORN)
            tally->torn++;
        if (state == PHT_POOL_ODD)
            tally->damaged++;
    }
}

static void append_pools(struct walk *walk, const struct pht_arena_root *arena, struct batch *batch)
{
    pht_addr pool = pht_pymalloc_first_pool(&walk->geometry, arena->address);
    size_t pools = carved_pools(walk, arena);

    for (size_t i = 0; i < pools; i++, pool += walk->geometry.pool_bytes)
        batch->addrs[batch->count++] = pool;
}

static void gather(struct walk *walk, struct batch *batch)
{
    pht_snapshot_gather(walk->snapshot, batch->addrs, batch->count, walk->geometry.header_bytes,
                        batch->headers, batch->read);
}

static uint64_t expected_used(const struct pht_arena_root *arena)
{
    return arena->ntotalpools - arena->nfreepools;
}

static bool agrees(const struct pht_arena_root *arena, const struct tally *tally)
{
    uint64_t seen = tally->used + tally->damaged + tally->swapped;

    /* Behind an unreadable header may be a free pool as well as a used one. */
    return tally->used <= expected_used(arena) && expected_used(arena) <= seen;
}

/* The arena object as it is now. False: its slot is free, or another arena's. */
static bool reread_arena(struct walk *walk, struct pht_arena_root *arena)
{
    unsigned char object[PHT_POOL_HEADER_MAX];
    struct pht_arena_root now = *arena;
    uint64_t array;

    walk->result->rereads++;
    if (pht_snapshot_read(walk->snapshot, walk->state->arenas_field, &array, sizeof(array)) !=
        PHT_READ_OK)
        return false;
    pht_addr slot = array + arena->index * walk->layout->arena_object_bytes;
    if (pht_snapshot_read(walk->snapshot, slot, object, walk->layout->arena_object_bytes) !=
        PHT_READ_OK)
        return false;
    pht_pymalloc_decode_arena(walk->layout, object, &now);
    if (now.address != arena->address || !pht_pymalloc_arena_fits(&walk->geometry, &now))
        return false;
    *arena = now;
    return true;
}

/*
 * Read arena object and headers together until they agree. Damage counts as disagreement, since
 * an arena that is gone leaves other data behind. False: it is gone.
 */
static bool settle(struct walk *walk, struct pht_arena_root *arena, struct tally *tally)
{
    for (int tries = 0; tries < REREADS_MAX && (tally->damaged > 0 || !agrees(arena, tally));
         tries++) {
        if (!reread_arena(walk, arena))
            return false;
        walk->one.count = 0;
        append_pools(walk, arena, &walk->one);
        gather(walk, &walk->one);
        tally_arena(walk, arena, &walk->one, 0, tally);
    }
    if (!agrees(arena, tally)) {
        uint64_t expected = expected_used(arena);
        walk->result->torn_pools +=
            tally->used > expected ? tally->used - expected : expected - tally->used;
    }
    return true;
}

static void add_classes(struct walk *walk, const struct tally *tally)
{
    for (uint32_t i = 0; i < walk->geometry.classes; i++) {
        walk->classes[i].pools += tally->classes[i].pools;
        walk->classes[i].live_blocks += tally->classes[i].live;
        walk->classes[i].free_blocks += tally->classes[i].free;
    }
}

static void add_arena(struct walk *walk, const struct pht_arena_root *arena,
                      const struct tally *tally)
{
    const struct pht_pymalloc_geometry *geometry = &walk->geometry;
    struct pht_pymalloc_totals *totals = walk->totals;
    uint64_t unknown = tally->damaged + tally->swapped;
    uint64_t unused = arena->ntotalpools - tally->used - unknown;

    totals->arenas++;
    totals->pools_used += tally->used;
    totals->pools_free += unused;
    totals->live_blocks += tally->live_blocks;
    totals->free_blocks += tally->free_blocks;
    totals->live_bytes += tally->live_bytes;
    totals->free_bytes += tally->free_bytes;
    totals->unused_pool_bytes += unused * geometry->pool_bytes;
    totals->pool_header_bytes += tally->used * geometry->header_bytes;
    totals->quantization_bytes += tally->quantization_bytes;
    totals->arena_alignment_bytes +=
        geometry->arena_bytes - arena->ntotalpools * geometry->pool_bytes;
    totals->unknown_pool_bytes += unknown * geometry->pool_bytes;
    totals->total_bytes += geometry->arena_bytes;
    walk->result->torn_pools += tally->torn;
    walk->result->damaged_pools += tally->damaged;
    walk->result->swapped_pools += tally->swapped;
    add_classes(walk, tally);
    walk->result->arenas[walk->arena_count++] = (struct pht_arena){
        .address = arena->address,
        .pools_used = tally->used,
        .pools_free = unused,
        .live_bytes = tally->live_bytes,
        .resident_bytes = pht_snapshot_resident_bytes(walk->snapshot, arena->address,
                                                      arena->address + geometry->arena_bytes),
    };
}

/* `count` arenas whose pools fit into one batch. */
static void walk_batch(struct walk *walk, const struct pht_arena_root *arenas, size_t count)
{
    size_t first = 0;

    walk->many.count = 0;
    for (size_t i = 0; i < count; i++)
        append_pools(walk, &arenas[i], &walk->many);
    gather(walk, &walk->many);
    for (size_t i = 0; i < count; i++) {
        struct pht_arena_root arena = arenas[i];
        struct tally tally;
        tally_arena(walk, &arena, &walk->many, first, &tally);
        first += carved_pools(walk, &arenas[i]);
        if (settle(walk, &arena, &tally))
            add_arena(walk, &arena, &tally);
        else
            walk->result->vanished_arenas++;
    }
}

static void walk_state(struct walk *walk, const struct pht_arena_root *arenas)
{
    struct pht_arena_root fitting[PHT_ARENA_POOLS_MAX];
    size_t count = 0, pools = 0;

    for (size_t i = 0; i < walk->state->arenas; i++) {
        if (!pht_pymalloc_arena_fits(&walk->geometry, &arenas[i])) {
            walk->result->damaged_arenas++;
            continue;
        }
        size_t carved = carved_pools(walk, &arenas[i]);
        if (pools + carved > PHT_ARENA_POOLS_MAX || count == PHT_ARENA_POOLS_MAX) {
            walk_batch(walk, fitting, count);
            count = pools = 0;
        }
        fitting[count++] = arenas[i];
        pools += carved;
    }
    walk_batch(walk, fitting, count);
}

/* ---- the whole
 * ----------------------------------------------------------------------------------- */

static void add_totals(struct pht_pymalloc_totals *sum, const struct pht_pymalloc_totals *part)
{
    sum->arenas += part->arenas;
    sum->pools_used += part->pools_used;
    sum->pools_free += part->pools_free;
    sum->live_blocks += part->live_blocks;
    sum->free_blocks += part->free_blocks;
    sum->live_bytes += part->live_bytes;
    sum->free_bytes += part->free_bytes;
    sum->unused_pool_bytes += part->unused_pool_bytes;
    sum->pool_header_bytes += part->pool_header_bytes;
    sum->quantization_bytes += part->quantization_bytes;
    sum->arena_alignment_bytes += part->arena_alignment_bytes;
    sum->unknown_pool_bytes += part->unknown_pool_bytes;
    sum->total_bytes += part->total_bytes;
}

/* All states of a process are of one build; the first that has pools gives the sizes. */
static bool measure(struct walk *walk, const struct pht_pymalloc_roots *roots)
{
    for (size_t i = 0; i < roots->states.count; i++) {
        const struct pht_pymalloc_root *state = &roots->states.items[i];
        if (pht_pymalloc_measure(walk->snapshot, walk->layout,
                                 roots->arenas.items + state->first_arena, state->arenas,
                                 state->classes, &walk->geometry))
            return true;
    }
    return false;
}

static void walk_states(struct walk *walk, const struct pht_pymalloc_roots *roots)
{
    struct pht_pymalloc *result = walk->result;

    for (size_t i = 0; i < roots->states.count; i++) {
        const struct pht_pymalloc_root *root = &roots->states.items[i];
        struct pht_pymalloc_state *state = &result->states[result->state_count++];
        *state = (struct pht_pymalloc_state){
            .address = root->usedpools,
            .interpreter = root->interpreter,
            .interpreters = root->interpreters,
            .arenas_peak = root->arenas_peak,
            .arenas_allocated_total = root->arenas_allocated_total,
        };
        walk->state = root;
        walk->totals = &state->totals;
        walk_state(walk, roots->arenas.items + root->first_arena);
        add_totals(&result->totals, &state->totals);
    }
}

static void list_classes(const struct walk *walk)
{
    struct pht_pymalloc *result = walk->result;

    for (uint32_t i = 0; i < walk->geometry.classes; i++) {
        struct pht_size_class class = walk->classes[i];
        if (class.pools == 0)
            continue;
        class.block_bytes = (uint64_t)(i + 1) * walk->geometry.alignment_bytes;
        class.live_bytes = class.live_blocks * class.block_bytes;
        class.free_bytes = class.free_blocks * class.block_bytes;
        uint64_t blocks = class.live_blocks + class.free_blocks;
        class.live_percent = (uint32_t)((class.live_blocks * 100 + blocks / 2) / blocks);
        result->classes[result->class_count++] = class;
    }
}

static int compare_arenas(const void *a, const void *b)
{
    const struct pht_arena *left = a, *right = b;

    return left->address < right->address ? -1 : left->address > right->address;
}

static void finish(const struct walk *walk, const struct pht_pymalloc_roots *roots)
{
    struct pht_pymalloc *result = walk->result;

    result->arena_bytes = walk->geometry.arena_bytes;
    result->pool_bytes = walk->geometry.pool_bytes;
    result->alignment_bytes = walk->geometry.alignment_bytes;
    list_classes(walk);
    qsort(result->arenas, walk->arena_count, sizeof(*result->arenas), compare_arenas);
    for (size_t i = 0; i < walk->arena_count; i++) {
        const struct pht_arena *arena = &result->arenas[i];
        if (arena->live_bytes >= result->arena_bytes / 10)
            continue;
        result->sparse_arenas++;
        result->sparse_live_bytes += arena->live_bytes;
        result->sparse_held_bytes += result->arena_bytes;
    }
    if (roots->states.count == 1)
        result->arenas_peak = roots->states.items[0].arenas_peak;
    result->arenas_allocated_total = 0;
    for (size_t i = 0; i < roots->states.count; i++) {
        uint64_t part = roots->states.items[i].arenas_allocated_total;
        if (part == PHT_UNKNOWN ||
            !pht_add_fits(result->arenas_allocated_total, part, &result->arenas_allocated_total)) {
            result->arenas_allocated_total = PHT_UNKNOWN;
            break;
        }
    }
}

static struct pht_pymalloc *create_result(const struct pht_pymalloc_roots *roots)
{
    struct pht_pymalloc *result = calloc(1, sizeof(*result));

    if (result == NULL)
        return NULL;
    result->arenas = calloc(roots->arenas.count + 1, sizeof(*result->arenas));
    result->states = calloc(roots->states.count + 1, sizeof(*result->states));
    if (result->arenas == NULL || result->states == NULL) {
        pht_pymalloc_destroy(result);
        return NULL;
    }
    result->allocator = roots->allocator;
    result->damaged_arenas = roots->damaged_arenas;
    result->arena_bytes = result->pool_bytes = result->alignment_bytes = PHT_UNKNOWN;
    result->arenas_peak = result->arenas_allocated_total = PHT_UNKNOWN;
    return result;
}

struct pht_pymalloc *pht_pymalloc_walk(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots)
{
    struct pht_pymalloc *result = create_result(roots);
    struct walk *walk = calloc(1, sizeof(*walk));

    if (result == NULL || walk == NULL) {
        pht_pymalloc_destroy(result);
        free(walk);
        return NULL;
    }
    walk->snapshot = snapshot;
    walk->layout = &roots->python->layout;
    walk->result = result;
    if (measure(walk, roots)) {
        walk_states(walk, roots);
        finish(walk, roots);
    } else {
        result->damaged_arenas += roots->arenas.count;
    }
    free(walk);
    return result;
}

void pht_pymalloc_destroy(struct pht_pymalloc *pymalloc)
{
    if (pymalloc == NULL)
        return;
    free(pymalloc->arenas);
    free(pymalloc->states);
    free(pymalloc);
}

const char *pht_object_allocator_name(enum pht_object_allocator allocator)
{
    switch (allocator) {
    case PHT_ALLOCATOR_PYMALLOC:
        return "pymalloc";
    case PHT_ALLOCATOR_PYMALLOC_DEBUG:
        return "pymalloc_debug";
    case PHT_ALLOCATOR_MALLOC:
        return "malloc";
    case PHT_ALLOCATOR_MALLOC_DEBUG:
        return "malloc_debug";
    case PHT_ALLOCATOR_MIMALLOC:
        return "mimalloc";
    case PHT_ALLOCATOR_CUSTOM:
        return "custom";
    case PHT_ALLOCATOR_UNKNOWN:
        break;
    }
    return NULL;
}
