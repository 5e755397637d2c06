#include "support/heap_glibc.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)

/* A heap_info, a malloc_state, and what aligns the first chunk. */
#define ARENA_HEADER_BYTES 2256

static void *copy(const void *bytes, size_t size)
{
    void *fresh = malloc(size);

    ck_assert_ptr_nonnull(fresh);
    memcpy(fresh, bytes, size);
    return fresh;
}

struct pht_libc *heap_glibc_libc(void)
{
    struct pht_libc *libc = calloc(1, sizeof(*libc));

    ck_assert_ptr_nonnull(libc);
    libc->family = PHT_LIBC_GLIBC;
    snprintf(libc->version_text, sizeof(libc->version_text), "2.36");
    snprintf(libc->build_id, sizeof(libc->build_id), "0c4a11b2c3d4e5f60718293a4b5c6d7e8f901234");
    libc->image = copy("/usr/lib/x86_64-linux-gnu/libc.so.6", 36);
    libc->layout_source = PHT_LAYOUT_DWARF;
    libc->symbol_source = PHT_SYMBOL_SYMTAB;
    return libc;
}

/* `top` stands for the rest; what it does not say follows from what it does. */
static const struct pht_glibc_arena arenas[] = {
    {
        .address = 0x7f2b9d1d2c60,
        .is_main = true,
        .heaps = 1,
        .threads = 1,
        .peak_system_bytes = 640 * MIB,
        .live_chunks = 1204311,
        .live_bytes = 384 * MIB,
        .free_chunks = 48211,
        .free_bytes = 93230 * KIB,
        .tcache_chunks = 301,
        .tcache_bytes = 45 * KIB,
        .fast_chunks = 318,
        .fast_bytes = 20480,
        .top_bytes = 27034 * KIB,
        .foreign_bytes = 128 * KIB,
        .trimmable_bytes = 95 * MIB,
        .trimmable_flushed_bytes = 95 * MIB + 64 * KIB,
        .resident_bytes = 475 * MIB,
    },
    {
        .address = 0x7f2b74000030,
        .heaps = 2,
        .threads = 3,
        .peak_system_bytes = 100 * MIB,
        .live_chunks = 201020,
        .live_bytes = 63181 * KIB,
        .free_chunks = 9112,
        .free_bytes = 23347 * KIB,
        .tcache_chunks = 402,
        .tcache_bytes = 98 * KIB,
        .top_bytes = 5 * MIB,
        .trimmable_bytes = 15 * MIB,
        .trimmable_flushed_bytes = 15 * MIB,
        .resident_bytes = 91546 * KIB,
    },
    {
        .address = 0x7f2b6c000030,
        .heaps = 2,
        .threads = 2,
        .peak_system_bytes = 90 * MIB,
        .live_chunks = 140112,
        .live_bytes = 41165 * KIB,
        .free_chunks = 7010,
        .free_bytes = 17510 * KIB,
        .tcache_chunks = 212,
        .tcache_bytes = 71 * KIB,
        .top_bytes = 3891 * KIB,
        .trimmable_bytes = 9 * MIB,
        .trimmable_flushed_bytes = 9 * MIB + 4 * KIB,
        .resident_bytes = 62566 * KIB,
    },
    {
        .address = 0x7f2b64000030,
        .heaps = 1,
        .threads = 2,
        .peak_system_bytes = 60 * MIB,
        .live_chunks = 88200,
        .live_bytes = 31 * MIB,
        .free_chunks = 4100,
        .free_bytes = 11878 * KIB,
        .tcache_chunks = 189,
        .tcache_bytes = 60 * KIB,
        .top_bytes = 1945 * KIB,
        .trimmable_bytes = 3 * MIB,
        .trimmable_flushed_bytes = 3 * MIB,
        .resident_bytes = 45056 * KIB,
    },
    {
        .address = 0x7f2b5c000030,
        .heaps = 1,
        .threads = 0,
        .peak_system_bytes = 40 * MIB,
        .live_chunks = 30,
        .live_bytes = 12 * KIB,
        .free_chunks = 12,
        .free_bytes = 90 * KIB,
        .top_bytes = 30 * KIB,
        .resident_bytes = 136 * KIB,
    },
    {
        .address = 0x7f2b54000030,
        .heaps = 1,
        .threads = 1,
        .peak_system_bytes = 30 * MIB,
        .live_chunks = 60200,
        .live_bytes = 15155 * KIB,
        .free_chunks = 1702,
        .free_bytes = 6451 * KIB,
        .tcache_chunks = 100,
        .tcache_bytes = 33 * KIB,
        .top_bytes = 922 * KIB,
        .trimmable_bytes = 2 * MIB,
        .trimmable_flushed_bytes = 2 * MIB,
        .resident_bytes = 22528 * KIB,
    },
};

