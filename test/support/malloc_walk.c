#include "support/malloc_walk.h"

#include <check.h>
#include <stdlib.h>

#include "support/malloc_figures.h"

#define MAX_STOP_US 5000

void malloc_walk_freeze(struct malloc_heap *heap, enum pht_stop_mode stop, struct malloc_walk *ret)
{
    struct pht_snapshot_options options = {.stop = stop, .max_stop_us = MAX_STOP_US};

    *ret = (struct malloc_walk){.fake = heap->fake};
    pht_glibc_roots_init(&ret->roots, &heap->libc);
    ck_assert_ptr_null(pht_snapshot_take(heap->fake->target, &options, pht_glibc_freeze,
                                         &ret->roots, &ret->snapshot));
}

/* Claims are of resident and swapped pages; what walks count may be neither. */
static void check_claim(const struct malloc_walk *walk, enum pht_category category,
                        uint64_t counted, bool all)
{
    uint64_t claimed =
        owned_resident(&walk->owned, category) + owned_swapped(&walk->owned, category);

    if (claimed > counted || (all && claimed != counted))
        ck_abort_msg("category %d: claimed %lu of %lu", (int)category, (unsigned long)claimed,
                     (unsigned long)counted);
}

/* Every byte of every arena is resident and can be told. */
static bool is_all_resident(const struct malloc_walk *walk)
{
    const struct pht_glibc *glibc = walk->glibc;

    return glibc->totals.resident_bytes >= glibc->totals.system_bytes &&
           glibc->totals.foreign_bytes == 0 && glibc->totals.unknown_bytes == 0 &&
           glibc->damaged_chunks == 0 && glibc->torn_chunks == 0 && glibc->damaged_arenas == 0;
}

static void check_claims(const struct malloc_walk *walk)
{
    const struct pht_glibc *glibc = walk->glibc;
    bool all = is_all_resident(walk);

    owned_check_sums(&walk->owned);
    check_claim(walk, PHT_CATEGORY_MALLOC_UNOWNED,
                glibc->totals.live_bytes + glibc->totals.overhead_bytes, all);
    check_claim(walk, PHT_CATEGORY_MALLOC_FREE,
                glibc->totals.free_bytes + glibc->totals.tcache_bytes, all);
    check_claim(walk, PHT_CATEGORY_MALLOC_TOP, glibc->totals.top_bytes, all);
    check_claim(walk, PHT_CATEGORY_MALLOC_MMAPPED, glibc->mmapped_bytes, false);
}

void malloc_walk_run(struct malloc_walk *walk, const struct pht_range *others, size_t other_count)
{
    owned_begin(&walk->owned, walk->fake, walk->snapshot);
    walk->glibc =
        pht_glibc_walk(walk->snapshot, &walk->roots, others, other_count, walk->owned.owners, NULL);
    ck_assert_ptr_nonnull(walk->glibc);
    check_claims(walk);
}

void malloc_walk_all(struct malloc_heap *heap, enum pht_stop_mode stop, struct malloc_walk *ret)
{
    malloc_walk_freeze(heap, stop, ret);
    malloc_walk_run(ret, NULL, 0);
    ck_assert_msg(heap->fake->forbidden_reads == 0, "read of 0x%lx, which was not to be touched",
                  (unsigned long)heap->fake->first_forbidden);
    malloc_check_sums(ret->glibc);
}

void malloc_walk_deinit(struct malloc_walk *walk)
{
    pht_glibc_destroy(walk->glibc);
    owned_end(&walk->owned);
    pht_snapshot_destroy(walk->snapshot);
    pht_glibc_roots_deinit(&walk->roots);
}

/* ---- arenas ---------------------------------------------------------------------------------- */

static void check_figure(const char *name, uint64_t found, uint64_t expected, pht_addr arena)
{
    /* Bare conditions: every ck_assert writes a line to a file, and this runs a million times. */
    if (found != expected)
        ck_abort_msg("arena 0x%lx: %s is %lu, not %lu", (unsigned long)arena, name,
                     (unsigned long)found, (unsigned long)expected);
}

#define CHECK(field) check_figure(#field, found->field, expected->field, found->address)

static void check_kind(const struct pht_glibc_arena *found, const struct pht_glibc_arena *expected,
                       enum pht_free_kind kind)
{
    const struct pht_free_sum *left = &found->kinds[kind], *right = &expected->kinds[kind];
    const char *name = pht_free_kind_name(kind);

    check_figure(name, left->chunks, right->chunks, found->address);
    check_figure(name, left->bytes, right->bytes, found->address);
    check_figure(name, left->largest_bytes, right->largest_bytes, found->address);
    check_figure(name, left->page_bytes, right->page_bytes, found->address);
}

