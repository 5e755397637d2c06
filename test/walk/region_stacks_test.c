/* Stacks of threads, running and ended, and what the loader made for the first one. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define LOADER ((pht_addr)0x7f1000000000)
#define USED (LOADER + 0x100)
#define USER (LOADER + 0x110)
#define CACHE (LOADER + 0x120)
#define DEBUG (LOADER + 0x200)
#define LINK_MAP ((pht_addr)0x7f2000000000)
#define TLS ((pht_addr)0x7f2100000000)
#define FIRST (TLS + 2 * PAGE + 0x740)
#define STACKS ((pht_addr)0x7f3000000000)
#define STRIDE (16 * PAGE)
#define FIRST_STACK ((pht_addr)0x7ffc00000000)

#define PTHREAD_BYTES 2368
#define LIST 704
#define TID 720
#define BLOCK 1680
#define TLS_OFFSET_AT 1144
#define TLS_BYTES ((uint64_t)0x1100)

static struct region_walk walk;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

static uint64_t get(pht_addr addr)
{
    return fake_target_u64(walk.fake, addr);
}

static void put_head(pht_addr head)
{
    put(head, head);
    put(head + 8, head);
}

/* At the head of a list. */
static void put_pthread(pht_addr pthread, pht_addr list, int32_t tid)
{
    pht_addr node = pthread + LIST, next = get(list);

    put(pthread, pthread);
    put(pthread + 16, pthread);
    fake_target_put_u32(walk.fake, pthread + TID, (uint32_t)tid);
    put(node, next);
    put(node + 8, list);
    put(next + 8, node);
    put(list, node);
}

static pht_addr block(unsigned i)
{
    return STACKS + i * STRIDE;
}

static pht_addr pthread_of(unsigned i)
{
    return (block(i) + STRIDE - PTHREAD_BYTES) & ~(pht_addr)63;
}

/* A page without access, and pages of which the last two are resident. */
static void map_stack(unsigned i)
{
    fake_target_map(walk.fake, block(i), block(i) + PAGE, FAKE_UNREADABLE);
    fake_target_map(walk.fake, block(i) + PAGE, block(i) + STRIDE, FAKE_PRIVATE);
    fake_target_set_pages(walk.fake, block(i) + STRIDE - 2 * PAGE, block(i) + STRIDE,
                          FAKE_RESIDENT);
}

static void put_block(unsigned i, pht_addr start, uint64_t bytes)
{
    put(pthread_of(i) + BLOCK, start);
    put(pthread_of(i) + BLOCK + 8, bytes);
}

static void add_thread(unsigned i, pht_addr list, int32_t tid)
{
    map_stack(i);
    put_pthread(pthread_of(i), list, tid);
    put_block(i, block(i), STRIDE);
}

/* The first thread, and no other. */
static void setup(void)
{
    region_walk_init(&walk);
    walk.libc.threads = (struct pht_thread_layout){
        .known = true,
        .stack_lists = {USED, USER},
        .stack_cache = CACHE,
        .pthread_bytes = PTHREAD_BYTES,
        .pthread_list = LIST,
        .pthread_tid = TID,
        .debug = DEBUG,
        .link_map_tls_offset = TLS_OFFSET_AT,
    };
    region_walk_map_file(&walk, LOADER, LOADER + PAGE, FAKE_PRIVATE, 6, 0);
    region_walk_map(&walk, LINK_MAP, LINK_MAP + PAGE, FAKE_PRIVATE);
    region_walk_map(&walk, TLS, TLS + 4 * PAGE, FAKE_PRIVATE);
    region_walk_map(&walk, FIRST_STACK, FIRST_STACK + 3 * PAGE, FAKE_PRIVATE);
    fake_target_set_name(walk.fake, FIRST_STACK, "[stack]");
    put(DEBUG + 8, LINK_MAP);
    put(LINK_MAP + TLS_OFFSET_AT, TLS_BYTES);
    put_head(USED);
    put_head(USER);
    put_head(CACHE);
    put_pthread(FIRST, USER, 42);
    /* It has the end of its stack there, and no block: csu/libc-tls.c, __tls_init_tp(). */
    put(FIRST + BLOCK + 8, FIRST_STACK + 2 * PAGE);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static size_t count(enum pht_region_kind kind)
{
    return region_walk_count(&walk, kind);
}

static void check_stack(enum pht_region_kind kind, size_t n, unsigned i, pid_t tid)
{
    const struct pht_region *stack = region_walk_get(&walk, kind, n);

    ck_assert_uint_eq(stack->start, block(i));
    ck_assert_uint_eq(stack->end, block(i) + STRIDE);
    ck_assert_int_eq(stack->tid, tid);
    ck_assert_uint_eq(stack->resident_bytes, 2 * PAGE);
}

/* What is not the stack of thread 0 is as it should be. */
static void check_others(void)
{
    ck_assert_uint_eq(count(PHT_REGION_STACK), 2);
    check_stack(PHT_REGION_STACK, 0, 1, 101);
    ck_assert_int_eq(region_walk_get(&walk, PHT_REGION_STACK, 1)->tid, 42);
    region_walk_check(&walk, PHT_REGION_TLS, FIRST - TLS_BYTES, FIRST + PTHREAD_BYTES);
}

START_TEST(the_first_thread_has_the_stack_that_the_kernel_made)
{
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_STACK, FIRST_STACK, FIRST_STACK + 3 * PAGE);
    ck_assert_int_eq(region_walk_get(&walk, PHT_REGION_STACK, 0)->tid, 42);
    region_walk_check(&walk, PHT_REGION_TLS, FIRST - TLS_BYTES, FIRST + PTHREAD_BYTES);
    region_walk_check_category(&walk, PHT_CATEGORY_STACKS, 3 * PAGE + 3 * PAGE);
}
END_TEST

