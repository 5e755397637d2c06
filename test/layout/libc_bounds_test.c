#include <stdlib.h>

#include "support/elf_fixture.h"
#include "support/suite.h"

static struct elf_fixture fixture;

static void setup(void)
{
    unsetenv("DEBUGINFOD_URLS");
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("libc/libc-2.99")));
    elf_fixture_hide_others(&fixture, PHT_FIXTURE_DIR);
}

static void teardown(void)
{
    elf_fixture_close(&fixture);
}

struct bounds {
    pht_addr start, end;
};

static struct bounds bounds(void)
{
    const struct pht_layout_options options = {0};
    struct pht_libc *libc = NULL;

    ck_assert_ptr_null(pht_libc_find(fixture.target, &fixture.maps, &options, &libc));
    ck_assert_ptr_nonnull(libc);
    struct bounds found = {libc->start, libc->end};

    pht_libc_destroy(libc);
    return found;
}

/* The bounds of the file's own mappings. */
static struct bounds file_bounds(void)
{
    struct bounds found = {UINT64_MAX, 0};

    for (size_t i = 0; i < fixture.maps.count; i++) {
        const struct pht_mapping *mapping = &fixture.maps.items[i];
        if (mapping->inode == 0)
            continue;
        found.start = mapping->start < found.start ? mapping->start : found.start;
        found.end = mapping->end;
    }
    return found;
}

static struct pht_mapping *mapping_at(pht_addr addr)
{
    return (struct pht_mapping *)pht_maps_find(&fixture.maps, addr);
}

static pht_addr bss_end(void)
{
    pht_addr end = elf_fixture_address(&fixture, "fixture_bss_end") + fixture.image.bias;

    return (end + PHT_PAGE_BYTES - 1) / PHT_PAGE_BYTES * PHT_PAGE_BYTES;
}

START_TEST(its_bounds_are_those_of_its_mappings_and_its_bss)
{
    struct bounds file = file_bounds(), found = bounds();
    ck_assert_uint_eq(found.start, file.start);
    ck_assert_uint_gt(found.end, file.end);
    ck_assert_uint_ge(found.end, bss_end());
    ck_assert_uint_le(found.end, bss_end() + PHT_PAGE_BYTES);
}
END_TEST

/* The kernel merges anonymous mappings that touch each other. */
START_TEST(what_follows_its_bss_is_not_counted)
{
    struct bounds before = bounds();
    struct pht_mapping *bss = mapping_at(before.end - 1);
    ck_assert_uint_eq(bss->inode, 0);
    bss->end = before.end + 64 * PHT_PAGE_BYTES;
    ck_assert_uint_eq(bounds().end, before.end);
    bss->end = before.end - PHT_PAGE_BYTES;
    ck_assert_uint_eq(bounds().end, before.end - PHT_PAGE_BYTES);
}
END_TEST

START_TEST(only_its_bss_can_follow_it)
{
    pht_addr file_end = file_bounds().end;
    struct pht_mapping *bss = mapping_at(file_end), kept = *bss;
    bss->inode = 123456789;
    ck_assert_uint_eq(bounds().end, file_end);
    *bss = kept;
    bss->writable = false;
    ck_assert_uint_eq(bounds().end, file_end);
    *bss = kept;
    bss->start += PHT_PAGE_BYTES; /* there is a gap */
    ck_assert_uint_eq(bounds().end, file_end);
}
END_TEST

/* dlmopen() loads a library once more. */
START_TEST(another_copy_of_the_file_is_not_counted)
{
    struct bounds before = bounds();
    struct pht_mapping *first = fixture.maps.items, *last = first + fixture.maps.count - 1;
    const struct pht_mapping *of_file = mapping_at(before.start);
    ck_assert(first->start < before.start || last->end > before.end);
    *last = *of_file;
    last->start = UINT64_C(0x7fffff000000);
    last->end = last->start + (of_file->end - of_file->start);
    struct bounds after = bounds();
    ck_assert_uint_eq(after.start, before.start);
    ck_assert_uint_eq(after.end, before.end);
}
END_TEST

static Suite *libc_bounds_suite(void)
{
    Suite *suite = suite_create("layout/libc: bounds");
    TCase *tcase = tcase_create("bounds");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, its_bounds_are_those_of_its_mappings_and_its_bss);
    tcase_add_test(tcase, what_follows_its_bss_is_not_counted);
    tcase_add_test(tcase, only_its_bss_can_follow_it);
    tcase_add_test(tcase, another_copy_of_the_file_is_not_counted);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(libc_bounds_suite)
