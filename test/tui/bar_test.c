/* Bars that add up. */
#include <string.h>

#include "support/suite.h"
#include "tui/bar.h"

static void share(const uint64_t *bytes, size_t count, uint64_t whole, unsigned cells,
                  unsigned *shares)
{
    struct pht_bar_part parts[PHT_BAR_PARTS_MAX] = {0};

    for (size_t i = 0; i < count; i++)
        parts[i].bytes = bytes[i];
    pht_bar_share(parts, count, whole, cells, shares);
}

static const struct {
    uint64_t bytes[4];
    uint64_t whole;
    unsigned cells;
    unsigned shares[5];
} cases[] = {
    {{25, 25, 25, 25}, 100, 8, {2, 2, 2, 2, 0}},
    {{1, 0, 0, 99}, 100, 10, {1, 0, 0, 9, 0}},       /* a little is seen */
    {{50, 0, 0, 0}, 100, 10, {5, 0, 0, 0, 5}},       /* the rest */
    {{1, 1, 1, 997}, 1000, 10, {1, 1, 1, 7, 0}},     /* taken from the largest */
    {{1, 1, 1, 997}, 1000, 2, {0, 0, 1, 1, 0}},      /* not enough for all */
    {{333, 333, 334, 0}, 1000, 10, {3, 3, 4, 0, 0}}, /* most owed first */
    {{0, 0, 0, 0}, 0, 10, {0, 0, 0, 0, 10}},         /* nothing at all */
    {{UINT64_MAX / 2, UINT64_MAX / 2, 1, 0}, UINT64_MAX, 9, {4, 4, 1, 0, 0}},
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(shares_are_as_they_should_be)
{
    unsigned shares[5];

    share(cases[_i].bytes, 4, cases[_i].whole, cases[_i].cells, shares);
    for (int part = 0; part < 5; part++)
        ck_assert_msg(shares[part] == cases[_i].shares[part], "part %d: %u", part, shares[part]);
}
END_TEST

START_TEST(shares_add_up_in_any_width)
{
    const uint64_t bytes[] = {552, 299, 403, 138, 188, 64, 75, 6, 58, 1, 0, 3};
    unsigned shares[13];

    for (unsigned cells = 1; cells < 200; cells++) {
        unsigned sum = 0;
        share(bytes, 12, 1787, cells, shares);
        for (int i = 0; i <= 12; i++)
            sum += shares[i];
        ck_assert_uint_eq(sum, cells);
        ck_assert_uint_eq(shares[12], 0);
        ck_assert_uint_eq(shares[10], 0);
    }
}
END_TEST

START_TEST(bar_fills_its_columns)
{
    const struct pht_bar_part parts[] = {{'P', PHT_ROLE_TEXT, 30}, {'f', PHT_ROLE_TEXT, 10}};
    struct pht_canvas canvas;

    ck_assert(pht_canvas_init(&canvas, 3, 12, true));
    pht_bar_draw(pht_canvas_area(&canvas), 0, 1, 10, parts, 2, 0);
    pht_bar_draw(pht_canvas_area(&canvas), 1, 1, 10, parts, 2, 80);
    pht_bar_draw(pht_canvas_area(&canvas), 2, 1, 2, parts, 2, 80);
    char *text = pht_canvas_text(&canvas);
    ck_assert_str_eq(text, " [PPPPPPff]\n [PPPf....]\n\n");
    free(text);
    pht_canvas_deinit(&canvas);
}
END_TEST

START_TEST(empty_categories_are_no_part)
{
    struct pht_split split = {.bytes = {[PHT_CATEGORY_FILES] = 3, [PHT_CATEGORY_PYTHON_LARGE] = 5}};
    struct pht_bar_part parts[PHT_CATEGORIES];

    ck_assert_uint_eq(pht_bar_categories(&split, parts), 2);
    ck_assert_int_eq(parts[0].letter, 'L');
    ck_assert_int_eq(parts[1].letter, 'F');
    ck_assert_uint_eq(parts[1].bytes, 3);
}
END_TEST

static Suite *bar_suite(void)
{
    Suite *suite = suite_create("bar");
    TCase *tcase = tcase_create("bar");

    tcase_add_loop_test(tcase, shares_are_as_they_should_be, 0, CASES);
    tcase_add_test(tcase, shares_add_up_in_any_width);
    tcase_add_test(tcase, bar_fills_its_columns);
    tcase_add_test(tcase, empty_categories_are_no_part);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(bar_suite)
