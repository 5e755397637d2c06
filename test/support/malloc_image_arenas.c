#include <check.h>

#include "base/checked.h"
#include "support/malloc_image.h"

#define PREV_INUSE 1
#define FLAG_NO_FAST_CHUNKS 1
#define FLAG_NONCONTIGUOUS 2
#define HEAP_MAX ((uint64_t)64 << 20)
#define HEAP_REST_BYTES 0x10000
/* What stands at the start of a chunk, down to bk_nextsize. */
#define CHUNK_HEADER_BYTES 48

uint64_t malloc_image_link(const struct malloc_heap *heap, pht_addr field, pht_addr to)
{
    return heap->traits->mangles_links ? field >> 12 ^ to : to;
}

pht_addr malloc_image_fastbin(const struct malloc_heap *heap, uint32_t arena, uint64_t bytes)
{
    return heap->arenas[arena].address + heap->libc.layout.state_fastbins + 8 * (bytes / 16 - 2);
}

static uint32_t arena_of(const struct malloc_heap *heap, const struct malloc_chunk *chunk)
{
    return heap->regions.items[chunk->region].arena;
}

/* ---- mappings -------------------------------------------------------------------------------- */

/* What is in memory that nobody cleared. */
static void fill(struct malloc_heap *heap, pht_addr start, pht_addr end)
{
    uint64_t *words = fake_target_bytes(heap->fake, start, end - start);

    for (size_t i = 0; i < (end - start) / 8; i++)
        words[i] = heap_random_u64(&heap->random);
}

static void map_region(struct malloc_heap *heap, const struct malloc_region *region)
{
    bool is_brk = region->arena == MALLOC_MAIN && !region->is_mapped;
    pht_addr start = pht_round_down(is_brk ? heap->brk_start : region->address, PHT_PAGE_BYTES);
    pht_addr end = region->end;

    if (is_brk)
        end = pht_round_up(heap->brk_end, PHT_PAGE_BYTES);
    fake_target_map(heap->fake, start, end, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, start, end, FAKE_RESIDENT);
    fill(heap, start, end);
    if (is_brk)
        fake_target_set_name(heap->fake, start, "[heap]");
    if (region->arena == MALLOC_MAIN)
        return;
    ck_assert_uint_le(end - start, HEAP_MAX);
    if (end - start + HEAP_REST_BYTES <= HEAP_MAX)
        fake_target_map(heap->fake, end, end + HEAP_REST_BYTES, FAKE_UNREADABLE);
}

/* ---- heaps ----------------------------------------------------------------------------------- */

static void put_heap_infos(struct malloc_heap *heap, uint32_t arena)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    pht_addr prev = 0;

    for (size_t i = 0; i < heap->regions.count; i++) {
        const struct malloc_region *region = &heap->regions.items[i];
        if (region->arena != arena)
            continue;
        fake_target_put_u64(heap->fake, region->address + layout->heap_arena,
                            heap->arenas[arena].address);
        fake_target_put_u64(heap->fake, region->address + layout->heap_prev, prev);
        fake_target_put_u64(heap->fake, region->address + layout->heap_size,
                            region->end - region->address);
        prev = region->address;
    }
}

static void put_empty_state(struct malloc_heap *heap, uint32_t i)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    const struct malloc_arena *arena = &heap->arenas[i];
    pht_addr next = heap->arenas[i > 0 ? i - 1 : heap->arena_count - 1].address;
    bool is_contiguous = i == MALLOC_MAIN;

    for (uint64_t at = 0; at < layout->state_bytes; at += 8)
        fake_target_put_u64(heap->fake, arena->address + at, 0);
    if (arena->region != MALLOC_NONE && heap->regions.items[arena->region].is_mapped)
        is_contiguous = false;
    fake_target_put_u32(heap->fake, arena->address + layout->state_flags,
                        (is_contiguous ? 0 : FLAG_NONCONTIGUOUS) |
                            (heap->traits->has_chunks_flag ? FLAG_NO_FAST_CHUNKS : 0));
    for (uint32_t bin = 1; bin < MALLOC_BINS; bin++) {
        pht_addr head = malloc_bin_head(heap, i, bin);
        fake_target_put_u64(heap->fake, head + 16, head);
        fake_target_put_u64(heap->fake, head + 24, head);
    }
    fake_target_put_u64(heap->fake, arena->address + layout->state_top,
                        arena->top != 0 ? arena->top : malloc_bin_head(heap, i, 1));
    fake_target_put_u64(heap->fake, arena->address + layout->state_next, next);
    fake_target_put_u64(heap->fake, arena->address + layout->state_system_mem, arena->system_bytes);
    fake_target_put_u64(heap->fake, arena->address + layout->state_max_system_mem,
                        arena->peak_system_bytes);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* At the end of the bin's ring. */