#define ARENAS (sizeof(arenas) / sizeof(arenas[0]))

static const struct pht_malloc_thread threads[] = {
    {4723, 0x7f2b74000030, 380, 90 * KIB}, {4724, 0x7f2b6c000030, 200, 66 * KIB},
    {4730, 0x7f2b64000030, 180, 55 * KIB}, {4711, 0x7f2b9d1d2c60, 301, 45 * KIB},
    {4741, 0x7f2b54000030, 100, 33 * KIB}, {4727, 0x7f2b74000030, 20, 7 * KIB},
    {4729, 0x7f2b6c000030, 12, 5 * KIB},   {4731, 0x7f2b64000030, 9, 5 * KIB},
    {4733, 0x7f2b74000030, 2, 1 * KIB},    {4750, 0, 0, 0},
};

static const struct pht_chunk_size sizes[] = {
    {32, 32, 700000, 700000 * 32, 9000, 9000 * 32},
    {48, 48, 300000, 300000 * 48, 21000, 21000 * 48},
    {64, 64, 200000, 200000 * 64, 12000, 12000 * 64},
    {1024, 2047, 120000, 120000 * 1600, 20000, 20000 * 1504},
    {2048, 4095, 40000, 40000 * 3200, 7000, 7000 * 3104},
};

#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static const struct pht_free_chunk largest_free[] = {
    {0x55d0ca01a2c0, 10223616, 10170368, 0},
    {0x7f2b75004010, 4194304, 4190208, 1},
    {0x55d0c9c00560, 2097152, 0, 0},
};

static const struct pht_mmapped_chunk mmapped[] = {
    {0x7f2ad4000000, 0x7f2ad4000000, 36 * MIB, 36 * MIB},
    {0x7f2ad8a00000, 0x7f2ad8a00000, 20 * MIB, 20 * MIB},
    {0x7f2ae0000ff0, 0x7f2ae0000000, 8 * MIB, 6 * MIB},
};

static void add_kind(struct pht_free_sum *total, const struct pht_free_sum *sum)
{
    total->chunks += sum->chunks;
    total->bytes += sum->bytes;
    total->page_bytes += sum->page_bytes;
    if (sum->largest_bytes > total->largest_bytes)
        total->largest_bytes = sum->largest_bytes;
}

static void add(struct pht_glibc_arena *totals, const struct pht_glibc_arena *arena)
{
    for (int kind = 0; kind < PHT_FREE_KINDS; kind++)
        add_kind(&totals->kinds[kind], &arena->kinds[kind]);
    totals->heaps += arena->heaps;
    totals->threads += arena->threads;
    totals->system_bytes += arena->system_bytes;
    totals->live_chunks += arena->live_chunks;
    totals->live_bytes += arena->live_bytes;
    totals->free_chunks += arena->free_chunks;
    totals->free_bytes += arena->free_bytes;
    totals->tcache_chunks += arena->tcache_chunks;
    totals->tcache_bytes += arena->tcache_bytes;
    totals->fast_chunks += arena->fast_chunks;
    totals->fast_bytes += arena->fast_bytes;
    totals->rest_chunks += arena->rest_chunks;
    totals->rest_bytes += arena->rest_bytes;
    totals->top_bytes += arena->top_bytes;
    totals->overhead_bytes += arena->overhead_bytes;
    totals->foreign_bytes += arena->foreign_bytes;
    totals->unknown_bytes += arena->unknown_bytes;
    totals->trimmable_bytes += arena->trimmable_bytes;
    totals->trimmable_flushed_bytes += arena->trimmable_flushed_bytes;
    totals->resident_bytes += arena->resident_bytes;
}

