#include "support/heap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "layout/python_layout.h"

/* Where things stand. Addresses of the layout are as linked, so the bias must be added. */
#define BIAS ((pht_addr)0x555500000000)
#define DATA_LINKED 0x10000
#define BSS_LINKED 0x20000
#define TEXT_LINKED 0x1000
#define IMAGE_PART_BYTES 0x10000
#define OBJECTS ((pht_addr)0x7f0000000000)
#define ARENAS ((pht_addr)0x7f1000000000)

/* Offsets as 3.12 and 3.13 have them; sizes cut down to what is read. */
#define RUNTIME_HEAD 632
#define RUNTIME_OBJECT_MALLOC 784
#define RUNTIME_DEBUG_MALLOC 904
#define INTERP_NEXT 7264
#define INTERP_ID 7272
#define INTERP_OBMALLOC 3960
#define INTERP_BYTES 0x3000
#define STATE_BYTES 0x800
#define ARRAY_BYTES 0x30000
#define DEBUG_API_BYTES 48

#define DUMMY_SIZE_IDX 0xffff

static pht_addr function_address(enum heap_function function)
{
    return TEXT_LINKED + 0x100 * (pht_addr)function;
}

static void describe_structs(struct pht_python_layout *layout)
{
    layout->pool_header_bytes = POOL_HEADER_BYTES;
    layout->pool_count = POOL_COUNT;
    layout->pool_freeblock = POOL_FREEBLOCK;
    layout->pool_arenaindex = POOL_ARENAINDEX;
    layout->pool_szidx = POOL_SZIDX;
    layout->pool_nextoffset = POOL_NEXTOFFSET;
    layout->pool_maxnextoffset = POOL_MAXNEXTOFFSET;
    layout->arena_object_bytes = ARENA_OBJECT_BYTES;
    layout->arena_address = ARENA_ADDRESS;
    layout->arena_pool_address = ARENA_POOL_ADDRESS;
    layout->arena_nfreepools = ARENA_NFREEPOOLS;
    layout->arena_ntotalpools = ARENA_NTOTALPOOLS;
    layout->pymalloc_function = function_address(HEAP_FUNCTION_PYMALLOC);
    layout->malloc_function = function_address(HEAP_FUNCTION_MALLOC);
    layout->debug_function = function_address(HEAP_FUNCTION_DEBUG);
    layout->mimalloc_function = function_address(HEAP_FUNCTION_MIMALLOC);
}

static void describe_statics(struct pht_python_layout *layout, uint32_t classes)
{
    layout->usedpools = DATA_LINKED + 0x200;
    layout->usedpools_bytes = classes * 16;
    layout->arenas = BSS_LINKED + 0x100;
    layout->maxarenas = BSS_LINKED + 0x0f8;
    layout->narenas = BSS_LINKED + 0x110;
    layout->ntimes_arena_allocated = BSS_LINKED + 0x118;
    layout->narenas_highwater = BSS_LINKED + 0x120;
    layout->object_allocator = DATA_LINKED + 0x1000;
    layout->allocator_malloc = 8;
    layout->debug_allocators = DATA_LINKED + 0x1100;
    layout->debug_api_bytes = DEBUG_API_BYTES;
    layout->debug_api_malloc = 16;
}

static void describe_interpreters(struct pht_python_layout *layout, uint32_t classes, bool pointed)
{
    layout->obmalloc_bytes = STATE_BYTES;
    layout->obmalloc_usedpools = 0;
    layout->obmalloc_usedpools_bytes = classes * 16;
    layout->obmalloc_arenas = classes * 16;
    layout->obmalloc_maxarenas = classes * 16 + 8;
    layout->obmalloc_narenas = classes * 16 + 552;
    layout->obmalloc_ntimes_arena_allocated = classes * 16 + 560;
    layout->obmalloc_narenas_highwater = classes * 16 + 568;
    layout->interp_bytes = INTERP_BYTES;
    layout->interp_next = INTERP_NEXT;
    layout->interp_id = INTERP_ID;
    layout->interp_obmalloc = INTERP_OBMALLOC;
    layout->interp_obmalloc_bytes = pointed ? sizeof(pht_addr) : STATE_BYTES;
    layout->runtime_bytes = 0x2000;
    layout->runtime_interpreters_head = RUNTIME_HEAD;
    layout->runtime_object_malloc = RUNTIME_OBJECT_MALLOC;
    layout->runtime_debug_malloc = RUNTIME_DEBUG_MALLOC;
    layout->runtime = BSS_LINKED + 0x4000;
}

