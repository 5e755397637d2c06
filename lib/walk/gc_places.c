/*
 * The state of the collector is
 *
 *     2.7, 3.6        variables of Modules/gcmodule.c: generations[3], enabled, garbage ...
 *     3.7, 3.8        _PyRuntime.gc, a struct _gc_runtime_state (mem.h, pycore_pymem.h)
 *     3.9 and later   the same struct in each interpreter, PyInterpreterState.gc
 *
 * A generation is {head, int threshold, int count}, and its head a node of the list of objects. In
 * all of them, `generation0` (up to 3.6 _PyGC_generation0) points to the head of the youngest: a
 * state that is not where the layout says has no such pointer in this place. The incremental
 * collector that the first releases of 3.14 had (`young`, `old[2]`) has none, and is believed when
 * its lists are closed.
 */
#include "walk/field.h"
#include "walk/gc.h"
#include "walk/interpreter.h"

/* A struct gc_generation has the head and two ints, and may be padded to 16. */
#define GENERATION_BYTES_MAX ((uint64_t)64)

/* struct gc_generation_stats has three figures up to 3.14: that of 3.6 is in gcmodule.c. */
#define STATIC_STAT_BYTES ((uint64_t)24)
#define STATIC_STATS_BYTES (PHT_GC_GENERATIONS * STATIC_STAT_BYTES)

/* The rings of 3.15 have eleven places for the young generation, three for the others. */
#define RING_PLACES_MAX 16

struct search {
    struct pht_snapshot *snapshot;
    const struct pht_python_layout *layout;
    uint64_t bias;
    uint64_t head_bytes;
    struct pht_gc_places *places;
};

static bool are_known(const uint64_t *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (values[i] == PHT_UNKNOWN)
            return false;
    }
    return true;
}

static bool read_bytes(const struct search *search, pht_addr addr, void *ret, size_t size)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX &&
           pht_snapshot_read(search->snapshot, addr, ret, size) == PHT_READ_OK;
}

static bool points_to(const struct search *search, pht_addr addr, pht_addr wanted)
{
    pht_addr found;

    return read_bytes(search, addr, &found, sizeof(found)) && found == wanted;
}

static void take_generation(const struct search *search, unsigned i, pht_addr at)
{
    search->places->heads[i] = at;
    search->places->thresholds[i] = at + search->head_bytes;
    search->places->counts[i] = at + search->head_bytes + 4;
}

/* `bytes` is that of the array. */
static bool take_generations(const struct search *search, pht_addr at, uint64_t bytes)
{
    uint64_t stride = bytes / PHT_GC_GENERATIONS;

    if (bytes % PHT_GC_GENERATIONS != 0 || stride < search->head_bytes + 8 ||
        stride > GENERATION_BYTES_MAX)
        return false;
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
        take_generation(search, i, at + i * stride);
    return true;
}

/* ---- statics ------------------------------------------------------------------------------ */

static bool are_statics_known(const struct pht_python_layout *layout)
{
    const uint64_t values[] = {
        layout->gc_static_generations, layout->gc_static_generations_bytes,
        layout->gc_static_generation0, layout->gc_static_enabled,
        layout->gc_static_garbage,
    };

    return are_known(values, sizeof(values) / sizeof(values[0]));
}

static bool take_statics(const struct search *search)
{
    const struct pht_python_layout *layout = search->layout;
    struct pht_gc_places *places = search->places;
    pht_addr generations = layout->gc_static_generations + search->bias;

    if (!points_to(search, layout->gc_static_generation0 + search->bias, generations) ||
        !take_generations(search, generations, layout->gc_static_generations_bytes))
        return false;
    places->enabled = layout->gc_static_enabled + search->bias;
    places->garbage = layout->gc_static_garbage + search->bias;
    if (layout->gc_static_callbacks != PHT_UNKNOWN)
        places->callbacks = layout->gc_static_callbacks + search->bias;
    places->is_of_all = true;
    if (layout->gc_static_stats == PHT_UNKNOWN ||
        layout->gc_static_stats_bytes != STATIC_STATS_BYTES)
        return true;
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
        places->stats[i] = layout->gc_static_stats + search->bias + i * STATIC_STAT_BYTES;
    places->stat_collected = 8;
    places->stat_uncollectable = 16;
    return true;
}

/* ---- the struct --------------------------------------------------------------------------- */

static bool is_struct_known(const struct pht_python_layout *layout)
{
    const uint64_t values[] = {layout->gc_enabled, layout->gc_permanent, layout->gc_garbage};
    const uint64_t classic[] = {layout->gc_generations, layout->gc_generations_bytes,
                                layout->gc_generation0};
    const uint64_t incremental[] = {layout->gc_young, layout->gc_old, layout->gc_old_bytes,
                                    layout->gc_visited_space};

    return are_known(values, sizeof(values) / sizeof(values[0])) &&
           (are_known(classic, sizeof(classic) / sizeof(classic[0])) ||
            are_known(incremental, sizeof(incremental) / sizeof(incremental[0])));
}

static bool are_stats_known(const struct pht_python_layout *layout)
{
    const uint64_t values[] = {layout->gc_stats,          layout->gc_stats_bytes,
                               layout->gc_stat_bytes,     layout->gc_stat_collections,
                               layout->gc_stat_collected, layout->gc_stat_uncollectable};

    return are_known(values, sizeof(values) / sizeof(values[0]));
}

