#include "base/sorted.h"
#include "support/suite.h"

struct range {
    uint64_t start;
    uint64_t end;
    char payload;
};

/* The last two overlap, as ranges from a damaged target may. */
static const struct range ranges[] = {
    {100, 200, 'a'},
    {200, 300, 'b'},
    {500, 600, 'c'},
    {550, 560, 'd'},
};

#define RANGES (sizeof(ranges) / sizeof(ranges[0]))

static const struct {
    uint64_t addr;
    size_t found;
} places[] = {
    {0, 0},   {99, 0},  {100, 0}, {199, 0}, {200, 1}, {299, 1},        {300, 2},
    {499, 2}, {500, 2}, {549, 2}, {550, 3}, {560, 4}, {UINT64_MAX, 4},
};

#define PLACES ((int)(sizeof(places) / sizeof(places[0])))

START_TEST(range_holds_the_address_or_is_the_next)
{
    size_t found = pht_sorted_find_range(ranges, RANGES, sizeof(ranges[0]), places[_i].addr);

    ck_assert_uint_eq(found, places[_i].found);
}
END_TEST

START_TEST(nothing_is_found_among_none)
{
    ck_assert_uint_eq(pht_sorted_find_range(NULL, 0, sizeof(struct range), 0), 0);
    ck_assert_uint_eq(pht_sorted_find_range(NULL, 0, sizeof(struct range), UINT64_MAX), 0);
}
END_TEST

START_TEST(last_range_may_end_at_the_end_of_the_address_space)
{
    const struct range last = {UINT64_MAX - 10, UINT64_MAX, 'z'};

    ck_assert_uint_eq(pht_sorted_find_range(&last, 1, sizeof(last), UINT64_MAX - 1), 0);
    ck_assert_uint_eq(pht_sorted_find_range(&last, 1, sizeof(last), UINT64_MAX), 1);
}
END_TEST

static Suite *sorted_suite(void)
{
    Suite *suite = suite_create("base/sorted");
    TCase *tcase = tcase_create("sorted");

    tcase_add_loop_test(tcase, range_holds_the_address_or_is_the_next, 0, PLACES);
    tcase_add_test(tcase, nothing_is_found_among_none);
    tcase_add_test(tcase, last_range_may_end_at_the_end_of_the_address_space);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(sorted_suite)
