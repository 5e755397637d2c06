#include "support/malloc_image.h"

#include <check.h>
#include <string.h>

#define LIBC_BIAS ((pht_addr)0x7f2000000000)
#define LIBC_TEXT_END (LIBC_BIAS + 0x10000)
#define LIBC_DATA (LIBC_BIAS + 0x1d0000)
#define LIBC_DUMMY (LIBC_BIAS + 0x1d5000)
#define LIBC_BSS (LIBC_BIAS + 0x1d6000)
#define LIBC_END (LIBC_BIAS + 0x1e0000)

#define THRESHOLD 131072
#define TCACHE_MAX_USER 1032

/* Of members that no walker needs: arena_test before arena_max, n_mmaps_max behind n_mmaps. */
#define ARENA_TEST 8
#define MMAPS_MAX 65536

void malloc_image_libc(struct malloc_heap *heap)
{
    struct pht_libc *libc = &heap->libc;

    *libc = (struct pht_libc){
        .family = PHT_LIBC_GLIBC,
        .image = "/usr/lib/x86_64-linux-gnu/libc.so.6",
        .build_id = "4e01ba08f1b1b9a5a8d5a3d0a1a7f3a4b5c6d7e8",
        .bias = LIBC_BIAS,
        .start = LIBC_BIAS,
        .end = LIBC_END,
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_SYMTAB,
    };
    strcpy(libc->version_text, heap->traits->text);
    malloc_layout(heap->options.version, &libc->layout);
}

pht_addr malloc_image_dummy(const struct malloc_heap *heap)
{
    (void)heap;
    return LIBC_DUMMY;
}

static void map_libc(struct fake_target *fake)
{
    fake_target_map(fake, LIBC_BIAS, LIBC_TEXT_END, FAKE_FILE);
    fake_target_map(fake, LIBC_DATA, LIBC_BSS, FAKE_FILE);
    fake_target_set_pages(fake, LIBC_DATA, LIBC_BSS, FAKE_RESIDENT);
    fake_target_map(fake, LIBC_BSS, LIBC_END, FAKE_PRIVATE);
    fake_target_set_pages(fake, LIBC_BSS, LIBC_BSS + PHT_PAGE_BYTES, FAKE_RESIDENT);
}

static void put_mmapped_counters(struct malloc_heap *heap, pht_addr params)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    uint64_t bytes = 0;

    for (size_t i = 0; i < heap->mmapped.count; i++)
        bytes += heap->mmapped.items[i].bytes;
    fake_target_put_u32(heap->fake, params + layout->params_n_mmaps, (uint32_t)heap->mmapped.count);
    fake_target_put_u32(heap->fake, params + layout->params_max_n_mmaps,
                        (uint32_t)heap->mmapped.count + 2);
    fake_target_put_u64(heap->fake, params + layout->params_mmapped_mem, bytes);
    fake_target_put_u64(heap->fake, params + layout->params_max_mmapped_mem, bytes + 0x200000);
}

static void put_params(struct malloc_heap *heap)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;
    pht_addr params = heap->libc.bias + layout->params;

    fake_target_put_u64(heap->fake, params + layout->params_trim_threshold, THRESHOLD);
    fake_target_put_u64(heap->fake, params + layout->params_top_pad, THRESHOLD);
    fake_target_put_u64(heap->fake, params + layout->params_mmap_threshold, THRESHOLD);
    fake_target_put_u64(heap->fake, params + layout->params_arena_max - 8, ARENA_TEST);
    fake_target_put_u32(heap->fake, params + layout->params_n_mmaps + 4, MMAPS_MAX);
    fake_target_put_u32(heap->fake, params + layout->params_no_dyn_threshold, 0);
    fake_target_put_u64(heap->fake, params + layout->params_sbrk_base, heap->brk_start);
    if (layout->params_thp_pagesize != PHT_UNKNOWN)
        fake_target_put_u64(heap->fake, params + layout->params_thp_pagesize,
                            heap->options.thp_page_bytes);
    if (layout->params_tcache_count != PHT_UNKNOWN) {
        uint64_t max = heap->options.tcache_max_bytes;
        fake_target_put_u64(heap->fake, params + layout->params_tcache_max_bytes - 8,
                            MALLOC_TCACHE_SMALL_BINS);
        fake_target_put_u64(heap->fake, params + layout->params_tcache_count, heap->tcache_count);
        fake_target_put_u64(heap->fake, params + layout->params_tcache_max_bytes,
                            max != 0 ? max : TCACHE_MAX_USER);
    }
    fake_target_put_u64(heap->fake, heap->libc.bias + layout->current_break, heap->brk_end);
    if (layout->tcache_key != PHT_UNKNOWN)
        fake_target_put_u64(heap->fake, heap->libc.bias + layout->tcache_key,
                            heap_random_u64(&heap->random) | 1);
    put_mmapped_counters(heap, params);
}

/* ---- mmapped chunks -------------------------------------------------------------------------- */

static void put_mmapped(struct malloc_heap *heap, const struct malloc_mmapped *mmapped)
{
    uint64_t offset = mmapped->chunk - mmapped->start;
    uint64_t bytes = mmapped->bytes - (heap->traits->maps_footer ? 16 : 0);

    fake_target_set_pages(heap->fake, mmapped->start - mmapped->foreign_bytes, mmapped->start,
                          FAKE_RESIDENT);
    for (pht_addr at = mmapped->start; at < mmapped->start + mmapped->bytes; at += PHT_PAGE_BYTES) {
        bool has_header = at == mmapped->chunk - mmapped->chunk % PHT_PAGE_BYTES;
        if (has_header || at == mmapped->start || heap_random_below(&heap->random, 2) == 0)
            fake_target_set_pages(heap->fake, at, at + 1, FAKE_RESIDENT);
    }
    /* memalign() takes a place in what malloc() got, and leaves that one's header where it is. */
    fake_target_put_u64(heap->fake, mmapped->start, 0);
    fake_target_put_u64(heap->fake, mmapped->start + 8, bytes | 2);
    fake_target_put_u64(heap->fake, mmapped->chunk, offset);
    fake_target_put_u64(heap->fake, mmapped->chunk + 8, (bytes - offset) | 2);
    /* What the caller wrote. */
    for (uint64_t i = 16; i < 256 && mmapped->chunk % PHT_PAGE_BYTES + i < PHT_PAGE_BYTES; i += 8)
        fake_target_put_u64(heap->fake, mmapped->chunk + i, heap_random_u64(&heap->random));
}

/* The kernel makes one mapping of those that touch. */
static void put_all_mmapped(struct malloc_heap *heap)
{
    for (size_t i = 0; i < heap->mmapped.count;) {
        const struct malloc_mmapped *items = heap->mmapped.items;
        pht_addr start = items[i].start - items[i].foreign_bytes, end = start;
        size_t first = i;
        for (; i < heap->mmapped.count && items[i].start - items[i].foreign_bytes == end; i++)
            end = items[i].start + items[i].bytes;
        fake_target_map(heap->fake, start, end, FAKE_PRIVATE);
        for (size_t k = first; k < i; k++)
            put_mmapped(heap, &heap->mmapped.items[k]);
    }
}

void malloc_image_write(struct malloc_heap *heap)
{
    map_libc(heap->fake);
    put_params(heap);
    malloc_image_arenas(heap);
    malloc_image_threads(heap);
    put_all_mmapped(heap);
}
