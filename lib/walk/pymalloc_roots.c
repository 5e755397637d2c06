/*
 * The roots of pymalloc: every allocator state, and its array of arena objects.
 *
 * Runs while the target is stopped, so it reads little and allocates nothing that an earlier run
 * has not allocated before.
 *
 * Invariants, each checked here:
 * - usedpools[2i] and [2i+1] are the list of partly used pools of class i: either both point to
 *   the entry itself less 16 (so that it looks like a pool header), or both to pools.
 * - A slot of the array with address 0 is not in use; any other is page-aligned, its pool_address
 *   lies behind it, and nfreepools <= ntotalpools.
 * - narenas_currently_allocated slots are in use.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/vec.h"
#include "walk/field.h"
#include "walk/pymalloc.h"

/* Interpreters of a process; a list that is longer is damaged, or a circle. */
#define INTERPRETERS_MAX 65536

/* The largest state read at once: the table of used pools and the counters behind it. */
#define STATE_HEAD_BYTES 4096

/* Arena objects are read so many bytes at a time. */
#define ARENA_BATCH_BYTES ((size_t)64 << 10)

/* No array of arena objects is longer: that of a 16 TiB heap of the smallest arenas. */
#define MAXARENAS_MAX ((uint32_t)1 << 26)

/* Before a pool header's nextpool and prevpool stand two words: ref and freeblock. */
#define USEDPOOLS_BIAS 16

void pht_pymalloc_roots_init(struct pht_pymalloc_roots *roots, const struct pht_python *python)
{
    *roots = (struct pht_pymalloc_roots){.python = python};
}

void pht_pymalloc_roots_deinit(struct pht_pymalloc_roots *roots)
{
    free(roots->states.items);
    free(roots->arenas.items);
    *roots = (struct pht_pymalloc_roots){0};
}

/* Where one state's parts stand: statics up to 3.11, members of a struct later. */
struct state_place {
    pht_addr usedpools;
    uint64_t usedpools_bytes;
    pht_addr arenas;
    pht_addr maxarenas;
    pht_addr narenas;
    pht_addr arenas_peak;
    pht_addr arenas_allocated_total;
    int64_t interpreter;
};

/*
 * A root that lies in a page the target never loaded is one it never used, which is no failure
 * of reading; any other is noted.
 */
static bool read_root(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                      pht_addr addr, void *value, size_t size)
{
    enum pht_read_result result = pht_snapshot_read(snapshot, addr, value, size);

    if (result != PHT_READ_OK && result != PHT_READ_ABSENT)
        roots->unreadable = true;
    return result == PHT_READ_OK;
}

/* A counter that this build does not have, or that cannot be read, stays unknown. */
static uint64_t read_counter(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                             pht_addr addr)
{
    uint64_t value;

    if (addr == PHT_UNKNOWN || !read_root(snapshot, roots, addr, &value, sizeof(value)))
        return PHT_UNKNOWN;
    return value;
}

/* False if the table cannot be one of used pools: then the layout is not this process's. */
static bool proves_usedpools(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                             const struct state_place *place)
{
    uint64_t table[2 * PHT_SIZE_CLASSES_MAX];
    uint64_t pairs = place->usedpools_bytes / 16;

    if (place->usedpools_bytes % 16 != 0 || pairs < 16 || pairs > PHT_SIZE_CLASSES_MAX ||
        !pht_is_power_of_two(pairs) ||
        !read_root(snapshot, roots, place->usedpools, table, place->usedpools_bytes))
        return false;
    for (uint64_t i = 0; i < pairs; i++) {
        uint64_t self = place->usedpools + 16 * i - USEDPOOLS_BIAS;
        uint64_t first = table[2 * i], last = table[2 * i + 1];
        if (first == self && last == self)
            continue;
        if (first == self || last == self || first == 0 || first % PHT_PAGE_BYTES != 0 ||
            last == 0 || last % PHT_PAGE_BYTES != 0)
            return false;
    }
    return true;
}