static void put_in_bin(struct malloc_heap *heap, const struct malloc_chunk *chunk)
{
    pht_addr head = malloc_bin_head(heap, arena_of(heap, chunk), chunk->bin);
    pht_addr last = fake_target_u64(heap->fake, head + 24);

    fake_target_put_u64(heap->fake, chunk->address + 16, head);
    fake_target_put_u64(heap->fake, chunk->address + 24, last);
    fake_target_put_u64(heap->fake, last + 16, chunk->address);
    fake_target_put_u64(heap->fake, head + 24, chunk->address);
}

static void put_in_fastbin(struct malloc_heap *heap, const struct malloc_chunk *chunk)
{
    uint32_t arena = arena_of(heap, chunk);
    pht_addr head = malloc_image_fastbin(heap, arena, chunk->bytes);
    pht_addr flags = heap->arenas[arena].address + heap->libc.layout.state_flags;
    pht_addr field = chunk->address + 16;

    fake_target_put_u64(heap->fake, field,
                        malloc_image_link(heap, field, fake_target_u64(heap->fake, head)));
    fake_target_put_u64(heap->fake, head, chunk->address);
    if (heap->traits->has_chunks_flag)
        fake_target_put_u32(heap->fake, flags,
                            fake_target_u32(heap->fake, flags) & ~(uint32_t)FLAG_NO_FAST_CHUNKS);
}

static void put_chunk(struct malloc_heap *heap, const struct malloc_chunk *chunk,
                      const struct malloc_chunk *before)
{
    bool before_is_free = before != NULL && before->kind == MALLOC_BIN;
    bool before_is_fence = before != NULL && before->kind == MALLOC_FENCE;

    if (chunk->kind == MALLOC_GAP)
        return;
    if (before_is_free || (before_is_fence && chunk->kind == MALLOC_FENCE))
        fake_target_put_u64(heap->fake, chunk->address, before->bytes);
    fake_target_put_u64(heap->fake, chunk->address + 8,
                        chunk->word | (before_is_free ? 0 : PREV_INUSE));
    if (chunk->kind == MALLOC_BIN)
        put_in_bin(heap, chunk);
    if (chunk->kind == MALLOC_FAST)
        put_in_fastbin(heap, chunk);
}

/* ---- pages ----------------------------------------------------------------------------------- */

/* One in four pages that nobody needs was never touched, or given back. */
static void drop_pages(struct malloc_heap *heap)
{
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        pht_addr first = pht_round_up(chunk->address + CHUNK_HEADER_BYTES, PHT_PAGE_BYTES);
        pht_addr end = pht_round_down(chunk->address + chunk->bytes, PHT_PAGE_BYTES);
        for (pht_addr page = first; page < end; page += PHT_PAGE_BYTES) {
            if (heap_random_below(&heap->random, 4) == 0)
                fake_target_set_pages(heap->fake, page, page + 1, FAKE_ABSENT);
        }
    }
}

void malloc_image_arenas(struct malloc_heap *heap)
{
    for (size_t i = 0; i < heap->regions.count; i++)
        map_region(heap, &heap->regions.items[i]);
    for (uint32_t i = 0; i < heap->arena_count; i++) {
        put_empty_state(heap, i);
        if (i != MALLOC_MAIN)
            put_heap_infos(heap, i);
    }
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        bool follows = i > 0 && chunk[-1].region == chunk->region;
        put_chunk(heap, chunk, follows ? chunk - 1 : NULL);
    }
    drop_pages(heap);
}
