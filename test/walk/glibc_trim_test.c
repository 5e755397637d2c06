/*
 * What malloc_trim(0) would give back: whole pages of free chunks, once fastbins are consolidated,
 * and the end of the main top; of those, the resident ones. The generator simulates mtrim() and
 * systrim(); the plain cases are counted by hand as well.
 */
#include "support/malloc_figures.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)

static struct malloc_heap *heap;
static struct malloc_walk walk;

static void create(int version)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)version, .seed = 17});
}

/* Every page is resident, so that what is given back follows from addresses alone. */
static void finish(void)
{
    malloc_heap_finish(heap);
    for (size_t i = 0; i < heap->chunks.count; i++) {
        const struct malloc_chunk *chunk = &heap->chunks.items[i];
        fake_target_set_pages(heap->fake, chunk->address, chunk->address + chunk->bytes,
                              FAKE_RESIDENT);
    }
}

static void check(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    for (uint32_t i = 0; i < heap->arena_count; i++)
        malloc_heap_check_arena(heap, i, walk.glibc);
}

static const struct pht_glibc_arena *arena(uint32_t i)
{
    return malloc_heap_found(heap, i, walk.glibc);
}

static void teardown(void)
{
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
    heap = NULL;
    walk = (struct malloc_walk){0};
}

/* A top of 32 bytes gives nothing back. */
static void end_without_top(void)
{
    malloc_heap_align(heap, MALLOC_MAIN, PAGE - 32);
    heap->arenas[MALLOC_MAIN].top_bytes = 32;
}

/* ---- free chunks --------------------------------------------------------------------------- */

static const struct {
    uint64_t offset; /* of the chunk in its page */
    uint64_t bytes;
    uint64_t pages; /* given back */
} bins[] = {
    {0, PAGE, 0},
    {0, PAGE + 48, 0},
    {0, 2 * PAGE - 16, 0},
    {0, 2 * PAGE, 1},
    {0, 3 * PAGE + 16, 2},
    {16, PAGE, 0},
    {PAGE - 16, PAGE + 16, 0},
    {PAGE - 16, 2 * PAGE, 0},
    {PAGE - 16, 2 * PAGE + 16, 1},
    {PAGE - 32, 2 * PAGE + 32, 1},
    {PAGE - 48, PAGE, 0},
    {PAGE - 48, PAGE + 32, 0},
    {PAGE - 48, PAGE + 48, 1},
    {PAGE - 48, PAGE + 64, 1},
    {PAGE - 64, PAGE + 48, 0},
    {PAGE - 64, PAGE + 64, 1},
    {PAGE - 48, 100 * PAGE, 99},
    {256, 100 * PAGE, 99},
};

#define BINS ((int)(sizeof(bins) / sizeof(bins[0])))

START_TEST(whole_pages_behind_the_header_are_given_back)
{
    create(_i % MALLOC_VERSIONS);
    malloc_heap_align(heap, MALLOC_MAIN, bins[_i / MALLOC_VERSIONS].offset);
    malloc_heap_bin(heap, MALLOC_MAIN, bins[_i / MALLOC_VERSIONS].bytes);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, bins[_i / MALLOC_VERSIONS].pages * PAGE);
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_flushed_bytes,
                      bins[_i / MALLOC_VERSIONS].pages * PAGE);
}
END_TEST

START_TEST(unsorted_chunks_are_given_back_too)
{
    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    malloc_heap_unsorted(heap, MALLOC_MAIN, 10 * PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 9 * PAGE);
}
END_TEST

START_TEST(pages_that_are_not_resident_cannot_be_given_back)
{
    pht_addr chunk;

    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    chunk = malloc_heap_bin(heap, MALLOC_MAIN, 20 * PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    /* The first page holds the header, and stays. */
    fake_target_set_pages(heap->fake, chunk + 5 * PAGE, chunk + 12 * PAGE, FAKE_ABSENT);
    fake_target_set_pages(heap->fake, chunk + 15 * PAGE, chunk + 16 * PAGE, FAKE_SWAPPED);
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, (19 - 7 - 1) * PAGE);
    ck_assert_uint_eq(walk.glibc->largest_free[0].address, chunk);
    ck_assert_uint_eq(walk.glibc->largest_free[0].resident_bytes, (20 - 7 - 1) * PAGE);
}
END_TEST