bool pht_pymalloc_arena_is_sane(const struct pht_arena_root *arena)
{
    return arena->address <= PHT_USER_ADDR_MAX && arena->address % PHT_PAGE_BYTES == 0 &&
           arena->pool_address >= arena->address && arena->pool_address % PHT_PAGE_BYTES == 0 &&
           arena->pool_address - arena->address <= PHT_ARENA_BYTES_MAX && arena->ntotalpools > 0 &&
           arena->ntotalpools <= PHT_ARENA_POOLS_MAX && arena->nfreepools <= arena->ntotalpools;
}

void pht_pymalloc_decode_arena(const struct pht_python_layout *layout, const void *bytes,
                               struct pht_arena_root *ret)
{
    ret->address = pht_field_u64(bytes, layout->arena_address);
    ret->pool_address = pht_field_u64(bytes, layout->arena_pool_address);
    ret->nfreepools = pht_field_u32(bytes, layout->arena_nfreepools);
    ret->ntotalpools = pht_field_u32(bytes, layout->arena_ntotalpools);
}

static bool add_arenas(struct pht_pymalloc_roots *roots, const void *bytes, uint32_t first,
                       size_t count)
{
    const struct pht_python_layout *layout = &roots->python->layout;

    for (size_t i = 0; i < count; i++) {
        struct pht_arena_root arena = {.index = first + (uint32_t)i};
        pht_pymalloc_decode_arena(layout, (const char *)bytes + i * layout->arena_object_bytes,
                                  &arena);
        if (arena.address == 0)
            continue;
        if (!pht_pymalloc_arena_is_sane(&arena)) {
            roots->damaged_arenas++;
            continue;
        }
        if (!pht_vec_push(&roots->arenas, arena))
            return false;
    }
    return true;
}

/* True if every slot was read and as many are in use as the state says. */
static bool read_arenas(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                        const struct pht_pymalloc_root *root)
{
    uint64_t object_bytes = roots->python->layout.arena_object_bytes;
    size_t batch = ARENA_BATCH_BYTES / object_bytes, before = roots->arenas.count;
    uint64_t damaged = roots->damaged_arenas;
    char buffer[ARENA_BATCH_BYTES];

    for (uint32_t done = 0; done < root->maxarenas;) {
        size_t count = root->maxarenas - done < batch ? root->maxarenas - done : batch;
        if (!read_root(snapshot, roots, root->arenas_addr + done * object_bytes, buffer,
                       count * object_bytes) ||
            !add_arenas(roots, buffer, done, count))
            return false;
        done += (uint32_t)count;
    }
    uint64_t found = roots->arenas.count - before + (roots->damaged_arenas - damaged);
    return roots->damaged_arenas == damaged &&
           (root->narenas == PHT_UNKNOWN || root->narenas == found);
}

/*
 * An earlier freeze, just before the stop, has read the arenas of this state already, and none
 * was made or given back since: then they are kept, so that a stop takes no longer on a large
 * heap. What changed inside an arena meanwhile, the walk finds out as it does after the stop, but
 * not that pools were carved and nothing else; so none are kept where the walk is to be exact.
 */
static bool keep_arenas(const struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                        const struct pht_pymalloc_root *root)
{
    const struct pht_pymalloc_root *before = &roots->states.items[roots->states.count];

    if (pht_snapshot_stats(snapshot).stop == PHT_STOP_FULL ||
        roots->states.count >= roots->states_before || before->first_arena != roots->arenas.count ||
        before->arenas_addr != root->arenas_addr || before->maxarenas != root->maxarenas ||
        before->narenas != root->narenas || root->arenas_allocated_total == PHT_UNKNOWN ||
        before->arenas_allocated_total != root->arenas_allocated_total)
        return false;
    roots->arenas.count += before->arenas;
    return true;
}