static void describe(struct heap *heap)
{
    struct pht_python *python = &heap->python;

    python->bias = BIAS;
    python->layout_source = PHT_LAYOUT_DWARF;
    pht_python_layout_clear(&python->layout);
    describe_structs(&python->layout);
    if (heap->options.place == HEAP_STATICS)
        describe_statics(&python->layout, heap->classes);
    else
        describe_interpreters(&python->layout, heap->classes, heap->options.place == HEAP_POINTED);
    heap->runtime = BIAS + python->layout.runtime;
}

static void map_resident(struct fake_target *fake, pht_addr start, uint64_t bytes, unsigned kind)
{
    fake_target_map(fake, start, start + bytes, kind);
    fake_target_set_pages(fake, start, start + bytes, FAKE_RESIDENT);
}

/* Interpreters, states and arrays come from malloc, each in a part of one mapping. */
static pht_addr interpreter_address(uint32_t interpreter)
{
    return OBJECTS + interpreter * (pht_addr)INTERP_BYTES;
}

static pht_addr state_address(uint32_t state)
{
    return OBJECTS + HEAP_INTERPRETERS_MAX * (pht_addr)INTERP_BYTES + state * (pht_addr)STATE_BYTES;
}

static pht_addr array_address(uint32_t state)
{
    return state_address(HEAP_STATES_MAX) + state * (pht_addr)ARRAY_BYTES;
}

static void map_image(struct heap *heap)
{
    map_resident(heap->fake, BIAS + DATA_LINKED, IMAGE_PART_BYTES, FAKE_FILE);
    map_resident(heap->fake, BIAS + BSS_LINKED, IMAGE_PART_BYTES, FAKE_PRIVATE);
    map_resident(heap->fake, OBJECTS, array_address(HEAP_STATES_MAX) - OBJECTS, FAKE_PRIVATE);
}

/* ---- pools -------------------------------------------------------------------------------- */

static uint32_t block_bytes(const struct heap *heap, uint32_t size_class)
{
    return (size_class + 1) * heap->options.alignment;
}

static uint32_t block_count(const struct heap *heap, uint32_t size_class)
{
    return (heap->options.pool_bytes - POOL_HEADER_BYTES) / block_bytes(heap, size_class);
}

pht_addr heap_pool(const struct heap *heap, uint32_t arena, uint32_t pool)
{
    return heap->arenas[arena].first_pool + pool * (pht_addr)heap->options.pool_bytes;
}

/*
 * The list of free blocks. CPython carves one block ahead, so that a pool with room always has
 * at least one on the list.
 */
static void write_free_list(struct heap *heap, pht_addr pool, uint32_t size_class, uint32_t count,
                            uint32_t handed_out)
{
    pht_addr field = pool + POOL_FREEBLOCK;

    for (uint32_t i = count; i < handed_out; i++) {
        pht_addr block = pool + POOL_HEADER_BYTES + i * (pht_addr)block_bytes(heap, size_class);
        fake_target_put_u64(heap->fake, field, block);
        field = block;
    }
    fake_target_put_u64(heap->fake, field, 0);
}