/* Where the unsorted ones could not be followed, some of them count by their size. */
static void check_kinds(const struct pht_glibc_arena *found, const struct pht_glibc_arena *expected)
{
    for (enum pht_free_kind kind = 0; kind < PHT_FREE_KINDS; kind++) {
        bool is_binned = kind >= PHT_FREE_UNSORTED && kind <= PHT_FREE_LARGE;
        if (!is_binned || !found->is_partly_sorted)
            check_kind(found, expected, kind);
    }
    if (found->kinds[PHT_FREE_UNSORTED].chunks > expected->kinds[PHT_FREE_UNSORTED].chunks)
        ck_abort_msg("arena 0x%lx has too many unsorted chunks", (unsigned long)found->address);
}

static void check_arena(const struct pht_glibc_arena *found, const struct pht_glibc_arena *expected)
{
    CHECK(system_bytes);
    CHECK(heaps);
    CHECK(threads);
    CHECK(live_chunks);
    CHECK(live_bytes);
    CHECK(free_chunks);
    CHECK(free_bytes);
    CHECK(tcache_chunks);
    CHECK(tcache_bytes);
    CHECK(fast_chunks);
    CHECK(fast_bytes);
    CHECK(rest_chunks);
    CHECK(rest_bytes);
    CHECK(top_bytes);
    CHECK(overhead_bytes);
    CHECK(foreign_bytes);
    CHECK(unknown_bytes);
    CHECK(trimmable_bytes);
    CHECK(trimmable_flushed_bytes);
    CHECK(resident_bytes);
    check_kinds(found, expected);
}

const struct pht_glibc_arena *malloc_heap_found(const struct malloc_heap *heap, uint32_t arena,
                                                const struct pht_glibc *glibc)
{
    for (size_t i = 0; i < glibc->arena_count; i++) {
        if (glibc->arenas[i].address == heap->arenas[arena].address)
            return &glibc->arenas[i];
    }
    ck_abort_msg("arena %u was not found", arena);
    return NULL;
}

/* Up to 2.22 nothing tells which arena a thread uses, unless there is none that has memory. */
static bool tells_threads(const struct malloc_heap *heap)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < heap->arena_count; i++)
        bytes += heap->arenas[i].system_bytes;
    return bytes == 0 || heap->libc.layout.thread_arena != PHT_UNKNOWN;
}

void malloc_heap_check_arena(const struct malloc_heap *heap, uint32_t arena,
                             const struct pht_glibc *glibc)
{
    const struct pht_glibc_arena *found = malloc_heap_found(heap, arena, glibc);
    struct pht_glibc_arena expected;

    malloc_figures(heap, arena, &expected);
    ck_assert_int_eq(found->is_main, expected.is_main);
    check_figure("peak_system_bytes", found->peak_system_bytes, expected.peak_system_bytes,
                 found->address);
    if (!tells_threads(heap))
        expected.threads = PHT_UNKNOWN;
    check_arena(found, &expected);
}

void malloc_heap_check_but_tcache(const struct malloc_heap *heap, uint32_t arena,
                                  const struct pht_glibc *glibc, uint64_t cached)
{
    struct pht_glibc_arena found = *malloc_heap_found(heap, arena, glibc), expected;

    malloc_figures(heap, arena, &expected);
    ck_assert_uint_ge(found.tcache_chunks, cached);
    ck_assert_uint_le(found.tcache_chunks, expected.tcache_chunks);
    expected.threads = found.threads;
    expected.live_chunks += expected.tcache_chunks - found.tcache_chunks;
    expected.live_bytes += expected.tcache_bytes - found.tcache_bytes;
    expected.tcache_chunks = found.tcache_chunks;
    expected.tcache_bytes = found.tcache_bytes;
    expected.kinds[PHT_FREE_TCACHE] = found.kinds[PHT_FREE_TCACHE];
    /* Runs of free chunks end at those that only seem to be live. */
    found.trimmable_flushed_bytes = expected.trimmable_flushed_bytes;
    check_arena(&found, &expected);
}

