#include "base/addr_set.h"

#include "support/suite.h"

START_TEST(each_is_new_once)
{
    static const uint64_t steps[] = {1, 16, 4096, UINT64_C(1) << 32, UINT64_C(1) << 48};
    struct pht_addr_set set = {0};
    bool is_new;

    for (int pass = 0; pass < 2; pass++) {
        for (uint64_t i = 1; i <= 5000; i++) {
            ck_assert(pht_addr_set_add(&set, i * steps[_i], &is_new));
            if (is_new != (pass == 0))
                ck_abort_msg("%d, %d", pass, (int)i);
        }
    }
    ck_assert_uint_eq(set.count, 5000);
    ck_assert_uint_ge(set.capacity, 2 * set.count);
    pht_addr_set_deinit(&set);
}
END_TEST

START_TEST(zero_is_never_new)
{
    struct pht_addr_set set = {0};
    bool is_new = true;

    ck_assert(pht_addr_set_add(&set, 0, &is_new));
    ck_assert(!is_new);
    ck_assert(pht_addr_set_add(&set, UINT64_MAX, &is_new));
    ck_assert(is_new);
    ck_assert_uint_eq(set.count, 1);
    pht_addr_set_deinit(&set);
    ck_assert_ptr_null(set.slots);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("base/addr_set");
    TCase *tcase = tcase_create("addr_set");

    tcase_add_loop_test(tcase, each_is_new_once, 0, 5);
    tcase_add_test(tcase, zero_is_never_new);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