static void write_pool(struct heap *heap, const struct heap_arena *arena, pht_addr pool,
                       uint32_t size_class, uint32_t count, uint32_t handed_out)
{
    uint32_t size = block_bytes(heap, size_class);

    fake_target_set_pages(heap->fake, pool, pool + heap->options.pool_bytes, FAKE_RESIDENT);
    fake_target_put_u32(heap->fake, pool + POOL_COUNT, count);
    fake_target_put_u32(heap->fake, pool + POOL_ARENAINDEX, arena->index);
    fake_target_put_u32(heap->fake, pool + POOL_SZIDX, size_class);
    fake_target_put_u32(heap->fake, pool + POOL_NEXTOFFSET, POOL_HEADER_BYTES + handed_out * size);
    fake_target_put_u32(heap->fake, pool + POOL_MAXNEXTOFFSET, heap->options.pool_bytes - size);
    write_free_list(heap, pool, size_class, count, handed_out);
}

static void link_partial(struct heap *heap, struct heap_state *state, pht_addr pool,
                         uint32_t size_class)
{
    pht_addr head = state->usedpools + 16 * size_class - 16, last = state->last_partial[size_class];

    fake_target_put_u64(heap->fake, pool + POOL_NEXT, head);
    fake_target_put_u64(heap->fake, pool + POOL_PREV, last != 0 ? last : head);
    if (last != 0)
        fake_target_put_u64(heap->fake, last + POOL_NEXT, pool);
    else
        state->first_partial[size_class] = pool;
    state->last_partial[size_class] = pool;
}

static void count_used(struct heap *heap, struct heap_arena *arena, uint32_t size_class,
                       uint32_t count)
{
    struct pht_pymalloc_totals *totals = &heap->states[arena->state].totals;
    uint64_t size = block_bytes(heap, size_class), blocks = block_count(heap, size_class);

    arena->used++;
    arena->live_bytes += count * size;
    totals->pools_used++;
    totals->live_blocks += count;
    totals->free_blocks += blocks - count;
    totals->live_bytes += count * size;
    totals->free_bytes += (blocks - count) * size;
    totals->pool_header_bytes += POOL_HEADER_BYTES;
    totals->quantization_bytes += (heap->options.pool_bytes - POOL_HEADER_BYTES) % size;
    heap->by_class[size_class].pools++;
    heap->by_class[size_class].live += count;
    heap->by_class[size_class].free += blocks - count;
}

static void add_used_pool(struct heap *heap, struct heap_arena *arena, pht_addr pool,
                          uint32_t size_class, uint32_t count)
{
    uint32_t blocks = block_count(heap, size_class), handed_out = blocks;

    if (count < blocks)
        handed_out = count + 1 + heap_random_below(&heap->random, blocks - count);
    write_pool(heap, arena, pool, size_class, count, handed_out);
    if (count < blocks)
        link_partial(heap, &heap->states[arena->state], pool, size_class);
    count_used(heap, arena, size_class, count);
}

/* Its blocks were all freed: the header keeps the last size class. */
static void add_free_pool(struct heap *heap, const struct heap_arena *arena, pht_addr pool)
{
    uint32_t size_class = heap_random_below(&heap->random, heap->classes);

    write_pool(heap, arena, pool, size_class, 0, block_count(heap, size_class));
    if (heap->options.fill == HEAP_MIXED && heap_random_below(&heap->random, 4) == 0)
        fake_target_put_u32(heap->fake, pool + POOL_SZIDX, DUMMY_SIZE_IDX);
}

static void fill_pool(struct heap *heap, struct heap_arena *arena, uint32_t i)
{
    pht_addr pool = arena->first_pool + i * (pht_addr)heap->options.pool_bytes;
    uint32_t size_class = heap_random_below(&heap->random, heap->classes);
    uint32_t blocks = block_count(heap, size_class);

    if (heap->options.fill == HEAP_FULL) {
        add_used_pool(heap, arena, pool, size_class, blocks);
    } else if (heap->options.fill == HEAP_IDLE ||
               (i > 0 && heap_random_below(&heap->random, 5) == 0)) {
        add_free_pool(heap, arena, pool);
    } else {
        bool full = heap_random_below(&heap->random, 3) == 0;
        uint32_t count = full ? blocks : 1 + heap_random_below(&heap->random, blocks);
        add_used_pool(heap, arena, pool, size_class, count);
    }
}

