/*
 * A C library without symbols, in a process that malloc's structures of which are damaged: what the
 * scan makes of it ends, reads nothing that it may not read, and where the library is whole again
 * finds all there is.
 */
#include <check.h>

#include "fuzz/patches.h"
#include "support/malloc_random.h"
#include "support/malloc_scan.h"

#define CHUNKS 100
#define SHAPES MALLOC_VERSIONS
#define READS_MAX 200000
#define ROUNDS_TO_CHECK 1000

static struct malloc_heap *heaps[SHAPES];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < SHAPES; i++) {
        const struct malloc_options options = {.version = (enum malloc_version)i, .seed = 300 + i};
        heaps[i] = malloc_random_heap(&options, CHUNKS);
    }
    return 0;
}

static pht_addr place(void *context, unsigned kind, unsigned number, unsigned offset)
{
    const struct malloc_heap *heap = context;
    const struct pht_libc_layout *layout = &heap->libc.layout;
    const struct malloc_thread *thread = &heap->threads[number % heap->thread_count];
    const struct malloc_chunk *chunk = &heap->chunks.items[number % heap->chunks.count];

    switch (kind % 6) {
    case 0:
        return malloc_scan_main_arena(heap) + offset % layout->state_bytes;
    case 1:
        return malloc_scan_params(heap) + offset % layout->params_bytes;
    case 2:
        return thread->pthread - heap->traits->tls_offset + offset % heap->traits->tls_offset;
    case 3:
        return chunk->address + offset % 32;
    case 4:
        return heap->arenas[number % heap->arena_count].address + offset % layout->state_bytes;
    default:
        return fuzz_place_anywhere(heap->fake, number, offset);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    static unsigned rounds;
    struct fuzz_patches patches;
    struct pht_libc libc;

    struct malloc_heap *heap = heaps[fuzz_take(&input, 1) % SHAPES];
    struct malloc_heap *types = heaps[fuzz_take(&input, 1) % SHAPES];
    fake_target_reset_record(heap->fake);
    fuzz_patches_begin(&patches, heap->fake, &input, place, heap);
    malloc_scan_try(heap, &types->libc.layout, &libc);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
    fuzz_patches_undo(&patches);
    if (++rounds % ROUNDS_TO_CHECK == 0 &&
        malloc_scan_try_own(heap, &libc) == malloc_scan_whole(heap))
        malloc_scan_check(heap, &libc.layout);
    return 0;
}
