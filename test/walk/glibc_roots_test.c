/*
 * Damaged roots of malloc: the ring of arenas, the heaps of each, tops, and malloc_state itself.
 * What holds together is walked to the last byte; the rest is unknown, and said to be damaged.
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
#define ABSENT ((pht_addr)0x7d4000000000)
#define READS_MAX 20000
#define ARENAS 4

static struct malloc_heap *heap;
static struct malloc_walk walk;

static const pht_addr strays[] = {
    NOWHERE, SHARED, UNREADABLE, ABSENT, 1, 0x7d0000000018, (pht_addr)1 << 63, UINT64_MAX, 0,
};

#define STRAYS ((int)(sizeof(strays) / sizeof(strays[0])))

/* The main arena, and three of threads; the second of those has three heaps. */
static void build(int some)
{
    heap = malloc_heap_create(&(struct malloc_options){.version = malloc_some(some), .seed = 51});
    malloc_random_chunks(heap, MALLOC_MAIN, 100);
    for (uint32_t i = 1; i < ARENAS; i++) {
        uint32_t arena = malloc_heap_add_arena(heap);
        malloc_heap_add_thread(heap, arena);
        malloc_random_chunks(heap, arena, 100);
        for (int more = 0; i == 2 && more < 2; more++) {
            malloc_heap_next_region(heap, arena);
            malloc_random_chunks(heap, arena, 100);
        }
    }
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    fake_target_map(heap->fake, SHARED, SHARED + 0x10000, FAKE_SHARED);
    fake_target_set_pages(heap->fake, SHARED, SHARED + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_UNREADABLE);
    fake_target_set_pages(heap->fake, UNREADABLE, UNREADABLE + 0x10000, FAKE_RESIDENT);
    fake_target_map(heap->fake, ABSENT, ABSENT + 0x10000, FAKE_PRIVATE);
}