static bool add_state(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                      const struct state_place *place)
{
    uint64_t array;
    uint32_t maxarenas;

    if (!read_root(snapshot, roots, place->arenas, &array, sizeof(array)) ||
        !read_root(snapshot, roots, place->maxarenas, &maxarenas, sizeof(maxarenas)))
        return false;
    if (array == 0 || maxarenas == 0)
        return true;
    if (maxarenas > MAXARENAS_MAX || !proves_usedpools(snapshot, roots, place))
        return false;
    roots->proven = true;
    struct pht_pymalloc_root root = {
        .usedpools = place->usedpools,
        .arenas_field = place->arenas,
        .arenas_addr = array,
        .maxarenas = maxarenas,
        .narenas = read_counter(snapshot, roots, place->narenas),
        .arenas_peak = read_counter(snapshot, roots, place->arenas_peak),
        .arenas_allocated_total = read_counter(snapshot, roots, place->arenas_allocated_total),
        .interpreter = place->interpreter,
        .interpreters = 1,
        .classes = (uint32_t)(place->usedpools_bytes / 16),
        .first_arena = roots->arenas.count,
    };
    bool consistent = keep_arenas(snapshot, roots, &root) || read_arenas(snapshot, roots, &root);
    root.arenas = roots->arenas.count - root.first_arena;
    return pht_vec_push(&roots->states, root) && consistent;
}

static pht_addr relocate(const struct pht_python *python, uint64_t address)
{
    return address == PHT_UNKNOWN ? PHT_UNKNOWN : address + python->bias;
}

static bool freeze_statics(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots)
{
    const struct pht_python *python = roots->python;
    const struct pht_python_layout *layout = &python->layout;
    struct state_place place = {
        .usedpools = relocate(python, layout->usedpools),
        .usedpools_bytes = layout->usedpools_bytes,
        .arenas = relocate(python, layout->arenas),
        .maxarenas = relocate(python, layout->maxarenas),
        .narenas = relocate(python, layout->narenas),
        .arenas_peak = relocate(python, layout->narenas_highwater),
        .arenas_allocated_total = relocate(python, layout->ntimes_arena_allocated),
        .interpreter = -1,
    };

    bool consistent = add_state(snapshot, roots, &place);
    roots->initialised = roots->arenas.count > 0;
    /* Before any arena exists the table of used pools is the only witness. */
    if (!roots->proven)
        roots->proven = proves_usedpools(snapshot, roots, &place);
    return consistent;
}

static pht_addr member(pht_addr base, uint64_t offset)
{
    return offset == PHT_UNKNOWN ? PHT_UNKNOWN : base + offset;
}

/* Interpreters may share a state: 3.13 keeps one for all but the isolated ones. */
static bool is_known_state(struct pht_pymalloc_roots *roots, pht_addr usedpools)
{
    for (size_t i = 0; i < roots->states.count; i++) {
        if (roots->states.items[i].usedpools == usedpools) {
            roots->states.items[i].interpreters++;
            return true;
        }
    }
    return false;
}

static bool add_interpreter(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots,
                            pht_addr interpreter)
{
    const struct pht_python_layout *layout = &roots->python->layout;
    pht_addr state = interpreter + layout->interp_obmalloc;
    uint64_t id = 0;

    if (layout->interp_obmalloc_bytes == sizeof(pht_addr) &&
        !read_root(snapshot, roots, state, &state, sizeof(state)))
        return false;
    if (layout->interp_id != PHT_UNKNOWN &&
        !read_root(snapshot, roots, interpreter + layout->interp_id, &id, sizeof(id)))
        return false;
    if (state == 0 || is_known_state(roots, state + layout->obmalloc_usedpools))
        return true;
    struct state_place place = {
        .usedpools = state + layout->obmalloc_usedpools,
        .usedpools_bytes = layout->obmalloc_usedpools_bytes,
        .arenas = state + layout->obmalloc_arenas,
        .maxarenas = state + layout->obmalloc_maxarenas,
        .narenas = member(state, layout->obmalloc_narenas),
        .arenas_peak = member(state, layout->obmalloc_narenas_highwater),
        .arenas_allocated_total = member(state, layout->obmalloc_ntimes_arena_allocated),
        .interpreter = (int64_t)id,
    };
    return add_state(snapshot, roots, &place);
}

static bool freeze_interpreters(struct pht_snapshot *snapshot, struct pht_pymalloc_roots *roots)
{
    const struct pht_python_layout *layout = &roots->python->layout;
    pht_addr runtime = relocate(roots->python, layout->runtime), interpreter;
    bool consistent = true;

    if (!read_root(snapshot, roots, runtime + layout->runtime_interpreters_head, &interpreter,
                   sizeof(interpreter)))
        return false;
    roots->initialised = interpreter != 0;
    for (int seen = 0; interpreter != 0; seen++) {
        if (seen == INTERPRETERS_MAX)
            return false;
        consistent = add_interpreter(snapshot, roots, interpreter) && consistent;
        if (!read_root(snapshot, roots, interpreter + layout->interp_next, &interpreter,
                       sizeof(interpreter)))
            return false;
    }
    /* No state with arenas: pymalloc is off, and the list of interpreters ended well. */
    if (roots->states.count == 0 && consistent)
        roots->proven = true;
    return consistent;
}