START_TEST(second_trim_would_give_back_nothing)
{
    pht_addr chunk;

    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    chunk = malloc_heap_bin(heap, MALLOC_MAIN, 20 * PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    fake_target_set_pages(heap->fake, chunk + PAGE, chunk + 20 * PAGE, FAKE_ABSENT);
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 0);
}
END_TEST

/* ---- runs of free chunks ------------------------------------------------------------------- */

/* Fast chunks merge with their neighbours first: malloc_consolidate(). */
START_TEST(fast_chunks_join_what_they_touch)
{
    create(_i);
    ck_assert(heap->traits->has_fastbins);
    malloc_heap_align(heap, MALLOC_MAIN, PAGE - 48);
    malloc_heap_fast(heap, MALLOC_MAIN, 48);
    malloc_heap_bin(heap, MALLOC_MAIN, PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    malloc_heap_align(heap, MALLOC_MAIN, PAGE - 48);
    for (int i = 0; i < 100; i++)
        malloc_heap_fast(heap, MALLOC_MAIN, 128);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 1 * PAGE + 3 * PAGE);
}
END_TEST

START_TEST(bins_and_fastbins_make_one_run)
{
    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    for (int i = 0; i < 20; i++) {
        malloc_heap_bin(heap, MALLOC_MAIN, 992);
        malloc_heap_fast(heap, MALLOC_MAIN, 32);
    }
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 4 * PAGE);
}
END_TEST

START_TEST(run_that_touches_top_joins_it)
{
    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    malloc_heap_bin(heap, MALLOC_MAIN, 8 * PAGE);
    malloc_heap_fast(heap, MALLOC_MAIN, 64);
    heap->arenas[MALLOC_MAIN].top_bytes = PAGE - 64;
    finish();
    check();
    /* All nine pages are top then; 33 bytes of it stay. */
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 8 * PAGE);
}
END_TEST

/* The top of a thread's arena stays, and what joins it stays with it. */
START_TEST(top_of_a_threads_arena_is_not_given_back)
{
    uint32_t a;

    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    end_without_top();
    a = malloc_heap_add_arena(heap);
    malloc_heap_live(heap, a, 64);
    heap->arenas[a].top_bytes = 50 * PAGE;
    finish();
    check();
    ck_assert_uint_eq(arena(a)->trimmable_bytes, 0);
    ck_assert_uint_eq(walk.glibc->totals.trimmable_bytes, 0);
}
END_TEST

START_TEST(run_that_joins_the_top_of_a_threads_arena_is_not_given_back)
{
    uint32_t a;

    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    a = malloc_heap_add_arena(heap);
    malloc_heap_live(heap, a, 64);
    malloc_heap_bin(heap, a, 20 * PAGE);
    malloc_heap_fast(heap, a, 64);
    finish();
    check();
    ck_assert_uint_eq(arena(a)->trimmable_bytes, 0);
}
END_TEST

START_TEST(tcache_keeps_its_neighbours_apart)
{
    create(_i);
    /* From 2.43 on this makes the tcache, too. */
    malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 32);
    malloc_heap_align(heap, MALLOC_MAIN, 0);
    malloc_heap_bin(heap, MALLOC_MAIN, 2 * PAGE - 64);
    malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 64);
    malloc_heap_bin(heap, MALLOC_MAIN, 2 * PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    end_without_top();
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 1 * PAGE);
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_flushed_bytes, 3 * PAGE);
}
END_TEST

