/*
 * Damaged and hostile heaps of malloc. Whatever stands in a chunk's header or in a list: no
 * crash, no endless walk, nothing read that may not be touched, the damage counted, and figures
 * that add up. The walk goes on with the next chunk that a list leads to.
 */
#include "support/malloc_figures.h"
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define NOWHERE ((pht_addr)0x123456789000)
#define SHARED ((pht_addr)0x7d0000000000)
#define UNREADABLE ((pht_addr)0x7d1000000000)
#define ABSENT ((pht_addr)0x7d2000000000)
#define READS_MAX 20000

static struct malloc_heap *heap;
static struct malloc_walk walk;
static uint32_t other; /* an arena of two heaps */

static void map_traps(void)
{
    fake_target_map(heap->fake, SHARED, SHARED + 0x10000, FAKE_SHARED);
    fake_target_set_pages(heap->fake, SHARED, SHARED + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_UNREADABLE);
    fake_target_set_pages(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, ABSENT, ABSENT + 0x10000, FAKE_PRIVATE);
}

static void build(enum malloc_version version)
{
    heap = malloc_heap_create(&(struct malloc_options){.version = version, .seed = 41});
    other = malloc_heap_add_arena(heap);
    malloc_heap_add_thread(heap, other);
    malloc_random_chunks(heap, MALLOC_MAIN, 400);
    malloc_random_chunks(heap, other, 200);
    malloc_heap_next_region(heap, other);
    malloc_random_chunks(heap, other, 200);
    malloc_heap_finish(heap);
    map_traps();
}

static void run(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_uint_eq(walk.glibc->arena_count, 2);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
}

static void teardown(void)
{
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
    heap = NULL;
    walk = (struct malloc_walk){0};
}

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->fake, addr, value);
}

static uint64_t get(pht_addr addr)
{
    return fake_target_u64(heap->fake, addr);
}

/* ---- headers ------------------------------------------------------------------------------- */

static bool is_anchor(const struct malloc_chunk *chunk)
{
    return chunk->kind == MALLOC_BIN || chunk->kind == MALLOC_FAST || chunk->kind == MALLOC_TCACHE;
}

/* The walk cannot know where chunks begin from here on, up to the next that a list leads to. */
static uint64_t lost_bytes(const struct malloc_chunk *chunk)
{
    pht_addr from = chunk->address;

    if (chunk > heap->chunks.items && chunk[-1].region == chunk->region)
        from = chunk[-1].address;
    while (!is_anchor(++chunk) && chunk->kind != MALLOC_TOP && chunk->kind != MALLOC_FENCE)
        continue;
    return chunk->address - from;
}

static void check_arena_but_lost(uint32_t arena, uint64_t lost)
{
    const struct pht_glibc_arena *found = malloc_heap_found(heap, arena, walk.glibc);
    struct pht_glibc_arena expected;

    malloc_figures(heap, arena, &expected);
    ck_assert_uint_le(found->unknown_bytes, lost);
    ck_assert_uint_eq(found->top_bytes, expected.top_bytes);
    ck_assert_uint_eq(found->overhead_bytes, expected.overhead_bytes);
    ck_assert_uint_eq(found->foreign_bytes, 0);
    ck_assert_uint_ge(found->live_bytes + lost, expected.live_bytes);
    ck_assert_uint_ge(found->free_bytes + lost, expected.free_bytes);
    ck_assert_uint_ge(found->tcache_bytes + lost, expected.tcache_bytes);
    ck_assert_uint_le(found->live_bytes, expected.live_bytes + lost);
    ck_assert_uint_le(found->free_bytes, expected.free_bytes + lost);
    ck_assert_uint_le(found->tcache_bytes, expected.tcache_bytes);
    ck_assert_uint_eq(found->resident_bytes, expected.resident_bytes);
}

