/*
 * Bits flipped at random in all that malloc wrote: whatever comes of it, the walk ends, touches
 * nothing it may not touch, and its figures add up. The seeds are fixed, so that a failure comes
 * back.
 */
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define ROUNDS 200
#define FLIPS_MAX 12
#define SEEDS 4
#define CHUNKS 300
#define READS_MAX 20000

struct flip {
    pht_addr addr;
    uint8_t mask;
};

static pht_addr random_root(const struct malloc_heap *heap, struct heap_random *random)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    pht_addr arena = heap->arenas[heap_random_below(random, heap->arena_count)].address;
    const struct malloc_region *region =
        &heap->regions.items[heap_random_below(random, (uint32_t)heap->regions.count)];

    switch (heap_random_below(random, 6)) {
    case 0:
        return arena + heap_random_below(random, (uint32_t)layout->state_bytes);
    case 1:
        return arena + layout->state_top + heap_random_below(random, 8);
    case 2:
        return arena + layout->state_system_mem + heap_random_below(random, 8);
    case 3:
        return arena + layout->state_next + heap_random_below(random, 8);
    case 4:
        return heap->libc.bias + layout->params +
               heap_random_below(random, (uint32_t)layout->params_bytes);
    default:
        return region->address + heap_random_below(random, 24);
    }
}

static pht_addr random_thread(const struct malloc_heap *heap, struct heap_random *random)
{
    const struct malloc_thread *thread =
        &heap->threads[heap_random_below(random, heap->thread_count)];

    switch (heap_random_below(random, 4)) {
    case 0:
        return thread->pthread + heap->libc.threads.pthread_list + heap_random_below(random, 20);
    case 1:
        return thread->pthread - heap->traits->tls_offset +
               heap_random_below(random, (uint32_t)heap->traits->tls_offset);
    case 2:
        return heap->libc.threads.stack_lists[0] + heap_random_below(random, 32);
    default:
        if (thread->tcache != 0)
            return thread->tcache +
                   heap_random_below(random, (uint32_t)heap->libc.layout.tcache_bytes);
        return heap->libc.threads.debug + heap_random_below(random, 16);
    }
}

/* Three in four of the flips hit what the walk reads; the others, anywhere. */
static pht_addr random_target(const struct malloc_heap *heap, struct heap_random *random)
{
    const struct malloc_chunk *chunk =
        &heap->chunks.items[heap_random_below(random, (uint32_t)heap->chunks.count)];
    const struct fake_mapping *mapping;

    switch (heap_random_below(random, 8)) {
    case 0:
        return random_root(heap, random);
    case 1:
        return random_thread(heap, random);
    case 2:
        if (heap->mmapped.count > 0)
            return heap->mmapped.items[heap_random_below(random, (uint32_t)heap->mmapped.count)]
                       .chunk +
                   heap_random_below(random, 16);
        return random_root(heap, random);
    case 3:
    case 4:
        return chunk->address + 8 + heap_random_below(random, 8);
    case 5:
        return chunk->address + heap_random_below(random, 32);
    default:
        mapping =
            &heap->fake->mappings.items[heap_random_below(random, heap->fake->mappings.count)];
        return mapping->start +
               heap_random_below(random, (uint32_t)(mapping->end - mapping->start));
    }
}

static void flip(struct malloc_heap *heap, const struct flip *flips, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *(uint8_t *)fake_target_bytes(heap->fake, flips[i].addr, 1) ^= flips[i].mask;
}

static void check_round(struct malloc_heap *heap, struct heap_random *random)
{
    struct flip flips[FLIPS_MAX];
    size_t count = 1 + heap_random_below(random, FLIPS_MAX);
    struct malloc_walk walk;

    for (size_t i = 0; i < count; i++)
        flips[i] = (struct flip){.addr = random_target(heap, random),
                                 .mask = (uint8_t)(1 << heap_random_below(random, 8))};
    flip(heap, flips, count);
    fake_target_reset_record(heap->fake);
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
    malloc_walk_deinit(&walk);
    flip(heap, flips, count);
}

START_TEST(flipped_bits_do_no_harm)
{
    struct malloc_options options = {.version = (enum malloc_version)(_i % MALLOC_VERSIONS),
                                     .seed = 300 + (uint64_t)_i};
    struct heap_random random = {.state = 9000 + (uint64_t)_i};
    struct malloc_heap *heap = malloc_random_heap(&options, CHUNKS);
    struct malloc_walk walk;

    heap->fake->scan_limit = 2000000;
    for (int i = 0; i < ROUNDS; i++)
        check_round(heap, &random);
    /* All flips are undone, so the heap is as it was. */
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
}
END_TEST

static Suite *glibc_flips_suite(void)
{
    Suite *suite = suite_create("glibc flips");
    TCase *tcase = tcase_create("flips");

    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, flipped_bits_do_no_harm, 0, SEEDS * MALLOC_VERSIONS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(glibc_flips_suite)
