/* The ledger of a report: categories, evidence, mappings and what is left. */
#include "model/ledger.h"

#include <string.h>

#include "model/mappings.h"
#include "support/fake_target.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define IMAGE ((pht_addr)0x400000)
#define HEAP ((pht_addr)0x7f0000000000)
#define ARENA ((pht_addr)0x7f1000000000)
#define SHARED ((pht_addr)0x7f2000000000)
#define GUARD ((pht_addr)0x7f3000000000)
#define STACK ((pht_addr)0x7ffc00000000)

static struct fake_target *fake;
static struct pht_snapshot *snapshot;
static struct pht_report *report;

static bool freeze_nothing(struct pht_snapshot *of, void *context)
{
    (void)of, (void)context;
    return true;
}

static void map(pht_addr start, uint64_t pages, unsigned kind, const char *name)
{
    fake_target_map(fake, start, start + pages * PAGE, kind);
    fake_target_set_pages(fake, start, start + pages * PAGE, FAKE_RESIDENT);
    fake_target_set_name(fake, start, name);
}

/* As of now, whatever was claimed before. */
static void begin(void)
{
    pht_ledger_drop(report);
    ck_assert_ptr_null(pht_target_read_smaps(fake->target, &report->smaps));
    ck_assert(pht_ledger_begin(snapshot, report));
}

static void setup(void)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    fake = fake_target_create();
    map(IMAGE, 4, FAKE_FILE, "/usr/bin/python3");
    map(HEAP, 8, FAKE_PRIVATE, "[heap]");
    map(ARENA, 16, FAKE_PRIVATE, "");
    map(SHARED, 2, FAKE_SHARED, "/dev/zero");
    fake_target_map(fake, GUARD, GUARD + PAGE, FAKE_UNREADABLE);
    map(STACK, 3, FAKE_PRIVATE, "[stack]");
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_nothing, NULL, &snapshot));
    report = calloc(1, sizeof(*report));
    ck_assert_ptr_nonnull(report);
    report->sections = PHT_SECTION_CATEGORIES;
    begin();
}

static void teardown(void)
{
    pht_snapshot_destroy(snapshot);
    pht_report_destroy(report);
    fake_target_destroy(fake);
}

static void claim(pht_addr start, uint64_t bytes, enum pht_category category)
{
    pht_owners_claim(report->owners, start, start + bytes, category);
}

static void add_up(void)
{
    ck_assert(pht_mappings_list(report));
    ck_assert(pht_ledger_add_up(report));
}

static enum pht_evidence evidence(enum pht_category category)
{
    return report->categories[category].evidence;
}

START_TEST(categories_add_up_to_rss)
{
    uint64_t sum = 0;

    claim(HEAP, 3 * PAGE + 7, PHT_CATEGORY_MALLOC_UNOWNED);
    claim(ARENA, 100, PHT_CATEGORY_PYTHON_SMALL);
    add_up();
    for (int i = 0; i < PHT_CATEGORIES; i++)
        sum += report->categories[i].bytes;
    ck_assert(report->has_ledger);
    ck_assert_uint_eq(report->kernel.rss_bytes, 33 * PAGE);
    ck_assert_uint_eq(sum, 33 * PAGE);
    ck_assert_uint_eq(report->categories[PHT_CATEGORY_MALLOC_UNOWNED].bytes, 3 * PAGE + 7);
    ck_assert_uint_eq(report->attributed_bytes, 3 * PAGE + 107);
}
END_TEST

START_TEST(nothing_is_proved_by_walks_that_were_not_made)
{
    add_up();
    for (int i = PHT_CATEGORY_PYTHON_SMALL; i <= PHT_CATEGORY_OTHER_ALLOCATOR; i++)
        ck_assert_int_eq(evidence((enum pht_category)i), PHT_EVIDENCE_NONE);
    ck_assert_int_eq(evidence(PHT_CATEGORY_FILES), PHT_EVIDENCE_KERNEL);
    ck_assert_int_eq(evidence(PHT_CATEGORY_UNATTRIBUTED), PHT_EVIDENCE_NONE);
}
END_TEST

START_TEST(walks_prove_what_they_walked)
{
    report->pymalloc = calloc(1, sizeof(*report->pymalloc));
    report->glibc = calloc(1, sizeof(*report->glibc));
    claim(ARENA, PAGE, PHT_CATEGORY_PYTHON_LARGE);
    claim(ARENA + PAGE, PAGE, PHT_CATEGORY_OTHER_ALLOCATOR);
    add_up();
    for (int i = PHT_CATEGORY_PYTHON_SMALL; i <= PHT_CATEGORY_MALLOC_MMAPPED; i++)
        ck_assert_int_eq(evidence((enum pht_category)i), PHT_EVIDENCE_WALKED);
    ck_assert_int_eq(evidence(PHT_CATEGORY_OTHER_ALLOCATOR), PHT_EVIDENCE_REMAINDER);
}
END_TEST

/* Chunks of objects prove themselves; that the others have no owner is what is left. */
START_TEST(census_makes_chunks_without_an_owner_a_remainder)
{
    report->glibc = calloc(1, sizeof(*report->glibc));
    report->objects = calloc(1, sizeof(*report->objects));
    add_up();
    ck_assert_int_eq(evidence(PHT_CATEGORY_PYTHON_LARGE), PHT_EVIDENCE_WALKED);
    ck_assert_int_eq(evidence(PHT_CATEGORY_MALLOC_UNOWNED), PHT_EVIDENCE_REMAINDER);
    ck_assert_int_eq(evidence(PHT_CATEGORY_MALLOC_FREE), PHT_EVIDENCE_WALKED);
}
END_TEST

