/* What a file has is what its pages have that are not loaded, and nobody loads them. */
#include <string.h>

#include "pyheaptop/snapshot.h"
#include "support/fake_target.h"
#include "support/suite.h"

#define PAGES 4
#define IMAGE ((pht_addr)0x400000)
#define IMAGE_END (IMAGE + PAGES * (pht_addr)PHT_PAGE_BYTES)
#define HEAP ((pht_addr)0x7f0000000000)
#define OFFSET ((uint64_t)12288)

static struct fake_target *fake;
static struct pht_snapshot *snapshot;
static uint8_t buffer[2 * PAGES * PHT_PAGE_BYTES];
static enum pht_read_result why;

static bool freeze_nothing(struct pht_snapshot *of, void *context)
{
    (void)of;
    (void)context;
    return true;
}

static void setup(void)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    fake = fake_target_create();
    fake->has_files = true;
    fake_target_map(fake, IMAGE, IMAGE_END, FAKE_FILE | FAKE_READ_ONLY);
    fake_target_set_file(fake, IMAGE, 1, OFFSET);
    uint8_t *bytes = fake_target_bytes(fake, IMAGE, IMAGE_END - IMAGE);
    for (size_t i = 0; i < IMAGE_END - IMAGE; i++)
        bytes[i] = (uint8_t)(1 + i % 251);
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
}

static void teardown(void)
{
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    pht_snapshot_destroy(snapshot);
    fake_target_destroy(fake);
}

static size_t read_as_loaded(pht_addr addr, size_t size)
{
    memset(buffer, 0, sizeof(buffer));
    return pht_snapshot_read_as_loaded(snapshot, addr, buffer, size, &why);
}

static void check_whole(pht_addr addr, size_t size)
{
    ck_assert_uint_eq(read_as_loaded(addr, size), size);
    ck_assert_int_eq(why, PHT_READ_OK);
    ck_assert_mem_eq(buffer, fake_target_bytes(fake, addr, size), size);
    ck_assert_uint_eq(buffer[size], 0);
}

static void load(unsigned page)
{
    pht_addr start = IMAGE + page * (pht_addr)PHT_PAGE_BYTES;
    uint8_t kept[PHT_PAGE_BYTES];

    memcpy(kept, fake_target_bytes(fake, start, sizeof(kept)), sizeof(kept));
    fake_target_set_pages(fake, start, start + PHT_PAGE_BYTES, FAKE_RESIDENT);
    fake_target_put(fake, start, kept, sizeof(kept));
}

START_TEST(what_is_not_loaded_is_in_the_file)
{
    check_whole(IMAGE + 100, 9000);
    ck_assert_uint_eq(fake->read_count, 0);
    ck_assert_uint_eq(fake->opened_files, 1);
}
END_TEST

START_TEST(what_is_loaded_is_in_memory)
{
    load(1);
    fake_target_put(fake, IMAGE + PHT_PAGE_BYTES, "\xee", 1);
    check_whole(IMAGE + 100, 3 * PHT_PAGE_BYTES);
    ck_assert_uint_eq(buffer[PHT_PAGE_BYTES - 100], 0xee);
    ck_assert_uint_eq(fake->read_bytes, PHT_PAGE_BYTES);
}
END_TEST

START_TEST(a_file_is_opened_once)
{
    for (unsigned i = 0; i < 100; i++)
        check_whole(IMAGE + i * 8, 64);
    ck_assert_uint_eq(fake->opened_files, 1);
}
END_TEST

START_TEST(a_file_that_cannot_be_had_is_asked_for_once)
{
    fake->has_files = false;
    ck_assert_uint_eq(read_as_loaded(IMAGE, 64), 0);
    ck_assert_int_eq(why, PHT_READ_ABSENT);
    fake->has_files = true;
    ck_assert_uint_eq(read_as_loaded(IMAGE, 64), 0);
    ck_assert_uint_eq(fake->opened_files, 0);
}
END_TEST

START_TEST(a_file_that_was_cut_has_what_it_has)
{
    fake->file_tail = PHT_PAGE_BYTES + 1000;
    size_t size = (PAGES - 1) * PHT_PAGE_BYTES - 1000;

    ck_assert_uint_eq(read_as_loaded(IMAGE, PAGES * PHT_PAGE_BYTES), size);
    ck_assert_int_eq(why, PHT_READ_ABSENT);
    ck_assert_mem_eq(buffer, fake_target_bytes(fake, IMAGE, size), size);
    load(PAGES - 1);
    ck_assert_uint_eq(read_as_loaded(IMAGE, PAGES * PHT_PAGE_BYTES), size);
}
END_TEST

START_TEST(the_end_of_a_mapping_ends_the_read)
{
    ck_assert_uint_eq(read_as_loaded(IMAGE_END - 100, 200), 100);
    ck_assert_int_eq(why, PHT_READ_UNMAPPED);
}
END_TEST

START_TEST(swapped_pages_and_those_without_a_file_are_no_files)
{
    fake_target_map(fake, HEAP, HEAP + PHT_PAGE_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(fake, IMAGE, IMAGE + 1, FAKE_SWAPPED);
    ck_assert_uint_eq(read_as_loaded(IMAGE, 64), 0);
    ck_assert_int_eq(why, PHT_READ_SWAPPED);
    ck_assert_uint_eq(read_as_loaded(HEAP, 64), 64);
    ck_assert_uint_eq(buffer[0], 0);
    ck_assert_uint_eq(fake->opened_files, 0);
}
END_TEST

START_TEST(more_files_than_are_kept_open)
{
    enum { FILES = 20 };
    const pht_addr first = 0x10000000, step = 0x10000;

    for (unsigned i = 0; i < FILES; i++) {
        fake_target_map(fake, first + i * step, first + i * step + PHT_PAGE_BYTES, FAKE_FILE);
        fake_target_set_file(fake, first + i * step, 100 + i, 0);
        fake_target_put_u64(fake, first + i * step, 1000 + i);
    }
    for (unsigned i = 0; i < 2 * FILES; i++)
        check_whole(first + i % FILES * step, 8);
    ck_assert_uint_eq(fake->opened_files, 2 * FILES);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("file_pages");
    TCase *tcase = tcase_create("file_pages");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, what_is_not_loaded_is_in_the_file);
    tcase_add_test(tcase, what_is_loaded_is_in_memory);
    tcase_add_test(tcase, a_file_is_opened_once);
    tcase_add_test(tcase, a_file_that_cannot_be_had_is_asked_for_once);
    tcase_add_test(tcase, a_file_that_was_cut_has_what_it_has);
    tcase_add_test(tcase, the_end_of_a_mapping_ends_the_read);
    tcase_add_test(tcase, swapped_pages_and_those_without_a_file_are_no_files);
    tcase_add_test(tcase, more_files_than_are_kept_open);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
