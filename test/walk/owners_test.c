/* Who owns which byte: claims, and what is made of them. */
#include "support/fake_target.h"
#include "support/owned.h"
#include "support/suite.h"

#define HEAP ((pht_addr)0x7f0000000000)
#define HEAP_PAGES 64
#define NEXT (HEAP + HEAP_PAGES * (pht_addr)PHT_PAGE_BYTES)
#define FAR ((pht_addr)0x7f8000000000) /* in another block */
#define PAGE ((uint64_t)PHT_PAGE_BYTES)

static struct fake_target *fake;
static struct pht_snapshot *snapshot;
static struct owned owned;

static bool freeze_nothing(struct pht_snapshot *of, void *context)
{
    (void)of, (void)context;
    return true;
}

static void map(pht_addr start, uint64_t pages)
{
    fake_target_map(fake, start, start + pages * PAGE, FAKE_PRIVATE);
    fake_target_set_pages(fake, start, start + pages * PAGE, FAKE_RESIDENT);
}

static void setup(void)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    fake = fake_target_create();
    map(HEAP, HEAP_PAGES);
    map(NEXT, 2);
    map(FAR, 2);
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
}

/* Pages are as they are now. */
static void begin(void)
{
    owned_begin(&owned, fake, snapshot);
}

static void teardown(void)
{
    if (owned.owners != NULL)
        owned_check_sums(&owned);
    owned_end(&owned);
    pht_snapshot_destroy(snapshot);
    fake_target_destroy(fake);
}

static void claim(pht_addr start, pht_addr end, enum pht_category category)
{
    pht_owners_claim(owned.owners, start, end, category);
}

static void check(enum pht_category category, uint64_t bytes)
{
    ck_assert_uint_eq(owned_resident(&owned, category), bytes);
}

START_TEST(what_nobody_claims_is_unattributed)
{
    begin();
    check(PHT_CATEGORY_UNATTRIBUTED, (HEAP_PAGES + 4) * PAGE);
}
END_TEST

START_TEST(claims_are_counted_to_the_byte)
{
    begin();
    claim(HEAP + 16, HEAP + 48, PHT_CATEGORY_PYTHON_SMALL);
    claim(HEAP + 48, HEAP + 3 * PAGE + 5, PHT_CATEGORY_MALLOC_FREE);
    check(PHT_CATEGORY_PYTHON_SMALL, 32);
    check(PHT_CATEGORY_MALLOC_FREE, 3 * PAGE + 5 - 48);
    check(PHT_CATEGORY_UNATTRIBUTED, (HEAP_PAGES + 4) * PAGE - (3 * PAGE + 5 - 16));
}
END_TEST

START_TEST(empty_and_reversed_claims_are_none)
{
    begin();
    claim(HEAP + 16, HEAP + 16, PHT_CATEGORY_FILES);
    claim(HEAP + 32, HEAP + 16, PHT_CATEGORY_FILES);
    check(PHT_CATEGORY_FILES, 0);
}
END_TEST

START_TEST(claims_reach_over_mappings_and_holes)
{
    begin();
    claim(HEAP + 63 * PAGE, FAR + PAGE, PHT_CATEGORY_STACKS);
    check(PHT_CATEGORY_STACKS, 4 * PAGE);
    ck_assert_uint_eq(pht_owners_mappings(owned.owners)[0].resident.bytes[PHT_CATEGORY_STACKS],
                      PAGE);
    ck_assert_uint_eq(pht_owners_mappings(owned.owners)[1].resident.bytes[PHT_CATEGORY_STACKS],
                      2 * PAGE);
    ck_assert_uint_eq(pht_owners_mappings(owned.owners)[2].resident.bytes[PHT_CATEGORY_STACKS],
                      PAGE);
}
END_TEST

START_TEST(claims_of_what_is_not_mapped_are_none)
{
    begin();
    claim(0, HEAP, PHT_CATEGORY_FILES);
    claim(NEXT + 2 * PAGE, FAR, PHT_CATEGORY_FILES);
    claim(FAR + 2 * PAGE, UINT64_MAX, PHT_CATEGORY_FILES);
    check(PHT_CATEGORY_FILES, 0);
    ck_assert_uint_eq(pht_owners_refused_bytes(owned.owners), 0);
}
END_TEST