static void run(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
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

static pht_addr state(uint32_t arena, uint64_t member)
{
    return heap->arenas[arena].address + member;
}

/* The heaps of arena 2, the oldest first. */
static pht_addr heap_of_2(int n)
{
    for (size_t i = 0; i < heap->regions.count; i++) {
        if (heap->regions.items[i].arena == 2 && n-- == 0)
            return heap->regions.items[i].address;
    }
    ck_abort_msg("no such heap");
    return 0;
}

/* Arena `arena` is known by its size only, all others to the last byte. */
static void check_all_but(uint32_t arena)
{
    const struct pht_glibc_arena *found = malloc_heap_found(heap, arena, walk.glibc);

    ck_assert_uint_eq(walk.glibc->damaged_arenas, 1);
    ck_assert(!walk.roots.consistent);
    ck_assert(walk.roots.proven);
    ck_assert_uint_eq(walk.glibc->arena_count, ARENAS);
    ck_assert_uint_eq(found->unknown_bytes, found->system_bytes);
    for (uint32_t i = 0; i < ARENAS; i++) {
        if (i != arena)
            malloc_heap_check_arena(heap, i, walk.glibc);
    }
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
}

/* The same where a page of arena 2 is in swap, and of tcaches what was on it. */
static void check_swapped(void)
{
    ck_assert_uint_eq(walk.glibc->damaged_arenas, 1);
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_eq(walk.glibc->arena_count, ARENAS);
    for (uint32_t i = 0; i < ARENAS; i++) {
        if (i != 2)
            malloc_heap_check_but_tcache(heap, i, walk.glibc, 0);
    }
}

/* ---- the ring ------------------------------------------------------------------------------ */

/* From main the ring leads to 3, 2 and 1. */
START_TEST(ring_that_misses_the_main_arena)
{
    static const struct {
        uint32_t from;
        uint32_t to;
        uint32_t found;
    } circles[] = {{3, 3, 2}, {2, 3, 3}, {2, 2, 3}, {1, 3, 4}, {1, 1, 4}, {1, 2, 4}};

    build(_i % MALLOC_SOME);
    put(state(circles[_i / MALLOC_SOME].from, heap->libc.layout.state_next),
        heap->arenas[circles[_i / MALLOC_SOME].to].address);
    run();
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_gt(walk.glibc->damaged_arenas, 0);
    ck_assert_uint_eq(walk.glibc->arena_count, circles[_i / MALLOC_SOME].found);
    for (uint32_t i = 0; i < ARENAS; i++) {
        if (i == 0 || i > ARENAS - circles[_i / MALLOC_SOME].found)
            malloc_heap_check_arena(heap, i, walk.glibc);
    }
}
END_TEST

START_TEST(ring_that_leads_astray)
{
    build(_i / STRAYS);
    put(state(2, heap->libc.layout.state_next), strays[_i % STRAYS]);
    run();
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_gt(walk.glibc->damaged_arenas, 0);
    malloc_heap_check_arena(heap, MALLOC_MAIN, walk.glibc);
    malloc_heap_check_arena(heap, 2, walk.glibc);
    malloc_heap_check_arena(heap, 3, walk.glibc);
}
END_TEST

START_TEST(ring_that_leads_into_a_heap)
{
    build(_i);
    put(state(2, heap->libc.layout.state_next), heap_of_2(1) + 256);
    run();
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_gt(walk.glibc->damaged_arenas, 0);
    malloc_heap_check_arena(heap, MALLOC_MAIN, walk.glibc);
    malloc_heap_check_arena(heap, 3, walk.glibc);
}
END_TEST

/* ---- heaps --------------------------------------------------------------------------------- */

START_TEST(heap_of_another_arena)
{
    static const int which[] = {0, 1, 2};

    build(_i % MALLOC_SOME);
    put(heap_of_2(which[_i / MALLOC_SOME]) + heap->libc.layout.heap_arena, heap->arenas[3].address);
    run();
    check_all_but(2);
}
END_TEST

START_TEST(heaps_in_a_circle)
{
    build(_i % MALLOC_SOME);
    /* The oldest has none before it. */
    put(heap_of_2(0) + heap->libc.layout.heap_prev, heap_of_2(_i / MALLOC_SOME));
    run();
    check_all_but(2);
}
END_TEST

START_TEST(newer_heap_in_a_circle)
{
    build(_i % MALLOC_SOME);
    put(heap_of_2(2) + heap->libc.layout.heap_prev, heap_of_2(2 - _i / MALLOC_SOME * 2));
    run();
    check_all_but(2);
}
END_TEST

START_TEST(heap_before_that_is_elsewhere)
{
    build(_i / STRAYS);
    put(heap_of_2(1) + heap->libc.layout.heap_prev, strays[_i % STRAYS]);
    run();
    check_all_but(2);
}
END_TEST

START_TEST(heap_of_hostile_size)
{
    static const uint64_t sizes[] = {
        0, 1, 8, PAGE - 8, 65 << 20, (uint64_t)1 << 40, (uint64_t)1 << 63, UINT64_MAX, PAGE};

    build(_i / 9);
    put(heap_of_2(1) + heap->libc.layout.heap_size, sizes[_i % 9]);
    run();
    check_all_but(2);
}
END_TEST

/* It says that it reaches further than its mapping does. */
START_TEST(heap_beyond_its_mapping)
{
    pht_addr size;

    build(_i);
    size = heap_of_2(1) + heap->libc.layout.heap_size;
    put(size, get(size) + 4 * PAGE);
    run();
    check_all_but(2);
}
END_TEST

/* Then both the heap and system_mem are wrong, and agree. */
START_TEST(heap_and_arena_beyond_their_mapping)
{
    pht_addr size, system;

    build(_i);
    size = heap_of_2(1) + heap->libc.layout.heap_size;
    system = state(2, heap->libc.layout.state_system_mem);
    put(size, get(size) + 4 * PAGE);
    put(system, get(system) + 4 * PAGE);
    run();
    for (uint32_t i = 0; i < ARENAS; i++) {
        if (i != 2)
            malloc_heap_check_arena(heap, i, walk.glibc);
    }
}
END_TEST

START_TEST(heap_info_in_swap)
{
    build(_i);
    fake_target_set_pages(heap->fake, heap_of_2(1), heap_of_2(1) + 1, FAKE_SWAPPED);
    run();
    ck_assert(walk.roots.unreadable);
    check_swapped();
}
END_TEST

/* ---- tops ---------------------------------------------------------------------------------- */

static pht_addr wrong_top(uint32_t arena, int how)
{
    switch (how) {
    case 0:
        return heap->arenas[arena].top + 8;
    case 1:
        return heap->arenas[arena].top + PAGE;
    case 2:
        return heap->arenas[(arena + 1) % ARENAS].top;
    case 3:
        return heap->arenas[arena].address;
    case 4:
        return heap->arenas[arena].top + (16 << 20);
    default:
        return strays[how - 5];
    }
}

#define WRONG_TOPS (5 + STRAYS)

START_TEST(main_top_that_is_elsewhere)
{
    build(_i / WRONG_TOPS);
    put(state(MALLOC_MAIN, heap->libc.layout.state_top), wrong_top(MALLOC_MAIN, _i % WRONG_TOPS));
    run();
    check_all_but(MALLOC_MAIN);
}
END_TEST

/* Where top should begin within the right heap is not seen before the chunks are walked. */
START_TEST(top_of_a_threads_arena_that_is_elsewhere)
{
    bool is_inside = _i % WRONG_TOPS < 2;

    build(_i / WRONG_TOPS);
    put(state(2, heap->libc.layout.state_top), wrong_top(2, _i % WRONG_TOPS));
    run();
    if (!is_inside) {
        check_all_but(2);
        return;
    }
    malloc_heap_check_arena(heap, MALLOC_MAIN, walk.glibc);
    ck_assert_uint_gt(
        walk.glibc->damaged_chunks + walk.glibc->damaged_arenas + walk.glibc->torn_chunks, 0);
}
END_TEST

/* Then no heap of any arena is known. */
START_TEST(all_tops_that_are_elsewhere)
{
    build(_i / STRAYS);
    for (uint32_t i = 0; i < ARENAS; i++)
        put(state(i, heap->libc.layout.state_top), strays[_i % STRAYS]);
    run();
    ck_assert_uint_eq(walk.glibc->damaged_arenas, ARENAS);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, walk.glibc->totals.system_bytes);
}
END_TEST

