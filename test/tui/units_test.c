/* Sizes as the screens write them. */
#include <string.h>

#include "pyheaptop/layout.h"
#include "support/suite.h"
#include "tui/units.h"

static const struct {
    enum pht_units units;
    uint64_t bytes;
    const char *text;
} sizes[] = {
    {PHT_UNITS_AUTO, 0, "0B"},
    {PHT_UNITS_AUTO, 578813952, "552M"},
    {PHT_UNITS_KIB, 578813952, "565,248K"},
    {PHT_UNITS_KIB, 511, "0K"},
    {PHT_UNITS_KIB, 512, "1K"},
    {PHT_UNITS_MIB, 578813952, "552M"},
    {PHT_UNITS_BYTES, 578813952, "578,813,952"},
    {PHT_UNITS_MIB, UINT64_MAX - 1, "17,592,186,044,416M"},
    {PHT_UNITS_AUTO, PHT_UNKNOWN, "-"},
    {PHT_UNITS_BYTES, PHT_UNKNOWN, "-"},
};

#define SIZES ((int)(sizeof(sizes) / sizeof(sizes[0])))

START_TEST(size_is_written_in_its_units)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_units_bytes(sizes[_i].units, sizes[_i].bytes, text), sizes[_i].text);
}
END_TEST

static const struct {
    enum pht_units units;
    int64_t bytes;
    const char *text;
} changes[] = {
    {PHT_UNITS_AUTO, 0, "0"},
    {PHT_UNITS_AUTO, 1048576, "+1.00M"},
    {PHT_UNITS_AUTO, -1048576, "-1.00M"},
    {PHT_UNITS_BYTES, -5, "-5"},
    {PHT_UNITS_BYTES, INT64_MIN, "-9,223,372,036,854,775,808"},
};

#define CHANGES ((int)(sizeof(changes) / sizeof(changes[0])))

START_TEST(change_has_a_sign)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_units_change(changes[_i].units, changes[_i].bytes, text),
                     changes[_i].text);
}
END_TEST

START_TEST(number_of_things_has_a_sign)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_units_count_change(31204, text), "+31,204");
    ck_assert_str_eq(pht_units_count_change(-310, text), "-310");
    ck_assert_str_eq(pht_units_count_change(0, text), "0");
}
END_TEST

static Suite *units_suite(void)
{
    Suite *suite = suite_create("units");
    TCase *tcase = tcase_create("units");

    tcase_add_loop_test(tcase, size_is_written_in_its_units, 0, SIZES);
    tcase_add_loop_test(tcase, change_has_a_sign, 0, CHANGES);
    tcase_add_test(tcase, number_of_things_has_a_sign);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(units_suite)
