#include "support/malloc_heap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "support/malloc_chunks.h"
#include "support/malloc_image.h"

#define MAPPED_START ((pht_addr)0x7e0000000000)
#define HEAPS_START ((pht_addr)0x7e8000000000)
#define MMAPPED_START ((pht_addr)0x7f1000000000)

#define HEAP_STRIDE ((pht_addr)64 << 20)
#define MAPPED_STRIDE ((pht_addr)16 << 20)
#define FENCE_BYTES 16
#define FIRST_TID 42

/* ---- regions ------------------------------------------------------------------------------- */

static pht_addr next_heap_address(const struct malloc_heap *heap)
{
    return HEAPS_START + heap->regions.count * HEAP_STRIDE;
}

/* ---- ends of regions ------------------------------------------------------------------------- */

/* The size word of the second fencepost of a heap is 0. */
static void add_fence(struct malloc_heap *heap, uint32_t arena, uint64_t bytes, uint64_t word)
{
    malloc_chunks_push(heap, arena, MALLOC_FENCE, bytes)->word = word;
}

static bool can_free(struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    const struct malloc_chunk *before = malloc_chunks_last(heap, heap->arenas[arena].region);

    return bytes >= MALLOC_CHUNK_MIN && before != NULL && before->kind != MALLOC_BIN &&
           heap_random_below(&heap->random, 2) == 0;
}

/*
 * What was top is cut by two fenceposts (sysmalloc() of malloc/malloc.c); the rest is a chunk. If
 * 16 bytes would be left, they go to the fenceposts.
 */
static void close_region(struct malloc_heap *heap, uint32_t arena)
{
    bool is_main = arena == MALLOC_MAIN;
    pht_addr at = malloc_chunks_region(heap, arena)->end;
    pht_addr end = pht_round_up(at + 2 * FENCE_BYTES, PHT_PAGE_BYTES);
    uint64_t rest = end - 2 * FENCE_BYTES - at;

    if (heap->options.narrow_ends && rest != 16) {
        malloc_heap_live(heap, arena,
                         rest >= 16 + MALLOC_CHUNK_MIN ? rest - 16 : rest - 16 + PHT_PAGE_BYTES);
        rest = 16;
    } else if (rest == 16 && !heap->options.narrow_ends) {
        rest += PHT_PAGE_BYTES;
    }
    if (can_free(heap, arena, rest))
        malloc_heap_bin(heap, arena, rest);
    else if (rest >= MALLOC_CHUNK_MIN)
        malloc_heap_live(heap, arena, rest);
    else if (rest > 0 && is_main)
        add_fence(heap, arena, FENCE_BYTES, FENCE_BYTES);
    uint64_t first = rest == FENCE_BYTES && !is_main ? 2 * FENCE_BYTES : FENCE_BYTES;
    add_fence(heap, arena, first, first);
    add_fence(heap, arena, FENCE_BYTES, is_main ? FENCE_BYTES : 0);
}

void malloc_heap_gap(struct malloc_heap *heap, uint64_t bytes)
{
    close_region(heap, MALLOC_MAIN);
    malloc_chunks_push(heap, MALLOC_MAIN, MALLOC_GAP, malloc_chunks_round(bytes));
}

void malloc_heap_next_region(struct malloc_heap *heap, uint32_t arena)
{
    pht_addr address = next_heap_address(heap);

    close_region(heap, arena);
    if (arena == MALLOC_MAIN) {
        address = MAPPED_START + heap->regions.count * MAPPED_STRIDE;
        malloc_chunks_begin(
            heap, arena,
            (struct malloc_region){.is_mapped = true, .address = address, .start = address});
        return;
    }
    malloc_chunks_begin(heap, arena,
                        (struct malloc_region){.is_mapped = true,
                                               .address = address,
                                               .start = address + heap->libc.layout.heap_bytes});
}

void malloc_heap_align(struct malloc_heap *heap, uint32_t arena, uint64_t offset)
{
    uint64_t rest;

    /* The main arena may not have begun. */
    if (heap->arenas[arena].region == MALLOC_NONE)
        malloc_heap_live(heap, arena, MALLOC_CHUNK_MIN);
    rest = (offset - malloc_chunks_region(heap, arena)->end) % PHT_PAGE_BYTES;
    if (rest != 0)
        malloc_heap_live(heap, arena, rest < MALLOC_CHUNK_MIN ? rest + PHT_PAGE_BYTES : rest);
}

/* ---- arenas and threads ---------------------------------------------------------------------- */

uint32_t malloc_heap_add_arena(struct malloc_heap *heap)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    uint32_t arena = heap->arena_count++;
    pht_addr address = next_heap_address(heap);

    ck_assert_uint_lt(arena, MALLOC_ARENAS_MAX);
    heap->arenas[arena] =
        (struct malloc_arena){.address = address + layout->heap_bytes, .top_bytes = 64 << 10};
    malloc_chunks_begin(
        heap, arena,
        (struct malloc_region){
            .is_mapped = true,
            .address = address,
            .start = malloc_chunks_round(heap->arenas[arena].address + layout->state_bytes)});
    return arena;
}