/* ---- arenas ------------------------------------------------------------------------------- */

static void write_arena_object(struct heap *heap, const struct heap_arena *arena)
{
    struct fake_target *fake = heap->fake;

    fake_target_put_u64(fake, arena->object + ARENA_ADDRESS, arena->address);
    fake_target_put_u64(fake, arena->object + ARENA_POOL_ADDRESS,
                        arena->first_pool + arena->carved * (pht_addr)heap->options.pool_bytes);
    fake_target_put_u32(fake, arena->object + ARENA_NFREEPOOLS, arena->pools - arena->used);
    fake_target_put_u32(fake, arena->object + ARENA_NTOTALPOOLS, arena->pools);
}

static uint32_t choose_carved(struct heap *heap, uint32_t pools)
{
    if (heap->options.fill == HEAP_FULL)
        return pools;
    return 1 + heap_random_below(&heap->random, pools);
}

static void drop_some_pages(struct heap *heap, struct heap_arena *arena)
{
    uint32_t pages = heap->options.pool_bytes / PHT_PAGE_BYTES;
    uint32_t dropped = 0;

    for (uint32_t i = 0; i < arena->carved; i++) {
        pht_addr pool = arena->first_pool + i * (pht_addr)heap->options.pool_bytes;
        for (uint32_t page = 1; page < pages; page++) {
            pht_addr at = pool + page * (pht_addr)PHT_PAGE_BYTES;
            if (heap_random_below(&heap->random, 4) != 0)
                continue;
            fake_target_set_pages(heap->fake, at, at + PHT_PAGE_BYTES, FAKE_ABSENT);
            dropped++;
        }
    }
    arena->resident_bytes =
        (uint64_t)arena->carved * heap->options.pool_bytes - dropped * (uint64_t)PHT_PAGE_BYTES;
}

static void count_arena(struct heap *heap, const struct heap_arena *arena)
{
    const struct heap_options *options = &heap->options;
    struct pht_pymalloc_totals *totals = &heap->states[arena->state].totals;
    uint32_t unused = arena->pools - arena->used;

    totals->arenas++;
    totals->pools_free += unused;
    totals->unused_pool_bytes += unused * (uint64_t)options->pool_bytes;
    if (arena->address % options->pool_bytes != 0)
        totals->arena_alignment_bytes += options->pool_bytes;
    totals->total_bytes += options->arena_bytes;
}

static void add_arena(struct heap *heap, uint32_t state, uint32_t index)
{
    const struct heap_options *options = &heap->options;
    uint32_t number = heap->arena_count++;
    struct heap_arena *arena = &heap->arenas[number];
    pht_addr start = ARENAS + number * ((pht_addr)options->arena_bytes * 2);
    pht_addr address = start + (options->misaligned ? PHT_PAGE_BYTES : 0);
    uint32_t lost = (uint32_t)(address % options->pool_bytes);

    ck_assert_uint_lt(number, HEAP_ARENAS_MAX);
    *arena = (struct heap_arena){
        .address = address,
        .object = heap->states[state].array + index * (pht_addr)ARENA_OBJECT_BYTES,
        .first_pool = lost == 0 ? address : address + options->pool_bytes - lost,
        .index = index,
        .state = state,
        .pools = options->arena_bytes / options->pool_bytes - (lost != 0),
    };
    arena->carved = choose_carved(heap, arena->pools);
    fake_target_map(heap->fake, address, address + options->arena_bytes, FAKE_PRIVATE);
    for (uint32_t i = 0; i < arena->carved; i++)
        fill_pool(heap, arena, i);
    drop_some_pages(heap, arena);
    write_arena_object(heap, arena);
    count_arena(heap, arena);
}

/* ---- states ------------------------------------------------------------------------------- */

