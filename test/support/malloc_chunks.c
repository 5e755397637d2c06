#include "support/malloc_chunks.h"

#include <check.h>

#include "base/checked.h"

#define BRK_START ((pht_addr)0x555555763000)
#define NON_MAIN_ARENA 4

/* Bare conditions: every ck_assert writes a line to a file, and this runs a million times. */
static void hold(bool condition, const char *what)
{
    if (!condition)
        ck_abort_msg("%s", what);
}

pht_addr malloc_bin_head(const struct malloc_heap *heap, uint32_t arena, uint32_t bin)
{
    return heap->arenas[arena].address + heap->libc.layout.state_bins + 16 * (bin - 1) - 16;
}

struct malloc_region *malloc_chunks_region(struct malloc_heap *heap, uint32_t arena)
{
    hold(arena < heap->arena_count, "no such arena");
    hold(heap->arenas[arena].region != MALLOC_NONE, "the arena has no memory");
    return &heap->regions.items[heap->arenas[arena].region];
}

void malloc_chunks_begin(struct malloc_heap *heap, uint32_t arena, struct malloc_region region)
{
    region.arena = arena;
    region.end = region.start;
    heap->arenas[arena].region = (uint32_t)heap->regions.count;
    ck_assert(pht_vec_push(&heap->regions, region));
}

static void start_brk(struct malloc_heap *heap)
{
    pht_addr start;

    heap->brk_start = heap->options.brk_start != 0 ? heap->options.brk_start : BRK_START;
    start = malloc_chunks_round(heap->brk_start);
    malloc_chunks_begin(heap, MALLOC_MAIN,
                        (struct malloc_region){.address = start, .start = start});
}

const struct malloc_chunk *malloc_chunks_last(const struct malloc_heap *heap, uint32_t region)
{
    for (size_t i = heap->chunks.count; i-- > 0;) {
        if (heap->chunks.items[i].region == region)
            return &heap->chunks.items[i];
    }
    return NULL;
}

struct malloc_chunk *malloc_chunks_push(struct malloc_heap *heap, uint32_t arena,
                                        enum malloc_kind kind, uint64_t bytes)
{
    if (arena == MALLOC_MAIN && heap->arenas[arena].region == MALLOC_NONE)
        start_brk(heap);
    struct malloc_region *region = malloc_chunks_region(heap, arena);
    struct malloc_chunk chunk = {
        .address = region->end,
        .bytes = bytes,
        .word = bytes,
        .kind = kind,
        .region = heap->arenas[arena].region,
    };
    bool is_used = kind == MALLOC_LIVE || kind == MALLOC_FAST || kind == MALLOC_TCACHE;
    bool is_flagged = is_used || (kind == MALLOC_BIN && heap->options.flags_in_bins);
    if (is_flagged && arena != MALLOC_MAIN)
        chunk.word |= NON_MAIN_ARENA;
    region->end += bytes;
    hold(pht_vec_push(&heap->chunks, chunk), "no memory");
    return &heap->chunks.items[heap->chunks.count - 1];
}

static struct malloc_chunk *add_chunk(struct malloc_heap *heap, uint32_t arena,
                                      enum malloc_kind kind, uint64_t bytes)
{
    hold(bytes % 16 == 0 && bytes >= MALLOC_CHUNK_MIN, "no chunk has this size");
    return malloc_chunks_push(heap, arena, kind, bytes);
}

pht_addr malloc_heap_live(struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    return add_chunk(heap, arena, MALLOC_LIVE, bytes)->address;
}

static pht_addr add_free(struct malloc_heap *heap, uint32_t arena, uint64_t bytes, uint32_t bin)
{
    const struct malloc_chunk *before = malloc_chunks_last(heap, heap->arenas[arena].region);

    hold(before == NULL || before->kind != MALLOC_BIN, "free chunks would merge");
    struct malloc_chunk *chunk = add_chunk(heap, arena, MALLOC_BIN, bytes);
    chunk->bin = bin;
    return chunk->address;
}

pht_addr malloc_heap_bin(struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    return add_free(heap, arena, bytes, malloc_bin_index(bytes));
}

pht_addr malloc_heap_unsorted(struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    return add_free(heap, arena, bytes, MALLOC_UNSORTED);
}

pht_addr malloc_heap_fast(struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    hold(heap->traits->has_fastbins && bytes <= MALLOC_FAST_MAX, "no fastbin takes it");
    return add_chunk(heap, arena, MALLOC_FAST, bytes)->address;
}

void malloc_chunks_give_tcache(struct malloc_heap *heap, struct malloc_thread *thread)
{
    pht_addr chunk = malloc_heap_live(heap, thread->arena,
                                      malloc_chunks_round(heap->libc.layout.tcache_bytes + 8));

    thread->tcache = chunk + 16;
}

static uint32_t held_before(const struct malloc_heap *heap, uint32_t thread, uint64_t bytes)
{
    uint32_t count = 0;

    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        count += chunk->kind == MALLOC_TCACHE && chunk->thread == thread &&
                 malloc_tcache_index(chunk->bytes) == malloc_tcache_index(bytes);
    }
    return count;
}

pht_addr malloc_heap_tcache(struct malloc_heap *heap, uint32_t arena, uint32_t thread,
                            uint64_t bytes)
{
    hold(malloc_tcache_index(bytes) < heap->traits->tcache_bins, "no tcache takes it");
    hold(thread < heap->thread_count, "no such thread");
    if (heap->threads[thread].tcache == 0)
        malloc_chunks_give_tcache(heap, &heap->threads[thread]);
    uint32_t held = held_before(heap, thread, bytes) + 1;
    if (held > heap->tcache_count)
        heap->tcache_count = held;
    struct malloc_chunk *chunk = add_chunk(heap, arena, MALLOC_TCACHE, bytes);
    chunk->thread = thread;
    return chunk->address;
}

const struct malloc_chunk *malloc_heap_find(const struct malloc_heap *heap, uint32_t arena,
                                            enum malloc_kind kind, uint32_t n)
{
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        if (heap->regions.items[chunk->region].arena == arena && chunk->kind == kind && n-- == 0)
            return chunk;
    }
    ck_abort_msg("no such chunk");
    return NULL;
}

uint32_t malloc_heap_count(const struct malloc_heap *heap, uint32_t arena, enum malloc_kind kind)
{
    uint32_t count = 0;

    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        count += heap->regions.items[chunk->region].arena == arena && chunk->kind == kind;
    }
    return count;
}