/* Size words, as a chunk of `bytes` in a heap that goes on for `left` may have them. */
static const struct {
    uint64_t keep; /* bits of the word as it is */
    uint64_t add;
    const char *what;
} words[] = {
    {0, 0, "zero"},
    {0, 1, "no bytes"},
    {0, 7, "flags only"},
    {0, 8 | 1, "no header"},
    {0, 16 | 1, "a header only"},
    {UINT64_MAX, 8, "misaligned"},
    {UINT64_MAX, 16, "a little longer"},
    {UINT64_MAX, (uint64_t)-16, "a little shorter"},
    {UINT64_MAX, 1 << 20, "beyond the heap"},
    {UINT64_MAX, (uint64_t)1 << 32, "far beyond the heap"},
    {0, (uint64_t)1 << 62 | 1, "larger than memory"},
    {0, (uint64_t)1 << 63 | 1, "negative"},
    {0, (uint64_t)-16 | 1, "one before"},
    {0, UINT64_MAX, "all ones"},
    {UINT64_MAX, 2, "mmapped"},
    {0, 0x4141414141414141, "text"},
};

#define WORDS ((int)(sizeof(words) / sizeof(words[0])))

static void damage(const struct malloc_chunk *chunk, int n)
{
    put(chunk->address + 8, (get(chunk->address + 8) & words[n].keep) + words[n].add);
}

/* Not one that a list leads to, and not next to the first: those have tests of their own. */
static const struct malloc_chunk *victim(uint32_t arena)
{
    for (uint32_t n = 50;; n++) {
        const struct malloc_chunk *chunk = malloc_heap_find(heap, arena, MALLOC_LIVE, n);
        if (chunk[-1].kind == MALLOC_LIVE && chunk->bytes >= 64)
            return chunk;
    }
}

START_TEST(hostile_size_costs_the_chunks_up_to_the_next_that_is_known)
{
    const struct malloc_chunk *chunk;
    bool is_main = _i / WORDS / MALLOC_SOME == 0;

    build(malloc_some(_i / WORDS % MALLOC_SOME));
    chunk = victim(is_main ? MALLOC_MAIN : other);
    damage(chunk, _i % WORDS);
    run();
    ck_assert_msg(walk.glibc->damaged_chunks > 0, "%s", words[_i % WORDS].what);
    ck_assert_uint_eq(walk.glibc->damaged_arenas, 0);
    ck_assert_uint_gt(walk.glibc->totals.unknown_bytes, 0);
    check_arena_but_lost(is_main ? MALLOC_MAIN : other, lost_bytes(chunk));
    malloc_heap_check_arena(heap, is_main ? other : MALLOC_MAIN, walk.glibc);
    malloc_heap_check_mmapped(heap, walk.glibc);
}
END_TEST

START_TEST(chunk_of_another_arena_is_damage)
{
    const struct malloc_chunk *chunk;

    build(_i);
    chunk = victim(MALLOC_MAIN);
    put(chunk->address + 8, get(chunk->address + 8) | 4);
    run();
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 1);
    check_arena_but_lost(MALLOC_MAIN, lost_bytes(chunk));
}
END_TEST

START_TEST(first_chunk_of_a_heap)
{
    uint32_t arena = MALLOC_MAIN;

    build(_i % MALLOC_VERSIONS);
    if (_i >= MALLOC_VERSIONS)
        arena = other;
    const struct malloc_chunk *chunk = malloc_heap_find(heap, arena, MALLOC_LIVE, 0);
    put(chunk->address + 8, 0);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    check_arena_but_lost(arena, lost_bytes(chunk));
}
END_TEST

/* Of the main arena's, or of both heaps of the other. */
START_TEST(last_chunk_of_a_heap)
{
    uint32_t arena = _i < MALLOC_VERSIONS ? MALLOC_MAIN : other;
    enum malloc_kind end = _i < 2 * MALLOC_VERSIONS ? MALLOC_TOP : MALLOC_FENCE;
    const struct malloc_chunk *chunk;

    build(_i % MALLOC_VERSIONS);
    arena = _i < MALLOC_VERSIONS ? MALLOC_MAIN : other;
    chunk = malloc_heap_find(heap, arena, end, 0) - 1;
    put(chunk->address + 8, (uint64_t)1 << 40 | 1);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(malloc_heap_found(heap, arena, walk.glibc)->top_bytes,
                      malloc_heap_find(heap, arena, MALLOC_TOP, 0)->bytes);
}
END_TEST

/* A chunk that is in use by its own bit and free by its neighbour's. */
START_TEST(chunk_whose_end_denies_it)
{
    const struct malloc_chunk *chunk;

    build(_i);
    chunk = victim(MALLOC_MAIN);
    put(chunk->address + 8, get(chunk->address + 8) & ~(uint64_t)1);
    put(chunk->address, 0x7777);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    check_arena_but_lost(MALLOC_MAIN, lost_bytes(chunk));
}
END_TEST

