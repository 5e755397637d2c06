/* Pages that no other process maps, and how they are read. */
#include "snapshot/page_cache.h"

#include "pyheaptop/snapshot.h"
#include "support/fake_target.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define HEAP ((pht_addr)0x7f0000000000)
#define FORKED (HEAP + 16 * PAGE)
#define REST (FORKED + 16 * PAGE)
#define MORE (REST + 16 * PAGE)
#define SHARED ((pht_addr)0x7f1000000000)

static struct fake_target *fake;
static struct pht_page_cache cache;

static void map(pht_addr start, unsigned kind)
{
    fake_target_map(fake, start, start + 16 * PAGE, kind);
    fake_target_set_pages(fake, start, start + 16 * PAGE, FAKE_RESIDENT);
}

static void setup(void)
{
    fake = fake_target_create();
    map(HEAP, FAKE_PRIVATE);
    map(FORKED, FAKE_FORKED);
    map(REST, FAKE_PRIVATE);
    map(MORE, FAKE_PRIVATE);
    map(SHARED, FAKE_SHARED);
    pht_page_cache_init(&cache, fake->target);
}

static void teardown(void)
{
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    pht_page_cache_deinit(&cache);
    fake_target_destroy(fake);
}

static bool holds(pht_addr addr, uint64_t size)
{
    return pht_page_cache_is_exclusive(&cache, addr, size);
}

START_TEST(shared_pages_are_left_out)
{
    ck_assert(holds(HEAP, 16 * PAGE));
    ck_assert(!holds(FORKED, 1));
    ck_assert(!holds(SHARED, 1));
    ck_assert(holds(HEAP + 8, 8));
}
END_TEST

START_TEST(all_pages_of_a_range_count)
{
    ck_assert(holds(MORE - 8, 16));
    ck_assert(!holds(FORKED - 8, 16));
    ck_assert(!holds(REST - 8, 16));
}
END_TEST

START_TEST(what_is_not_mapped_is_not_exclusive)
{
    ck_assert(!holds(0, 8));
    ck_assert(!holds(MORE + 16 * PAGE, 1));
    ck_assert(!holds(MORE + 15 * PAGE, PAGE + 1));
    ck_assert(!holds(UINT64_MAX, 1));
    ck_assert(!holds(UINT64_MAX - 7, 16));
    ck_assert(!holds(HEAP, UINT64_MAX));
}
END_TEST

/* Parts of 64 MiB are looked at one by one. */
START_TEST(ranges_may_cross_what_is_looked_at_in_one_go)
{
    pht_addr border = PHT_PAGE_BLOCK_BYTES * 0x1fd00;

    map(border - 8 * PAGE, FAKE_PRIVATE);
    ck_assert(holds(border - 16, 32));
    ck_assert(holds(border - 8 * PAGE, 16 * PAGE));
    ck_assert(!holds(border - 8 * PAGE - 1, 16));
}
END_TEST

START_TEST(pages_that_come_are_known_when_they_are_looked_at_anew)
{
    ck_assert(holds(HEAP, PAGE));
    fake_target_set_pages(fake, HEAP, HEAP + PAGE, FAKE_ABSENT);
    pht_page_cache_refresh(&cache, HEAP, HEAP + 2 * PAGE);
    ck_assert(!holds(HEAP, 1));
    ck_assert(holds(HEAP + PAGE, 1));
    fake_target_set_pages(fake, HEAP, HEAP + PAGE, FAKE_RESIDENT);
    ck_assert(!holds(HEAP, 1));
    pht_page_cache_refresh(&cache, HEAP, HEAP + 2 * PAGE);
    ck_assert(holds(HEAP, 2 * PAGE));
}
END_TEST

START_TEST(what_cannot_be_told_is_not_exclusive)
{
    ck_assert(holds(HEAP, 1));
    pht_page_cache_clear(&cache);
    fake->scans_fail = true;
    ck_assert(!holds(HEAP, 1));
}
END_TEST

/* Roots are copied before anything is known of sharing, and what is mapped later is not known. */
static bool read_while_freezing(struct pht_snapshot *snapshot, void *context)
{
    uint64_t value;

    (void)context;
    return pht_snapshot_read(snapshot, FORKED, &value, sizeof(value)) == PHT_READ_OK;
}

START_TEST(no_read_makes_the_target_copy_what_fork_left_shared)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_BRIEF, .max_stop_us = 1000};
    struct pht_snapshot *snapshot;
    uint8_t bytes[3 * PHT_PAGE_BYTES];
    pht_addr addrs[64];
    uint8_t words[64][8], results[64];

    for (size_t i = 0; i < 64; i++)
        addrs[i] = HEAP + i * PAGE;
    ck_assert_ptr_null(
        pht_snapshot_take(fake->target, &options, read_while_freezing, NULL, &snapshot));
    for (size_t i = 0; i < 62; i++)
        ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP + i * PAGE + 100, bytes, 2 * PAGE),
                         PHT_READ_OK);
    pht_snapshot_gather(snapshot, addrs, 64, 8, words, results);
    for (size_t i = 0; i < 64; i++)
        ck_assert_int_eq(results[i], PHT_READ_OK);
    pht_snapshot_destroy(snapshot);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("snapshot/page_exclusive");
    TCase *tcase = tcase_create("exclusive");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, shared_pages_are_left_out);
    tcase_add_test(tcase, all_pages_of_a_range_count);
    tcase_add_test(tcase, what_is_not_mapped_is_not_exclusive);
    tcase_add_test(tcase, ranges_may_cross_what_is_looked_at_in_one_go);
    tcase_add_test(tcase, pages_that_come_are_known_when_they_are_looked_at_anew);
    tcase_add_test(tcase, what_cannot_be_told_is_not_exclusive);
    tcase_add_test(tcase, no_read_makes_the_target_copy_what_fork_left_shared);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
