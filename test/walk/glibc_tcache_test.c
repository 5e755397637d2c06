/*
 * Each thread's cache of free chunks, and how a thread is found: the lists of struct pthread, and
 * the place of the C library's thread-local variables.
 */
#include "support/malloc_figures.h"
#include "support/malloc_image.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define NOWHERE ((pht_addr)0x123456789000)
#define SHARED ((pht_addr)0x7e0000000000)
#define LINK_MAP_NEXT 24

static struct malloc_heap *heap;
static struct malloc_walk walk;

static void create(int version)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)version, .seed = 31});
}

static void check_with(enum pht_stop_mode stop)
{
    malloc_walk_all(heap, stop, &walk);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
}

static void check(void)
{
    check_with(PHT_STOP_BRIEF);
}

static void finish_and_check(void)
{
    malloc_heap_finish(heap);
    check();
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

/* `count` chunks in a thread's tcache, with live ones in between. */
static void add_cached(uint32_t arena, uint32_t thread, uint64_t bytes, int count)
{
    for (int i = 0; i < count; i++) {
        malloc_heap_tcache(heap, arena, thread, bytes);
        malloc_heap_live(heap, arena, 32);
    }
}

/* ---- tcaches ------------------------------------------------------------------------------- */

START_TEST(every_size_of_chunk)
{
    create(_i);
    for (uint64_t bytes = 32; bytes <= MALLOC_TCACHE_MAX; bytes += 16)
        add_cached(MALLOC_MAIN, MALLOC_MAIN, bytes, 1 + (int)(bytes / 16 % 7));
    finish_and_check();
}
END_TEST

START_TEST(each_thread_has_its_own)
{
    create(_i);
    for (uint32_t i = 1; i < 10; i++) {
        malloc_heap_add_thread(heap, MALLOC_MAIN);
        add_cached(MALLOC_MAIN, i, 48 + 16 * (uint64_t)(i % 3), (int)i % 8);
    }
    finish_and_check();
    ck_assert_uint_gt(walk.glibc->threads[0].tcache_bytes, walk.glibc->threads[9].tcache_bytes);
}
END_TEST

/* What a thread frees stays with the arena that it came from. */
START_TEST(chunks_of_other_arenas)
{
    uint32_t arena, thread;

    create(_i);
    arena = malloc_heap_add_arena(heap);
    thread = malloc_heap_add_thread(heap, arena);
    add_cached(arena, thread, 64, 3);
    add_cached(MALLOC_MAIN, thread, 64, 3);
    add_cached(arena, MALLOC_MAIN, 64, 5);
    add_cached(MALLOC_MAIN, MALLOC_MAIN, 128, 5);
    finish_and_check();
    ck_assert_uint_eq(malloc_heap_found(heap, arena, walk.glibc)->tcache_chunks, 8);
}
END_TEST

/* From 2.43 on its variable leads to a struct in the library, whose counters are all 0. */
START_TEST(thread_that_never_freed_has_none)
{
    create(_i);
    malloc_heap_add_thread(heap, MALLOC_MAIN);
    malloc_heap_add_thread(heap, MALLOC_NONE);
    add_cached(MALLOC_MAIN, MALLOC_MAIN, 64, 3);
    finish_and_check();
}
END_TEST

/* Tunables can turn it off: then the variable leads a byte further. */
START_TEST(tcache_that_was_turned_off)
{
    create(MALLOC_2_43);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
    put(malloc_image_tcache(heap, MALLOC_MAIN), malloc_image_dummy(heap) + 1);
    check();
}
END_TEST

START_TEST(tunables_make_it_long)
{
    create(_i);
    add_cached(MALLOC_MAIN, MALLOC_MAIN, 64, _i == MALLOC_2_27 ? 120 : 3000);
    finish_and_check();
}
END_TEST

/* From 2.42 on twelve bins hold chunks up to 4 MiB, if glibc.malloc.tcache_max says so. */
START_TEST(bins_of_large_chunks)
{
    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .tcache_max_bytes = 4 << 20, .seed = 2});
    for (uint64_t bytes = 1056; bytes < 4 << 20; bytes += bytes / 32 * 16) {
        malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, bytes);
        malloc_heap_live(heap, MALLOC_MAIN, 32);
    }
    finish_and_check();
}
END_TEST