static void check_arenas(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    struct pht_glibc_arena sum = {.address = 0};

    ck_assert_uint_eq(glibc->arena_count, heap->arena_count);
    for (uint32_t i = 0; i < heap->arena_count; i++) {
        struct pht_glibc_arena expected;
        /* The ring leads from the main arena to the youngest. */
        uint32_t place = i == 0 ? 0 : heap->arena_count - i;
        ck_assert_uint_eq(glibc->arenas[place].address, heap->arenas[i].address);
        malloc_heap_check_arena(heap, i, glibc);
        malloc_figures(heap, i, &expected);
        malloc_figures_add(&sum, &expected);
    }
    if (!tells_threads(heap))
        sum.threads = PHT_UNKNOWN;
    check_arena(&glibc->totals, &sum);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

static bool is_free(const struct malloc_chunk *chunk)
{
    return chunk->kind == MALLOC_BIN || chunk->kind == MALLOC_FAST || chunk->kind == MALLOC_TCACHE;
}

static void check_size(const struct malloc_heap *heap, const struct pht_chunk_size *size)
{
    struct pht_chunk_size expected = {0};

    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        if (chunk->bytes < size->min_bytes || chunk->bytes > size->max_bytes)
            continue;
        if (chunk->kind == MALLOC_LIVE) {
            expected.live_chunks++;
            expected.live_bytes += chunk->bytes;
        } else if (is_free(chunk)) {
            expected.free_chunks++;
            expected.free_bytes += chunk->bytes;
        }
    }
    check_figure("live chunks of a size", size->live_chunks, expected.live_chunks, 0);
    check_figure("live bytes of a size", size->live_bytes, expected.live_bytes, 0);
    check_figure("free chunks of a size", size->free_chunks, expected.free_chunks, 0);
    check_figure("free bytes of a size", size->free_bytes, expected.free_bytes, 0);
    if (size->live_chunks + size->free_chunks == 0)
        ck_abort_msg("a size without chunks");
}

/* Rows rise without overlaps, and each is right; that they leave nothing out, the sums say. */
static void check_sizes(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    for (size_t i = 0; i < glibc->size_count; i++) {
        ck_assert_uint_le(glibc->sizes[i].min_bytes, glibc->sizes[i].max_bytes);
        if (i > 0)
            ck_assert_uint_gt(glibc->sizes[i].min_bytes, glibc->sizes[i - 1].max_bytes);
        check_size(heap, &glibc->sizes[i]);
    }
}

static int compare_falling(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return (left < right) - (left > right);
}

/* Of several as large as the last of them, any may be there. */
static void check_largest(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    uint64_t *sizes = calloc(heap->chunks.count + 1, sizeof(*sizes));
    size_t count = 0;

    ck_assert_ptr_nonnull(sizes);
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        if (is_free(chunk))
            sizes[count++] = chunk->bytes;
    }
    qsort(sizes, count, sizeof(*sizes), compare_falling);
    ck_assert_uint_eq(glibc->largest_free_count,
                      count < PHT_LARGEST_FREE ? count : PHT_LARGEST_FREE);
    for (size_t i = 0; i < glibc->largest_free_count; i++) {
        const struct pht_free_chunk *found = &glibc->largest_free[i];
        ck_assert_uint_eq(found->bytes, sizes[i]);
        ck_assert_uint_le(found->resident_bytes, found->bytes + 2 * PHT_PAGE_BYTES);
        ck_assert_uint_lt(found->arena, glibc->arena_count);
        ck_assert_uint_eq(fake_target_u64(heap->fake, found->address + 8) & ~(uint64_t)7,
                          found->bytes);
    }
    free(sizes);
}

/* ---- threads --------------------------------------------------------------------------------- */

static void check_thread(const struct malloc_heap *heap, const struct pht_malloc_thread *found)
{
    uint32_t i = (uint32_t)(found->tid - heap->threads[0].tid);
    uint64_t chunks = 0, bytes = 0;

    ck_assert_uint_lt(i, heap->thread_count);
    const struct malloc_thread *expected = &heap->threads[i];
    ck_assert_int_eq(found->tid, expected->tid);
    ck_assert_uint_eq(found->arena,
                      expected->arena == MALLOC_NONE ? 0 : heap->arenas[expected->arena].address);
    for (size_t k = 0; k < heap->chunks.count; k++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[k];
        if (chunk->kind == MALLOC_TCACHE && chunk->thread == i) {
            chunks++;
            bytes += chunk->bytes;
        }
    }
    ck_assert_uint_eq(found->tcache_chunks, chunks);
    ck_assert_uint_eq(found->tcache_bytes, bytes);
}