START_TEST(fenceposts_overwritten)
{
    const struct malloc_chunk *fence;

    build(_i % MALLOC_VERSIONS);
    fence = malloc_heap_find(heap, other, MALLOC_FENCE, (uint32_t)_i / MALLOC_VERSIONS);
    put(fence->address + 8, 0x4141414141414141);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    malloc_heap_check_arena(heap, MALLOC_MAIN, walk.glibc);
}
END_TEST

START_TEST(every_header_overwritten)
{
    static const uint64_t values[] = {0, UINT64_MAX, 0x4141414141414141, 0x21, 33, 1};

    build(malloc_some(_i % MALLOC_SOME));
    for (size_t i = 0; i < heap->chunks.count; i++) {
        if (heap->chunks.items[i].kind != MALLOC_TOP)
            put(heap->chunks.items[i].address + 8, values[_i / MALLOC_SOME]);
    }
    run();
    ck_assert_uint_eq(walk.glibc->arena_count, 2);
}
END_TEST

START_TEST(heap_of_random_words)
{
    build(_i % MALLOC_VERSIONS);
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        for (uint64_t at = 0; at < 32 && at < chunk->bytes && chunk->kind != MALLOC_TOP; at += 8)
            put(chunk->address + at, heap_random_u64(&heap->random));
    }
    run();
}
END_TEST

/* ---- lists --------------------------------------------------------------------------------- */

/* Bins are needed to find the way again only: without other damage they are not looked at. */
static void check_as_if_whole(void)
{
    run();
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    malloc_heap_check(heap, walk.glibc);
}

static const pht_addr strays[] = {NOWHERE,           SHARED,     UNREADABLE, ABSENT, 1, 8,
                                  (pht_addr)1 << 63, UINT64_MAX, 0};

#define STRAYS ((int)(sizeof(strays) / sizeof(strays[0])))

START_TEST(stray_links_in_bins)
{
    const struct malloc_chunk *bin;

    build(malloc_some(_i / STRAYS));
    bin = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_BIN, 5);
    put(bin->address + 16, strays[_i % STRAYS]);
    bin = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_BIN, 8);
    put(bin->address + 24, strays[_i % STRAYS]);
    check_as_if_whole();
}
END_TEST

/* Every bin is a circle that misses its head, and there is a chunk to find the way behind. */
START_TEST(circles_in_bins)
{
    const struct malloc_chunk *chunk;

    build(_i % MALLOC_VERSIONS);
    for (size_t i = 0; i < heap->chunks.count; i++) {
        pht_addr to = heap->chunks.items[i].address;
        if (heap->chunks.items[i].kind != MALLOC_BIN)
            continue;
        if (_i >= MALLOC_VERSIONS)
            to = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_BIN, 0)->address;
        put(heap->chunks.items[i].address + 16, to);
        put(heap->chunks.items[i].address + 24, to);
    }
    chunk = victim(MALLOC_MAIN);
    put(chunk->address + 8, 0);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    ck_assert(malloc_heap_found(heap, MALLOC_MAIN, walk.glibc)->is_partly_sorted);
    ck_assert(walk.glibc->totals.is_partly_sorted);
    malloc_heap_check_arena(heap, other, walk.glibc);
}
END_TEST

/* A bin of this arena that leads to a chunk of another. */
START_TEST(bins_that_lead_elsewhere_do_not_lead_the_walk)
{
    const struct malloc_chunk *chunk, *bin, *far;

    build(_i);
    bin = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_BIN, 0);
    far = malloc_heap_find(heap, other, MALLOC_BIN, 3);
    put(bin->address + 16, far->address);
    put(far->address + 24, bin->address);
    chunk = victim(MALLOC_MAIN);
    put(chunk->address + 8, 0);
    run();
    ck_assert_uint_gt(walk.glibc->damaged_chunks, 0);
    malloc_heap_check_arena(heap, other, walk.glibc);
}
END_TEST