START_TEST(absent_pages_count_nowhere)
{
    fake_target_set_pages(fake, HEAP + PAGE, HEAP + 2 * PAGE, FAKE_ABSENT);
    begin();
    claim(HEAP + 100, HEAP + 2 * PAGE + 100, PHT_CATEGORY_MALLOC_UNOWNED);
    check(PHT_CATEGORY_MALLOC_UNOWNED, PAGE);
    ck_assert_uint_eq(owned_swapped(&owned, PHT_CATEGORY_MALLOC_UNOWNED), 0);
}
END_TEST

START_TEST(pages_in_swap_count_by_themselves)
{
    fake_target_set_pages(fake, HEAP + PAGE, HEAP + 2 * PAGE, FAKE_SWAPPED);
    begin();
    claim(HEAP + 100, HEAP + 2 * PAGE + 100, PHT_CATEGORY_MALLOC_UNOWNED);
    check(PHT_CATEGORY_MALLOC_UNOWNED, PAGE);
    ck_assert_uint_eq(owned_swapped(&owned, PHT_CATEGORY_MALLOC_UNOWNED), PAGE);
    ck_assert_uint_eq(owned_swapped(&owned, PHT_CATEGORY_UNATTRIBUTED), 0);
}
END_TEST

START_TEST(no_page_is_given_away_twice)
{
    begin();
    claim(HEAP, HEAP + 3000, PHT_CATEGORY_PYTHON_SMALL);
    claim(HEAP, HEAP + 3000, PHT_CATEGORY_MALLOC_FREE);
    claim(HEAP, HEAP + 3000, PHT_CATEGORY_STACKS);
    check(PHT_CATEGORY_PYTHON_SMALL, 3000);
    check(PHT_CATEGORY_MALLOC_FREE, PAGE - 3000);
    check(PHT_CATEGORY_STACKS, 0);
    ck_assert_uint_eq(pht_owners_refused_bytes(owned.owners), 9000 - PAGE);
}
END_TEST

START_TEST(rest_is_what_others_left_of_whole_pages)
{
    begin();
    claim(HEAP + PAGE, HEAP + PAGE + 96, PHT_CATEGORY_MALLOC_MMAPPED);
    ck_assert_uint_eq(pht_owners_unclaimed(owned.owners, HEAP, HEAP + PAGE + 1), 2 * PAGE - 96);
    pht_owners_claim_rest(owned.owners, HEAP, HEAP + PAGE + 1, PHT_CATEGORY_FILES);
    check(PHT_CATEGORY_FILES, 2 * PAGE - 96);
    ck_assert_uint_eq(pht_owners_unclaimed(owned.owners, HEAP, HEAP + 2 * PAGE), 0);
    ck_assert_uint_eq(pht_owners_refused_bytes(owned.owners), 0);
}
END_TEST

START_TEST(claims_move_from_one_to_another)
{
    begin();
    claim(HEAP, HEAP + 2 * PAGE, PHT_CATEGORY_MALLOC_FREE);
    pht_owners_move(owned.owners, HEAP + PAGE - 32, HEAP + PAGE + 32, PHT_CATEGORY_MALLOC_FREE,
                    PHT_CATEGORY_MALLOC_UNOWNED);
    check(PHT_CATEGORY_MALLOC_FREE, 2 * PAGE - 64);
    check(PHT_CATEGORY_MALLOC_UNOWNED, 64);
}
END_TEST

START_TEST(no_more_moves_than_was_claimed)
{
    begin();
    claim(HEAP, HEAP + 32, PHT_CATEGORY_MALLOC_FREE);
    pht_owners_move(owned.owners, HEAP, HEAP + PAGE, PHT_CATEGORY_MALLOC_FREE,
                    PHT_CATEGORY_MALLOC_UNOWNED);
    check(PHT_CATEGORY_MALLOC_FREE, 0);
    check(PHT_CATEGORY_MALLOC_UNOWNED, 32);
}
END_TEST

/* ---- mixed -------------------------------------------------------------------------------- */