START_TEST(main_top_of_hostile_size)
{
    static const uint64_t words[] = {
        0, 1, 17, 33, (uint64_t)1 << 40 | 1, (uint64_t)1 << 63, UINT64_MAX, 8};

    build(_i / 8);
    put(heap->arenas[MALLOC_MAIN].top + 8, words[_i % 8]);
    run();
    check_all_but(MALLOC_MAIN);
}
END_TEST

START_TEST(main_top_in_swap)
{
    build(_i);
    fake_target_set_pages(heap->fake, heap->arenas[MALLOC_MAIN].top + 8,
                          heap->arenas[MALLOC_MAIN].top + 9, FAKE_SWAPPED);
    run();
    ck_assert(walk.roots.unreadable);
    ck_assert_uint_eq(walk.glibc->damaged_arenas, 1);
    ck_assert_uint_eq(walk.glibc->arenas[0].unknown_bytes, walk.glibc->arenas[0].system_bytes);
    for (uint32_t i = 1; i < ARENAS; i++)
        malloc_heap_check_but_tcache(heap, i, walk.glibc, 0);
}
END_TEST

/* ---- malloc_state -------------------------------------------------------------------------- */

START_TEST(size_that_the_heaps_do_not_add_up_to)
{
    uint32_t arena = _i % 2 ? 2 : MALLOC_MAIN;

    build(_i / 2);
    put(state(arena, heap->libc.layout.state_system_mem),
        heap->arenas[arena].system_bytes + (_i % 3 ? PAGE : (uint64_t)-PAGE));
    run();
    check_all_but(arena);
}
END_TEST

START_TEST(size_larger_than_memory)
{
    static const uint64_t sizes[] = {(uint64_t)1 << 60, (uint64_t)1 << 63, UINT64_MAX, 0};

    build(_i / 4);
    put(state(2, heap->libc.layout.state_system_mem), sizes[_i % 4]);
    run();
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_gt(walk.glibc->damaged_arenas, 0);
    malloc_heap_check_arena(heap, MALLOC_MAIN, walk.glibc);
    malloc_heap_check_arena(heap, 3, walk.glibc);
}
END_TEST

/* A layout that is wrong leads to no ring of bins. */
START_TEST(state_without_bins_is_not_proven)
{
    build(_i);
    for (uint64_t at = 0; at < heap->libc.layout.state_bins_bytes; at += 8)
        put(state(MALLOC_MAIN, heap->libc.layout.state_bins + at), 0x4141414141414141);
    run();
    ck_assert(!walk.roots.proven);
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_eq(walk.glibc->arena_count, 0);
    ck_assert_uint_eq(walk.glibc->totals.system_bytes, 0);
}
END_TEST

START_TEST(main_arena_elsewhere_is_not_proven)
{
    build(1);
    heap->libc.layout.main_arena = strays[_i] - heap->libc.bias;
    run();
    ck_assert(!walk.roots.proven);
    ck_assert_uint_eq(walk.glibc->totals.system_bytes, 0);
}
END_TEST

START_TEST(parameters_elsewhere_are_not_proven)
{
    build(1);
    heap->libc.layout.params = strays[_i] - heap->libc.bias;
    run();
    ck_assert(!walk.roots.consistent);
}
END_TEST

START_TEST(state_in_swap_is_unreadable)
{
    build(_i);
    fake_target_set_pages(heap->fake, heap->arenas[MALLOC_MAIN].address,
                          heap->arenas[MALLOC_MAIN].address + heap->libc.layout.state_bytes,
                          FAKE_SWAPPED);
    run();
    ck_assert(walk.roots.unreadable);
    ck_assert(!walk.roots.proven);
    ck_assert_uint_eq(walk.glibc->arena_count, 0);
}
END_TEST

/* The initial image of a page that was never loaded says nothing, and is not loaded for us. */
START_TEST(state_on_a_page_of_a_file_that_is_not_loaded)
{
    build(_i);
    fake_target_set_pages(heap->fake, heap->arenas[MALLOC_MAIN].address,
                          heap->arenas[MALLOC_MAIN].address + heap->libc.layout.state_bytes,
                          FAKE_ABSENT);
    run();
    ck_assert(!walk.roots.proven);
    ck_assert_uint_eq(walk.glibc->arena_count, 0);
}
END_TEST

