/* What is found of a report beside a baseline. */
#include <inttypes.h>
#include <string.h>

#include "support/figures.h"
#include "support/judged.h"
#include "support/suite.h"

/* What each test begins with is the report's own figures: nothing has grown. */
static struct pht_figures *baseline;

static void setup(void)
{
    judged_setup();
    baseline = pht_figures_create(judged);
    ck_assert_ptr_nonnull(baseline);
}

static void teardown(void)
{
    pht_figures_destroy(baseline);
    judged_teardown();
}

static void compare(void)
{
    ck_assert(pht_findings_compare(judged, baseline));
}

static struct pht_figure *before(enum pht_figure_kind kind, const char *name, uint64_t number)
{
    struct pht_figure_list *list = &baseline->lists[kind];

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].name, name) == 0 &&
            (number == 0 || list->items[i].number == number))
            return &list->items[i];
    }
    ck_abort_msg("the baseline has no %s %" PRIu64, name, number);
    return NULL;
}

static void category_grew(const char *id, uint64_t bytes)
{
    before(PHT_FIGURE_CATEGORY, id, 0)->bytes -= bytes;
    baseline->rss_bytes -= (int64_t)bytes;
}

static void type_grew(const char *name, uint64_t bytes, uint64_t objects)
{
    struct pht_figure *type = before(PHT_FIGURE_TYPE, name, 0);

    type->bytes -= bytes;
    type->count -= objects;
}

START_TEST(nothing_grew)
{
    compare();
    judged_none();
}
END_TEST

static const struct {
    uint64_t bytes;
    int severity;
} weights[] = {
    {50 * MIB - 1, -1},
    {50 * MIB, PHT_SEVERITY_MEDIUM},
    {150 * MIB - 1, PHT_SEVERITY_MEDIUM},
    {150 * MIB, PHT_SEVERITY_HIGH},
};

#define WEIGHTS ((int)(sizeof(weights) / sizeof(weights[0])))

START_TEST(python_objects_grew)
{
    category_grew("python_small", weights[_i].bytes - 20 * MIB);
    category_grew("python_large", 20 * MIB);
    compare();
    if (weights[_i].severity < 0)
        judged_none();
    else
        ck_assert_uint_eq(
            judged_only("python-leak", (enum pht_severity)weights[_i].severity)->bytes,
            weights[_i].bytes);
}
END_TEST

START_TEST(the_types_that_grew_most_are_named)
{
    judged_add_type("shop", "Order", 1000, MIB);
    category_grew("python_small", 100 * MIB);
    type_grew("dict", 40 * MIB, 5000);
    type_grew("str", 30 * MIB, 4000);
    type_grew("list", 20 * MIB, 0);
    compare();
    const struct pht_finding *finding = judged_only("python-leak", PHT_SEVERITY_MEDIUM);
    judged_says(finding, "Python objects grew by 100M since the baseline: dict +40.0M (+5,000 "
                         "objects), str +30.0M (+4,000 objects), list +20.0M; of other classes "
                         "shop.Order +1.00M (+1,000 objects). RSS grew by 100M.");
    judged_advises(finding, "keeps shop.Order: gc.get_referrers()");
    ck_assert_str_eq(judged_figure_text(finding, "type"), "dict");
    ck_assert_uint_eq(judged_figure(finding, "type_growth_objects"), 5000);
    ck_assert_str_eq(judged_figure_text(finding, "baseline_taken_at"), baseline->taken_at);
}
END_TEST

/* What types account for of it is Python's; the other half may be a library's. */
START_TEST(arrays_in_mappings_of_their_own_grew)
{
    struct pht_type_sum *type = judged_add_type("numpy", "ndarray", 5, 160 * MIB);

    judged->categories[PHT_CATEGORY_MALLOC_MMAPPED].bytes += 160 * MIB + (_i == 1 ? 161 * MIB : 0);
    if (_i == 2)
        type->size_bytes = 0;
    compare();
    if (_i == 2) {
        judged_only("category-growth", PHT_SEVERITY_HIGH);
        return;
    }
    ck_assert_uint_eq(judged->findings.count, _i == 0 ? 1 : 2);
    ck_assert_uint_eq(judged_find("python-leak")->bytes, 160 * MIB);
    judged_says(judged_find("python-leak"), "numpy.ndarray +160M (+5 objects)");
}
END_TEST

START_TEST(what_shrank_is_no_growth)
{
    before(PHT_FIGURE_CATEGORY, "python_small", 0)->bytes += 300 * MIB;
    before(PHT_FIGURE_TYPE, "dict", 0)->bytes += 300 * MIB;
    baseline->rss_bytes += (int64_t)(300 * MIB);
    category_grew("python_large", 60 * MIB);
    compare();
    judged_says(judged_only("python-leak", PHT_SEVERITY_MEDIUM), "baseline. RSS shrank by 240M.");
}
END_TEST

/* With a leak the type is part of that. */
START_TEST(one_type_grew)
{
    type_grew("dict", MIB - (_i == 0), 31204);
    if (_i == 2)
        category_grew("python_small", 60 * MIB);
    compare();
    if (_i == 0)
        judged_none();
    else if (_i == 1)
        judged_says(judged_only("type-growth", PHT_SEVERITY_INFO),
                    "Since the baseline dict +1.00M (+31,204 objects).");
    else
        judged_only("python-leak", PHT_SEVERITY_MEDIUM);
}
END_TEST

