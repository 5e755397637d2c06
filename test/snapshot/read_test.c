/* Reading through a snapshot: residency decides what is read, and what is said of the rest. */
#include <string.h>

#include "pyheaptop/snapshot.h"
#include "snapshot/internal.h"
#include "support/fake_target.h"
#include "support/heap_random.h"
#include "support/suite.h"

#define HEAP ((pht_addr)0x7f0000000000)
#define HEAP_PAGES 96
#define HEAP_END (HEAP + HEAP_PAGES * (pht_addr)PHT_PAGE_BYTES)
#define NEXT HEAP_END
#define IMAGE ((pht_addr)0x400000)
#define SHARED ((pht_addr)0x7e0000000000)
#define UNREADABLE ((pht_addr)0x7e1000000000)
#define PART 0x10000

static struct fake_target *fake;
static struct pht_snapshot *snapshot;
static uint8_t buffer[HEAP_PAGES * PHT_PAGE_BYTES];

static bool freeze_nothing(struct pht_snapshot *of, void *context)
{
    (void)of;
    (void)context;
    return true;
}

static void fill(pht_addr start, pht_addr end)
{
    uint8_t *bytes = fake_target_bytes(fake, start, end - start);

    fake_target_set_pages(fake, start, end, FAKE_RESIDENT);
    for (size_t i = 0; i < end - start; i++)
        bytes[i] = (uint8_t)(1 + (start + i) % 251);
}

static void map_filled(pht_addr start, uint64_t bytes, unsigned kind)
{
    fake_target_map(fake, start, start + bytes, kind);
    fill(start, start + bytes);
}

static void take(void)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
    fake_target_reset_record(fake);
}

/* A snapshot of the target as it is now. */
static void take_anew(void)
{
    pht_snapshot_destroy(snapshot);
    take();
}

static void setup(void)
{
    fake = fake_target_create();
    map_filled(IMAGE, PART, FAKE_FILE);
    map_filled(HEAP, HEAP_END - HEAP, FAKE_PRIVATE);
    map_filled(NEXT, PART, FAKE_PRIVATE);
    map_filled(SHARED, PART, FAKE_SHARED);
    map_filled(UNREADABLE, PART, FAKE_UNREADABLE);
    take();
}

static void teardown(void)
{
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    pht_snapshot_destroy(snapshot);
    fake_target_destroy(fake);
}

static void check_bytes(pht_addr addr, size_t size)
{
    memset(buffer, 0xee, sizeof(buffer));
    ck_assert_int_eq(pht_snapshot_read(snapshot, addr, buffer, size), PHT_READ_OK);
    ck_assert_mem_eq(buffer, fake_target_bytes(fake, addr, size), size);
    ck_assert_uint_eq(buffer[size], 0xee);
}

START_TEST(resident_memory_reads_as_it_is)
{
    static const size_t sizes[] = {1, 8, 4095, 4096, 4097, 20000};
    static const size_t offsets[] = {0, 1, 7, 4090, 4095};

    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++)
        check_bytes(HEAP + offsets[i], sizes[_i]);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).read_bytes, 5 * sizes[_i]);
    ck_assert_uint_eq(fake->read_bytes, 5 * sizes[_i]);
}
END_TEST

START_TEST(nothing_is_read_for_no_bytes)
{
    ck_assert_int_eq(pht_snapshot_read(snapshot, 0, buffer, 0), PHT_READ_OK);
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

START_TEST(absent_anonymous_memory_is_zeros_and_not_touched)
{
    fake_target_set_pages(fake, HEAP, HEAP + 4 * PHT_PAGE_BYTES, FAKE_ABSENT);
    memset(buffer, 0xee, sizeof(buffer));
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP + 100, buffer, 9000), PHT_READ_OK);
    for (size_t i = 0; i < 9000; i++)
        ck_assert_uint_eq(buffer[i], 0);
    ck_assert_uint_eq(buffer[9000], 0xee);
    ck_assert_uint_eq(fake->read_count, 0);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).read_bytes, 0);
}
END_TEST