uint32_t malloc_heap_add_thread(struct malloc_heap *heap, uint32_t arena)
{
    uint32_t i = heap->thread_count++;

    ck_assert_uint_lt(i, MALLOC_THREADS_MAX);
    heap->threads[i] = (struct malloc_thread){.tid = FIRST_TID + (pid_t)i, .arena = arena};
    if (arena != MALLOC_NONE && heap->traits->tcache_bins > 0 && !heap->traits->has_dummy_tcache)
        malloc_chunks_give_tcache(heap, &heap->threads[i]);
    return i;
}

/* ---- mmapped chunks -------------------------------------------------------------------------- */

/* _int_memalign(): the memory is aligned, and before its header there is room for a chunk. */
static pht_addr align_mmapped(pht_addr start, uint64_t alignment)
{
    pht_addr chunk = pht_round_up(start + 16, alignment) - 16;

    return chunk != start && chunk - start < MALLOC_CHUNK_MIN ? chunk + alignment : chunk;
}

pht_addr malloc_heap_mmapped(struct malloc_heap *heap, uint64_t bytes, uint64_t alignment)
{
    pht_addr start = heap->next_mmapped + heap->next_foreign_bytes;
    struct malloc_mmapped mmapped = {.chunk =
                                         alignment != 0 ? align_mmapped(start, alignment) : start,
                                     .start = start,
                                     .bytes = bytes,
                                     .foreign_bytes = heap->next_foreign_bytes};

    ck_assert_uint_eq(bytes % PHT_PAGE_BYTES, 0);
    ck_assert_uint_le(mmapped.chunk + 2 * MALLOC_CHUNK_MIN, start + bytes);
    heap->next_mmapped = start + bytes;
    heap->next_foreign_bytes = 0;
    ck_assert(pht_vec_push(&heap->mmapped, mmapped));
    return mmapped.chunk;
}

void malloc_heap_mmapped_foreign(struct malloc_heap *heap, uint64_t bytes)
{
    heap->next_foreign_bytes += bytes;
}

void malloc_heap_mmapped_gap(struct malloc_heap *heap)
{
    heap->next_mmapped += 0x100000;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

struct malloc_heap *malloc_heap_create(const struct malloc_options *options)
{
    struct malloc_heap *heap = calloc(1, sizeof(*heap));

    ck_assert_ptr_nonnull(heap);
    heap->options = *options;
    heap->traits = malloc_traits(options->version);
    heap->random = (struct heap_random){.state = options->seed};
    heap->fake = fake_target_create();
    heap->tcache_count = heap->traits->tcache_count;
    heap->next_mmapped = MMAPPED_START;
    malloc_image_libc(heap);
    heap->arena_count = 1;
    heap->arenas[MALLOC_MAIN] = (struct malloc_arena){
        .address = heap->libc.bias + heap->libc.layout.main_arena,
        .region = MALLOC_NONE,
        .top_bytes = 100 << 10,
    };
    malloc_heap_add_thread(heap, options->idle ? MALLOC_NONE : MALLOC_MAIN);
    return heap;
}

void malloc_heap_destroy(struct malloc_heap *heap)
{
    if (heap == NULL)
        return;
    fake_target_destroy(heap->fake);
    free(heap->chunks.items);
    free(heap->regions.items);
    free(heap->mmapped.items);
    free(heap);
}

static int compare_chunks(const void *a, const void *b)
{
    const struct malloc_chunk *left = a, *right = b;

    return (left->address > right->address) - (left->address < right->address);
}

static void finish_arena(struct malloc_heap *heap, uint32_t i)
{
    struct malloc_arena *arena = &heap->arenas[i];

    if (arena->region == MALLOC_NONE)
        return;
    const struct malloc_chunk *before = malloc_chunks_last(heap, arena->region);
    ck_assert_msg(before == NULL || before->kind != MALLOC_BIN, "a free chunk touches top");
    pht_addr start = malloc_chunks_region(heap, i)->end;
    pht_addr end = pht_round_up(start + arena->top_bytes, PHT_PAGE_BYTES);
    arena->top = malloc_chunks_push(heap, i, MALLOC_TOP, end - start)->address;
    for (size_t r = 0; r < heap->regions.count; r++) {
        const struct malloc_region *region = &heap->regions.items[r];
        if (region->arena != i)
            continue;
        bool is_brk = i == MALLOC_MAIN && !region->is_mapped;
        arena->system_bytes += region->end - (is_brk ? heap->brk_start : region->address);
        if (is_brk)
            heap->brk_end = region->end + heap->options.brk_after_top;
    }
    arena->peak_system_bytes = arena->system_bytes + 16 * PHT_PAGE_BYTES;
}

void malloc_heap_finish(struct malloc_heap *heap)
{
    for (uint32_t i = 0; i < heap->arena_count; i++)
        finish_arena(heap, i);
    if (heap->chunks.count > 0)
        qsort(heap->chunks.items, heap->chunks.count, sizeof(*heap->chunks.items), compare_chunks);
    malloc_image_write(heap);
}