static bool claim_mixed(pht_addr start, pht_addr end, uint64_t bytes)
{
    return pht_owners_claim_mixed(owned.owners, start, end, bytes, PHT_CATEGORY_PYTHON_SMALL,
                                  PHT_CATEGORY_PYMALLOC_SLACK);
}

START_TEST(mixed_claim_needs_pages_of_one_state)
{
    fake_target_set_pages(fake, HEAP + 4 * PAGE, HEAP + 8 * PAGE, FAKE_SWAPPED);
    fake_target_set_pages(fake, HEAP + 8 * PAGE, HEAP + 9 * PAGE, FAKE_ABSENT);
    begin();
    ck_assert(claim_mixed(HEAP + 48, HEAP + 4 * PAGE, 5000));
    check(PHT_CATEGORY_PYTHON_SMALL, 5000);
    check(PHT_CATEGORY_PYMALLOC_SLACK, 4 * PAGE - 48 - 5000);
    ck_assert(claim_mixed(HEAP + 4 * PAGE, HEAP + 8 * PAGE, 6000));
    ck_assert_uint_eq(owned_swapped(&owned, PHT_CATEGORY_PYTHON_SMALL), 6000);
    ck_assert(!claim_mixed(HEAP + 7 * PAGE, HEAP + 9 * PAGE, 100));
    ck_assert(!claim_mixed(HEAP + 8 * PAGE, HEAP + 10 * PAGE, 100));
    check(PHT_CATEGORY_PYTHON_SMALL, 5000);
}
END_TEST

START_TEST(pages_of_a_mixed_claim_hold_both)
{
    begin();
    ck_assert(claim_mixed(HEAP, HEAP + 4 * PAGE, 16));
    ck_assert(claim_mixed(HEAP + 4 * PAGE, HEAP + 8 * PAGE, 0));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pht_owners_page(owned.owners, HEAP + i * PAGE), PHT_CATEGORY_PYTHON_SMALL);
    ck_assert_int_eq(pht_owners_page(owned.owners, HEAP + 4 * PAGE), PHT_CATEGORY_PYMALLOC_SLACK);
}
END_TEST

/* ---- questions ---------------------------------------------------------------------------- */

START_TEST(page_counts_for_the_first_of_its_categories)
{
    begin();
    claim(HEAP, HEAP + 4000, PHT_CATEGORY_MALLOC_FREE);
    claim(HEAP + 4000, HEAP + 4016, PHT_CATEGORY_MALLOC_UNOWNED);
    ck_assert_int_eq(pht_owners_page(owned.owners, HEAP), PHT_CATEGORY_MALLOC_UNOWNED);
    ck_assert_int_eq(pht_owners_page(owned.owners, HEAP + PAGE), PHT_CATEGORY_UNATTRIBUTED);
    ck_assert_int_eq(pht_owners_page(owned.owners, NEXT + 2 * PAGE), PHT_CATEGORY_UNATTRIBUTED);
}
END_TEST

START_TEST(resident_pages_are_found_one_after_the_other)
{
    fake_target_set_pages(fake, HEAP + PAGE, NEXT + PAGE, FAKE_ABSENT);
    fake_target_set_pages(fake, HEAP + 5 * PAGE, HEAP + 6 * PAGE, FAKE_SWAPPED);
    begin();
    ck_assert_uint_eq(pht_owners_next_page(owned.owners, HEAP, NEXT), HEAP);
    ck_assert_uint_eq(pht_owners_next_page(owned.owners, HEAP + PAGE, NEXT), NEXT);
    ck_assert_uint_eq(pht_owners_next_page(owned.owners, HEAP + PAGE, UINT64_MAX), NEXT + PAGE);
    ck_assert_uint_eq(pht_owners_next_page(owned.owners, NEXT + 2 * PAGE, UINT64_MAX), FAR);
    ck_assert_uint_eq(pht_owners_resident(owned.owners, HEAP, UINT64_MAX), 4 * PAGE);
}
END_TEST

/* ---- odd targets -------------------------------------------------------------------------- */