START_TEST(each_thread_has_its_own)
{
    for (unsigned i = 0; i < 20; i++)
        add_thread(i, USED, 100 + (int32_t)i);
    region_walk_run(&walk);
    ck_assert_uint_eq(count(PHT_REGION_STACK), 21);
    for (unsigned i = 0; i < 20; i++)
        check_stack(PHT_REGION_STACK, i, i, 100 + (pid_t)i);
    region_walk_check_category(&walk, PHT_CATEGORY_STACKS, 6 * PAGE + 40 * PAGE);
}
END_TEST

START_TEST(ended_threads_leave_theirs_in_the_cache)
{
    add_thread(0, USED, 100);
    add_thread(1, CACHE, 0);
    add_thread(2, CACHE, 999); /* nobody clears it there */
    add_thread(3, USED, -1);   /* waits to be joined */
    region_walk_run(&walk);
    ck_assert_uint_eq(count(PHT_REGION_STACK), 2);
    ck_assert_uint_eq(count(PHT_REGION_CACHED_STACK), 3);
    check_stack(PHT_REGION_STACK, 0, 0, 100);
    for (unsigned i = 0; i < 3; i++)
        check_stack(PHT_REGION_CACHED_STACK, i, i + 1, 0);
}
END_TEST

/* The stop has seen a thread that has ended since, and whose stack is in the cache. */
START_TEST(a_thread_that_was_seen_keeps_its_id)
{
    struct pht_malloc_thread_root thread = {.tid = 100};

    add_thread(0, CACHE, 0);
    thread.pthread = pthread_of(0);
    ck_assert(pht_vec_push(&walk.glibc.threads, thread));
    region_walk_run(&walk);
    check_stack(PHT_REGION_STACK, 0, 0, 100);
    ck_assert_uint_eq(count(PHT_REGION_CACHED_STACK), 0);
}
END_TEST

/* From 2.42 on guards are no mapping of their own, so stacks merge with all their neighbours. */
START_TEST(stacks_may_share_a_mapping)
{
    region_walk_map(&walk, STACKS, STACKS + 4 * STRIDE, FAKE_PRIVATE);
    for (unsigned i = 1; i < 3; i++) {
        put_pthread(pthread_of(i), USED, 100 + (int32_t)i);
        put_block(i, block(i), STRIDE);
    }
    region_walk_run(&walk);
    ck_assert_uint_eq(count(PHT_REGION_STACK), 3);
    region_walk_check_category(&walk, PHT_CATEGORY_STACKS, 6 * PAGE + 2 * STRIDE);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, 2 * STRIDE + PAGE);
}
END_TEST

/* pthread_attr_setstack(3): any memory, in malloc's for one, which stays malloc's. */
START_TEST(a_stack_may_be_the_programs_own)
{
    pht_addr start = block(0) + PAGE + 0x120, end = block(0) + STRIDE - 0x30;
    pht_addr pthread = (end - PTHREAD_BYTES) & ~(pht_addr)63;

    map_stack(0);
    put_pthread(pthread, USER, 100);
    put(pthread + BLOCK, start);
    put(pthread + BLOCK + 8, end - start);
    region_walk_begin(&walk);
    pht_owners_claim(walk.owned.owners, block(0) + STRIDE - PAGE, block(0) + STRIDE,
                     PHT_CATEGORY_MALLOC_UNOWNED);
    region_walk_run(&walk);
    const struct pht_region *stack = region_walk_get(&walk, PHT_REGION_STACK, 0);
    ck_assert_uint_eq(stack->start, start);
    ck_assert_uint_eq(stack->end, end);
    region_walk_check_category(&walk, PHT_CATEGORY_MALLOC_UNOWNED, PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_STACKS, 6 * PAGE + PAGE);
}
END_TEST

/* Another release has the block elsewhere in the struct. */
START_TEST(the_block_is_found_wherever_it_stands)
{
    add_thread(1, USED, 101);
    put_block(1, 0, 0);
    put(pthread_of(1) + 1200, block(1));
    put(pthread_of(1) + 1208, STRIDE);
    region_walk_run(&walk);
    check_others();
}
END_TEST

