/* pymalloc as a whole: every state, every arena, every size class. */
#include "pyheaptop/walk.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/work.h"
#include "walk/pymalloc_arena.h"

struct walk {
    struct pht_arena_reader reader;
    struct pht_pymalloc *result;
    struct pht_pymalloc_totals *totals; /* of the state that is walked */
    struct pht_size_class classes[PHT_SIZE_CLASSES_MAX];
    size_t arena_count;
    size_t arena_pools;                  /* no arena has more */
    const struct pht_arena_root **order; /* all arenas, by address */
    size_t order_count;
    struct pht_owners *owners;
};

/* By address, and by place among equals, so that the order is total. */
static int compare_roots(const void *a, const void *b)
{
    const struct pht_arena_root *left = *(const struct pht_arena_root *const *)a;
    const struct pht_arena_root *right = *(const struct pht_arena_root *const *)b;

    if (left->address != right->address)
        return left->address < right->address ? -1 : 1;
    return left < right ? -1 : left > right;
}

static bool sort_arenas(struct walk *walk, const struct pht_pymalloc_roots *roots)
{
    walk->order_count = roots->arenas.count;
    walk->order = calloc(walk->order_count + 1, sizeof(*walk->order));
    if (walk->order == NULL)
        return false;
    for (size_t i = 0; i < walk->order_count; i++)
        walk->order[i] = &roots->arenas.items[i];
    qsort(walk->order, walk->order_count, sizeof(*walk->order), compare_roots);
    return true;
}

static void add_classes(struct walk *walk, const struct pht_arena_tally *tally)
{
    for (uint32_t i = 0; i < walk->reader.geometry.classes; i++) {
        walk->classes[i].pools += tally->classes[i].pools;
        walk->classes[i].live_blocks += tally->classes[i].live;
        walk->classes[i].free_blocks += tally->classes[i].free;
    }
}

static void add_arena(struct walk *walk, const struct pht_arena_root *arena,
                      const struct pht_arena_tally *tally)
{
    const struct pht_pymalloc_geometry *geometry = &walk->reader.geometry;
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
    uint8_t *pool_classes = walk->result->pool_classes + walk->arena_count * walk->arena_pools;
    pht_arena_reader_list_classes(&walk->reader, arena, pool_classes);
    walk->result->arenas[walk->arena_count++] = (struct pht_arena){
        .address = arena->address,
        .pools_used = tally->used,
        .pools_free = unused,
        .live_bytes = tally->live_bytes,
        .resident_bytes = pht_snapshot_resident_bytes(walk->reader.snapshot, arena->address,
                                                      arena->address + geometry->arena_bytes),
        .pool_classes = pool_classes,
        .live_blocks = tally->live_blocks,
    };
}

/* `count` arenas whose headers fit into one batch. False: the work was called off. */
static bool walk_batch(struct walk *walk, const struct pht_arena_root *arenas, size_t count)
{
    pht_arena_reader_gather(&walk->reader, arenas, count);
    for (size_t i = 0; i < count; i++) {
        struct pht_arena_root arena = arenas[i];
        struct pht_arena_tally tally;
        if (!pht_arena_reader_next(&walk->reader, &arena, &tally)) {
            walk->result->vanished_arenas++;
            continue;
        }
        add_arena(walk, &arena, &tally);
        pht_arena_reader_claim(&walk->reader, &arena, walk->owners);
    }
    return pht_work_advance(pht_snapshot_work(walk->reader.snapshot), count);
}

/*
 * Memory belongs to one arena only, or it would be counted twice. `walk->order` is by address;
 * of arenas that overlap the first is believed, and of equal ones the one that is met first.
 */
static bool overlaps_another(const struct walk *walk, const struct pht_arena_root *arena)
{
    const struct pht_arena_root *const *at =
        bsearch(&arena, walk->order, walk->order_count, sizeof(*walk->order), compare_roots);

    return at > walk->order && arena->address - at[-1]->address < walk->reader.geometry.arena_bytes;
}