START_TEST(mappings_outside_rss_are_left_out)
{
    ck_assert_ptr_null(pht_target_read_smaps(fake->target, &owned.smaps));
    owned.smaps.memory[1].is_outside_rss = true;
    owned.smaps.memory[1].rss_bytes = 0;
    owned.owners = pht_owners_create(snapshot, &owned.smaps);
    claim(NEXT, NEXT + 2 * PAGE, PHT_CATEGORY_FILES);
    check(PHT_CATEGORY_FILES, 0);
    check(PHT_CATEGORY_UNATTRIBUTED, (HEAP_PAGES + 2) * PAGE);
}
END_TEST

START_TEST(mapping_without_pages_is_not_scanned)
{
    unsigned scans = fake->scans;

    fake_target_map(fake, FAR + ((pht_addr)1 << 33), FAR + ((pht_addr)1 << 33) + (1 << 28),
                    FAKE_PRIVATE);
    begin();
    ck_assert_uint_eq(fake->scans - scans, 3);
}
END_TEST

START_TEST(target_that_is_gone_has_no_pages)
{
    ck_assert_ptr_null(pht_target_read_smaps(fake->target, &owned.smaps));
    fake->scans_fail = true;
    pht_owners_destroy(owned.owners);
    owned.owners = pht_owners_create(snapshot, &owned.smaps);
    ck_assert_ptr_nonnull(owned.owners);
    claim(HEAP, FAR, PHT_CATEGORY_FILES);
    check(PHT_CATEGORY_FILES, 0);
    pht_owners_destroy(owned.owners);
    owned.owners = NULL;
}
END_TEST

START_TEST(process_without_mappings)
{
    struct pht_smaps none = {0};
    struct pht_owners *owners = pht_owners_create(snapshot, &none);

    ck_assert_ptr_nonnull(owners);
    pht_owners_claim(owners, HEAP, FAR, PHT_CATEGORY_FILES);
    pht_owners_claim_rest(owners, HEAP, FAR, PHT_CATEGORY_FILES);
    ck_assert_int_eq(pht_owners_page(owners, HEAP), PHT_CATEGORY_UNATTRIBUTED);
    pht_owners_destroy(owners);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("owners");
    TCase *claims = tcase_create("claims");
    TCase *mixed = tcase_create("mixed");
    TCase *questions = tcase_create("questions");
    TCase *odd = tcase_create("odd");

    tcase_add_checked_fixture(claims, setup, teardown);
    tcase_add_test(claims, what_nobody_claims_is_unattributed);
    tcase_add_test(claims, claims_are_counted_to_the_byte);
    tcase_add_test(claims, empty_and_reversed_claims_are_none);
    tcase_add_test(claims, claims_reach_over_mappings_and_holes);
    tcase_add_test(claims, claims_of_what_is_not_mapped_are_none);
    tcase_add_test(claims, absent_pages_count_nowhere);
    tcase_add_test(claims, pages_in_swap_count_by_themselves);
    tcase_add_test(claims, no_page_is_given_away_twice);
    tcase_add_test(claims, rest_is_what_others_left_of_whole_pages);
    tcase_add_test(claims, claims_move_from_one_to_another);
    tcase_add_test(claims, no_more_moves_than_was_claimed);
    suite_add_tcase(suite, claims);
    tcase_add_checked_fixture(mixed, setup, teardown);
    tcase_add_test(mixed, mixed_claim_needs_pages_of_one_state);
    tcase_add_test(mixed, pages_of_a_mixed_claim_hold_both);
    suite_add_tcase(suite, mixed);
    tcase_add_checked_fixture(questions, setup, teardown);
    tcase_add_test(questions, page_counts_for_the_first_of_its_categories);
    tcase_add_test(questions, resident_pages_are_found_one_after_the_other);
    suite_add_tcase(suite, questions);
    tcase_add_checked_fixture(odd, setup, teardown);
    tcase_add_test(odd, mappings_outside_rss_are_left_out);
    tcase_add_test(odd, mapping_without_pages_is_not_scanned);
    tcase_add_test(odd, target_that_is_gone_has_no_pages);
    tcase_add_test(odd, process_without_mappings);
    suite_add_tcase(suite, odd);
    return suite;
}

SUITE_MAIN(make_suite)