void heap_glibc_add_up(struct pht_glibc *glibc)
{
    memset(&glibc->totals, 0, sizeof(glibc->totals));
    for (size_t i = 0; i < glibc->arena_count; i++)
        add(&glibc->totals, &glibc->arenas[i]);
}

/* Bins: most chunks are small, most bytes large. Of the two, all but two pages are whole. */
static void fill_kinds(struct pht_glibc_arena *arena)
{
    uint64_t chunks = arena->free_chunks - arena->fast_chunks;
    uint64_t bytes = arena->free_bytes - arena->fast_bytes;
    uint64_t unsorted = bytes / 32 / 16 * 16, small = bytes / 8 / 16 * 16;
    uint64_t large = bytes - unsorted - small;
    const struct pht_free_sum kinds[] = {
        [PHT_FREE_TCACHE] = {arena->tcache_chunks, arena->tcache_bytes, 1040, 0},
        [PHT_FREE_FAST] = {arena->fast_chunks, arena->fast_bytes, 128, 0},
        [PHT_FREE_UNSORTED] = {2, unsorted, unsorted - 1024, unsorted / 2},
        [PHT_FREE_SMALL] = {chunks - 5, small, 1008, 0},
        [PHT_FREE_LARGE] = {3, large, large / 2, large - 8192},
        [PHT_FREE_TOP] = {1, arena->top_bytes, arena->top_bytes, arena->top_bytes - 4096},
    };

    memcpy(arena->kinds, kinds, sizeof(kinds));
    for (int kind = 0; kind < PHT_FREE_KINDS; kind++) {
        if (arena->kinds[kind].chunks == 0)
            arena->kinds[kind].largest_bytes = 0;
    }
}

/* malloc_info(3) counts the top as a chunk, and leaves the fast ones out. */
static void finish_arena(struct pht_glibc_arena *arena)
{
    fill_kinds(arena);
    arena->overhead_bytes = arena->is_main ? 16 : ARENA_HEADER_BYTES * arena->heaps;
    arena->rest_chunks = arena->free_chunks - arena->fast_chunks + 1;
    arena->rest_bytes = arena->free_bytes - arena->fast_bytes + arena->top_bytes;
    arena->system_bytes = arena->live_bytes + arena->free_bytes + arena->tcache_bytes +
                          arena->top_bytes + arena->overhead_bytes + arena->foreign_bytes;
}

/* The first `count` of the list; what is of no such size is all in one last row. */
static void list_sizes(struct pht_glibc *glibc, size_t count)
{
    struct pht_chunk_size rest = {
        .min_bytes = 128 * KIB,
        .max_bytes = 256 * KIB - 1,
        .live_chunks = glibc->totals.live_chunks,
        .live_bytes = glibc->totals.live_bytes,
        .free_chunks = glibc->totals.free_chunks + glibc->totals.tcache_chunks,
        .free_bytes = glibc->totals.free_bytes + glibc->totals.tcache_bytes,
    };

    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_gt(rest.live_bytes, sizes[i].live_bytes);
        ck_assert_uint_gt(rest.free_bytes, sizes[i].free_bytes);
        glibc->sizes[i] = sizes[i];
        rest.live_chunks -= sizes[i].live_chunks;
        rest.live_bytes -= sizes[i].live_bytes;
        rest.free_chunks -= sizes[i].free_chunks;
        rest.free_bytes -= sizes[i].free_bytes;
    }
    glibc->sizes[count] = rest;
    glibc->size_count = count + 1;
}

