/* Which stops are worth a try. */
#include "target/stop_budget.h"

#include "support/suite.h"

static struct pht_stop_budget budget;

static void setup(void)
{
    budget = (struct pht_stop_budget){0};
}

/* How many stops are left out before the next is allowed. */
static unsigned count_skips(void)
{
    unsigned skips = 0;

    while (!pht_stop_budget_allows(&budget, 8, 20000))
        skips++;
    return skips;
}

START_TEST(threads_that_would_break_the_limit_are_not_asked)
{
    ck_assert(pht_stop_budget_allows(&budget, 1, 1000));
    ck_assert(pht_stop_budget_allows(&budget, 1000, 20000));
    ck_assert(!pht_stop_budget_allows(&budget, 1001, 20000));
    ck_assert(pht_stop_budget_allows(&budget, 1001, 21000));
    ck_assert(!pht_stop_budget_allows(&budget, UINT32_MAX, 60000000));
    ck_assert(pht_stop_budget_allows(&budget, 8, 20000));
}
END_TEST

START_TEST(what_fails_is_tried_less_and_less_often)
{
    const unsigned wanted[] = {1, 2, 4, 8, 16, 32, 64, 64, 64};

    ck_assert_uint_eq(count_skips(), 0);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        pht_stop_budget_learn(&budget, false);
        ck_assert_uint_eq(count_skips(), wanted[i]);
    }
}
END_TEST

START_TEST(one_that_is_had_makes_good)
{
    for (int i = 0; i < 5; i++) {
        pht_stop_budget_learn(&budget, false);
        count_skips();
    }
    pht_stop_budget_learn(&budget, true);
    ck_assert_uint_eq(count_skips(), 0);
    pht_stop_budget_learn(&budget, false);
    ck_assert_uint_eq(count_skips(), 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("target/stop_budget");
    TCase *tcase = tcase_create("budget");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, threads_that_would_break_the_limit_are_not_asked);
    tcase_add_test(tcase, what_fails_is_tried_less_and_less_often);
    tcase_add_test(tcase, one_that_is_had_makes_good);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