START_TEST(absent_page_between_resident_ones_is_zeros)
{
    pht_addr hole = HEAP + 2 * PHT_PAGE_BYTES;

    fake_target_set_pages(fake, hole, hole + PHT_PAGE_BYTES, FAKE_ABSENT);
    ck_assert_int_eq(pht_snapshot_read(snapshot, hole - 16, buffer, PHT_PAGE_BYTES + 32),
                     PHT_READ_OK);
    ck_assert_mem_eq(buffer, fake_target_bytes(fake, hole - 16, 16), 16);
    for (size_t i = 0; i < PHT_PAGE_BYTES; i++)
        ck_assert_uint_eq(buffer[16 + i], 0);
    ck_assert_mem_eq(buffer + 16 + PHT_PAGE_BYTES,
                     fake_target_bytes(fake, hole + PHT_PAGE_BYTES, 16), 16);
    ck_assert_uint_eq(fake->read_bytes, 32);
}
END_TEST

/* Where a read ends up, and from where on. */
static const struct {
    pht_addr addr;
    size_t size;
    enum fake_page page; /* of the second page of HEAP and of IMAGE */
    enum pht_read_result expected;
} results[] = {
    {IMAGE + 0x1000, 8, FAKE_RESIDENT, PHT_READ_OK},
    {IMAGE + 0x1000, 8, FAKE_ABSENT, PHT_READ_ABSENT},
    {IMAGE + 0xff8, 16, FAKE_ABSENT, PHT_READ_ABSENT},
    {IMAGE + 0x1000, 8, FAKE_SWAPPED, PHT_READ_SWAPPED},
    {HEAP + 0x1000, 8, FAKE_SWAPPED, PHT_READ_SWAPPED},
    {HEAP + 0xff8, 16, FAKE_SWAPPED, PHT_READ_SWAPPED},
    {HEAP + 0xff8, 8, FAKE_SWAPPED, PHT_READ_OK},
    {SHARED, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {UNREADABLE, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {0, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {HEAP - 1, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {NEXT + PART - 4, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {NEXT + PART, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {NEXT - 4, 8, FAKE_RESIDENT, PHT_READ_OK},
    {UINT64_MAX - 3, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {UINT64_MAX, 1, FAKE_RESIDENT, PHT_READ_UNMAPPED},
    {(pht_addr)1 << 63, 8, FAKE_RESIDENT, PHT_READ_UNMAPPED},
};

#define RESULTS ((int)(sizeof(results) / sizeof(results[0])))

START_TEST(state_of_a_page_decides_the_result)
{
    fake_target_set_pages(fake, IMAGE + 0x1000, IMAGE + 0x2000, results[_i].page);
    fake_target_set_pages(fake, HEAP + 0x1000, HEAP + 0x2000, results[_i].page);
    ck_assert_int_eq(pht_snapshot_read(snapshot, results[_i].addr, buffer, results[_i].size),
                     results[_i].expected);
}
END_TEST

START_TEST(gather_says_the_same_as_read)
{
    uint8_t result;

    fake_target_set_pages(fake, IMAGE + 0x1000, IMAGE + 0x2000, results[_i].page);
    fake_target_set_pages(fake, HEAP + 0x1000, HEAP + 0x2000, results[_i].page);
    pht_snapshot_gather(snapshot, &results[_i].addr, 1, results[_i].size, buffer, &result);
    ck_assert_int_eq(result, results[_i].expected);
}
END_TEST

START_TEST(read_longer_than_the_address_space_is_refused)
{
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, buffer, SIZE_MAX), PHT_READ_UNMAPPED);
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

START_TEST(read_across_mappings_is_whole)
{
    check_bytes(HEAP_END - 5000, 5000);
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP_END - 5000, buffer, 9000), PHT_READ_OK);
    ck_assert_mem_eq(buffer + 5000, fake_target_bytes(fake, NEXT, 4000), 4000);
}
END_TEST

START_TEST(long_read_goes_through_windows)
{
    pht_addr start = HEAP + 123;
    size_t size = HEAP_PAGES * PHT_PAGE_BYTES - 200;

    check_bytes(start, size);
    ck_assert_uint_eq(PHT_WINDOW_BYTES, 128 << 10);
    ck_assert_uint_eq(fake->largest_read, PHT_WINDOW_BYTES);
    ck_assert_uint_eq(fake->read_count, (size + PHT_WINDOW_BYTES - 1) / PHT_WINDOW_BYTES);
}
END_TEST

START_TEST(page_that_goes_between_question_and_read_is_a_failure)
{
    uint64_t word;

    fake_target_set_pages(fake, HEAP, HEAP + 8, FAKE_RESIDENT);
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_OK);
    fake_target_unmap(fake, HEAP);
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_FAILED);
}
END_TEST

START_TEST(gather_says_which_slots_failed)
{
    const pht_addr addrs[] = {NEXT, HEAP, NEXT + 64, HEAP + 64};
    uint8_t got[4];

    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, buffer, 8), PHT_READ_OK);
    fake_target_unmap(fake, HEAP);
    pht_snapshot_gather(snapshot, addrs, 4, 48, buffer, got);
    ck_assert_int_eq(got[0], PHT_READ_OK);
    ck_assert_int_eq(got[1], PHT_READ_FAILED);
    ck_assert_int_eq(got[2], PHT_READ_OK);
    ck_assert_int_eq(got[3], PHT_READ_FAILED);
    ck_assert_mem_eq(buffer + 2 * 48, fake_target_bytes(fake, NEXT + 64, 48), 48);
}
END_TEST