/*
 * A link is mangled with the number of its page, and may look like an address before and after:
 * here the lowest four bits of that number are 0.
 */
START_TEST(links_whose_mangling_does_not_show)
{
    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .brk_start = 0x555555760000, .seed = 2});
    add_cached(MALLOC_MAIN, MALLOC_MAIN, 64, 3);
    finish_and_check();
}
END_TEST

/* It is not cleared when the chunk leaves the tcache by way of a fastbin. */
START_TEST(key_that_was_left_behind_is_no_proof)
{
    pht_addr cached, live;

    create(_i);
    cached = malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 64);
    live = malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
    put(live + 24, get(cached + 24));
    check();
}
END_TEST

/* ---- threads ------------------------------------------------------------------------------- */

START_TEST(thread_that_has_ended_is_left_out)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_add_thread(heap, MALLOC_NONE);
    malloc_heap_finish(heap);
    fake_target_put_u32(heap->fake, heap->threads[1].pthread + heap->libc.threads.pthread_tid, 0);
    heap->thread_count = 1;
    check();
}
END_TEST

START_TEST(library_without_records_of_threads)
{
    create(_i);
    malloc_heap_add_thread(heap, MALLOC_MAIN);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
    heap->libc.threads.known = false;
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    ck_assert(walk.roots.consistent);
    ck_assert(!walk.glibc->threads_known);
    ck_assert_uint_eq(walk.glibc->arenas[0].threads, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.glibc->totals.threads, PHT_UNKNOWN);
    ck_assert_uint_eq(walk.glibc->thread_count, 0);
}
END_TEST

static pht_addr thread_node(uint32_t thread)
{
    return heap->threads[thread].pthread + heap->libc.threads.pthread_list;
}

static void check_but_tcaches(uint64_t cached)
{
    malloc_heap_check_but_tcache(heap, MALLOC_MAIN, walk.glibc, cached);
    ck_assert_uint_eq(walk.glibc->damaged_chunks, 0);
    ck_assert_uint_le(heap->fake->read_count, 20000);
}

/* Then a chunk's key tells that it is in a tcache, from 2.34 on. */
static void check_without_threads(void)
{
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    ck_assert(!walk.glibc->threads_known);
    ck_assert_uint_eq(walk.glibc->totals.threads, PHT_UNKNOWN);
    check_but_tcaches(heap->traits->key == MALLOC_KEY_RANDOM ? 9 : 0);
}

static void build_threads(int version)
{
    create(version);
    for (uint32_t i = 1; i < 4; i++) {
        malloc_heap_add_thread(heap, MALLOC_MAIN);
        add_cached(MALLOC_MAIN, i, 64, 3);
    }
    malloc_heap_finish(heap);
}

START_TEST(list_of_threads_that_misses_its_head)
{
    build_threads(_i);
    put(thread_node(2), thread_node(_i % 2 ? 2 : 3));
    check_without_threads();
    ck_assert(!walk.roots.consistent);
    ck_assert_uint_le(walk.glibc->thread_count, heap->thread_count);
}
END_TEST

static const pht_addr strays[] = {NOWHERE,        SHARED, 1,          0, (pht_addr)1 << 63,
                                  0x7f4000100001, 8,      UINT64_MAX, 3};

#define STRAYS ((int)(sizeof(strays) / sizeof(strays[0])))

static void map_shared(void)
{
    fake_target_map(heap->fake, SHARED, SHARED + 0x10000, FAKE_SHARED);
    fake_target_set_pages(heap->fake, SHARED, SHARED + 0x10000, FAKE_RESIDENT);
}

START_TEST(list_of_threads_that_leads_astray)
{
    build_threads(MALLOC_2_36);
    map_shared();
    put(thread_node(2), strays[_i]);
    check_without_threads();
    ck_assert(!walk.roots.consistent);
}
END_TEST

START_TEST(list_of_threads_in_swap)
{
    build_threads(_i);
    fake_target_set_pages(heap->fake, heap->libc.threads.stack_lists[0],
                          heap->libc.threads.stack_lists[0] + 1, FAKE_SWAPPED);
    check_without_threads();
    ck_assert(walk.roots.unreadable);
}
END_TEST

START_TEST(thread_in_swap)
{
    build_threads(_i);
    fake_target_set_pages(heap->fake, heap->threads[2].pthread, heap->threads[2].pthread + 1,
                          FAKE_SWAPPED);
    check_without_threads();
}
END_TEST

