/*
 * Images of pymalloc. Whatever is damaged: the walk ends, reads nothing that it may not read, its
 * parts add up to the arenas, and what owners are told adds up to the pages. And a heap that is
 * whole again is counted to the byte.
 */
#include "fuzz/patches.h"
#include <check.h>

#include "support/heap_walk.h"

static const struct heap_options shapes[] = {
    {.place = HEAP_STATICS, .alignment = 8, .pool_bytes = 4 << 10, .arena_bytes = 256 << 10},
    {.place = HEAP_STATICS, .arenas = 2, .arena_bytes = 256 << 10},
    {.place = HEAP_INLINE, .interpreters = 2, .misaligned = true, .arenas = 2},
    {.place = HEAP_POINTED, .interpreters = 3, .state_of = {0, 1, 0}, .arenas = 2},
    {.place = HEAP_POINTED, .pool_bytes = 4 << 10, .arena_bytes = 256 << 10, .fill = HEAP_FULL},
    {.place = HEAP_STATICS, .arena_bytes = 256 << 10, .fill = HEAP_IDLE},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))
#define READS_MAX 200000
#define SCANS_MAX 2000000
#define ROUNDS_TO_CHECK 1000

static struct heap *heaps[SHAPES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < SHAPES; i++) {
        struct heap_options options = shapes[i];
        options.seed = i + 1;
        heaps[i] = heap_create(&options);
        heaps[i]->fake->scan_limit = SCANS_MAX;
    }
    return 0;
}

static pht_addr place_of_state(const struct heap *heap, unsigned number, unsigned offset)
{
    const struct heap_state *state = &heap->states[number % heap->state_count];

    switch (number / heap->state_count % 5) {
    case 0:
        return state->usedpools + offset % (heap->classes * 16);
    case 1:
        return state->arenas_field + offset % 8;
    case 2:
        return state->maxarenas_field + offset % 8;
    case 3:
        return state->narenas_field + offset % 24;
    default:
        return state->array + offset;
    }
}

static pht_addr place(void *context, unsigned kind, unsigned number, unsigned offset)
{
    const struct heap *heap = context;
    unsigned i = number % heap->arena_count, pool = number / heap->arena_count;
    const struct heap_arena *arena = &heap->arenas[i];
    pht_addr header = heap_pool(heap, i, pool % arena->pools);

    switch (kind % 8) {
    case 0:
        return place_of_state(heap, number, offset);
    case 1:
        return arena->object + offset % ARENA_OBJECT_BYTES;
    case 2:
    case 3:
        return header + offset % POOL_HEADER_BYTES;
    case 4: /* a block, which may be free */
        return header + POOL_HEADER_BYTES + offset % (heap->options.pool_bytes / 16) * 16;
    case 5:
        if (heap->options.place == HEAP_STATICS)
            return arena->address;
        return heap->interpreters[number % heap->options.interpreters] + offset % 0x3000;
    case 6:
        return heap->runtime + offset % 0x2000;
    default:
        return fuzz_place_anywhere(heap->fake, number, offset);
    }
}

static void check_whole(struct heap *heap)
{
    struct heap_walk walk;

    fake_target_reset_record(heap->fake);
    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    heap_check_clean(walk.pymalloc);
    heap_check_figures(heap, walk.pymalloc);
    heap_walk_deinit(&walk);
}

/* The tables of pymalloc, and what interpreters lead to. */
static void walk_regions(struct heap_walk *walk)
{
    struct pht_regions regions = {0};

    ck_assert(pht_regions_walk(walk->snapshot, &walk->owned.smaps, &walk->roots, NULL, false,
                               walk->owned.owners, &regions));
    owned_check_sums(&walk->owned);
    free(regions.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    static unsigned rounds;
    struct fuzz_patches patches;
    struct heap_walk walk;

    struct heap *heap = heaps[fuzz_take(&input, 1) % SHAPES];
    enum pht_stop_mode stop = (enum pht_stop_mode)(fuzz_take(&input, 1) % 3);
    fake_target_reset_record(heap->fake);
    fuzz_patches_begin(&patches, heap->fake, &input, place, heap);
    heap_walk_all(heap, stop, &walk);
    walk_regions(&walk);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
    heap_walk_deinit(&walk);
    fuzz_patches_undo(&patches);
    if (++rounds % ROUNDS_TO_CHECK == 0)
        check_whole(heap);
    return 0;
}