static void write_usedpools(struct heap *heap, const struct heap_state *state)
{
    for (uint32_t i = 0; i < heap->classes; i++) {
        pht_addr pair = state->usedpools + 16 * (pht_addr)i, self = pair - 16;
        bool empty = state->first_partial[i] == 0;
        fake_target_put_u64(heap->fake, pair, empty ? self : state->first_partial[i]);
        fake_target_put_u64(heap->fake, pair + 8, empty ? self : state->last_partial[i]);
    }
}

/* Slots that are not in use have address 0; what else stands there is left from earlier. */
static void write_array(struct heap *heap, struct heap_state *state, uint32_t number)
{
    uint32_t slots = heap->options.slots, index = 0;

    while (slots < 2 * heap->options.arenas)
        slots *= 2;
    ck_assert_uint_le(slots * ARENA_OBJECT_BYTES, ARRAY_BYTES);
    state->array = array_address(number);
    for (uint32_t i = 0; i < slots; i++) {
        pht_addr object = state->array + i * (pht_addr)ARENA_OBJECT_BYTES;
        fake_target_put_u64(heap->fake, object + ARENA_POOL_ADDRESS,
                            heap_random_u64(&heap->random));
        fake_target_put_u64(heap->fake, object + ARENA_NFREEPOOLS, heap_random_u64(&heap->random));
    }
    for (uint32_t i = 0; i < heap->options.arenas; i++) {
        index += heap_random_below(&heap->random, slots / heap->options.arenas);
        add_arena(heap, number, index++);
    }
    fake_target_put_u64(heap->fake, state->arenas_field, state->array);
    fake_target_put_u32(heap->fake, state->maxarenas_field, slots);
}

static void fill_state(struct heap *heap, uint32_t number, pht_addr ntimes, pht_addr highwater)
{
    struct heap_state *state = &heap->states[number];

    if (heap->options.fill != HEAP_FRESH)
        write_array(heap, state, number);
    write_usedpools(heap, state);
    state->arenas_peak = state->totals.arenas + 3;
    state->arenas_allocated_total = state->totals.arenas + 7;
    fake_target_put_u64(heap->fake, state->narenas_field, state->totals.arenas);
    fake_target_put_u64(heap->fake, ntimes, state->arenas_allocated_total);
    fake_target_put_u64(heap->fake, highwater, state->arenas_peak);
}

static void fill_statics(struct heap *heap)
{
    const struct pht_python_layout *layout = &heap->python.layout;

    heap->state_count = 1;
    heap->states[0] = (struct heap_state){
        .usedpools = BIAS + layout->usedpools,
        .arenas_field = BIAS + layout->arenas,
        .maxarenas_field = BIAS + layout->maxarenas,
        .narenas_field = BIAS + layout->narenas,
        .interpreters = 1,
    };
    fill_state(heap, 0, BIAS + layout->ntimes_arena_allocated, BIAS + layout->narenas_highwater);
}

static void place_state(struct heap *heap, uint32_t number, pht_addr base, uint32_t interpreter)
{
    const struct pht_python_layout *layout = &heap->python.layout;

    if (heap->states[number].interpreters++ > 0)
        return;
    heap->state_count = number >= heap->state_count ? number + 1 : heap->state_count;
    heap->states[number].usedpools = base + layout->obmalloc_usedpools;
    heap->states[number].arenas_field = base + layout->obmalloc_arenas;
    heap->states[number].maxarenas_field = base + layout->obmalloc_maxarenas;
    heap->states[number].narenas_field = base + layout->obmalloc_narenas;
    heap->states[number].first_interpreter = interpreter;
    fill_state(heap, number, base + layout->obmalloc_ntimes_arena_allocated,
               base + layout->obmalloc_narenas_highwater);
}