START_TEST(arena_in_swap_ends_the_ring)
{
    build(_i);
    fake_target_set_pages(heap->fake, heap->arenas[2].address, heap->arenas[2].address + 1,
                          FAKE_SWAPPED);
    run();
    ck_assert(walk.roots.unreadable);
    ck_assert(!walk.roots.consistent);
    malloc_heap_check_but_tcache(heap, MALLOC_MAIN, walk.glibc, 0);
    malloc_heap_check_but_tcache(heap, 3, walk.glibc, 0);
}
END_TEST

/* ---- sbrk_base ----------------------------------------------------------------------------- */

START_TEST(brk_that_began_elsewhere)
{
    build(_i / STRAYS);
    put(heap->libc.bias + heap->libc.layout.params + heap->libc.layout.params_sbrk_base,
        strays[_i % STRAYS]);
    run();
    check_all_but(MALLOC_MAIN);
}
END_TEST

/* The same where the arena is not contiguous, so that its size proves nothing. */
START_TEST(pieces_of_a_noncontiguous_arena_that_are_missing)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = malloc_some(_i / STRAYS), .seed = 5});
    malloc_random_chunks(heap, MALLOC_MAIN, 100);
    malloc_heap_next_region(heap, MALLOC_MAIN);
    malloc_random_chunks(heap, MALLOC_MAIN, 100);
    heap->arenas[MALLOC_MAIN].top_bytes = 1 << 20;
    malloc_heap_finish(heap);
    put(heap->libc.bias + heap->libc.layout.params + heap->libc.layout.params_sbrk_base,
        strays[_i % STRAYS]);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
}
END_TEST

static void add_ring_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, ring_that_misses_the_main_arena, 0, 6 * MALLOC_SOME);
    tcase_add_loop_test(tcase, ring_that_leads_astray, 0, STRAYS * MALLOC_SOME);
    tcase_add_loop_test(tcase, ring_that_leads_into_a_heap, 0, MALLOC_SOME);
}

static void add_heap_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, heap_of_another_arena, 0, 3 * MALLOC_SOME);
    tcase_add_loop_test(tcase, heaps_in_a_circle, 0, 3 * MALLOC_SOME);
    tcase_add_loop_test(tcase, newer_heap_in_a_circle, 0, 2 * MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_before_that_is_elsewhere, 0, STRAYS * MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_of_hostile_size, 0, 9 * MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_beyond_its_mapping, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_and_arena_beyond_their_mapping, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, heap_info_in_swap, 0, MALLOC_SOME);
}

static void add_top_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, main_top_that_is_elsewhere, 0, WRONG_TOPS * MALLOC_SOME);
    tcase_add_loop_test(tcase, top_of_a_threads_arena_that_is_elsewhere, 0,
                        WRONG_TOPS * MALLOC_SOME);
    tcase_add_loop_test(tcase, all_tops_that_are_elsewhere, 0, STRAYS * MALLOC_SOME);
    tcase_add_loop_test(tcase, main_top_of_hostile_size, 0, 8 * MALLOC_SOME);
    tcase_add_loop_test(tcase, main_top_in_swap, 0, MALLOC_SOME);
}

static void add_state_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, size_that_the_heaps_do_not_add_up_to, 0, 2 * MALLOC_SOME);
    tcase_add_loop_test(tcase, size_larger_than_memory, 0, 4 * MALLOC_SOME);
    tcase_add_loop_test(tcase, state_without_bins_is_not_proven, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, main_arena_elsewhere_is_not_proven, 0, STRAYS);
    tcase_add_loop_test(tcase, parameters_elsewhere_are_not_proven, 0, STRAYS);
    tcase_add_loop_test(tcase, state_in_swap_is_unreadable, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, state_on_a_page_of_a_file_that_is_not_loaded, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, arena_in_swap_ends_the_ring, 0, MALLOC_SOME);
    tcase_add_loop_test(tcase, brk_that_began_elsewhere, 0, STRAYS * MALLOC_SOME);
    tcase_add_loop_test(tcase, pieces_of_a_noncontiguous_arena_that_are_missing, 0,
                        STRAYS * MALLOC_SOME);
}

static Suite *glibc_roots_suite(void)
{
    static void (*const parts[])(TCase *) = {add_ring_tests, add_heap_tests, add_top_tests,
                                             add_state_tests};
    static const char *const names[] = {"ring", "heaps", "tops", "state"};
    Suite *suite = suite_create("glibc roots");

    for (size_t i = 0; i < 4; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 10);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(glibc_roots_suite)