/* The place of a ring that was written last. */
static void take_ring(const struct search *search, unsigned i, pht_addr ring, pht_addr index_addr)
{
    uint8_t index;

    if (read_bytes(search, index_addr, &index, sizeof(index)) && index < RING_PLACES_MAX)
        search->places->stats[i] = ring + index * search->layout->gc_stat_bytes;
}

static void take_rings(const struct search *search, pht_addr field)
{
    const struct pht_python_layout *layout = search->layout;
    const uint64_t values[] = {layout->gc_rings_young_index, layout->gc_rings_old,
                               layout->gc_old_ring_bytes, layout->gc_old_ring_index};
    pht_addr rings;

    if (!are_known(values, sizeof(values) / sizeof(values[0])) ||
        !read_bytes(search, field, &rings, sizeof(rings)) || rings > PHT_USER_ADDR_MAX)
        return;
    take_ring(search, 0, rings, rings + layout->gc_rings_young_index);
    for (unsigned i = 1; i < PHT_GC_GENERATIONS; i++) {
        pht_addr ring = rings + layout->gc_rings_old + (i - 1) * layout->gc_old_ring_bytes;
        take_ring(search, i, ring, ring + layout->gc_old_ring_index);
    }
}

static void take_stats(const struct search *search, pht_addr state)
{
    const struct pht_python_layout *layout = search->layout;
    struct pht_gc_places *places = search->places;

    if (!are_stats_known(layout))
        return;
    places->stat_collections = layout->gc_stat_collections;
    places->stat_collected = layout->gc_stat_collected;
    places->stat_uncollectable = layout->gc_stat_uncollectable;
    if (layout->gc_stats_bytes == PHT_GC_GENERATIONS * layout->gc_stat_bytes) {
        for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
            places->stats[i] = state + layout->gc_stats + i * layout->gc_stat_bytes;
    } else if (layout->gc_stats_bytes == sizeof(pht_addr)) {
        take_rings(search, state + layout->gc_stats);
    }
}

/*
 * gc.get_objects(generation=1) lists the old space that is visited, 2 the other one, and so go the
 * counts; thresholds stay with their place (Modules/gcmodule.c and Python/gc.c, 3.14.0).
 */
static bool take_incremental(const struct search *search, pht_addr state)
{
    const struct pht_python_layout *layout = search->layout;
    struct pht_gc_places *places = search->places;
    uint64_t stride = layout->gc_old_bytes / 2;
    uint32_t visited;

    if (!read_bytes(search, state + layout->gc_visited_space, &visited, sizeof(visited)) ||
        visited > 1 || stride < search->head_bytes + 8 || stride > GENERATION_BYTES_MAX)
        return false;
    take_generation(search, 0, state + layout->gc_young);
    for (uint32_t i = 0; i < 2; i++) {
        pht_addr old = state + layout->gc_old;
        take_generation(search, 1 + i, old + (visited ^ i) * stride);
        places->thresholds[1 + i] = old + i * stride + search->head_bytes;
    }
    return true;
}

static bool take_struct(const struct search *search, pht_addr state)
{
    const struct pht_python_layout *layout = search->layout;
    struct pht_gc_places *places = search->places;
    pht_addr generations = state + layout->gc_generations;

    if (layout->gc_generations == PHT_UNKNOWN) {
        if (!take_incremental(search, state))
            return false;
    } else if (!points_to(search, state + layout->gc_generation0, generations) ||
               !take_generations(search, generations, layout->gc_generations_bytes)) {
        return false;
    }
    places->enabled = state + layout->gc_enabled;
    places->heads[PHT_GC_FROZEN] = state + layout->gc_permanent;
    places->garbage = state + layout->gc_garbage;
    if (layout->gc_callbacks != PHT_UNKNOWN)
        places->callbacks = state + layout->gc_callbacks;
    take_stats(search, state);
    return true;
}

/* ---- both --------------------------------------------------------------------------------- */

static bool is_of_interpreters(const struct pht_python_layout *layout)
{
    return layout->interp_gc != PHT_UNKNOWN && pht_interpreter_is_known(layout) &&
           is_struct_known(layout);
}

static bool is_of_runtime(const struct pht_python_layout *layout)
{
    return layout->runtime_gc != PHT_UNKNOWN && layout->runtime != PHT_UNKNOWN &&
           is_struct_known(layout);
}

static bool take_interpreter(const struct search *search, const struct pht_python *python)
{
    pht_addr interpreter =
        pht_interpreter_main(search->snapshot, python, &search->places->is_of_all);

    return interpreter != 0 && take_struct(search, interpreter + search->layout->interp_gc);
}

bool pht_gc_is_known(const struct pht_python *python)
{
    struct pht_object_layout objects;

    return pht_object_layout_find(python, &objects) &&
           (is_of_interpreters(&python->layout) || is_of_runtime(&python->layout) ||
            are_statics_known(&python->layout));
}

bool pht_gc_find_places(struct pht_snapshot *snapshot, const struct pht_python *python,
                        struct pht_gc_places *ret)
{
    struct pht_object_layout objects;
    const struct search search = {
        .snapshot = snapshot,
        .layout = &python->layout,
        .bias = python->bias,
        .head_bytes = pht_object_layout_find(python, &objects) ? objects.gc_head_bytes : 0,
        .places = ret,
    };

    *ret = (struct pht_gc_places){0};
    if (search.head_bytes == 0)
        return false;
    if (is_of_interpreters(search.layout))
        return take_interpreter(&search, python);
    if (is_of_runtime(search.layout)) {
        ret->is_of_all = true;
        return take_struct(&search,
                           search.layout->runtime + search.bias + search.layout->runtime_gc);
    }
    return are_statics_known(search.layout) && take_statics(&search);
}
