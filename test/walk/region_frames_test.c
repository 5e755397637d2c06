/* Chunks of frames, found through interpreters and their threads. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define RUNTIME ((pht_addr)0x7f1000000000)
#define BIAS ((uint64_t)0x7f0000000000)
#define INTERPRETER (RUNTIME + PAGE)
#define THREAD (INTERPRETER + PAGE)
#define STRUCTS_END (THREAD + 4 * PAGE)
#define CHUNKS ((pht_addr)0x7f2000000000)
#define CHUNK_BYTES ((uint64_t)16384)
#define CHUNKS_END (CHUNKS + 16 * CHUNK_BYTES)

#define HEAD 40
#define NEXT 8
#define THREADS 16
#define NATIVE_ID 160
#define FRAMES 232
#define SPARE 240

static struct region_walk walk;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

static pht_addr chunk(unsigned i)
{
    return CHUNKS + i * CHUNK_BYTES;
}

static void put_chunk(pht_addr at, pht_addr previous, uint64_t bytes)
{
    put(at, previous);
    put(at + 8, bytes);
    put(at + 16, 7);
}

static void put_thread(pht_addr at, pht_addr next, uint64_t tid, pht_addr frames)
{
    put(at, 0);
    put(at + NEXT, next);
    put(at + NATIVE_ID, tid);
    put(at + FRAMES, frames);
}

/* An interpreter with a thread that has three chunks, the second of them a large one. */
static void setup(void)
{
    region_walk_init(&walk);
    walk.python.bias = BIAS;
    walk.python.layout.runtime = RUNTIME - BIAS;
    walk.python.layout.runtime_interpreters_head = HEAD;
    walk.python.layout.interp_next = 0;
    walk.python.layout.interp_threads_head = THREADS;
    walk.python.layout.thread_next = NEXT;
    walk.python.layout.thread_native_id = NATIVE_ID;
    walk.python.layout.thread_frames = FRAMES;
    walk.python.layout.frames_bytes = 32;
    walk.python.layout.frames_previous = 0;
    walk.python.layout.frames_size = 8;
    region_walk_map(&walk, RUNTIME, STRUCTS_END, FAKE_PRIVATE);
    region_walk_map(&walk, CHUNKS, CHUNKS_END, FAKE_PRIVATE);
    put(RUNTIME + HEAD, INTERPRETER);
    put(INTERPRETER + THREADS, THREAD);
    put_thread(THREAD, 0, 4321, chunk(4));
    put_chunk(chunk(4), chunk(1), CHUNK_BYTES);
    put_chunk(chunk(1), chunk(8), 2 * CHUNK_BYTES);
    put_chunk(chunk(8), 0, CHUNK_BYTES);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static void check_frames(size_t count, uint64_t bytes)
{
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_FRAMES), count);
    region_walk_check_category(&walk, PHT_CATEGORY_PYTHON_LARGE, bytes);
}

START_TEST(every_chunk_of_a_chain)
{
    check_frames(3, 4 * CHUNK_BYTES);
    const struct pht_region *large = region_walk_get(&walk, PHT_REGION_FRAMES, 0);
    ck_assert_uint_eq(large->start, chunk(1));
    ck_assert_uint_eq(large->end, chunk(3));
    ck_assert_int_eq(large->tid, 4321);
    ck_assert_uint_eq(large->resident_bytes, 2 * CHUNK_BYTES);
}
END_TEST

START_TEST(of_all_threads_of_all_interpreters)
{
    put_thread(THREAD + 512, THREAD + 1024, 4322, chunk(9));
    put_chunk(chunk(9), 0, CHUNK_BYTES);
    put_thread(THREAD + 1024, 0, 4323, 0);
    put(THREAD + NEXT, THREAD + 512);
    put(INTERPRETER, INTERPRETER + 2048);
    put(INTERPRETER + 2048 + THREADS, THREAD + 2048);
    put_thread(THREAD + 2048, 0, 4324, chunk(10));
    put_chunk(chunk(10), 0, CHUNK_BYTES);
    check_frames(5, 6 * CHUNK_BYTES);
    ck_assert_int_eq(region_walk_get(&walk, PHT_REGION_FRAMES, 4)->tid, 4324);
}
END_TEST

START_TEST(a_spare_chunk_counts_as_well)
{
    walk.python.layout.thread_spare_frames = SPARE;
    put(THREAD + SPARE, chunk(12));
    put_chunk(chunk(12), 0, CHUNK_BYTES);
    check_frames(4, 5 * CHUNK_BYTES);
}
END_TEST

START_TEST(a_chunk_in_memory_of_malloc_is_listed_and_stays_its_own)
{
    region_walk_begin(&walk);
    pht_owners_claim(walk.owned.owners, chunk(8), chunk(9), PHT_CATEGORY_MALLOC_UNOWNED);
    check_frames(3, 3 * CHUNK_BYTES);
    region_walk_check_category(&walk, PHT_CATEGORY_MALLOC_UNOWNED, CHUNK_BYTES);
}
END_TEST

static const pht_addr strays[] = {1,          CHUNKS + 8, UINT64_MAX, PHT_USER_ADDR_MAX + 1,
                                  CHUNKS_END, 0x5000};

START_TEST(a_chain_ends_at_a_pointer_that_leads_nowhere)
{
    put(chunk(1), strays[_i]);
    check_frames(2, 3 * CHUNK_BYTES);
}
END_TEST

static const uint64_t wrong_sizes[] = {0,
                                       16,
                                       CHUNK_BYTES - 1,
                                       CHUNK_BYTES + 8,
                                       CHUNKS_END - CHUNKS,
                                       (uint64_t)1 << 40,
                                       UINT64_MAX - 4095};

