/* When snapshots are due. */
#include "support/suite.h"
#include "tui/cadence.h"

#define SECOND ((uint64_t)1000000)

static struct pht_cadence cadence;

static void setup(void)
{
    pht_cadence_init(&cadence, 5 * SECOND, 0);
}

static void take(uint64_t now_us, uint64_t took_us, uint64_t work_us, uint64_t stopped_us)
{
    pht_cadence_begin(&cadence, now_us);
    pht_cadence_end(&cadence, now_us + took_us, work_us, stopped_us);
}

START_TEST(first_is_due_at_once_and_the_next_an_interval_later)
{
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), 0);
    take(7 * SECOND, 1000, 1000, 100);
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), 12 * SECOND);
    ck_assert(!pht_cadence_is_raised(&cadence));
}
END_TEST

static const struct {
    uint64_t took_us;
    uint64_t work_us;
    uint64_t stopped_us;
    uint64_t seconds;
} costs[] = {
    {250000, 250000, 0, 5},                              /* 5 % of 5 s */
    {250001, 250001, 0, 6},                              /* more than that */
    {600000, 600000, 1000, 12}, {30000, 1000, 25000, 5}, /* 0.5 % of 5 s */
    {30000, 1000, 25001, 6},    {2500000, 1000, 0, 5},   /* slow, for others have the processor */
    {4000000, 1000, 0, 8},
};

#define COSTS ((int)(sizeof(costs) / sizeof(costs[0])))

START_TEST(interval_is_raised_so_that_shares_stay_small)
{
    take(SECOND, costs[_i].took_us, costs[_i].work_us, costs[_i].stopped_us);
    ck_assert_uint_eq(pht_cadence_interval(&cadence), costs[_i].seconds * SECOND);
    ck_assert_int_eq(pht_cadence_is_raised(&cadence), costs[_i].seconds > 5);
    take(SECOND, 1000, 1000, 100);
    ck_assert_uint_eq(pht_cadence_interval(&cadence), 5 * SECOND);
}
END_TEST

START_TEST(pause_and_off_take_none)
{
    take(SECOND, 1000, 1000, 100);
    cadence.is_paused = true;
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), UINT64_MAX);
    cadence.is_paused = false;
    cadence.chosen_us = 0;
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), UINT64_MAX);
    ck_assert_uint_eq(pht_cadence_interval(&cadence), 0);
    ck_assert(!pht_cadence_is_raised(&cadence));
}
END_TEST

START_TEST(first_is_taken_where_the_interval_is_off)
{
    cadence.chosen_us = 0;
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), 0);
}
END_TEST

START_TEST(count_ends_them)
{
    pht_cadence_init(&cadence, SECOND, 2);
    take(SECOND, 1, 1, 0);
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), 2 * SECOND);
    take(2 * SECOND, 1, 1, 0);
    ck_assert_uint_eq(pht_cadence_due_us(&cadence), UINT64_MAX);
}
END_TEST

START_TEST(steps_go_to_off_and_back)
{
    static const uint64_t up[] = {10, 30, 60, 0, 0};
    static const uint64_t down[] = {60, 30, 10, 5, 2, 1, 1};

    for (int i = 0; i < 5; i++) {
        pht_cadence_step(&cadence, 1);
        ck_assert_uint_eq(cadence.chosen_us, up[i] * SECOND);
    }
    for (int i = 0; i < 7; i++) {
        pht_cadence_step(&cadence, -1);
        ck_assert_uint_eq(cadence.chosen_us, down[i] * SECOND);
    }
}
END_TEST

START_TEST(steps_leave_an_odd_interval_for_the_next_one)
{
    cadence.chosen_us = 7 * SECOND;
    pht_cadence_step(&cadence, 1);
    ck_assert_uint_eq(cadence.chosen_us, 10 * SECOND);
    cadence.chosen_us = 7 * SECOND;
    pht_cadence_step(&cadence, -1);
    ck_assert_uint_eq(cadence.chosen_us, 5 * SECOND);
}
END_TEST

static Suite *cadence_suite(void)
{
    Suite *suite = suite_create("cadence");
    TCase *tcase = tcase_create("cadence");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, first_is_due_at_once_and_the_next_an_interval_later);
    tcase_add_loop_test(tcase, interval_is_raised_so_that_shares_stay_small, 0, COSTS);
    tcase_add_test(tcase, pause_and_off_take_none);
    tcase_add_test(tcase, first_is_taken_where_the_interval_is_off);
    tcase_add_test(tcase, count_ends_them);
    tcase_add_test(tcase, steps_go_to_off_and_back);
    tcase_add_test(tcase, steps_leave_an_odd_interval_for_the_next_one);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(cadence_suite)
