#include "pyheaptop/model.h"
#include "support/suite.h"

static const struct row {
    uint64_t stopped_us;
    uint64_t wanted_us;
    uint64_t pace_us;
} rows[] = {
    {0, 1000000, 1000000},
    {300, 1000000, 1000000},
    {5000, 1000000, 1000000},
    {5001, 1000000, 1000200},
    {20000, 1000000, 4000000},
    {20000, 10000000, 10000000},
    {UINT64_MAX, 1000000, UINT64_MAX},
};

START_TEST(stops_stay_under_half_a_percent)
{
    const struct row *row = &rows[_i];
    const struct pht_report report = {.has_snapshot = true,
                                      .snapshot = {.stopped_us = row->stopped_us}};

    ck_assert_uint_eq(pht_pace_us(&report, row->wanted_us), row->pace_us);
}
END_TEST

START_TEST(without_a_snapshot_there_was_no_stop)
{
    const struct pht_report report = {.snapshot = {.stopped_us = 999999999}};

    ck_assert_uint_eq(pht_pace_us(&report, 7), 7);
}
END_TEST

static Suite *pace_suite(void)
{
    Suite *suite = suite_create("model/pace");
    TCase *tcase = tcase_create("pace");

    tcase_add_loop_test(tcase, stops_stay_under_half_a_percent, 0,
                        (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tcase, without_a_snapshot_there_was_no_stop);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(pace_suite)
