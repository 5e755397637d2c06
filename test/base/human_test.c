#include <stdio.h>
#include <string.h>

#include "base/human.h"
#include "support/suite.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)

struct row {
    uint64_t value;
    const char *text;
};

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static const struct row bytes_rows[] = {
    {0, "0B"},
    {1, "1B"},
    {1008, "1008B"},
    {1023, "1023B"},
    {1024, "1.00K"},
    {1029, "1.00K"},
    {1030, "1.01K"},
    {1536, "1.50K"},
    {10234, "9.99K"},
    {10235, "10.0K"},
    {102348, "99.9K"},
    {102349, "100K"},
    {999 * KIB + 511, "999K"},
    {999 * KIB + 512, "1000K"},
    {1023 * KIB + 511, "1023K"},
    {1023 * KIB + 512, "1.00M"},
    {1023 * KIB + 1014, "1.00M"},
    {MIB - 1, "1.00M"},
    {MIB, "1.00M"},
    {9 * MIB + 995 * MIB / 1000 - 1, "9.99M"},
    {1740000000, "1.62G"},
    {GIB - 1, "1.00G"},
    {1024 * GIB - 1, "1.00T"},
    {1024 * GIB, "1.00T"},
    {1024 * 1024 * GIB - 1, "1.00P"},
    {1024 * 1024 * GIB, "1.00P"},
    {1024 * 1024 * GIB / 1000 * 999, "1023T"},
    {UINT64_C(1) << 60, "1.00E"},
    {(UINT64_C(1) << 60) - 1, "1.00E"},
    {UINT64_MAX, "16.0E"},
};

START_TEST(bytes_are_rounded_to_three_digits)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_human_bytes(bytes_rows[_i].value, text), bytes_rows[_i].text);
}
END_TEST

/* Half a unit of the last digit shown, in bytes, and a little for the tie itself. */
static long double half_digit(const char *text, long double scale)
{
    const char *point = strchr(text, '.');
    long double digit = scale;

    for (size_t decimals = point != NULL ? strlen(point) - 2 : 0; decimals > 0; decimals--)
        digit /= 10;
    return digit / 2 * 1.000001L;
}

static void check_close(uint64_t bytes)
{
    static const char units[] = "BKMGTPE";
    char text[PHT_HUMAN_MAX], *end;
    long double scale = 1;

    pht_human_bytes(bytes, text);
    long double shown = strtold(text, &end);
    for (const char *unit = units; *unit != *end; unit++) {
        ck_assert_msg(*unit != '\0', "%s has no unit", text);
        scale *= 1024;
    }
    long double difference = shown * scale - (long double)bytes;
    if (difference < 0)
        difference = -difference;
    ck_assert_msg(shown < 1024, "%s for %llu", text, (unsigned long long)bytes);
    ck_assert_msg(difference <= half_digit(text, scale), "%s for %llu", text,
                  (unsigned long long)bytes);
}

START_TEST(bytes_are_never_further_off_than_half_a_digit)
{
    for (int shift = 0; shift < 64; shift++) {
        for (uint64_t step = 1; step < 64; step++) {
            check_close((UINT64_C(1) << shift) + step);
            check_close((UINT64_C(1) << shift) - step);
            check_close((UINT64_C(1) << shift) / 64 * step);
        }
    }
}
END_TEST

static const struct row count_rows[] = {
    {0, "0"},
    {7, "7"},
    {999, "999"},
    {1000, "1,000"},
    {51370, "51,370"},
    {999999, "999,999"},
    {1000000, "1,000,000"},
    {UINT64_MAX, "18,446,744,073,709,551,615"},
};

START_TEST(counts_have_a_comma_every_three_digits)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_human_count(count_rows[_i].value, text), count_rows[_i].text);
}
END_TEST

static const struct row duration_rows[] = {
    {0, "0.00 ms"},
    {10, "0.01 ms"},
    {850, "0.85 ms"},
    {9990, "9.99 ms"},
    {10000, "10 ms"},
    {41000, "41 ms"},
    {99000, "99 ms"},
    {100000, "0.10 s"},
    {630000, "0.63 s"},
    {1000000, "1.00 s"},
    {61230000, "61.23 s"},
    {3600000000, "3600.00 s"},
    {UINT64_MAX, "18446744073709.55 s"},
};

START_TEST(durations_change_from_milliseconds_to_seconds)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_human_duration(duration_rows[_i].value, text), duration_rows[_i].text);
}
END_TEST

static const struct row uptime_rows[] = {
    {0, "0:00:00"},       {65, "0:01:05"},
    {3599, "0:59:59"},    {3600, "1:00:00"},
    {86399, "23:59:59"},  {86400, "1d 00:00"},
    {273060, "3d 03:51"}, {UINT64_MAX, "213503982334601d 07:00"},
};

START_TEST(uptimes_count_days_from_the_first_on)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_human_uptime(uptime_rows[_i].value, text), uptime_rows[_i].text);
}
END_TEST

static const struct {
    uint64_t part;
    uint64_t whole;
    const char *text;
} percent_rows[] = {
    {0, 100, "0.0"},
    {1, 3, "33.3"},
    {2, 3, "66.7"},
    {552, 1740, "31.7"},
    {1, 10000, "0.0"},
    {5, 10000, "0.1"},
    {99949, 100000, "99.9"},
    {99999, 100000, "99.9"}, /* what is not all of it must not seem to be */
    {100, 100, "100.0"},
    {0, 0, "100.0"},
    {UINT64_MAX - 1, UINT64_MAX, "99.9"},
    {UINT64_MAX / 2, UINT64_MAX, "50.0"},
    {UINT64_MAX, 1, "100.0"},
};

START_TEST(percents_have_one_decimal)
{
    char text[PHT_HUMAN_MAX];

    ck_assert_str_eq(pht_human_percent(percent_rows[_i].part, percent_rows[_i].whole, text),
                     percent_rows[_i].text);
}
END_TEST

static Suite *human_suite(void)
{
    Suite *suite = suite_create("base/human");
    TCase *tcase = tcase_create("human");

    tcase_add_loop_test(tcase, bytes_are_rounded_to_three_digits, 0, ROWS(bytes_rows));
    tcase_add_test(tcase, bytes_are_never_further_off_than_half_a_digit);
    tcase_add_loop_test(tcase, counts_have_a_comma_every_three_digits, 0, ROWS(count_rows));
    tcase_add_loop_test(tcase, durations_change_from_milliseconds_to_seconds, 0,
                        ROWS(duration_rows));
    tcase_add_loop_test(tcase, uptimes_count_days_from_the_first_on, 0, ROWS(uptime_rows));
    tcase_add_loop_test(tcase, percents_have_one_decimal, 0, ROWS(percent_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(human_suite)
