#include "base/checked.h"
#include "support/suite.h"

START_TEST(results_that_fit_are_exact)
{
    uint64_t result;

    ck_assert(pht_add_fits(UINT64_MAX - 1, UINT64_C(1), &result));
    ck_assert_uint_eq(result, UINT64_MAX);
}
END_TEST

START_TEST(results_that_do_not_fit_are_told)
{
    uint64_t wide;
    uint32_t narrow;

    ck_assert(!pht_add_fits(UINT64_MAX, UINT64_C(1), &wide));
    ck_assert(!pht_add_fits(UINT64_C(1) << 32, UINT64_C(0), &narrow));
}
END_TEST

START_TEST(rounding_keeps_aligned_values)
{
    ck_assert_uint_eq(pht_round_down(0, 4096), 0);
    ck_assert_uint_eq(pht_round_down(4095, 4096), 0);
    ck_assert_uint_eq(pht_round_down(4096, 4096), 4096);
    ck_assert_uint_eq(pht_round_down(8191, 4096), 4096);
    ck_assert_uint_eq(pht_round_up(0, 4096), 0);
    ck_assert_uint_eq(pht_round_up(1, 4096), 4096);
    ck_assert_uint_eq(pht_round_up(4096, 4096), 4096);
    ck_assert_uint_eq(pht_round_up(4097, 4096), 8192);
    ck_assert_uint_eq(pht_round_up((UINT64_C(1) << 57) - 1, 1 << 20), UINT64_C(1) << 57);
}
END_TEST

START_TEST(powers_of_two_have_one_bit)
{
    ck_assert(!pht_is_power_of_two(0));
    for (int shift = 0; shift < 64; shift++)
        ck_assert(pht_is_power_of_two(UINT64_C(1) << shift));
    ck_assert(!pht_is_power_of_two(3));
    ck_assert(!pht_is_power_of_two(UINT64_MAX));
    ck_assert(!pht_is_power_of_two((UINT64_C(1) << 63) + 1));
}
END_TEST

static Suite *checked_suite(void)
{
    Suite *suite = suite_create("base/checked");
    TCase *tcase = tcase_create("checked");

    tcase_add_test(tcase, results_that_fit_are_exact);
    tcase_add_test(tcase, results_that_do_not_fit_are_told);
    tcase_add_test(tcase, rounding_keeps_aligned_values);
    tcase_add_test(tcase, powers_of_two_have_one_bit);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(checked_suite)