/* What a fastbin does not lead to counts as live. */
static void check_but_fast(void)
{
    const struct pht_glibc_arena *found;
    struct pht_glibc_arena expected;

    run();
    found = &walk.glibc->arenas[0];
    malloc_figures(heap, MALLOC_MAIN, &expected);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(found->unknown_bytes, 0);
    ck_assert_uint_le(found->fast_bytes, expected.fast_bytes);
    ck_assert_uint_eq(found->live_bytes + found->fast_bytes,
                      expected.live_bytes + expected.fast_bytes);
    ck_assert_uint_eq(found->tcache_bytes, expected.tcache_bytes);
    ck_assert_uint_eq(found->rest_bytes, expected.rest_bytes);
}

START_TEST(stray_heads_of_fastbins)
{
    build(malloc_some(_i / STRAYS));
    for (uint64_t bytes = 32; bytes <= MALLOC_FAST_MAX; bytes += 32)
        put(malloc_image_fastbin(heap, MALLOC_MAIN, bytes), strays[_i % STRAYS]);
    check_but_fast();
}
END_TEST

START_TEST(stray_links_in_fastbins)
{
    build(malloc_some(_i / STRAYS));
    for (uint32_t n = 0; n < 5; n++) {
        pht_addr field = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_FAST, n)->address + 16;
        put(field, malloc_image_link(heap, field, strays[_i % STRAYS]));
    }
    check_but_fast();
}
END_TEST

START_TEST(circles_in_fastbins)
{
    build(_i);
    for (uint64_t bytes = 32; bytes <= MALLOC_FAST_MAX; bytes += 16) {
        pht_addr first = get(malloc_image_fastbin(heap, MALLOC_MAIN, bytes));
        if (first != 0)
            put(first + 16, malloc_image_link(heap, first + 16, first));
    }
    check_but_fast();
}
END_TEST

START_TEST(fastbin_that_leads_to_chunks_of_another_size)
{
    pht_addr small, large;

    build(_i);
    small = malloc_image_fastbin(heap, MALLOC_MAIN, 32);
    large = malloc_image_fastbin(heap, MALLOC_MAIN, 64);
    ck_assert_uint_ne(get(large), 0);
    put(small, get(large));
    check_but_fast();
}
END_TEST

/* ---- swap ---------------------------------------------------------------------------------- */

static void swap_out(pht_addr start, pht_addr end)
{
    fake_target_set_pages(heap->fake, start, end, FAKE_SWAPPED);
}

START_TEST(headers_in_swap_stay_there)
{
    const struct malloc_chunk *chunk;
    const struct pht_glibc_arena *found;
    uint32_t arena = _i < MALLOC_VERSIONS ? MALLOC_MAIN : 1;

    build(_i % MALLOC_VERSIONS);
    chunk = victim(arena);
    swap_out(chunk->address + 8, chunk->address + 9);
    run();
    found = malloc_heap_found(heap, arena, walk.glibc);
    ck_assert_uint_gt(walk.glibc->swapped_pages, 0);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_gt(found->unknown_bytes, 0);
    ck_assert_uint_eq(found->top_bytes, malloc_heap_find(heap, arena, MALLOC_TOP, 0)->bytes);
    malloc_heap_check_arena(heap, arena == MALLOC_MAIN ? other : MALLOC_MAIN, walk.glibc);
}
END_TEST

START_TEST(heap_that_is_all_in_swap)
{
    const struct malloc_region *region;

    build(_i);
    /* But for what is a root: tcaches, and the header of top. */
    region = &heap->regions.items[heap->arenas[MALLOC_MAIN].region];
    for (pht_addr at = region->start; at + PAGE < heap->arenas[MALLOC_MAIN].top; at += PAGE) {
        pht_addr tcache = heap->threads[MALLOC_MAIN].tcache;
        if (at / PAGE != tcache / PAGE && at / PAGE != tcache / PAGE + 1)
            swap_out(at, at + 1);
    }
    run();
    ck_assert_uint_gt(walk.glibc->swapped_pages, 0);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_eq(walk.glibc->damaged_arenas, 0);
    ck_assert_uint_gt(walk.glibc->arenas[0].unknown_bytes, 0);
    malloc_heap_check_arena(heap, other, walk.glibc);
}
END_TEST

/* The header is the last of its page. */
START_TEST(memory_behind_a_header_in_swap_does_not_matter)
{
    pht_addr chunk = 0;

    heap = malloc_heap_create(&(struct malloc_options){.version = malloc_some(_i), .seed = 7});
    other = malloc_heap_add_arena(heap);
    for (int i = 0; i < 600 || (chunk + 16) % PAGE != 0; i++)
        chunk = malloc_heap_live(heap, MALLOC_MAIN, 5008);
    for (int i = 0; i < 20; i++)
        malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
    swap_out(chunk + 16, chunk + 17);
    check_as_if_whole();
    ck_assert_uint_eq(walk.glibc->swapped_pages, 0);
}
END_TEST