START_TEST(page_map_that_cannot_be_read_means_that_nothing_is_touched)
{
    fake->scans_fail = true;
    ck_assert_int_eq(pht_snapshot_read(snapshot, IMAGE, buffer, 8), PHT_READ_ABSENT);
    pht_snapshot_read(snapshot, HEAP, buffer, 8);
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

/* ---- resident bytes ----------------------------------------------------------------------- */

START_TEST(resident_bytes_count_resident_pages_only)
{
    fake_target_set_pages(fake, HEAP, HEAP + 3 * PHT_PAGE_BYTES, FAKE_ABSENT);
    fake_target_set_pages(fake, HEAP + 5 * PHT_PAGE_BYTES, HEAP + 6 * PHT_PAGE_BYTES, FAKE_SWAPPED);
    ck_assert_uint_eq(pht_snapshot_resident_bytes(snapshot, HEAP, HEAP_END),
                      (HEAP_PAGES - 4) * PHT_PAGE_BYTES);
    ck_assert_uint_eq(pht_snapshot_resident_bytes(snapshot, HEAP, HEAP), 0);
    ck_assert_uint_eq(
        pht_snapshot_resident_bytes(snapshot, HEAP + 2 * PHT_PAGE_BYTES, HEAP + 4 * PHT_PAGE_BYTES),
        PHT_PAGE_BYTES);
    ck_assert_uint_eq(fake->read_count, 0);
}
END_TEST

START_TEST(resident_bytes_add_up_across_blocks_of_the_page_cache)
{
    pht_addr border = 0x7d0000000000 + PHT_PAGE_BLOCK_BYTES, start = border - 40 * PHT_PAGE_BYTES;

    map_filled(start, 80 * PHT_PAGE_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(fake, border - 1, border + 1, FAKE_ABSENT);
    ck_assert_uint_eq(pht_snapshot_resident_bytes(snapshot, start, border + 40 * PHT_PAGE_BYTES),
                      78 * PHT_PAGE_BYTES);
    ck_assert_uint_eq(fake->scans, 2);
}
END_TEST

START_TEST(residency_is_asked_for_once_a_block)
{
    for (unsigned i = 0; i < HEAP_PAGES; i++)
        check_bytes(HEAP + i * PHT_PAGE_BYTES, 16);
    ck_assert_uint_eq(fake->scans, 1);
}
END_TEST

/* ---- any layout --------------------------------------------------------------------------- */

static void scatter(struct heap_random *random)
{
    for (unsigned i = 0; i < HEAP_PAGES; i++) {
        pht_addr page = HEAP + i * (pht_addr)PHT_PAGE_BYTES;
        fake_target_set_pages(fake, page, page + 1, (enum fake_page)heap_random_below(random, 3));
    }
    for (unsigned i = 0; i < PART / PHT_PAGE_BYTES; i++) {
        pht_addr page = IMAGE + i * (pht_addr)PHT_PAGE_BYTES;
        fake_target_set_pages(fake, page, page + 1, (enum fake_page)heap_random_below(random, 3));
    }
}

static pht_addr random_address(struct heap_random *random)
{
    static const pht_addr bases[] = {HEAP, HEAP, HEAP, IMAGE, NEXT, SHARED, UNREADABLE};
    pht_addr base = bases[heap_random_below(random, 7)];

    return base - 64 + heap_random_below(random, 0x60000);
}

/* Half of the addresses are near the one before them, as those of objects are. */
static void choose_addresses(struct heap_random *random, pht_addr *addrs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        addrs[i] = i > 0 && heap_random_below(random, 2) == 0
                       ? addrs[i - 1] - 500 + heap_random_below(random, 1000)
                       : random_address(random);
}

#define GATHERED 3000

START_TEST(gather_equals_reads_of_the_same_addresses)
{
    struct heap_random random = {.state = (uint64_t)_i};
    size_t size = 1 + heap_random_below(&random, 96);
    static pht_addr addrs[GATHERED];
    static uint8_t got[GATHERED], gathered[GATHERED * 96], single[96];

    scatter(&random);
    choose_addresses(&random, addrs, GATHERED);
    pht_snapshot_gather(snapshot, addrs, GATHERED, size, gathered, got);
    for (size_t i = 0; i < GATHERED; i++) {
        enum pht_read_result result = pht_snapshot_read(snapshot, addrs[i], single, size);
        ck_assert_int_eq(got[i], result);
        if (result == PHT_READ_OK)
            ck_assert_mem_eq(gathered + i * size, single, size);
    }
}
END_TEST

START_TEST(what_is_wanted_of_one_page_in_a_row_is_read_at_once)
{
    const pht_addr addrs[] = {HEAP + 800, HEAP + 100, HEAP + 120, HEAP + 4096, HEAP + 48};
    uint8_t got[5];

    pht_snapshot_gather(snapshot, addrs, 5, 48, buffer, got);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(got[i], PHT_READ_OK);
        ck_assert_mem_eq(buffer + i * 48, fake_target_bytes(fake, addrs[i], 48), 48);
    }
    ck_assert_uint_eq(fake->read_count, 3);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).read_bytes, 748 + 48 + 48);
}
END_TEST