START_TEST(list_of_libraries_in_a_circle)
{
    pht_addr map;

    build_threads(_i);
    map = get(heap->libc.threads.debug + 8);
    put(map + LINK_MAP_NEXT, map);
    check_without_threads();
}
END_TEST

START_TEST(list_of_libraries_that_leads_astray)
{
    build_threads(MALLOC_2_41);
    map_shared();
    put(get(heap->libc.threads.debug + 8) + LINK_MAP_NEXT, strays[_i]);
    check_without_threads();
}
END_TEST

START_TEST(thread_local_block_elsewhere)
{
    build_threads(MALLOC_2_41);
    map_shared();
    /* libc is the third. */
    pht_addr map = get(heap->libc.threads.debug + 8);
    map = get(get(map + LINK_MAP_NEXT) + LINK_MAP_NEXT);
    put(map + heap->libc.threads.link_map_tls_offset, strays[_i]);
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    check_but_tcaches(0);
}
END_TEST

START_TEST(thread_in_an_arena_that_is_none)
{
    build_threads(MALLOC_2_36);
    map_shared();
    put(malloc_image_thread_arena(heap, 2), strays[_i]);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.glibc->threads_known);
    ck_assert_uint_eq(walk.glibc->arenas[0].threads, 3);
    ck_assert_uint_eq(walk.glibc->thread_count, 4);
    ck_assert_uint_eq(walk.glibc->totals.tcache_chunks, 9);
}
END_TEST

/* ---- damaged tcaches ----------------------------------------------------------------------- */

/* The nine chunks of three threads, of which those of the second may be lost. */
static void check_damaged(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.glibc->threads_known);
    check_but_tcaches(6);
}

static uint64_t cached_chunks(uint32_t thread)
{
    for (size_t i = 0; i < walk.glibc->thread_count; i++) {
        if (walk.glibc->threads[i].tid == heap->threads[thread].tid)
            return walk.glibc->threads[i].tcache_chunks;
    }
    ck_abort_msg("no such thread");
    return 0;
}

START_TEST(counter_and_chain_that_disagree)
{
    pht_addr counter;

    build_threads(_i);
    counter = malloc_image_counter(heap, 2, 64);
    malloc_image_set_count(heap, counter, malloc_image_count(heap, counter) + 1);
    check_damaged();
    ck_assert_uint_eq(walk.glibc->torn_chunks, 1);
    ck_assert_uint_ge(cached_chunks(2), 2);
    ck_assert_uint_le(cached_chunks(2), 4);
    ck_assert_uint_eq(cached_chunks(1), 3);
    ck_assert_uint_eq(cached_chunks(3), 3);
}
END_TEST

START_TEST(counter_beyond_measure)
{
    build_threads(_i);
    malloc_image_set_count(heap, malloc_image_counter(heap, 2, 64), UINT32_MAX);
    check_damaged();
    ck_assert_uint_gt(walk.glibc->torn_chunks, 0);
    ck_assert_uint_le(cached_chunks(2), 3);
}
END_TEST

START_TEST(counter_without_a_chain)
{
    build_threads(_i);
    malloc_image_set_count(heap, malloc_image_counter(heap, 2, 1008),
                           heap->traits->counts_free_slots ? 0 : 3);
    check_damaged();
    ck_assert_uint_gt(walk.glibc->torn_chunks, 0);
    ck_assert_uint_le(cached_chunks(2), 6);
}
END_TEST

/* The n-th chunk of the chain leads to the first, or to itself. */
START_TEST(chain_in_a_circle)
{
    pht_addr first, at;

    build_threads(_i % MALLOC_VERSIONS);
    first = get(malloc_image_entry(heap, 2, 64));
    at = first;
    for (int i = 0; i < _i / MALLOC_VERSIONS; i++)
        at = malloc_image_link(heap, at, get(at));
    put(at, malloc_image_link(heap, at, first));
    check_damaged();
    ck_assert_uint_gt(walk.glibc->torn_chunks, 0);
    ck_assert_uint_le(heap->fake->read_count, 100000);
}
END_TEST