static void fill_interpreters(struct heap *heap)
{
    const struct heap_options *options = &heap->options;

    for (uint32_t i = 0; i < options->interpreters; i++) {
        pht_addr interpreter = interpreter_address(i), field = interpreter + INTERP_OBMALLOC;
        bool last = i + 1 == options->interpreters;
        heap->interpreters[i] = interpreter;
        fake_target_put_u64(heap->fake, interpreter + INTERP_ID, i);
        fake_target_put_u64(heap->fake, interpreter + INTERP_NEXT,
                            last ? 0 : interpreter_address(i + 1));
        if (options->place == HEAP_POINTED) {
            pht_addr state = state_address(options->state_of[i]);
            fake_target_put_u64(heap->fake, field, state);
            place_state(heap, options->state_of[i], state, i);
        } else {
            place_state(heap, i, field, i);
        }
    }
    fake_target_put_u64(heap->fake, heap->runtime + RUNTIME_HEAD, heap->interpreters[0]);
}

static void add_totals(struct pht_pymalloc_totals *sum, const struct pht_pymalloc_totals *part)
{
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)part;

    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
        to[i] += from[i];
}

static void set_defaults(struct heap_options *options)
{
    if (options->alignment == 0)
        options->alignment = 16;
    if (options->pool_bytes == 0)
        options->pool_bytes = 16 << 10;
    if (options->arena_bytes == 0)
        options->arena_bytes = 1 << 20;
    if (options->arenas == 0)
        options->arenas = 3;
    if (options->slots == 0)
        options->slots = 16;
    if (options->interpreters == 0)
        options->interpreters = 1;
}

struct heap *heap_create(const struct heap_options *options)
{
    struct heap *heap = calloc(1, sizeof(*heap));

    ck_assert_ptr_nonnull(heap);
    heap->options = *options;
    set_defaults(&heap->options);
    heap->random.state = options->seed;
    heap->classes = 512 / heap->options.alignment;
    heap->fake = fake_target_create();
    describe(heap);
    map_image(heap);
    if (heap->options.place == HEAP_STATICS)
        fill_statics(heap);
    else
        fill_interpreters(heap);
    heap_set_functions(heap, HEAP_FUNCTION_PYMALLOC, HEAP_FUNCTION_NONE);
    for (uint32_t i = 0; i < heap->state_count; i++)
        add_totals(&heap->totals, &heap->states[i].totals);
    return heap;
}

void heap_destroy(struct heap *heap)
{
    if (heap == NULL)
        return;
    fake_target_destroy(heap->fake);
    free(heap);
}

/* ---- changes ------------------------------------------------------------------------------ */

void heap_set_functions(struct heap *heap, enum heap_function object, enum heap_function debug)
{
    const struct pht_python_layout *layout = &heap->python.layout;
    pht_addr object_field = heap->runtime + RUNTIME_OBJECT_MALLOC;
    pht_addr debug_field = heap->runtime + RUNTIME_DEBUG_MALLOC;

    if (heap->options.place == HEAP_STATICS) {
        object_field = BIAS + layout->object_allocator + layout->allocator_malloc;
        debug_field = BIAS + layout->debug_allocators + 2 * layout->debug_api_bytes +
                      layout->debug_api_malloc;
    }
    fake_target_put_u64(heap->fake, object_field,
                        object == HEAP_FUNCTION_NONE ? 0 : BIAS + function_address(object));
    fake_target_put_u64(heap->fake, debug_field,
                        debug == HEAP_FUNCTION_NONE ? 0 : BIAS + function_address(debug));
}

void heap_carve_pool(struct heap *heap, uint32_t number)
{
    struct heap_arena *arena = &heap->arenas[number];

    ck_assert_uint_lt(arena->carved, arena->pools);
    pht_addr pool = heap_pool(heap, number, arena->carved++);
    uint32_t blocks = block_count(heap, 0);
    write_pool(heap, arena, pool, 0, blocks, blocks);
    arena->used++;
    write_arena_object(heap, arena);
}

void heap_free_arena(struct heap *heap, uint32_t number)
{
    struct heap_state *state = &heap->states[heap->arenas[number].state];
    uint64_t arenas = fake_target_u64(heap->fake, state->narenas_field);

    fake_target_put_u64(heap->fake, heap->arenas[number].object + ARENA_ADDRESS, 0);
    fake_target_put_u64(heap->fake, state->narenas_field, arenas - 1);
    fake_target_unmap(heap->fake, heap->arenas[number].address);
}