/* More pages than are kept at a time. */
START_TEST(pairs_on_many_pages_are_gathered)
{
    static pht_addr addrs[2 * HEAP_PAGES];
    static uint8_t got[2 * HEAP_PAGES], gathered[2 * HEAP_PAGES * 16];

    for (size_t i = 0; i < 2 * HEAP_PAGES; i++)
        addrs[i] = HEAP + i / 2 * PHT_PAGE_BYTES + i * 16;
    pht_snapshot_gather(snapshot, addrs, 2 * HEAP_PAGES, 16, gathered, got);
    for (size_t i = 0; i < 2 * HEAP_PAGES; i++) {
        ck_assert_int_eq(got[i], PHT_READ_OK);
        ck_assert_mem_eq(gathered + i * 16, fake_target_bytes(fake, addrs[i], 16), 16);
    }
    ck_assert_uint_eq(fake->read_count, HEAP_PAGES);
}
END_TEST

/* ---- reading as far as it goes ------------------------------------------------------------ */

START_TEST(read_some_ends_where_a_page_is_in_swap)
{
    pht_addr swapped = HEAP + 3 * PHT_PAGE_BYTES, from = HEAP + 100;
    enum pht_read_result why;

    fake_target_set_pages(fake, swapped, swapped + 1, FAKE_SWAPPED);
    take_anew();
    size_t got = pht_snapshot_read_some(snapshot, from, buffer, 5 * PHT_PAGE_BYTES, &why);
    ck_assert_uint_eq(got, swapped - from);
    ck_assert_int_eq(why, PHT_READ_SWAPPED);
    ck_assert_mem_eq(buffer, fake_target_bytes(fake, from, got), got);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).read_bytes, got);
    ck_assert_uint_eq(pht_snapshot_read_some(snapshot, swapped, buffer, 16, &why), 0);
    ck_assert_int_eq(why, PHT_READ_SWAPPED);
}
END_TEST

