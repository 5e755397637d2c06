/*
 * Images of glibc's malloc. Whatever is damaged: the walk ends, reads nothing that it may not read,
 * the parts of each arena add up to what it has of the system, and what owners are told adds up to
 * the pages. And a heap that is whole again is counted to the byte.
 */
#include <check.h>
#include <stdlib.h>

#include "fuzz/patches.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"

#define CHUNKS 200
#define SHAPES (2 * MALLOC_VERSIONS)
#define READS_MAX 100000
#define SCANS_MAX 2000000
#define ROUNDS_TO_CHECK 1000

static struct malloc_heap *heaps[SHAPES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < SHAPES; i++) {
        const struct malloc_options options = {
            .version = (enum malloc_version)(i % MALLOC_VERSIONS),
            .seed = 700 + i,
            .flags_in_bins = i >= MALLOC_VERSIONS,
        };
        heaps[i] = malloc_random_heap(&options, CHUNKS);
        heaps[i]->fake->scan_limit = SCANS_MAX;
    }
    return 0;
}

static pht_addr place_of_thread(const struct malloc_heap *heap, unsigned number, unsigned offset)
{
    const struct malloc_thread *thread = &heap->threads[number % heap->thread_count];

    switch (number / heap->thread_count % 4) {
    case 0:
        return thread->pthread + heap->libc.threads.pthread_list + offset % 20;
    case 1:
        return thread->pthread - heap->traits->tls_offset + offset % heap->traits->tls_offset;
    case 2:
        return heap->libc.threads.stack_lists[0] + offset % 32;
    default:
        return thread->tcache != 0 ? thread->tcache + offset % (heap->libc.layout.tcache_bytes + 16)
                                   : heap->libc.threads.debug + offset % 16;
    }
}

static pht_addr place_of_arena(const struct malloc_heap *heap, unsigned number, unsigned offset)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    pht_addr arena = heap->arenas[number % heap->arena_count].address;

    switch (number / heap->arena_count % 5) {
    case 0:
        return arena + layout->state_top + offset % 8;
    case 1:
        return arena + layout->state_system_mem + offset % 8;
    case 2:
        return arena + layout->state_next + offset % 8;
    case 3:
        return heap->libc.bias + layout->params + offset % layout->params_bytes;
    default:
        return arena + offset % layout->state_bytes;
    }
}

static pht_addr place(void *context, unsigned kind, unsigned number, unsigned offset)
{
    const struct malloc_heap *heap = context;
    const struct malloc_chunk *chunk = &heap->chunks.items[number % heap->chunks.count];

    switch (kind % 8) {
    case 0:
        return place_of_arena(heap, number, offset);
    case 1:
        return place_of_thread(heap, number, offset);
    case 2:
        if (heap->mmapped.count > 0)
            return heap->mmapped.items[number % heap->mmapped.count].chunk + offset % 16;
        return chunk->address;
    case 3:
    case 4:
        return chunk->address + 8;
    case 5:
        return chunk->address + offset % 64;
    case 6:
        return heap->regions.items[number % heap->regions.count].address + offset % 48;
    default:
        return fuzz_place_anywhere(heap->fake, number, offset);
    }
}

static void check_whole(struct malloc_heap *heap)
{
    struct malloc_walk walk;

    fake_target_reset_record(heap->fake);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
    malloc_walk_deinit(&walk);
}

/* Stacks, and what the loader made, are found through the same threads. */
static void walk_regions(struct malloc_walk *walk)
{
    struct pht_regions regions = {0};

    ck_assert(pht_regions_walk(walk->snapshot, &walk->owned.smaps, NULL, &walk->roots, false,
                               walk->owned.owners, &regions));
    owned_check_sums(&walk->owned);
    free(regions.items);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    static unsigned rounds;
    struct fuzz_patches patches;
    struct malloc_walk walk;

    struct malloc_heap *heap = heaps[fuzz_take(&input, 1) % SHAPES];
    enum pht_stop_mode stop = (enum pht_stop_mode)(fuzz_take(&input, 1) % 3);
    fake_target_reset_record(heap->fake);
    fuzz_patches_begin(&patches, heap->fake, &input, place, heap);
    malloc_walk_all(heap, stop, &walk);
    walk_regions(&walk);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
    malloc_walk_deinit(&walk);
    fuzz_patches_undo(&patches);
    if (++rounds % ROUNDS_TO_CHECK == 0)
        check_whole(heap);
    return 0;
}
