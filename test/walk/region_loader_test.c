/* Memory that the loader has mapped for itself, and the C library for random numbers. */
#include "support/region_walk.h"
#include "support/suite.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define LOADER ((pht_addr)0x7f1000000000)
#define CODE (LOADER + PAGE)
#define RELRO (LOADER + 3 * PAGE)
#define DATA (LOADER + 4 * PAGE)
#define BSS (LOADER + 6 * PAGE)
#define LOADER_END (LOADER + 7 * PAGE)
#define DEBUG (BSS + 0x118)
#define OWN ((pht_addr)0x7f2000000000)
#define OWN_END (OWN + 16 * PAGE)
#define NODE ((pht_addr)(OWN + 2 * PAGE + 0x400))
#define SECOND (NODE + 0x4d0)
#define HEAP ((pht_addr)0x555555554000)
#define NODE_BYTES 1208

static struct region_walk walk;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(walk.fake, addr, value);
}

static void link_nodes(pht_addr node, pht_addr next)
{
    put(node + 24, next);
    put(next + 32, node);
}

/* Two nodes in one page, in the middle of a mapping that is somebody else's for the rest. */
static void setup(void)
{
    region_walk_init(&walk);
    walk.libc.threads = (struct pht_thread_layout){
        .known = true,
        .debug = DEBUG,
        .link_map_tls_offset = 1144,
        .pthread_list = 704,
    };
    region_walk_map_file(&walk, LOADER, CODE, FAKE_READ_ONLY, 6, 0);
    region_walk_map_file(&walk, CODE, RELRO, FAKE_READ_ONLY | FAKE_EXECUTABLE, 6, CODE - LOADER);
    region_walk_map_file(&walk, RELRO, DATA, FAKE_READ_ONLY, 6, RELRO - LOADER);
    region_walk_map_file(&walk, DATA, BSS, FAKE_PRIVATE, 6, DATA - LOADER);
    region_walk_map(&walk, BSS, LOADER_END, FAKE_PRIVATE);
    region_walk_map(&walk, OWN, OWN_END, FAKE_PRIVATE);
    region_walk_map(&walk, HEAP, HEAP + 4 * PAGE, FAKE_PRIVATE);
    fake_target_set_name(walk.fake, HEAP, "[heap]");
    put(DEBUG + 8, NODE);
    link_nodes(NODE, SECOND);
}

static void teardown(void)
{
    region_walk_deinit(&walk);
}

static void check_pages(size_t first, size_t count)
{
    region_walk_check(&walk, PHT_REGION_LOADER, OWN + first * PAGE, OWN + (first + count) * PAGE);
}

START_TEST(nodes_of_its_list_are_its_own)
{
    region_walk_run(&walk);
    check_pages(2, 1);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, 6 * PAGE + PAGE);
}
END_TEST

/* A node, and one of its members that is a pointer. */
START_TEST(so_is_what_they_lead_to)
{
    pht_addr last = OWN + 4 * PAGE - 600;

    link_nodes(SECOND, last);
    put(last + NODE_BYTES - 8, OWN + 5 * PAGE + 0x123);
    region_walk_run(&walk);
    check_pages(2, 4);
}
END_TEST

static const pht_addr variables[] = {RELRO, RELRO + PAGE - 8, DATA, BSS - 8, BSS, LOADER_END - 8};

START_TEST(so_is_what_its_variables_lead_to)
{
    put(variables[_i], OWN + 3 * PAGE);
    region_walk_run(&walk);
    check_pages(2, 2);
}
END_TEST

static const pht_addr elsewhere[] = {LOADER, CODE};

START_TEST(code_and_headers_are_no_variables)
{
    put(elsewhere[_i], OWN + 3 * PAGE);
    region_walk_run(&walk);
    check_pages(2, 1);
}
END_TEST

/* Behind the loader's own node, in memory of another allocator. */
START_TEST(nodes_of_files_that_were_loaded_later_are_not)
{
    link_nodes(SECOND, DATA + 0x100);
    link_nodes(DATA + 0x100, OWN + 4 * PAGE);
    link_nodes(OWN + 4 * PAGE, OWN + 5 * PAGE);
    walk.has_other_allocator = true;
    region_walk_run(&walk);
    check_pages(2, 1);
    region_walk_check_category(&walk, PHT_CATEGORY_OTHER_ALLOCATOR, 15 * PAGE + 5 * PAGE);
}
END_TEST

/* Nodes of libraries that were loaded later. */
START_TEST(the_heap_stays_mallocs)
{
    link_nodes(SECOND, HEAP + 0x40);
    put(DATA, HEAP + 2 * PAGE);
    region_walk_run(&walk);
    check_pages(2, 1);
    region_walk_check_category(&walk, PHT_CATEGORY_UNATTRIBUTED, 4 * PAGE + 15 * PAGE + PAGE);
}
END_TEST

START_TEST(what_is_claimed_is_not_the_loaders)
{
    region_walk_begin(&walk);
    pht_owners_claim(walk.owned.owners, OWN + 2 * PAGE, OWN + 3 * PAGE,
                     PHT_CATEGORY_MALLOC_UNOWNED);
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_LOADER), 0);
}
END_TEST

