#include "support/malloc_figures.h"

#include <check.h>

#include "base/checked.h"

#define CHUNK_HEADER_BYTES 48
#define TOP_KEPT_BYTES 33

uint64_t malloc_resident(const struct malloc_heap *heap, pht_addr start, pht_addr end)
{
    uint64_t pages = 0;

    for (size_t i = 0; i < heap->fake->mappings.count; i++) {
        const struct fake_mapping *mapping = &heap->fake->mappings.items[i];
        pht_addr from = mapping->start > start ? mapping->start : start;
        pht_addr to = mapping->end < end ? mapping->end : end;
        for (pht_addr at = pht_round_up(from, PHT_PAGE_BYTES); at + PHT_PAGE_BYTES <= to;
             at += PHT_PAGE_BYTES)
            pages += mapping->pages[(at - mapping->start) / PHT_PAGE_BYTES] == FAKE_RESIDENT;
    }
    return pages * PHT_PAGE_BYTES;
}

/* ---- what malloc_trim(0) gives back -----------------------------------------------------------
 */

/* mtrim() of malloc/malloc.c, for a free chunk. */
static uint64_t trim_run(const struct malloc_heap *heap, pht_addr start, pht_addr end)
{
    if (end - start <= PHT_PAGE_BYTES - 1 + CHUNK_HEADER_BYTES)
        return 0;
    return malloc_resident(heap, pht_round_up(start + CHUNK_HEADER_BYTES, PHT_PAGE_BYTES),
                           pht_round_down(end, PHT_PAGE_BYTES));
}

/* systrim(), for a top that begins at `start`: only brk can be moved back. */
static uint64_t trim_top(const struct malloc_heap *heap, uint32_t arena, pht_addr start,
                         pht_addr end)
{
    uint64_t thp = heap->options.thp_page_bytes;
    uint64_t bytes = end - start;

    if (arena != MALLOC_MAIN || heap->regions.items[heap->arenas[arena].region].is_mapped ||
        heap->options.brk_after_top != 0 || bytes < TOP_KEPT_BYTES)
        return 0;
    bytes = pht_round_down(bytes - TOP_KEPT_BYTES, thp != 0 ? thp : PHT_PAGE_BYTES);
    return malloc_resident(heap, end - bytes, end);
}

/* Free when fastbins are consolidated, and tcaches flushed first or not. */
static bool joins_run(const struct malloc_chunk *chunk, bool flushed)
{
    return chunk->kind == MALLOC_BIN || chunk->kind == MALLOC_FAST ||
           (flushed && chunk->kind == MALLOC_TCACHE);
}

static uint64_t trimmable(const struct malloc_heap *heap, uint32_t arena, bool flushed)
{
    uint64_t bytes = 0;
    pht_addr start = 0, end = 0;

    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        if (heap->regions.items[chunk->region].arena != arena)
            continue;
        bool joins = joins_run(chunk, flushed);
        if (start != 0 && !(joins && chunk->address == end)) {
            if (chunk->kind != MALLOC_TOP || chunk->address != end)
                bytes += trim_run(heap, start, end);
            else
                bytes += trim_top(heap, arena, start, chunk->address + chunk->bytes);
        } else if (chunk->kind == MALLOC_TOP) {
            bytes += trim_top(heap, arena, chunk->address, chunk->address + chunk->bytes);
        }
        if (joins && (start == 0 || chunk->address != end))
            start = chunk->address;
        if (!joins)
            start = 0;
        end = chunk->address + chunk->bytes;
    }
    return bytes;
}

/* ---- free chunks by kind ---------------------------------------------------------------------
 */

static enum pht_free_kind kind_of(const struct malloc_chunk *chunk)
{
    switch (chunk->kind) {
    case MALLOC_TCACHE:
        return PHT_FREE_TCACHE;
    case MALLOC_FAST:
        return PHT_FREE_FAST;
    case MALLOC_TOP:
        return PHT_FREE_TOP;
    case MALLOC_BIN:
        if (chunk->bin == MALLOC_UNSORTED)
            return PHT_FREE_UNSORTED;
        return chunk->bytes < 1024 ? PHT_FREE_SMALL : PHT_FREE_LARGE;
    default:
        return PHT_FREE_KINDS;
    }
}

static void count_kind(const struct malloc_heap *heap, const struct malloc_chunk *chunk,
                       struct pht_glibc_arena *ret)
{
    enum pht_free_kind kind = kind_of(chunk);

    if (kind == PHT_FREE_KINDS)
        return;
    struct pht_free_sum *sum = &ret->kinds[kind];
    sum->chunks++;
    sum->bytes += chunk->bytes;
    sum->page_bytes += trim_run(heap, chunk->address, chunk->address + chunk->bytes);
    if (chunk->bytes > sum->largest_bytes)
        sum->largest_bytes = chunk->bytes;
}

