/* Growth against the baseline, found by what grew. */
#include "support/figures.h"
#include "support/suite.h"
#include "tui/change.h"

static struct pht_figures *before, *after;
static struct pht_diff diff;
static struct pht_change *change;

static void setup(void)
{
    before = figures_create("2026-11-22T14:03:07.041Z", 1000);
    after = figures_create("2026-11-22T14:08:10.000Z", 1500);
    change = NULL;
}

static void teardown(void)
{
    pht_change_destroy(change);
    pht_diff_deinit(&diff);
    pht_figures_destroy(before);
    pht_figures_destroy(after);
}

static void make(void)
{
    ck_assert(pht_diff_make(before, after, &diff));
    change = pht_change_create(&diff);
    ck_assert_ptr_nonnull(change);
    ck_assert_ptr_eq(pht_change_diff(change), &diff);
}

static struct pht_type_sum type_of(char *name, uint64_t address)
{
    static char module[] = "shop";

    return (struct pht_type_sum){.name = name, .module = module, .address = address};
}

static void grow_types(void)
{
    static const char *const names[] = {"Order", "Line", "Order", "User"};

    for (uint64_t i = 0; i < 4; i++) {
        figures_add(before, PHT_FIGURE_TYPE, "shop", names[i], 0x1000 + i, 1, 100);
        figures_add(after, PHT_FIGURE_TYPE, "shop", names[i], 0x1000 + i, 2, 100 + i * 10);
    }
}

START_TEST(type_is_found_by_its_address_in_one_process)
{
    char name[] = "Order";
    struct pht_type_sum type = type_of(name, 0x1002);

    grow_types();
    make();
    const struct pht_growth *growth = pht_change_of_type(change, &type);
    ck_assert_ptr_nonnull(growth);
    ck_assert_int_eq(growth->bytes, 20);
    type.address = 0x9999;
    ck_assert_ptr_null(pht_change_of_type(change, &type));
}
END_TEST

START_TEST(type_is_found_by_its_name_in_another_process)
{
    char name[] = "User";
    struct pht_type_sum type = type_of(name, 0x9999);

    grow_types();
    before->pid++;
    make();
    ck_assert_ptr_nonnull(pht_change_of_type(change, &type));
    name[0] = 'A';
    ck_assert_ptr_null(pht_change_of_type(change, &type));
}
END_TEST

START_TEST(category_and_size_class_are_found)
{
    figures_add(before, PHT_FIGURE_CATEGORY, "", "files", 0, 0, 10);
    figures_add(after, PHT_FIGURE_CATEGORY, "", "files", 0, 0, 30);
    figures_add(before, PHT_FIGURE_SIZE_CLASS, "", "", 48, 5, 240);
    figures_add(before, PHT_FIGURE_SIZE_CLASS, "", "", 64, 5, 320);
    figures_add(after, PHT_FIGURE_SIZE_CLASS, "", "", 64, 5, 320);
    make();
    ck_assert_int_eq(pht_change_of_category(change, PHT_CATEGORY_FILES)->bytes, 20);
    ck_assert_ptr_null(pht_change_of_category(change, PHT_CATEGORY_STACKS));
    ck_assert_int_eq(pht_change_of_size_class(change, 48)->bytes, -240);
    ck_assert_ptr_null(pht_change_of_size_class(change, 64));
}
END_TEST

START_TEST(no_baseline_and_no_list_are_not_no_change)
{
    before->lists[PHT_FIGURE_TYPE].known = false;
    make();
    ck_assert(!pht_change_knows(change, PHT_FIGURE_TYPE));
    ck_assert(pht_change_knows(change, PHT_FIGURE_CATEGORY));
    ck_assert(!pht_change_knows(NULL, PHT_FIGURE_CATEGORY));
    ck_assert_ptr_null(pht_change_of_category(NULL, PHT_CATEGORY_FILES));
}
END_TEST

static Suite *change_suite(void)
{
    Suite *suite = suite_create("change");
    TCase *tcase = tcase_create("change");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, type_is_found_by_its_address_in_one_process);
    tcase_add_test(tcase, type_is_found_by_its_name_in_another_process);
    tcase_add_test(tcase, category_and_size_class_are_found);
    tcase_add_test(tcase, no_baseline_and_no_list_are_not_no_change);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(change_suite)