static const pht_addr strays[] = {1, 16, UINT64_MAX, UINT64_MAX - 7, 0x123456789000, LOADER};

START_TEST(a_list_that_leads_nowhere_ends)
{
    put(SECOND + 24, strays[_i]);
    region_walk_run(&walk);
    check_pages(2, 1);
}
END_TEST

START_TEST(a_list_in_a_circle_ends)
{
    put(SECOND + 24, _i == 0 ? NODE : SECOND);
    region_walk_run(&walk);
    check_pages(2, 1);
}
END_TEST

/* ---- random numbers ------------------------------------------------------------------------ */

#define LIBC ((pht_addr)0x7f3000000000)
#define RANDOM (LIBC + 0x460)
#define STATES (OWN + 8 * PAGE)
#define FIRST_STATE (OWN + 10 * PAGE)

static void put_random(uint64_t states, uint64_t len, uint64_t total, uint64_t cap)
{
    put(RANDOM + 8, states);
    put(RANDOM + 16, len);
    put(RANDOM + 24, total);
    put(RANDOM + 32, cap);
}

/* 40 states of 144 bytes, 28 a page, of which one is free; room for 512. */
static void setup_random(void)
{
    setup();
    walk.libc.bias = LIBC;
    walk.libc.layout.random = RANDOM - LIBC;
    walk.libc.layout.random_bytes = 40;
    region_walk_map_file(&walk, LIBC, LIBC + PAGE, FAKE_PRIVATE, 8, 4096);
    put_random(STATES, 1, 40, 512);
    for (unsigned i = 0; i < 40; i++)
        put(STATES + i * 8, FIRST_STATE + i / 28 * PAGE + i % 28 * 144);
}

static void check_no_random(void)
{
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_RANDOM), 0);
}

START_TEST(states_for_random_numbers_are_the_librarys)
{
    region_walk_run(&walk);
    ck_assert_uint_eq(region_walk_count(&walk, PHT_REGION_RANDOM), 3);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_RANDOM, 0)->start, STATES);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_RANDOM, 1)->start, FIRST_STATE);
    ck_assert_uint_eq(region_walk_get(&walk, PHT_REGION_RANDOM, 2)->start, FIRST_STATE + PAGE);
    region_walk_check_category(&walk, PHT_CATEGORY_FILES, 7 * PAGE + PAGE + 3 * PAGE);
}
END_TEST

static const uint64_t wrong[][4] = {
    {0, 0, 0, 0},          {STATES + 8, 1, 40, 512},        {STATES, 41, 40, 512},
    {STATES, 1, 513, 512}, {STATES, 1, 40, UINT64_MAX},     {STATES, 1, 40, 65537},
    {LIBC, 1, 40, 512},    {UINT64_MAX - 4095, 1, 40, 512}, {OWN_END, 1, 40, 512},
};

START_TEST(a_list_of_states_that_makes_no_sense_is_none)
{
    put_random(wrong[_i][0], wrong[_i][1], wrong[_i][2], wrong[_i][3]);
    check_no_random();
}
END_TEST

START_TEST(another_struct_is_none)
{
    walk.libc.layout.random_bytes = 48;
    check_no_random();
}
END_TEST

START_TEST(states_that_are_nowhere_are_left_out)
{
    for (unsigned i = 0; i < 40; i++)
        put(STATES + i * 8, i % 2 ? UINT64_MAX - i : i);
    region_walk_run(&walk);
    region_walk_check(&walk, PHT_REGION_RANDOM, STATES, STATES + PAGE);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/region_loader");
    TCase *loader = tcase_create("loader"), *numbers = tcase_create("random");

    tcase_add_checked_fixture(loader, setup, teardown);
    tcase_add_test(loader, nodes_of_its_list_are_its_own);
    tcase_add_test(loader, so_is_what_they_lead_to);
    tcase_add_loop_test(loader, so_is_what_its_variables_lead_to, 0, ROWS(variables));
    tcase_add_loop_test(loader, code_and_headers_are_no_variables, 0, ROWS(elsewhere));
    tcase_add_test(loader, nodes_of_files_that_were_loaded_later_are_not);
    tcase_add_test(loader, the_heap_stays_mallocs);
    tcase_add_test(loader, what_is_claimed_is_not_the_loaders);
    tcase_add_loop_test(loader, a_list_that_leads_nowhere_ends, 0, ROWS(strays));
    tcase_add_loop_test(loader, a_list_in_a_circle_ends, 0, 2);
    suite_add_tcase(suite, loader);
    tcase_add_checked_fixture(numbers, setup_random, teardown);
    tcase_add_test(numbers, states_for_random_numbers_are_the_librarys);
    tcase_add_loop_test(numbers, a_list_of_states_that_makes_no_sense_is_none, 0, ROWS(wrong));
    tcase_add_test(numbers, another_struct_is_none);
    tcase_add_test(numbers, states_that_are_nowhere_are_left_out);
    suite_add_tcase(suite, numbers);
    return suite;
}

SUITE_MAIN(make_suite)
