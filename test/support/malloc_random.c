#include "support/malloc_random.h"

static uint32_t below(struct malloc_heap *heap, uint32_t limit)
{
    return heap_random_below(&heap->random, limit);
}

static uint64_t random_size(struct malloc_heap *heap)
{
    static const uint32_t limits[] = {8, 16, 64, 64, 256, 1024, 8192};

    return 32 + 16 * (uint64_t)below(heap, limits[below(heap, sizeof(limits) / sizeof(limits[0]))]);
}

/* One that has an arena. */
static uint32_t random_thread(struct malloc_heap *heap)
{
    uint32_t thread = below(heap, heap->thread_count);

    return heap->threads[thread].arena != MALLOC_NONE ? thread : MALLOC_MAIN;
}

static void add_small(struct malloc_heap *heap, uint32_t arena, bool fast)
{
    if (fast && heap->traits->has_fastbins)
        malloc_heap_fast(heap, arena, 32 + 16 * (uint64_t)below(heap, 7));
    else if (!fast && heap->traits->tcache_bins > 0)
        malloc_heap_tcache(heap, arena, random_thread(heap), 32 + 16 * (uint64_t)below(heap, 64));
    else
        malloc_heap_live(heap, arena, random_size(heap));
}

void malloc_random_chunks(struct malloc_heap *heap, uint32_t arena, uint32_t count)
{
    bool after_bin = true;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t kind = below(heap, 10);
        bool is_bin = kind < 3 && !after_bin;
        if (is_bin && kind == 0)
            malloc_heap_unsorted(heap, arena, random_size(heap));
        else if (is_bin)
            malloc_heap_bin(heap, arena, random_size(heap));
        else if (kind < 6)
            add_small(heap, arena, kind == 5);
        else
            malloc_heap_live(heap, arena, random_size(heap));
        after_bin = is_bin;
    }
    malloc_heap_live(heap, arena, random_size(heap));
}

static void add_mmapped(struct malloc_heap *heap)
{
    static const uint64_t alignments[] = {0, 0, 0, 16, 32, 64, 128, 4096, 8192, 65536};
    bool is_foreign = below(heap, 4) == 0;
    uint64_t alignment = alignments[below(heap, sizeof(alignments) / sizeof(alignments[0]))];

    if (below(heap, 3) == 0)
        malloc_heap_mmapped_gap(heap);
    if (is_foreign)
        malloc_heap_mmapped_foreign(heap, PHT_PAGE_BYTES * (1 + (uint64_t)below(heap, 4)));
    malloc_heap_mmapped(heap, (33 + (uint64_t)below(heap, 60)) * PHT_PAGE_BYTES, alignment);
}

struct malloc_heap *malloc_random_heap(const struct malloc_options *options, uint32_t count)
{
    struct malloc_heap *heap = malloc_heap_create(options);
    uint32_t arenas = below(heap, 4), parts = 1 + below(heap, 3);

    for (uint32_t i = 0; i < arenas; i++) {
        uint32_t arena = malloc_heap_add_arena(heap);
        for (uint32_t threads = below(heap, 3); threads > 0; threads--)
            malloc_heap_add_thread(heap, arena);
    }
    if (below(heap, 2) == 0)
        malloc_heap_add_thread(heap, MALLOC_NONE);
    for (uint32_t i = 0; i <= arenas; i++) {
        for (uint32_t part = 0; part < parts; part++) {
            if (part > 0 && i == MALLOC_MAIN)
                malloc_heap_gap(heap, 16 + below(heap, 20000));
            else if (part > 0)
                malloc_heap_next_region(heap, i);
            malloc_random_chunks(heap, i, count / parts / (arenas + 1));
        }
    }
    for (uint32_t i = below(heap, 6); i > 0; i--)
        add_mmapped(heap);
    malloc_heap_finish(heap);
    return heap;
}