START_TEST(census_proves_nothing_of_chunks_that_were_not_walked)
{
    report->objects = calloc(1, sizeof(*report->objects));
    add_up();
    ck_assert_int_eq(evidence(PHT_CATEGORY_MALLOC_UNOWNED), PHT_EVIDENCE_NONE);
}
END_TEST

START_TEST(unattributed_places_are_named_largest_first)
{
    report->glibc = calloc(1, sizeof(*report->glibc));
    claim(HEAP, 7 * PAGE, PHT_CATEGORY_MALLOC_FREE);
    pht_owners_claim_rest(report->owners, IMAGE, IMAGE + 4 * PAGE, PHT_CATEGORY_FILES);
    pht_owners_claim_rest(report->owners, SHARED, STACK + 3 * PAGE, PHT_CATEGORY_STACKS);
    add_up();
    ck_assert_uint_eq(report->unattributed_count, 2);
    ck_assert_uint_eq(report->unattributed[0].bytes, 16 * PAGE);
    ck_assert_uint_eq(report->mappings[report->unattributed[0].mapping].mapping->start, ARENA);
    ck_assert_str_eq(report->unattributed[0].tried, "pymalloc was not walked");
    ck_assert_uint_eq(report->unattributed[1].bytes, PAGE);
    ck_assert_str_eq(report->unattributed[1].tried, "beside chunks of malloc");
}
END_TEST

START_TEST(mappings_are_what_fills_most_of_them)
{
    claim(ARENA, 9 * PAGE, PHT_CATEGORY_PYMALLOC_SLACK);
    claim(ARENA + 9 * PAGE, 5 * PAGE, PHT_CATEGORY_STACKS);
    add_up();
    ck_assert_uint_eq(report->mapping_count, 6);
    ck_assert_int_eq(report->mappings[0].kind, PHT_MAPPING_FILE);
    ck_assert_int_eq(report->mappings[1].kind, PHT_MAPPING_HEAP);
    ck_assert_int_eq(report->mappings[2].kind, PHT_MAPPING_PYMALLOC);
    ck_assert_int_eq(report->mappings[3].kind, PHT_MAPPING_SHARED_MEMORY);
    ck_assert_int_eq(report->mappings[4].kind, PHT_MAPPING_GUARD);
    ck_assert_int_eq(report->mappings[5].kind, PHT_MAPPING_STACK);
}
END_TEST

START_TEST(ledger_may_begin_anew)
{
    claim(HEAP, 8 * PAGE, PHT_CATEGORY_MALLOC_UNOWNED);
    begin();
    add_up();
    ck_assert_uint_eq(report->categories[PHT_CATEGORY_MALLOC_UNOWNED].bytes, 0);
    ck_assert_uint_eq(report->attributed_bytes, 0);
}
END_TEST

START_TEST(pages_in_swap_are_split_apart_from_rss)
{
    fake_target_set_pages(fake, ARENA, ARENA + 2 * PAGE, FAKE_SWAPPED);
    begin();
    claim(ARENA, 3 * PAGE, PHT_CATEGORY_PYTHON_SMALL);
    add_up();
    ck_assert_uint_eq(report->kernel.rss_bytes, 31 * PAGE);
    ck_assert_uint_eq(report->categories[PHT_CATEGORY_PYTHON_SMALL].bytes, PAGE);
    ck_assert_uint_eq(report->categories[PHT_CATEGORY_PYTHON_SMALL].swapped_bytes, 2 * PAGE);
}
END_TEST

START_TEST(every_category_and_kind_has_a_name)
{
    const char letters[] = "PpLNftMAFSH?";

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        const struct pht_category_name *name = pht_category_name((enum pht_category)i);
        ck_assert_int_eq(name->letter, letters[i]);
        ck_assert_uint_gt(strlen(name->id), 0);
        ck_assert_uint_le(strlen(name->label), 50);
    }
    for (int i = PHT_MAPPING_ANONYMOUS; i <= PHT_MAPPING_GUARD; i++)
        ck_assert_ptr_nonnull(pht_mapping_kind_name((enum pht_mapping_kind)i));
    ck_assert_ptr_null(pht_evidence_name(PHT_EVIDENCE_NONE));
    ck_assert_str_eq(pht_evidence_name(PHT_EVIDENCE_WALKED), "walked");
    ck_assert_str_eq(pht_evidence_name(PHT_EVIDENCE_REMAINDER), "remainder");
    ck_assert_str_eq(pht_evidence_name(PHT_EVIDENCE_KERNEL), "kernel");
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("ledger");
    TCase *ledger = tcase_create("ledger");

    tcase_add_checked_fixture(ledger, setup, teardown);
    tcase_add_test(ledger, categories_add_up_to_rss);
    tcase_add_test(ledger, nothing_is_proved_by_walks_that_were_not_made);
    tcase_add_test(ledger, walks_prove_what_they_walked);
    tcase_add_test(ledger, census_makes_chunks_without_an_owner_a_remainder);
    tcase_add_test(ledger, census_proves_nothing_of_chunks_that_were_not_walked);
    tcase_add_test(ledger, unattributed_places_are_named_largest_first);
    tcase_add_test(ledger, mappings_are_what_fills_most_of_them);
    tcase_add_test(ledger, ledger_may_begin_anew);
    tcase_add_test(ledger, pages_in_swap_are_split_apart_from_rss);
    tcase_add_test(ledger, every_category_and_kind_has_a_name);
    suite_add_tcase(suite, ledger);
    return suite;
}

SUITE_MAIN(make_suite)