START_TEST(read_some_ends_where_nothing_is_mapped)
{
    pht_addr end = NEXT + PART;
    enum pht_read_result why;

    ck_assert_uint_eq(pht_snapshot_read_some(snapshot, end - 48, buffer, 4096, &why), 48);
    ck_assert_int_eq(why, PHT_READ_UNMAPPED);
}
END_TEST

START_TEST(read_some_says_nothing_of_what_it_has_all)
{
    enum pht_read_result why;

    ck_assert_uint_eq(pht_snapshot_read_some(snapshot, HEAP, buffer, sizeof(buffer), &why),
                      sizeof(buffer));
    ck_assert_int_eq(why, PHT_READ_OK);
}
END_TEST

START_TEST(next_resident_passes_over_all_other_pages)
{
    pht_addr wanted = HEAP + 71 * PHT_PAGE_BYTES;

    fake_target_set_pages(fake, HEAP, wanted, FAKE_ABSENT);
    fake_target_set_pages(fake, HEAP + 5 * PHT_PAGE_BYTES, HEAP + 6 * PHT_PAGE_BYTES, FAKE_SWAPPED);
    take_anew();
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, HEAP_END), wanted);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, wanted, HEAP_END), wanted);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, wanted), wanted);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, wanted - PHT_PAGE_BYTES),
                      wanted - PHT_PAGE_BYTES);
}
END_TEST

/* Bounds come from the target, so they may be anything: a page that begins before `end` counts. */
START_TEST(next_resident_takes_bounds_inside_a_page)
{
    const pht_addr wanted = HEAP + 5 * PHT_PAGE_BYTES;

    fake_target_set_pages(fake, HEAP, HEAP_END, FAKE_ABSENT);
    fake_target_set_pages(fake, wanted, wanted + 1, FAKE_RESIDENT);
    take_anew();
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP + 1, wanted + 45), wanted);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, wanted - 1, HEAP_END), wanted);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, wanted - 45), wanted - 45);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, wanted + 1, wanted + 45), wanted + 45);
}
END_TEST

START_TEST(next_resident_goes_from_block_to_block_of_the_page_cache)
{
    pht_addr far = HEAP + 3 * PHT_PAGE_BLOCK_BYTES + 17 * PHT_PAGE_BYTES;

    fake_target_set_pages(fake, HEAP, HEAP_END, FAKE_ABSENT);
    fake_target_set_pages(fake, NEXT, NEXT + PART, FAKE_ABSENT);
    map_filled(far, PHT_PAGE_BYTES, FAKE_PRIVATE);
    take_anew();
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, far + PHT_PAGE_BYTES), far);
    ck_assert_uint_eq(pht_snapshot_next_resident(snapshot, HEAP, far), far);
}
END_TEST

/* ---- how fast ----------------------------------------------------------------------------- */

static uint64_t time_us;

static uint64_t tell_time(void *context)
{
    (void)context;
    return time_us;
}

static void let_time_pass(void *context, uint64_t us)
{
    (void)context;
    time_us += us;
}

