/* Bytes a second, on a clock of our own. */
#include "snapshot/pace.h"

#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

static struct pht_pace pace;
static uint64_t now;
static unsigned waits;

static uint64_t tell(void *context)
{
    (void)context;
    return now;
}

static void pass(void *context, uint64_t us)
{
    (void)context;
    now += us;
    waits++;
}

static void begin(uint64_t bytes_per_second)
{
    pht_pace_init(&pace, bytes_per_second);
    pace.clock = (struct pht_pace_clock){.now_us = tell, .wait_us = pass};
    now = 1000000;
    waits = 0;
}

static void teardown(void)
{
    pht_pace_deinit(&pace);
}

START_TEST(without_a_limit_nobody_waits)
{
    begin(0);
    for (int i = 0; i < 100; i++)
        pht_pace_spend(&pace, MIB);
    ck_assert_uint_eq(waits, 0);
}
END_TEST

/* 100 MiB at 10 MiB a second, by reads of three sizes. */
static const uint64_t sizes[] = {4096, 128 << 10, 4 * MIB};

START_TEST(as_much_time_passes_as_the_limit_wants)
{
    begin(10 * MIB);
    for (uint64_t done = 0; done < 100 * MIB; done += sizes[_i])
        pht_pace_spend(&pace, sizes[_i]);
    ck_assert_uint_ge(now - 1000000, 10000000 - PHT_PACE_AHEAD_US);
    ck_assert_uint_le(now - 1000000, 10000000);
}
END_TEST

START_TEST(small_reads_wait_together)
{
    begin(10 * MIB);
    for (int i = 0; i < 2560; i++)
        pht_pace_spend(&pace, 4096);
    ck_assert_uint_le(waits, 1000000 / PHT_PACE_AHEAD_US);
    ck_assert_uint_ge(waits, 50);
}
END_TEST

/* What else took the time counts: only who is ahead waits. */
START_TEST(who_is_slow_anyway_does_not_wait)
{
    begin(10 * MIB);
    for (int i = 0; i < 100; i++) {
        pht_pace_spend(&pace, 4096);
        now += 500;
    }
    ck_assert_uint_eq(waits, 0);
}
END_TEST

START_TEST(a_pause_is_not_saved_up)
{
    begin(MIB);
    pht_pace_spend(&pace, MIB);
    now += 3600 * (uint64_t)1000000;
    uint64_t before = now;
    pht_pace_spend(&pace, MIB);
    ck_assert_uint_eq(now - before, 1000000);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("snapshot/pace");
    TCase *tcase = tcase_create("pace");

    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_add_test(tcase, without_a_limit_nobody_waits);
    tcase_add_loop_test(tcase, as_much_time_passes_as_the_limit_wants, 0, 3);
    tcase_add_test(tcase, small_reads_wait_together);
    tcase_add_test(tcase, who_is_slow_anyway_does_not_wait);
    tcase_add_test(tcase, a_pause_is_not_saved_up);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