/* ---- figures --------------------------------------------------------------------------------- */

static void count_chunk(const struct malloc_chunk *chunk, struct pht_glibc_arena *ret)
{
    switch (chunk->kind) {
    case MALLOC_LIVE:
        ret->live_chunks++;
        ret->live_bytes += chunk->bytes;
        return;
    case MALLOC_BIN:
        ret->rest_chunks++;
        ret->rest_bytes += chunk->word | 1;
        ret->free_chunks++;
        ret->free_bytes += chunk->bytes;
        return;
    case MALLOC_FAST:
        ret->fast_chunks++;
        ret->fast_bytes += chunk->bytes;
        ret->free_chunks++;
        ret->free_bytes += chunk->bytes;
        return;
    case MALLOC_TCACHE:
        ret->tcache_chunks++;
        ret->tcache_bytes += chunk->bytes;
        return;
    case MALLOC_FENCE:
        ret->overhead_bytes += chunk->bytes;
        return;
    case MALLOC_GAP:
        ret->foreign_bytes += chunk->bytes;
        return;
    case MALLOC_TOP:
        ret->rest_bytes += chunk->bytes;
        ret->top_bytes += chunk->bytes;
        return;
    }
}

static void count_region(const struct malloc_heap *heap, const struct malloc_region *region,
                         struct pht_glibc_arena *ret)
{
    pht_addr start = region->address;

    ret->heaps++;
    ret->overhead_bytes += region->start - region->address;
    if (region->arena == MALLOC_MAIN && !region->is_mapped) {
        /* Bytes before the first multiple of 16 belong to nobody. */
        ret->foreign_bytes += region->start - heap->brk_start;
        start = heap->brk_start;
    }
    ret->resident_bytes +=
        malloc_resident(heap, pht_round_down(start, PHT_PAGE_BYTES), region->end);
}

void malloc_figures(const struct malloc_heap *heap, uint32_t arena, struct pht_glibc_arena *ret)
{
    *ret = (struct pht_glibc_arena){
        .address = heap->arenas[arena].address,
        .is_main = arena == MALLOC_MAIN,
        .system_bytes = heap->arenas[arena].system_bytes,
        .peak_system_bytes = heap->arenas[arena].peak_system_bytes,
        .rest_chunks = heap->arenas[arena].top != 0,
        .trimmable_bytes = trimmable(heap, arena, false),
        .trimmable_flushed_bytes = trimmable(heap, arena, true),
    };

    for (uint32_t i = 0; i < heap->thread_count; i++)
        ret->threads += heap->threads[i].arena == arena;
    for (size_t i = 0; i < heap->chunks.count; i++) {
        if (heap->regions.items[heap->chunks.items[i].region].arena != arena)
            continue;
        count_chunk(&heap->chunks.items[i], ret);
        count_kind(heap, &heap->chunks.items[i], ret);
    }
    for (size_t i = 0; i < heap->regions.count; i++) {
        if (heap->regions.items[i].arena == arena)
            count_region(heap, &heap->regions.items[i], ret);
    }
}

void malloc_figures_add(struct pht_glibc_arena *sum, const struct pht_glibc_arena *part)
{
    sum->heaps += part->heaps;
    sum->threads += part->threads;
    sum->system_bytes += part->system_bytes;
    sum->live_chunks += part->live_chunks;
    sum->live_bytes += part->live_bytes;
    sum->free_chunks += part->free_chunks;
    sum->free_bytes += part->free_bytes;
    sum->tcache_chunks += part->tcache_chunks;
    sum->tcache_bytes += part->tcache_bytes;
    sum->fast_chunks += part->fast_chunks;
    sum->fast_bytes += part->fast_bytes;
    sum->rest_chunks += part->rest_chunks;
    sum->rest_bytes += part->rest_bytes;
    sum->top_bytes += part->top_bytes;
    sum->overhead_bytes += part->overhead_bytes;
    sum->foreign_bytes += part->foreign_bytes;
    sum->unknown_bytes += part->unknown_bytes;
    sum->trimmable_bytes += part->trimmable_bytes;
    sum->trimmable_flushed_bytes += part->trimmable_flushed_bytes;
    sum->resident_bytes += part->resident_bytes;
    for (int kind = 0; kind < PHT_FREE_KINDS; kind++) {
        sum->kinds[kind].chunks += part->kinds[kind].chunks;
        sum->kinds[kind].bytes += part->kinds[kind].bytes;
        sum->kinds[kind].page_bytes += part->kinds[kind].page_bytes;
        if (part->kinds[kind].largest_bytes > sum->kinds[kind].largest_bytes)
            sum->kinds[kind].largest_bytes = part->kinds[kind].largest_bytes;
    }
}
