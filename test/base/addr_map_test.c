#include "base/addr_map.h"

#include "support/suite.h"

START_TEST(each_keeps_its_number)
{
    static const uint64_t steps[] = {1, 16, 4096, UINT64_C(1) << 32, UINT64_C(1) << 48};
    struct pht_addr_map map = {0};

    for (uint32_t i = 1; i <= 5000; i++)
        ck_assert(pht_addr_map_put(&map, i * steps[_i], i));
    for (uint32_t i = 1; i <= 5000; i++) {
        if (pht_addr_map_get(&map, i * steps[_i]) != i)
            ck_abort_msg("%u", i);
    }
    ck_assert_uint_eq(pht_addr_map_get(&map, 5001 * steps[_i]), PHT_ADDR_MAP_NONE);
    ck_assert_uint_eq(map.count, 5000);
    ck_assert_uint_ge(map.capacity, 2 * map.count);
    pht_addr_map_deinit(&map);
}
END_TEST

START_TEST(the_last_number_counts)
{
    struct pht_addr_map map = {0};

    ck_assert(pht_addr_map_put(&map, UINT64_MAX, 1));
    ck_assert(pht_addr_map_put(&map, UINT64_MAX, 2));
    ck_assert_uint_eq(pht_addr_map_get(&map, UINT64_MAX), 2);
    ck_assert_uint_eq(map.count, 1);
    pht_addr_map_deinit(&map);
    ck_assert_ptr_null(map.slots);
}
END_TEST

START_TEST(nothing_is_at_zero)
{
    struct pht_addr_map map = {0};

    ck_assert_uint_eq(pht_addr_map_get(&map, 1), PHT_ADDR_MAP_NONE);
    ck_assert(pht_addr_map_put(&map, 0, 1));
    ck_assert(pht_addr_map_put(&map, 1, 1));
    ck_assert_uint_eq(pht_addr_map_get(&map, 0), PHT_ADDR_MAP_NONE);
    ck_assert_uint_eq(map.count, 1);
    pht_addr_map_deinit(&map);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("base/addr_map");
    TCase *tcase = tcase_create("addr_map");

    tcase_add_loop_test(tcase, each_keeps_its_number, 0, 5);
    tcase_add_test(tcase, the_last_number_counts);
    tcase_add_test(tcase, nothing_is_at_zero);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