START_TEST(run_ends_at_the_fenceposts_of_its_heap)
{
    uint32_t a;

    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    a = malloc_heap_add_arena(heap);
    malloc_heap_live(heap, a, 64);
    malloc_heap_next_region(heap, a);
    malloc_heap_bin(heap, a, 30 * PAGE);
    malloc_heap_live(heap, a, 64);
    malloc_heap_gap(heap, 5 * PAGE);
    malloc_heap_bin(heap, MALLOC_MAIN, 30 * PAGE);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    finish();
    check();
}
END_TEST

/* ---- the main top -------------------------------------------------------------------------- */

static const struct {
    uint64_t offset; /* of top in its page */
    uint64_t bytes;
    uint64_t pages;
} tops[] = {
    {PAGE - 32, 32, 0},
    {0, PAGE, 0},
    {PAGE - 32, PAGE + 32, 0},
    {PAGE - 48, PAGE + 48, 1},
    {PAGE - 48, 33 * PAGE + 48, 33},
    {0, 33 * PAGE, 32},
};

#define TOPS ((int)(sizeof(tops) / sizeof(tops[0])))

START_TEST(end_of_the_main_top_is_given_back)
{
    create(_i % MALLOC_VERSIONS);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_align(heap, MALLOC_MAIN, tops[_i / MALLOC_VERSIONS].offset);
    heap->arenas[MALLOC_MAIN].top_bytes = tops[_i / MALLOC_VERSIONS].bytes;
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->top_bytes, tops[_i / MALLOC_VERSIONS].bytes);
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, tops[_i / MALLOC_VERSIONS].pages * PAGE);
}
END_TEST

/* sbrk() would give back their memory. */
START_TEST(top_that_others_took_brk_behind_is_not_given_back)
{
    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .brk_after_top = 3 * PAGE, .seed = 1});
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 0);
}
END_TEST

START_TEST(top_in_a_mapping_is_not_given_back)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_next_region(heap, MALLOC_MAIN);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    heap->arenas[MALLOC_MAIN].top_bytes = 1 << 20;
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 0);
}
END_TEST

START_TEST(huge_pages_are_given_back_whole)
{
    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .thp_page_bytes = 2 << 20, .seed = 1});
    ck_assert(heap->libc.layout.params_thp_pagesize != PHT_UNKNOWN);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    heap->arenas[MALLOC_MAIN].top_bytes = 7 << 20;
    finish();
    check();
    ck_assert_uint_eq(arena(MALLOC_MAIN)->trimmable_bytes, 6 << 20);
}
END_TEST

static Suite *glibc_trim_suite(void)
{
    Suite *suite = suite_create("glibc trim");
    TCase *tcase = tcase_create("trim");

    tcase_set_timeout(tcase, 10);
    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, whole_pages_behind_the_header_are_given_back, 0,
                        BINS * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, unsorted_chunks_are_given_back_too, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, pages_that_are_not_resident_cannot_be_given_back, 0,
                        MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, second_trim_would_give_back_nothing, 0, MALLOC_VERSIONS);
    /* Those with fastbins. */
    tcase_add_loop_test(tcase, fast_chunks_join_what_they_touch, 0, MALLOC_2_43);
    tcase_add_loop_test(tcase, bins_and_fastbins_make_one_run, 0, MALLOC_2_43);
    tcase_add_loop_test(tcase, run_that_touches_top_joins_it, 0, MALLOC_2_43);
    tcase_add_loop_test(tcase, run_that_joins_the_top_of_a_threads_arena_is_not_given_back, 0,
                        MALLOC_2_43);
    tcase_add_loop_test(tcase, top_of_a_threads_arena_is_not_given_back, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, tcache_keeps_its_neighbours_apart, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, run_ends_at_the_fenceposts_of_its_heap, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, end_of_the_main_top_is_given_back, 0, TOPS * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, top_that_others_took_brk_behind_is_not_given_back, 0,
                        MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, top_in_a_mapping_is_not_given_back, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, huge_pages_are_given_back_whole, MALLOC_2_36, MALLOC_VERSIONS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(glibc_trim_suite)
