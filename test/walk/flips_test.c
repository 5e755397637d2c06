/*
 * Bits flipped at random all over the image: whatever comes of it, the walk ends, touches nothing
 * it may not touch, and its figures add up. The seeds are fixed, so that a failure comes back.
 */
#include "support/heap_walk.h"
#include "support/suite.h"

#define ROUNDS 500
#define FLIPS_MAX 12

struct flip {
    pht_addr addr;
    uint8_t mask;
};

static const struct heap_options shapes[] = {
    {.place = HEAP_STATICS, .alignment = 8, .pool_bytes = 4 << 10, .arena_bytes = 256 << 10},
    {.place = HEAP_STATICS, .arenas = 2},
    {.place = HEAP_INLINE, .interpreters = 2, .misaligned = true, .arenas = 2},
    {.place = HEAP_POINTED, .interpreters = 3, .state_of = {0, 1, 0}, .arenas = 2},
    {.place = HEAP_POINTED, .pool_bytes = 4 << 10, .arena_bytes = 1 << 20, .arenas = 2},
};

#define SHAPES ((int)(sizeof(shapes) / sizeof(shapes[0])))

static pht_addr random_root(const struct heap *heap, struct heap_random *random)
{
    const struct heap_state *state = &heap->states[heap_random_below(random, heap->state_count)];

    switch (heap_random_below(random, 5)) {
    case 0:
        return state->usedpools + heap_random_below(random, heap->classes * 16);
    case 1:
        return state->arenas_field + heap_random_below(random, 8);
    case 2:
        return state->maxarenas_field + heap_random_below(random, 4);
    case 3:
        return state->narenas_field + heap_random_below(random, 8);
    default:
        break;
    }
    if (heap->options.place == HEAP_STATICS)
        return state->array + heap_random_below(random, 16 * ARENA_OBJECT_BYTES);
    pht_addr interpreter =
        heap->interpreters[heap_random_below(random, heap->options.interpreters)];
    return interpreter + heap->python.layout.interp_next + heap_random_below(random, 16);
}

/* Half of the flips hit what the walk reads; the others, anywhere. */
static pht_addr random_target(const struct heap *heap, struct heap_random *random)
{
    uint32_t i = heap_random_below(random, heap->arena_count);
    const struct heap_arena *arena = &heap->arenas[i];

    switch (heap_random_below(random, 6)) {
    case 0:
        return random_root(heap, random);
    case 1:
        return arena->object + heap_random_below(random, ARENA_OBJECT_BYTES);
    case 2:
        return heap_pool(heap, i, heap_random_below(random, arena->carved)) +
               heap_random_below(random, POOL_HEADER_BYTES);
    case 3:
        return arena->address + heap_random_below(random, heap->options.arena_bytes);
    default: {
        const struct fake_mapping *mapping =
            &heap->fake->mappings.items[heap_random_below(random, heap->fake->mappings.count)];
        return mapping->start +
               heap_random_below(random, (uint32_t)(mapping->end - mapping->start));
    }
    }
}

static void flip(struct heap *heap, const struct flip *flips, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *(uint8_t *)fake_target_bytes(heap->fake, flips[i].addr, 1) ^= flips[i].mask;
}

static void check_round(struct heap *heap, struct heap_random *random)
{
    struct flip flips[FLIPS_MAX];
    size_t count = 1 + heap_random_below(random, FLIPS_MAX);
    struct heap_walk walk;

    for (size_t i = 0; i < count; i++)
        flips[i] = (struct flip){.addr = random_target(heap, random),
                                 .mask = (uint8_t)(1 << heap_random_below(random, 8))};
    flip(heap, flips, count);
    fake_target_reset_record(heap->fake);
    heap_walk_all(heap, PHT_STOP_NONE, &walk);
    heap_walk_deinit(&walk);
    flip(heap, flips, count);
}

START_TEST(flipped_bits_do_no_harm)
{
    struct heap_options options = shapes[_i % SHAPES];
    struct heap_random random = {.state = 1000 + (uint64_t)_i};
    struct heap_walk walk;

    options.seed = (uint64_t)_i;
    struct heap *heap = heap_create(&options);
    heap->fake->scan_limit = 2000000;
    for (int i = 0; i < ROUNDS; i++)
        check_round(heap, &random);
    /* All flips are undone, so the heap is as it was. */
    heap_walk_all(heap, PHT_STOP_NONE, &walk);
    heap_check_figures(heap, walk.pymalloc);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

static Suite *flips_suite(void)
{
    Suite *suite = suite_create("flips");
    TCase *tcase = tcase_create("flips");

    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, flipped_bits_do_no_harm, 0, 4 * SHAPES);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(flips_suite)