/* At a MiB a second, all of the heap twice, by each way to read. */
START_TEST(reading_keeps_to_the_limit)
{
    static pht_addr addrs[HEAP_PAGES];
    static uint8_t outcomes[HEAP_PAGES];
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE,
                                                 .bytes_per_second = 1 << 20};
    uint64_t wanted_us = 2 * (uint64_t)HEAP_PAGES * PHT_PAGE_BYTES * 1000000 >> 20;

    pht_snapshot_destroy(snapshot);
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
    snapshot->pace->clock = (struct pht_pace_clock){.now_us = tell_time, .wait_us = let_time_pass};
    time_us = 1;
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, buffer, sizeof(buffer)), PHT_READ_OK);
    for (size_t i = 0; i < HEAP_PAGES; i++)
        addrs[i] = HEAP + i * PHT_PAGE_BYTES;
    pht_snapshot_gather(snapshot, addrs, HEAP_PAGES, PHT_PAGE_BYTES, buffer, outcomes);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).read_bytes, 2 * sizeof(buffer));
    ck_assert_uint_ge(time_us, wanted_us - PHT_PACE_AHEAD_US);
    ck_assert_uint_le(time_us, wanted_us + 1);
}
END_TEST

/* A wait would make the stop longer. */
START_TEST(nobody_waits_in_a_stop)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_FULL,
                                                 .bytes_per_second = 1 << 20};

    pht_snapshot_destroy(snapshot);
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
    snapshot->pace->clock = (struct pht_pace_clock){.now_us = tell_time, .wait_us = let_time_pass};
    time_us = 1;
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, buffer, sizeof(buffer)), PHT_READ_OK);
    struct pht_snapshot *branch = pht_snapshot_branch(snapshot);
    ck_assert_int_eq(pht_snapshot_read(branch, HEAP, buffer, sizeof(buffer)), PHT_READ_OK);
    pht_snapshot_join(snapshot, branch);
    ck_assert_uint_eq(time_us, 1);
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, buffer, sizeof(buffer)), PHT_READ_OK);
    ck_assert_uint_gt(time_us, 1);
}
END_TEST

static Suite *read_suite(void)
{
    Suite *suite = suite_create("read");
    TCase *tcase = tcase_create("read");

    tcase_set_timeout(tcase, 30);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, resident_memory_reads_as_it_is, 0, 6);
    tcase_add_test(tcase, nothing_is_read_for_no_bytes);
    tcase_add_test(tcase, absent_anonymous_memory_is_zeros_and_not_touched);
    tcase_add_test(tcase, absent_page_between_resident_ones_is_zeros);
    tcase_add_loop_test(tcase, state_of_a_page_decides_the_result, 0, RESULTS);
    tcase_add_loop_test(tcase, gather_says_the_same_as_read, 0, RESULTS);
    tcase_add_test(tcase, read_longer_than_the_address_space_is_refused);
    tcase_add_test(tcase, read_across_mappings_is_whole);
    tcase_add_test(tcase, long_read_goes_through_windows);
    tcase_add_test(tcase, page_that_goes_between_question_and_read_is_a_failure);
    tcase_add_test(tcase, gather_says_which_slots_failed);
    tcase_add_test(tcase, page_map_that_cannot_be_read_means_that_nothing_is_touched);
    tcase_add_test(tcase, resident_bytes_count_resident_pages_only);
    tcase_add_test(tcase, resident_bytes_add_up_across_blocks_of_the_page_cache);
    tcase_add_test(tcase, residency_is_asked_for_once_a_block);
    tcase_add_test(tcase, what_is_wanted_of_one_page_in_a_row_is_read_at_once);
    tcase_add_test(tcase, pairs_on_many_pages_are_gathered);
    tcase_add_loop_test(tcase, gather_equals_reads_of_the_same_addresses, 0, 40);
    tcase_add_test(tcase, read_some_ends_where_a_page_is_in_swap);
    tcase_add_test(tcase, read_some_ends_where_nothing_is_mapped);
    tcase_add_test(tcase, read_some_says_nothing_of_what_it_has_all);
    tcase_add_test(tcase, next_resident_passes_over_all_other_pages);
    tcase_add_test(tcase, next_resident_takes_bounds_inside_a_page);
    tcase_add_test(tcase, next_resident_goes_from_block_to_block_of_the_page_cache);
    tcase_add_test(tcase, reading_keeps_to_the_limit);
    tcase_add_test(tcase, nobody_waits_in_a_stop);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(read_suite)