/* What is resident behind it is walked, whatever the bins know of it. */
START_TEST(chunks_behind_those_in_swap_are_found)
{
    pht_addr first, last = 0;
    uint64_t unknown;

    heap = malloc_heap_create(&(struct malloc_options){.version = malloc_some(_i), .seed = 7});
    other = malloc_heap_add_arena(heap);
    first = malloc_heap_live(heap, MALLOC_MAIN, 208);
    for (int i = 0; i < 3000; i++)
        last = malloc_heap_live(heap, MALLOC_MAIN, 208);
    malloc_heap_finish(heap);
    swap_out(first + 40 * PAGE, first + 60 * PAGE);
    swap_out(first + 100 * PAGE, first + 101 * PAGE);
    run();
    ck_assert_uint_gt(last, first + 140 * PAGE);
    unknown = walk.glibc->arenas[0].unknown_bytes;
    ck_assert_uint_ge(unknown, 21 * PAGE);
    ck_assert_uint_le(unknown, 25 * PAGE);
    ck_assert_uint_eq(walk.glibc->swapped_pages, 2);
    ck_assert_uint_eq(walk.glibc->torn_chunks + walk.glibc->damaged_chunks, 0);
}
END_TEST

/* Content of large chunks is of no interest, wherever it is. */
START_TEST(content_in_swap_does_not_matter)
{
    const struct malloc_chunk *chunk;

    build(_i);
    for (uint32_t n = 0; n < malloc_heap_count(heap, MALLOC_MAIN, MALLOC_LIVE); n++) {
        chunk = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_LIVE, n);
        pht_addr first = (chunk->address + 48 + PAGE - 1) & ~(PAGE - 1);
        pht_addr end = (chunk->address + chunk->bytes) & ~(PAGE - 1);
        if (first < end)
            swap_out(first, end);
    }
    check_as_if_whole();
    ck_assert_uint_eq(walk.glibc->swapped_pages, 0);
}
END_TEST

static void add_header_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, hostile_size_costs_the_chunks_up_to_the_next_that_is_known, 0,
                        2 * WORDS * MALLOC_SOME);
    tcase_add_loop_test(tcase, chunk_of_another_arena_is_damage, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, first_chunk_of_a_heap, 0, 2 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, last_chunk_of_a_heap, 0, 3 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_whose_end_denies_it, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, fenceposts_overwritten, 0, 2 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, every_header_overwritten, 0, 6 * MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_of_random_words, 0, MALLOC_VERSIONS);
}

static void add_list_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, stray_links_in_bins, 0, STRAYS * MALLOC_SOME);
    tcase_add_loop_test(tcase, circles_in_bins, 0, 2 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, bins_that_lead_elsewhere_do_not_lead_the_walk, 0, MALLOC_VERSIONS);
    /* Versions with fastbins. */
    tcase_add_loop_test(tcase, stray_heads_of_fastbins, 0, STRAYS * (MALLOC_SOME - 1));
    tcase_add_loop_test(tcase, stray_links_in_fastbins, 0, STRAYS * (MALLOC_SOME - 1));
    tcase_add_loop_test(tcase, circles_in_fastbins, 0, MALLOC_2_43);
    tcase_add_loop_test(tcase, fastbin_that_leads_to_chunks_of_another_size, 0, MALLOC_2_43);
}

static void add_swap_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, headers_in_swap_stay_there, 0, 2 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, heap_that_is_all_in_swap, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, memory_behind_a_header_in_swap_does_not_matter, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, chunks_behind_those_in_swap_are_found, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, content_in_swap_does_not_matter, 0, MALLOC_VERSIONS);
}

static Suite *glibc_damage_suite(void)
{
    static void (*const parts[])(TCase *) = {add_header_tests, add_list_tests, add_swap_tests};
    static const char *const names[] = {"headers", "lists", "swap"};
    Suite *suite = suite_create("glibc damage");

    for (size_t i = 0; i < 3; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 10);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(glibc_damage_suite)