/* ---- which allocator ---------------------------------------------------------------------- */

static enum pht_object_allocator name_function(const struct pht_python *python, pht_addr function)
{
    const struct pht_python_layout *layout = &python->layout;

    if (function == relocate(python, layout->pymalloc_function))
        return PHT_ALLOCATOR_PYMALLOC;
    if (function == relocate(python, layout->malloc_function))
        return PHT_ALLOCATOR_MALLOC;
    if (function == relocate(python, layout->mimalloc_function))
        return PHT_ALLOCATOR_MIMALLOC;
    return function == 0 ? PHT_ALLOCATOR_UNKNOWN : PHT_ALLOCATOR_CUSTOM;
}

/* `_PyMem_Debug` is {raw, mem, obj}, each {api_id, alloc}: what the hooks call stands there. */
static pht_addr debug_malloc_field(const struct pht_python *python)
{
    const struct pht_python_layout *layout = &python->layout;

    if (layout->runtime_debug_malloc != PHT_UNKNOWN)
        return relocate(python, layout->runtime) + layout->runtime_debug_malloc;
    if (layout->debug_allocators == PHT_UNKNOWN || layout->debug_api_bytes == PHT_UNKNOWN ||
        layout->debug_api_malloc == PHT_UNKNOWN)
        return PHT_UNKNOWN;
    return relocate(python, layout->debug_allocators) + 2 * layout->debug_api_bytes +
           layout->debug_api_malloc;
}

static enum pht_object_allocator find_allocator(struct pht_snapshot *snapshot,
                                                struct pht_pymalloc_roots *roots)
{
    const struct pht_python *python = roots->python;
    const struct pht_python_layout *layout = &python->layout;
    pht_addr field = PHT_UNKNOWN, function;

    if (layout->runtime_object_malloc != PHT_UNKNOWN)
        field = relocate(python, layout->runtime) + layout->runtime_object_malloc;
    else if (layout->object_allocator != PHT_UNKNOWN && layout->allocator_malloc != PHT_UNKNOWN)
        field = relocate(python, layout->object_allocator) + layout->allocator_malloc;
    if (field == PHT_UNKNOWN || !read_root(snapshot, roots, field, &function, sizeof(function)))
        return PHT_ALLOCATOR_UNKNOWN;
    if (function != relocate(python, layout->debug_function))
        return name_function(python, function);
    field = debug_malloc_field(python);
    if (field == PHT_UNKNOWN || !read_root(snapshot, roots, field, &function, sizeof(function)))
        return PHT_ALLOCATOR_UNKNOWN;
    switch (name_function(python, function)) {
    case PHT_ALLOCATOR_PYMALLOC:
        return PHT_ALLOCATOR_PYMALLOC_DEBUG;
    case PHT_ALLOCATOR_MALLOC:
        return PHT_ALLOCATOR_MALLOC_DEBUG;
    case PHT_ALLOCATOR_MIMALLOC:
        return PHT_ALLOCATOR_MIMALLOC_DEBUG;
    default:
        return PHT_ALLOCATOR_CUSTOM;
    }
}

bool pht_pymalloc_freeze(struct pht_snapshot *snapshot, void *context)
{
    struct pht_pymalloc_roots *roots = context;

    roots->states_before = roots->consistent ? roots->states.count : 0;
    roots->states.count = roots->arenas.count = 0;
    roots->proven = roots->initialised = roots->unreadable = false;
    roots->damaged_arenas = 0;
    roots->allocator = find_allocator(snapshot, roots);
    if (roots->python->layout.obmalloc_bytes == PHT_UNKNOWN)
        roots->consistent = freeze_statics(snapshot, roots);
    else
        roots->consistent = freeze_interpreters(snapshot, roots);
    return roots->consistent;
}