START_TEST(a_chunk_of_no_possible_size_ends_the_chain)
{
    put(chunk(1) + 8, wrong_sizes[_i]);
    check_frames(1, CHUNK_BYTES);
}
END_TEST

/* Back to itself, to the first, and to one in between. */
START_TEST(a_chain_in_a_circle_ends)
{
    static const unsigned to[] = {8, 4, 1};

    put(chunk(8), chunk(to[_i]));
    region_walk_run(&walk);
    ck_assert_uint_ge(region_walk_count(&walk, PHT_REGION_FRAMES), 3);
    ck_assert_uint_lt(region_walk_count(&walk, PHT_REGION_FRAMES), 16);
    region_walk_check_category(&walk, PHT_CATEGORY_PYTHON_LARGE, 4 * CHUNK_BYTES);
}
END_TEST

START_TEST(threads_and_interpreters_in_a_circle_end)
{
    put(THREAD + NEXT, THREAD);
    put(INTERPRETER, INTERPRETER);
    region_walk_run(&walk);
    ck_assert_uint_lt(region_walk_count(&walk, PHT_REGION_FRAMES), 32);
    region_walk_check_category(&walk, PHT_CATEGORY_PYTHON_LARGE, 4 * CHUNK_BYTES);
}
END_TEST

START_TEST(a_chunk_in_a_file_is_none)
{
    region_walk_map_file(&walk, CHUNKS_END + PAGE, CHUNKS_END + 9 * PAGE, FAKE_PRIVATE, 4, 0);
    put_chunk(CHUNKS_END + PAGE, 0, CHUNK_BYTES);
    put(chunk(8), CHUNKS_END + PAGE);
    check_frames(3, 4 * CHUNK_BYTES);
}
END_TEST

START_TEST(a_chunk_in_swap_is_left_there)
{
    fake_target_set_pages(walk.fake, chunk(1), chunk(1) + PAGE, FAKE_SWAPPED);
    check_frames(1, CHUNK_BYTES);
}
END_TEST

START_TEST(versions_without_chunks_have_none)
{
    walk.python.layout.thread_frames = PHT_UNKNOWN;
    check_frames(0, 0);
}
END_TEST

/* ---- of threads that a fork has left behind ------------------------------------------------ */

#define TOP 16

/* No thread has chunk 8 any more, nor 12, which is a large one. */
static void lose_chunks(void)
{
    walk.python.layout.frames_top = TOP;
    put(chunk(1), 0);
    put_chunk(chunk(12), chunk(8), 2 * CHUNK_BYTES);
}

START_TEST(chunks_that_no_thread_has_are_found_by_their_heads)
{
    lose_chunks();
    check_frames(4, 6 * CHUNK_BYTES);
    ck_assert_int_eq(region_walk_get(&walk, PHT_REGION_FRAMES, 0)->tid, 4321);
    const struct pht_region *lost = region_walk_get(&walk, PHT_REGION_FRAMES, 3);
    ck_assert_uint_eq(lost->start, chunk(12));
    ck_assert_uint_eq(lost->end, chunk(14));
    ck_assert_int_eq(lost->tid, 0);
}
END_TEST

static const struct {
    pht_addr at;
    uint64_t value;
} no_heads[] = {
    {0, 8}, {0, UINT64_MAX - 4095}, {8, 4096}, {8, 3 * CHUNK_BYTES}, {8, 16 * CHUNK_BYTES},
    {8, 0}, {TOP, CHUNK_BYTES / 4},
};

START_TEST(what_contradicts_itself_is_no_head)
{
    lose_chunks();
    put(chunk(12) + no_heads[_i].at, no_heads[_i].value);
    check_frames(3, 4 * CHUNK_BYTES);
}
END_TEST

START_TEST(memory_that_has_an_owner_is_left_to_it)
{
    lose_chunks();
    region_walk_begin(&walk);
    pht_owners_claim(walk.owned.owners, chunk(13), chunk(13) + 16, PHT_CATEGORY_MALLOC_UNOWNED);
    check_frames(3, 4 * CHUNK_BYTES);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_frames");
    TCase *whole = tcase_create("whole"), *damaged = tcase_create("damaged");

    tcase_add_checked_fixture(whole, setup, teardown);
    tcase_add_test(whole, every_chunk_of_a_chain);
    tcase_add_test(whole, of_all_threads_of_all_interpreters);
    tcase_add_test(whole, a_spare_chunk_counts_as_well);
    tcase_add_test(whole, a_chunk_in_memory_of_malloc_is_listed_and_stays_its_own);
    tcase_add_test(whole, versions_without_chunks_have_none);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(damaged, setup, teardown);
    tcase_add_loop_test(damaged, a_chain_ends_at_a_pointer_that_leads_nowhere, 0, ROWS(strays));
    tcase_add_loop_test(damaged, a_chunk_of_no_possible_size_ends_the_chain, 0, ROWS(wrong_sizes));
    tcase_add_loop_test(damaged, a_chain_in_a_circle_ends, 0, 3);
    tcase_add_test(damaged, threads_and_interpreters_in_a_circle_end);
    tcase_add_test(damaged, a_chunk_in_a_file_is_none);
    tcase_add_test(damaged, a_chunk_in_swap_is_left_there);
    tcase_add_test(whole, chunks_that_no_thread_has_are_found_by_their_heads);
    tcase_add_test(whole, memory_that_has_an_owner_is_left_to_it);
    tcase_add_loop_test(damaged, what_contradicts_itself_is_no_head, 0, ROWS(no_heads));
    suite_add_tcase(suite, damaged);
    return suite;
}

SUITE_MAIN(make_suite)