static const struct pht_malloc_params params = {
    .mmap_threshold_bytes = 4 * MIB,
    .mmap_threshold_dynamic = true,
    .trim_threshold_bytes = 8 * MIB,
    .top_pad_bytes = 128 * KIB,
    .arena_max = 0,
    .thp_page_bytes = 0,
    .huge_page_bytes = 0,
    .tcache_max_bytes = 1032,
    .tcache_count = 7,
    .mmapped_chunks = 3,
    .mmapped_bytes = 64 * MIB,
    .mmapped_peak_chunks = 12,
    .mmapped_peak_bytes = 128 * MIB,
    .sbrk_base = 0x55d0c8a3e000,
};

struct pht_glibc *heap_glibc_create(void)
{
    struct pht_glibc *glibc = calloc(1, sizeof(*glibc));

    ck_assert_ptr_nonnull(glibc);
    glibc->params = params;
    glibc->arenas = copy(arenas, sizeof(arenas));
    glibc->arena_count = ARENAS;
    for (size_t i = 0; i < ARENAS; i++)
        finish_arena(&glibc->arenas[i]);
    heap_glibc_add_up(glibc);
    glibc->sizes = calloc(SIZES + 1, sizeof(*glibc->sizes));
    ck_assert_ptr_nonnull(glibc->sizes);
    list_sizes(glibc, SIZES);
    memcpy(glibc->largest_free, largest_free, sizeof(largest_free));
    glibc->largest_free_count = sizeof(largest_free) / sizeof(largest_free[0]);
    glibc->mmapped = copy(mmapped, sizeof(mmapped));
    glibc->mmapped_count = sizeof(mmapped) / sizeof(mmapped[0]);
    glibc->mmapped_bytes = 64 * MIB;
    glibc->mmapped_resident_bytes = 62 * MIB;
    glibc->threads_known = true;
    glibc->threads = copy(threads, sizeof(threads));
    glibc->thread_count = sizeof(threads) / sizeof(threads[0]);
    glibc->rereads = 5;
    return glibc;
}

static bool is_kept(const struct pht_glibc *glibc, pht_addr arena)
{
    for (size_t i = 0; i < glibc->arena_count; i++) {
        if (glibc->arenas[i].address == arena)
            return true;
    }
    return arena == 0;
}

void heap_glibc_keep_arenas(struct pht_glibc *glibc, size_t count)
{
    size_t kept = 0;

    glibc->arena_count = count;
    heap_glibc_add_up(glibc);
    list_sizes(glibc, 0);
    for (size_t i = 0; i < glibc->thread_count; i++) {
        if (is_kept(glibc, glibc->threads[i].arena))
            glibc->threads[kept++] = glibc->threads[i];
    }
    glibc->thread_count = kept;
    kept = 0;
    for (size_t i = 0; i < glibc->largest_free_count; i++) {
        if (glibc->largest_free[i].arena < count)
            glibc->largest_free[kept++] = glibc->largest_free[i];
    }
    glibc->largest_free_count = kept;
}

void heap_glibc_set_unused(struct pht_glibc *glibc)
{
    glibc->arenas[0] = (struct pht_glibc_arena){
        .address = glibc->arenas[0].address, .is_main = true, .heaps = 1, .threads = 1};
    glibc->arena_count = 1;
    heap_glibc_add_up(glibc);
    glibc->size_count = glibc->largest_free_count = 0;
    glibc->mmapped_count = 0;
    glibc->mmapped_bytes = glibc->mmapped_resident_bytes = 0;
    glibc->params.mmapped_chunks = glibc->params.mmapped_bytes = 0;
    glibc->params.mmapped_peak_chunks = glibc->params.mmapped_peak_bytes = 0;
    for (size_t i = 0; i < glibc->thread_count; i++)
        glibc->threads[i] = (struct pht_malloc_thread){.tid = glibc->threads[i].tid};
}