static const struct {
    const char *id;
    const char *advice;
} categories[] = {
    {"files", "go back when memory is short"}, {"stacks", "threads"},
    {"malloc_mmapped", "--section=types"},     {"malloc_free", "--section=glibc"},
    {"malloc_unowned", "--section=types"},     {"pymalloc_slack", "--section=pymalloc"},
};

START_TEST(a_category_grew)
{
    enum pht_category all[] = {
        PHT_CATEGORY_FILES,       PHT_CATEGORY_STACKS,         PHT_CATEGORY_MALLOC_MMAPPED,
        PHT_CATEGORY_MALLOC_FREE, PHT_CATEGORY_MALLOC_UNOWNED, PHT_CATEGORY_PYMALLOC_SLACK,
    };
    int which = _i / WEIGHTS;
    uint64_t bytes = weights[_i % WEIGHTS].bytes;
    int severity = weights[_i % WEIGHTS].severity;

    judged->categories[all[which]].bytes =
        before(PHT_FIGURE_CATEGORY, categories[which].id, 0)->bytes + bytes;
    judged->categories[PHT_CATEGORY_PYTHON_SMALL].bytes = 1000 * MIB;
    before(PHT_FIGURE_CATEGORY, "python_small", 0)->bytes = 1000 * MIB;
    compare();
    if (severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding = judged_only("category-growth", (enum pht_severity)severity);
    ck_assert_str_eq(judged_figure_text(finding, "category"), categories[which].id);
    ck_assert_uint_eq(judged_figure(finding, "growth_bytes"), bytes);
    judged_advises(finding, categories[which].advice);
}
END_TEST

/* The finding that is there already says more. */
START_TEST(growth_that_another_finding_tells_is_told_once)
{
    judged->categories[PHT_CATEGORY_PYMALLOC_SLACK].bytes += 400 * MIB;
    compare();
    judged_only("pymalloc-slack", PHT_SEVERITY_HIGH);
}
END_TEST

/* ---- chunks that nobody owns -------------------------------------------------------------- */

static void leak(uint64_t bytes, uint64_t grown)
{
    judged_add_unowned(1280, 69720, bytes);
    figures_add(baseline, PHT_FIGURE_UNOWNED, "", "", 1280, 60000, bytes - grown);
    judged->categories[PHT_CATEGORY_MALLOC_UNOWNED].bytes += grown;
}

START_TEST(growth_tells_a_leak_from_what_a_library_needs)
{
    static const struct {
        uint64_t grown;
        enum pht_severity severity;
        const char *text;
    } rows[] = {
        {0, PHT_SEVERITY_INFO, "It has not grown since the baseline."},
        {1 * MIB, PHT_SEVERITY_MEDIUM, "It grew by 1.00M since the baseline."},
        {150 * MIB, PHT_SEVERITY_HIGH, "It grew by 150M since the baseline."},
    };

    leak(200 * MIB, rows[_i].grown);
    compare();
    const struct pht_finding *finding = judged_only("native-leak", rows[_i].severity);
    judged_says(finding, rows[_i].text);
    ck_assert_uint_eq(judged_figure(finding, "growth_bytes"), rows[_i].grown);
    ck_assert_ptr_null(strstr(finding->remedy, "--baseline"));
}
END_TEST

START_TEST(growth_that_is_not_known_decides_nothing)
{
    leak(200 * MIB, 150 * MIB);
    baseline->lists[PHT_FIGURE_UNOWNED].known = false;
    compare();
    judged_advises(judged_only("native-leak", PHT_SEVERITY_MEDIUM), "--baseline");
}
END_TEST

/* ---- the whole ---------------------------------------------------------------------------- */

START_TEST(types_that_only_are_large_are_not_told_beside_growth)
{
    judged_add_type("shop", "Order", 10, 200 * MIB);
    figures_add(baseline, PHT_FIGURE_TYPE, "shop", "Order", judged->objects->types[5].address, 10,
                200 * MIB);
    compare();
    judged_none();
}
END_TEST

START_TEST(a_report_may_be_compared_again)
{
    struct pht_figures *now = pht_figures_create(judged);

    category_grew("python_small", 200 * MIB);
    for (int i = 0; i < 2; i++) {
        compare();
        judged_only("python-leak", PHT_SEVERITY_HIGH);
    }
    ck_assert(pht_findings_compare(judged, now));
    judged_none();
    pht_figures_destroy(now);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("model/findings_growth");
    TCase *tcase = tcase_create("growth");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_grew);
    tcase_add_loop_test(tcase, python_objects_grew, 0, WEIGHTS);
    tcase_add_test(tcase, the_types_that_grew_most_are_named);
    tcase_add_loop_test(tcase, arrays_in_mappings_of_their_own_grew, 0, 3);
    tcase_add_test(tcase, what_shrank_is_no_growth);
    tcase_add_loop_test(tcase, one_type_grew, 0, 3);
    tcase_add_loop_test(tcase, a_category_grew, 0,
                        WEIGHTS * (int)(sizeof(categories) / sizeof(categories[0])));
    tcase_add_test(tcase, growth_that_another_finding_tells_is_told_once);
    tcase_add_loop_test(tcase, growth_tells_a_leak_from_what_a_library_needs, 0, 3);
    tcase_add_test(tcase, growth_that_is_not_known_decides_nothing);
    tcase_add_test(tcase, types_that_only_are_large_are_not_told_beside_growth);
    tcase_add_test(tcase, a_report_may_be_compared_again);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