static void walk_state(struct walk *walk, const struct pht_arena_root *arenas, size_t arena_count)
{
    struct pht_arena_root fitting[PHT_ARENA_POOLS_MAX];
    size_t count = 0, pools = 0;

    for (size_t i = 0; i < arena_count; i++) {
        if (!pht_pymalloc_arena_fits(&walk->reader.geometry, &arenas[i]) ||
            overlaps_another(walk, &arenas[i])) {
            walk->result->damaged_arenas++;
            continue;
        }
        size_t carved = pht_arena_carved_pools(&walk->reader.geometry, &arenas[i]);
        if (pools + carved > PHT_ARENA_POOLS_MAX || count == PHT_ARENA_POOLS_MAX) {
            if (!walk_batch(walk, fitting, count))
                return;
            count = pools = 0;
        }
        fitting[count++] = arenas[i];
        pools += carved;
    }
    walk_batch(walk, fitting, count);
}

/* ---- the whole --------------------------------------------------------------------------- */

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
static bool measure(struct walk *walk, const struct pht_pymalloc_roots *roots, bool *swapped)
{
    for (size_t i = 0; i < roots->states.count; i++) {
        const struct pht_pymalloc_root *state = &roots->states.items[i];
        if (pht_pymalloc_measure(walk->reader.snapshot, walk->reader.layout,
                                 roots->arenas.items + state->first_arena, state->arenas,
                                 state->classes, &walk->reader.geometry, swapped))
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
        walk->reader.arenas_field = root->arenas_field;
        walk->totals = &state->totals;
        walk_state(walk, roots->arenas.items + root->first_arena, root->arenas);
        add_totals(&result->totals, &state->totals);
    }
}

static bool reserve_pool_classes(struct walk *walk, size_t arenas)
{
    walk->arena_pools =
        (size_t)(walk->reader.geometry.arena_bytes / walk->reader.geometry.pool_bytes);
    walk->result->pool_classes = malloc(arenas * walk->arena_pools);
    if (walk->result->pool_classes != NULL)
        memset(walk->result->pool_classes, PHT_NO_SIZE_CLASS, arenas * walk->arena_pools);
    return walk->result->pool_classes != NULL;
}

static void list_classes(const struct walk *walk)
{
    struct pht_pymalloc *result = walk->result;

    for (uint32_t i = 0; i < walk->reader.geometry.classes; i++) {
        struct pht_size_class class = walk->classes[i];
        if (class.pools == 0)
            continue;
        class.block_bytes = (uint64_t)(i + 1) * walk->reader.geometry.alignment_bytes;
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

    result->arena_bytes = walk->reader.geometry.arena_bytes;
    result->pool_bytes = walk->reader.geometry.pool_bytes;
    result->alignment_bytes = walk->reader.geometry.alignment_bytes;
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

/* False when memory is short. */
static bool walk_all(struct walk *walk, const struct pht_pymalloc_roots *roots)
{
    struct pht_pymalloc *result = walk->result;
    bool swapped = false;

    if (measure(walk, roots, &swapped)) {
        if (!sort_arenas(walk, roots) || !reserve_pool_classes(walk, roots->arenas.count))
            return false;
        walk_states(walk, roots);
        finish(walk, roots);
    } else if (swapped) {
        result->swapped_arenas = roots->arenas.count;
    } else {
        result->damaged_arenas += roots->arenas.count;
    }
    result->is_off = result->totals.arenas == 0 && result->damaged_arenas == 0 &&
                     result->swapped_arenas == 0 && result->vanished_arenas == 0;
    result->rereads = walk->reader.rereads;
    return true;
}

struct pht_pymalloc *pht_pymalloc_walk(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots,
                                       struct pht_owners *owners)
{
    struct pht_pymalloc *result = create_result(roots);
    struct walk *walk = calloc(1, sizeof(*walk));

    if (result == NULL || walk == NULL) {
        pht_pymalloc_destroy(result);
        free(walk);
        return NULL;
    }
    walk->owners = owners;
    walk->reader.snapshot = snapshot;
    walk->reader.layout = &roots->python->layout;
    walk->result = result;
    pht_work_measure(pht_snapshot_work(snapshot), roots->arenas.count, "arenas");
    bool has_walked = walk_all(walk, roots);
    free(walk->order);
    free(walk);
    if (has_walked)
        return result;
    pht_pymalloc_destroy(result);
    return NULL;
}

void pht_pymalloc_destroy(struct pht_pymalloc *pymalloc)
{
    if (pymalloc == NULL)
        return;
    free(pymalloc->arenas);
    free(pymalloc->pool_classes);
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
    case PHT_ALLOCATOR_MIMALLOC_DEBUG:
        return "mimalloc_debug";
    case PHT_ALLOCATOR_CUSTOM:
        return "custom";
    case PHT_ALLOCATOR_UNKNOWN:
        break;
    }
    return NULL;
}