START_TEST(chain_that_leads_astray)
{
    pht_addr first;

    build_threads(malloc_some(1 + _i / STRAYS));
    map_shared();
    /* 0 ends it early. */
    first = get(malloc_image_entry(heap, 2, 64));
    put(first, malloc_image_link(heap, first, strays[_i % STRAYS]));
    check_damaged();
    ck_assert_uint_gt(walk.glibc->torn_chunks, 0);
}
END_TEST

START_TEST(entry_that_leads_astray)
{
    build_threads(malloc_some(1 + _i / STRAYS));
    map_shared();
    put(malloc_image_entry(heap, 2, 64), strays[_i % STRAYS]);
    check_damaged();
    ck_assert_uint_gt(walk.glibc->torn_chunks, 0);
    ck_assert_uint_eq(cached_chunks(1), 3);
}
END_TEST

/* A chunk of another size, another thread's, one in the middle of a chunk. */
START_TEST(entry_that_leads_to_a_wrong_chunk)
{
    pht_addr to;

    build_threads(_i % MALLOC_VERSIONS);
    to = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_LIVE, 5)->address + 16;
    if (_i / MALLOC_VERSIONS == 1)
        to = get(malloc_image_entry(heap, 3, 64));
    if (_i / MALLOC_VERSIONS == 2)
        to = get(malloc_image_entry(heap, 2, 64)) + 16;
    put(malloc_image_entry(heap, 2, 64), to);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    check_but_tcaches(3);
}
END_TEST

START_TEST(tcache_that_is_elsewhere)
{
    build_threads(malloc_some(1 + _i / STRAYS));
    map_shared();
    put(malloc_image_tcache(heap, 2), strays[_i % STRAYS]);
    malloc_walk_all(heap, PHT_STOP_NONE, &walk);
    check_but_tcaches(0);
}
END_TEST

/* Up to 2.22 there is nothing to damage. */
static void add_damage_tests(TCase *tcase)
{
    int with_tcache = MALLOC_SOME - 1;

    tcase_add_loop_test(tcase, counter_and_chain_that_disagree, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, counter_beyond_measure, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, counter_without_a_chain, MALLOC_2_27, MALLOC_VERSIONS);
    for (int i = 0; i < 3; i++) {
        int first = i * MALLOC_VERSIONS;
        tcase_add_loop_test(tcase, chain_in_a_circle, first + MALLOC_2_27, first + MALLOC_VERSIONS);
        tcase_add_loop_test(tcase, entry_that_leads_to_a_wrong_chunk, first + MALLOC_2_27,
                            first + MALLOC_VERSIONS);
    }
    tcase_add_loop_test(tcase, chain_that_leads_astray, 0, STRAYS * with_tcache);
    tcase_add_loop_test(tcase, entry_that_leads_astray, 0, STRAYS * with_tcache);
    tcase_add_loop_test(tcase, tcache_that_is_elsewhere, 0, STRAYS * with_tcache);
}

static void add_chunk_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_size_of_chunk, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, each_thread_has_its_own, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunks_of_other_arenas, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, thread_that_never_freed_has_none, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, links_whose_mangling_does_not_show, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, key_that_was_left_behind_is_no_proof, MALLOC_2_31, MALLOC_VERSIONS);
    tcase_add_test(tcase, tcache_that_was_turned_off);
    tcase_add_loop_test(tcase, tunables_make_it_long, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, bins_of_large_chunks, MALLOC_2_42, MALLOC_VERSIONS);
}

static void add_thread_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, thread_that_has_ended_is_left_out, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, library_without_records_of_threads, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_of_threads_that_misses_its_head, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_of_threads_that_leads_astray, 0, STRAYS);
    tcase_add_loop_test(tcase, list_of_threads_in_swap, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, thread_in_swap, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_of_libraries_in_a_circle, MALLOC_2_27, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_of_libraries_that_leads_astray, 0, STRAYS);
    tcase_add_loop_test(tcase, thread_local_block_elsewhere, 0, STRAYS);
    tcase_add_loop_test(tcase, thread_in_an_arena_that_is_none, 0, STRAYS);
}

static Suite *glibc_tcache_suite(void)
{
    static void (*const parts[])(TCase *) = {add_chunk_tests, add_thread_tests, add_damage_tests};
    static const char *const names[] = {"chunks", "threads", "damage"};
    Suite *suite = suite_create("glibc tcache");

    for (size_t i = 0; i < 3; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 10);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(glibc_tcache_suite)
