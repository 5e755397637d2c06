/* Free chunks by where malloc keeps them; on a heap of any shape glibc_figures_test.c checks that.
 */
#include "support/malloc_heap.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define PAGE PHT_PAGE_BYTES
#define UNSORTED 20

static struct malloc_heap *heap;
static struct malloc_walk walk;
static pht_addr unsorted[UNSORTED];

static void build(int version)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)version, .seed = 5});
    for (uint64_t i = 0; i < UNSORTED; i++) {
        unsorted[i] = malloc_heap_unsorted(heap, MALLOC_MAIN, i % 2 == 0 ? 512 : 2048);
        malloc_heap_live(heap, MALLOC_MAIN, 64);
    }
    malloc_heap_bin(heap, MALLOC_MAIN, 1008);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_bin(heap, MALLOC_MAIN, 1024);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
}

static const struct pht_free_sum *kind(enum pht_free_kind which)
{
    return &malloc_heap_found(heap, MALLOC_MAIN, walk.glibc)->kinds[which];
}

static bool is_partly_sorted(void)
{
    return malloc_heap_found(heap, MALLOC_MAIN, walk.glibc)->is_partly_sorted;
}

static void teardown(void)
{
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
    heap = NULL;
    walk = (struct malloc_walk){0};
}

START_TEST(bins_are_told_apart)
{
    build(_i);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(!is_partly_sorted());
    ck_assert_uint_eq(kind(PHT_FREE_UNSORTED)->chunks, UNSORTED);
    ck_assert_uint_eq(kind(PHT_FREE_UNSORTED)->largest_bytes, 2048);
    ck_assert_uint_eq(kind(PHT_FREE_SMALL)->chunks, 1);
    ck_assert_uint_eq(kind(PHT_FREE_SMALL)->largest_bytes, 1008);
    ck_assert_uint_eq(kind(PHT_FREE_LARGE)->chunks, 1);
    ck_assert_uint_eq(kind(PHT_FREE_LARGE)->largest_bytes, 1024);
}
END_TEST

/* A link that leads nowhere: what was met before it is unsorted, the others count by their size. */
START_TEST(list_with_a_broken_link_is_followed_as_far_as_it_goes)
{
    build(_i);
    fake_target_put_u64(heap->fake, unsorted[UNSORTED / 2] + 24, 0x4711);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(is_partly_sorted());
    ck_assert(walk.glibc->totals.is_partly_sorted);
    ck_assert_uint_eq(kind(PHT_FREE_UNSORTED)->chunks + kind(PHT_FREE_SMALL)->chunks +
                          kind(PHT_FREE_LARGE)->chunks,
                      UNSORTED + 2);
    ck_assert_uint_ge(kind(PHT_FREE_UNSORTED)->chunks, 1);
    ck_assert_uint_lt(kind(PHT_FREE_UNSORTED)->chunks, UNSORTED);
}
END_TEST

/* All that leads to them are links: when one is in swap, it stays there. */
START_TEST(list_that_leads_into_swap_is_left)
{
    build(_i);
    pht_addr page = unsorted[UNSORTED / 2] / PAGE * PAGE;
    fake_target_set_pages(heap->fake, page + PAGE, page + 2 * PAGE, FAKE_SWAPPED);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(is_partly_sorted());
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
}
END_TEST

static Suite *glibc_kinds_suite(void)
{
    Suite *suite = suite_create("glibc kinds");
    TCase *tcase = tcase_create("kinds");

    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_loop_test(tcase, bins_are_told_apart, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_with_a_broken_link_is_followed_as_far_as_it_goes, 0,
                        MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, list_that_leads_into_swap_is_left, 0, MALLOC_VERSIONS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(glibc_kinds_suite)