/* ---- damage -------------------------------------------------------------------------------- */

/* Start and size, counted from the true ones. */
static const struct wrong_block {
    int64_t start;
    int64_t bytes;
} wrong_blocks[] = {
    {0, PHT_PAGE_BYTES}, {0, -3 * PHT_PAGE_BYTES}, {PHT_PAGE_BYTES, 0},
    {0, INT64_MAX},      {0, -(int64_t)STRIDE},    {(int64_t)STRIDE, -(int64_t)STRIDE},
    {-0x10000, 0x10000},
};

START_TEST(a_block_that_is_not_right_behind_is_none)
{
    add_thread(0, USED, 100);
    add_thread(1, USED, 101);
    put_block(0, block(0) + (uint64_t)wrong_blocks[_i].start,
              STRIDE + (uint64_t)wrong_blocks[_i].bytes);
    region_walk_run(&walk);
    check_others();
}
END_TEST

START_TEST(a_struct_that_does_not_know_itself_is_none)
{
    add_thread(0, USED, 100);
    add_thread(1, USED, 101);
    put(pthread_of(0) + (_i == 0 ? 0 : 16), pthread_of(1));
    region_walk_run(&walk);
    check_others();
}
END_TEST

static const pht_addr strays[] = {0, 8, 0x5001, STACKS - 64, UINT64_MAX, UINT64_MAX - 7};

START_TEST(a_list_ends_at_a_pointer_that_leads_nowhere)
{
    add_thread(0, USED, 100);
    add_thread(1, USED, 101);
    put(pthread_of(1) + LIST, strays[_i]);
    region_walk_run(&walk);
    check_others();
}
END_TEST

START_TEST(a_list_in_a_circle_ends)
{
    add_thread(0, USED, 100);
    add_thread(1, USED, 101);
    put(pthread_of(0) + LIST, pthread_of(_i == 0 ? 0 : 1) + LIST);
    region_walk_run(&walk);
    ck_assert_uint_eq(count(PHT_REGION_STACK), 3);
}
END_TEST

START_TEST(a_struct_in_swap_is_left_there)
{
    add_thread(0, USED, 100);
    add_thread(1, USED, 101);
    fake_target_set_pages(walk.fake, pthread_of(0), pthread_of(0) + 1, FAKE_SWAPPED);
    region_walk_run(&walk);
    check_others();
}
END_TEST

/* l_tls_offset of a file without a place of its own, and of one that lies. */
START_TEST(thread_local_storage_stays_in_its_mapping)
{
    static const uint64_t offsets[] = {UINT64_MAX, (uint64_t)1 << 20, ((uint64_t)1 << 20) + 1};
    static const pht_addr starts[] = {FIRST, TLS, FIRST};

    put(LINK_MAP + TLS_OFFSET_AT, offsets[_i]);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_TLS, starts[_i], FIRST + PTHREAD_BYTES);
}
END_TEST

START_TEST(without_its_size_no_struct_is_looked_at)
{
    static const uint64_t sizes[] = {0, 16, 65536};

    add_thread(0, USED, 100);
    walk.libc.threads.pthread_bytes = sizes[_i];
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_STACK, FIRST_STACK, FIRST_STACK + 3 * PAGE);
    ck_assert_int_eq(region_walk_get(&walk, PHT_REGION_STACK, 0)->tid, 0);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_stacks");
    TCase *whole = tcase_create("whole"), *damaged = tcase_create("damaged");

    tcase_add_checked_fixture(whole, setup, teardown);
    tcase_add_test(whole, the_first_thread_has_the_stack_that_the_kernel_made);
    tcase_add_test(whole, each_thread_has_its_own);
    tcase_add_test(whole, ended_threads_leave_theirs_in_the_cache);
    tcase_add_test(whole, a_thread_that_was_seen_keeps_its_id);
    tcase_add_test(whole, stacks_may_share_a_mapping);
    tcase_add_test(whole, a_stack_may_be_the_programs_own);
    tcase_add_test(whole, the_block_is_found_wherever_it_stands);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(damaged, setup, teardown);
    tcase_add_loop_test(damaged, a_block_that_is_not_right_behind_is_none, 0, ROWS(wrong_blocks));
    tcase_add_loop_test(damaged, a_struct_that_does_not_know_itself_is_none, 0, 2);
    tcase_add_loop_test(damaged, a_list_ends_at_a_pointer_that_leads_nowhere, 0, ROWS(strays));
    tcase_add_loop_test(damaged, a_list_in_a_circle_ends, 0, 2);
    tcase_add_test(damaged, a_struct_in_swap_is_left_there);
    tcase_add_loop_test(damaged, thread_local_storage_stays_in_its_mapping, 0, 3);
    tcase_add_loop_test(damaged, without_its_size_no_struct_is_looked_at, 0, 3);
    suite_add_tcase(suite, damaged);
    return suite;
}

SUITE_MAIN(make_suite)