static void check_threads(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    ck_assert_int_eq(glibc->threads_known, tells_threads(heap));
    if (!glibc->threads_known)
        return;
    ck_assert_uint_eq(glibc->thread_count, heap->thread_count);
    for (size_t i = 0; i < glibc->thread_count; i++) {
        check_thread(heap, &glibc->threads[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_int_ne(glibc->threads[i].tid, glibc->threads[k].tid);
        if (i > 0)
            ck_assert_uint_le(glibc->threads[i].tcache_bytes, glibc->threads[i - 1].tcache_bytes);
    }
}

/* ---- mmapped chunks -------------------------------------------------------------------------- */

void malloc_heap_check_mmapped(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    uint64_t bytes = 0, resident = 0;

    ck_assert_uint_eq(glibc->mmapped_count, heap->mmapped.count);
    for (size_t i = 0; i < glibc->mmapped_count; i++) {
        const struct malloc_mmapped *expected = &heap->mmapped.items[i];
        const struct pht_mmapped_chunk *found = &glibc->mmapped[i];
        uint64_t pages = malloc_resident(heap, expected->start, expected->start + expected->bytes);
        ck_assert_uint_eq(found->address, expected->chunk);
        ck_assert_uint_eq(found->start, expected->start);
        ck_assert_uint_eq(found->bytes, expected->bytes);
        ck_assert_uint_eq(found->resident_bytes, pages);
        bytes += expected->bytes;
        resident += pages;
    }
    ck_assert_uint_eq(glibc->mmapped_bytes, bytes);
    ck_assert_uint_eq(glibc->mmapped_resident_bytes, resident);
    ck_assert_uint_eq(glibc->params.mmapped_chunks, heap->mmapped.count);
    ck_assert_uint_eq(glibc->params.mmapped_bytes, bytes);
}

void malloc_heap_check(const struct malloc_heap *heap, const struct pht_glibc *glibc)
{
    check_arenas(heap, glibc);
    check_sizes(heap, glibc);
    check_largest(heap, glibc);
    check_threads(heap, glibc);
    malloc_heap_check_mmapped(heap, glibc);
}

/* ---- what always holds ----------------------------------------------------------------------- */

static void check_kind_sums(const struct pht_glibc_arena *arena)
{
    const struct pht_free_sum *kinds = arena->kinds;
    uint64_t chunks = 0, bytes = 0;

    for (int kind = PHT_FREE_FAST; kind <= PHT_FREE_LARGE; kind++) {
        chunks += kinds[kind].chunks;
        bytes += kinds[kind].bytes;
    }
    check_figure("chunks of kinds", chunks, arena->free_chunks, arena->address);
    check_figure("bytes of kinds", bytes, arena->free_bytes, arena->address);
    check_figure("fast", kinds[PHT_FREE_FAST].chunks, arena->fast_chunks, arena->address);
    check_figure("tcache", kinds[PHT_FREE_TCACHE].chunks, arena->tcache_chunks, arena->address);
    check_figure("tcache", kinds[PHT_FREE_TCACHE].bytes, arena->tcache_bytes, arena->address);
    check_figure("top", kinds[PHT_FREE_TOP].bytes, arena->top_bytes, arena->address);
}

static void check_sum(const struct pht_glibc_arena *arena)
{
    uint64_t sum = arena->live_bytes + arena->free_bytes + arena->tcache_bytes + arena->top_bytes +
                   arena->overhead_bytes + arena->foreign_bytes + arena->unknown_bytes;

    check_figure("sum of parts", sum, arena->system_bytes, arena->address);
    ck_assert_uint_le(arena->fast_bytes, arena->free_bytes);
    ck_assert_uint_le(arena->fast_chunks, arena->free_chunks);
    ck_assert_uint_le(arena->trimmable_bytes, arena->trimmable_flushed_bytes);
    ck_assert_uint_le(arena->trimmable_flushed_bytes, arena->resident_bytes);
}

void malloc_check_sums(const struct pht_glibc *glibc)
{
    struct pht_glibc_arena sum = {.address = 0};
    struct pht_chunk_size sizes = {0};

    for (size_t i = 0; i < glibc->arena_count; i++) {
        check_sum(&glibc->arenas[i]);
        check_kind_sums(&glibc->arenas[i]);
        malloc_figures_add(&sum, &glibc->arenas[i]);
    }
    sum.threads = glibc->totals.threads;
    check_arena(&glibc->totals, &sum);
    for (size_t i = 0; i < glibc->size_count; i++) {
        sizes.live_chunks += glibc->sizes[i].live_chunks;
        sizes.live_bytes += glibc->sizes[i].live_bytes;
        sizes.free_chunks += glibc->sizes[i].free_chunks;
        sizes.free_bytes += glibc->sizes[i].free_bytes;
    }
    ck_assert_uint_eq(sizes.live_chunks, sum.live_chunks);
    ck_assert_uint_eq(sizes.live_bytes, sum.live_bytes);
    ck_assert_uint_eq(sizes.free_chunks, sum.free_chunks + sum.tcache_chunks);
    ck_assert_uint_eq(sizes.free_bytes, sum.free_bytes + sum.tcache_bytes);
}

void malloc_check_clean(const struct pht_glibc *glibc)
{
    ck_assert_uint_eq(glibc->torn_chunks, 0);
    ck_assert_uint_eq(glibc->damaged_chunks, 0);
    ck_assert_uint_eq(glibc->swapped_pages, 0);
    ck_assert_uint_eq(glibc->damaged_arenas, 0);
    ck_assert_uint_eq(glibc->totals.unknown_bytes, 0);
}
