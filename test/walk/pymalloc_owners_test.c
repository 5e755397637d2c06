/* Whose the bytes of a pool are whose pages are not all resident. */
#include "support/heap_walk.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)

static struct heap *heap;
static struct heap_walk found;
static pht_addr pool;
static uint64_t block_bytes;
static uint64_t blocks;

/* One arena of 16 KiB pools, each of whose blocks is in use. */
static void setup(void)
{
    const struct heap_options options = {.fill = HEAP_FULL, .arenas = 1, .seed = 7};

    heap = heap_create(&options);
    fake_target_set_pages(heap->fake, heap->arenas[0].address,
                          heap->arenas[0].address + heap->options.arena_bytes, FAKE_RESIDENT);
    pool = heap_pool(heap, 0, 2);
    block_bytes = (uint64_t)(fake_target_u32(heap->fake, pool + POOL_SZIDX) + 1) * 16;
    blocks = fake_target_u32(heap->fake, pool + POOL_COUNT);
    ck_assert_uint_eq(blocks, (heap->options.pool_bytes - POOL_HEADER_BYTES) / block_bytes);
}

static void teardown(void)
{
    heap_walk_deinit(&found);
    heap_destroy(heap);
}

static pht_addr block(uint64_t i)
{
    return pool + POOL_HEADER_BYTES + i * block_bytes;
}

/* The block joins the pool's list of freed ones. */
static void free_block(uint64_t i)
{
    uint32_t count = fake_target_u32(heap->fake, pool + POOL_COUNT);

    fake_target_put_u64(heap->fake, block(i), fake_target_u64(heap->fake, pool + POOL_FREEBLOCK));
    fake_target_put_u64(heap->fake, pool + POOL_FREEBLOCK, block(i));
    fake_target_put_u32(heap->fake, pool + POOL_COUNT, count - 1);
}

static void set_page(unsigned page, enum fake_page state)
{
    fake_target_set_pages(heap->fake, pool + page * PAGE, pool + (page + 1) * PAGE, state);
}

static void walk(void)
{
    heap_walk_all(heap, PHT_STOP_BRIEF, &found);
}

static uint64_t resident(enum pht_category category)
{
    return owned_resident(&found.owned, category);
}

static uint64_t swapped(enum pht_category category)
{
    return owned_swapped(&found.owned, category);
}

START_TEST(full_pool_needs_no_list)
{
    set_page(2, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_PYTHON_SMALL), PAGE);
    ck_assert_uint_eq(resident(PHT_CATEGORY_PYTHON_SMALL),
                      found.pymalloc->totals.live_bytes - PAGE);
}
END_TEST

START_TEST(list_tells_which_blocks_are_on_which_page)
{
    uint64_t first_of_last_page = (3 * PAGE - POOL_HEADER_BYTES) / block_bytes + 1;

    free_block(0);
    free_block(first_of_last_page);
    free_block(1);
    set_page(1, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_PYTHON_SMALL), PAGE);
    ck_assert_uint_eq(swapped(PHT_CATEGORY_PYMALLOC_SLACK), 0);
    ck_assert_uint_eq(resident(PHT_CATEGORY_PYTHON_SMALL),
                      found.pymalloc->totals.live_bytes - PAGE);
}
END_TEST

START_TEST(list_through_swap_leaves_blocks_unattributed)
{
    uint64_t span = blocks * block_bytes;

    free_block(0);
    free_block((PAGE - POOL_HEADER_BYTES) / block_bytes + 1);
    free_block(1);
    set_page(1, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_UNATTRIBUTED), PAGE);
    ck_assert_uint_eq(resident(PHT_CATEGORY_PYTHON_SMALL),
                      found.pymalloc->totals.live_bytes - (blocks - 3) * block_bytes);
    ck_assert_uint_ge(resident(PHT_CATEGORY_UNATTRIBUTED), span - PAGE);
}
END_TEST

START_TEST(list_that_goes_in_circles_is_not_followed)
{
    free_block(0);
    free_block(1);
    fake_target_put_u64(heap->fake, block(0), block(1));
    set_page(2, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_UNATTRIBUTED), PAGE);
}
END_TEST

START_TEST(list_that_leaves_the_pool_is_not_followed)
{
    free_block(0);
    fake_target_put_u64(heap->fake, pool + POOL_FREEBLOCK, pool + heap->options.pool_bytes + 64);
    set_page(2, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_UNATTRIBUTED), PAGE);
}
END_TEST

START_TEST(pages_that_were_never_carved_are_absent)
{
    uint32_t kept = (uint32_t)((PAGE - POOL_HEADER_BYTES) / block_bytes);

    fake_target_put_u32(heap->fake, pool + POOL_COUNT, kept);
    fake_target_put_u32(heap->fake, pool + POOL_NEXTOFFSET,
                        (uint32_t)(POOL_HEADER_BYTES + kept * block_bytes));
    for (unsigned page = 1; page < 4; page++)
        set_page(page, FAKE_ABSENT);
    walk();
    ck_assert_uint_eq(resident(PHT_CATEGORY_PYTHON_SMALL), found.pymalloc->totals.live_bytes);
}
END_TEST

START_TEST(pool_whose_header_is_in_swap_is_unattributed)
{
    set_page(0, FAKE_SWAPPED);
    walk();
    ck_assert_uint_eq(swapped(PHT_CATEGORY_UNATTRIBUTED), PAGE);
    ck_assert_uint_ge(resident(PHT_CATEGORY_UNATTRIBUTED), 3 * PAGE);
    ck_assert_uint_eq(resident(PHT_CATEGORY_PYTHON_SMALL), found.pymalloc->totals.live_bytes);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("pymalloc_owners");
    TCase *pools = tcase_create("pools");

    tcase_add_checked_fixture(pools, setup, teardown);
    tcase_add_test(pools, full_pool_needs_no_list);
    tcase_add_test(pools, list_tells_which_blocks_are_on_which_page);
    tcase_add_test(pools, list_through_swap_leaves_blocks_unattributed);
    tcase_add_test(pools, list_that_goes_in_circles_is_not_followed);
    tcase_add_test(pools, list_that_leaves_the_pool_is_not_followed);
    tcase_add_test(pools, pages_that_were_never_carved_are_absent);
    tcase_add_test(pools, pool_whose_header_is_in_swap_is_unattributed);
    suite_add_tcase(suite, pools);
    return suite;
}

SUITE_MAIN(make_suite)
