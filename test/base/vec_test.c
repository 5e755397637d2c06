#include "base/vec.h"
#include "support/suite.h"

/* A sanitizer must let an allocation fail as the C library does. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

START_TEST(pushed_items_stay_through_growth)
{
    PHT_VEC(uint64_t) vec = {0};

    for (uint64_t i = 0; i < 1000; i++)
        ck_assert(pht_vec_push(&vec, i * i));
    ck_assert_uint_eq(vec.count, 1000);
    ck_assert_uint_ge(vec.capacity, 1000);
    for (uint64_t i = 0; i < 1000; i++)
        ck_assert_uint_eq(vec.items[i], i * i);
    free(vec.items);
}
END_TEST

START_TEST(growth_at_least_doubles)
{
    PHT_VEC(char) vec = {0};
    unsigned growths = 0;

    for (size_t i = 0; i < 100000; i++) {
        size_t before = vec.capacity;
        ck_assert(pht_vec_push(&vec, 'x'));
        growths += vec.capacity != before;
    }
    ck_assert_uint_lt(growths, 20);
    free(vec.items);
}
END_TEST

START_TEST(a_cleared_array_is_filled_again_in_place)
{
    PHT_VEC(int) vec = {0};

    for (int i = 0; i < 100; i++)
        ck_assert(pht_vec_push(&vec, i));
    int *items = vec.items;
    size_t capacity = vec.capacity;
    vec.count = 0;
    for (int i = 0; i < 100; i++)
        ck_assert(pht_vec_push(&vec, -i));
    ck_assert_ptr_eq(vec.items, items);
    ck_assert_uint_eq(vec.capacity, capacity);
    ck_assert_int_eq(vec.items[99], -99);
    free(vec.items);
}
END_TEST

START_TEST(reserving_makes_room_for_all_at_once)
{
    PHT_VEC(int) vec = {0};
    size_t none = 0;

    ck_assert(pht_vec_reserve(&vec, none));
    ck_assert_ptr_null(vec.items);
    ck_assert(pht_vec_reserve(&vec, 17));
    ck_assert_uint_ge(vec.capacity, 17);
    ck_assert_uint_eq(vec.count, 0);
    free(vec.items);
}
END_TEST

START_TEST(room_that_cannot_be_had_leaves_the_array_alone)
{
    PHT_VEC(uint64_t) vec = {0};

    ck_assert(pht_vec_push(&vec, 42));
    size_t capacity = vec.capacity;
    ck_assert(!pht_vec_reserve(&vec, SIZE_MAX));
    ck_assert(!pht_vec_reserve(&vec, SIZE_MAX / 4));
    ck_assert_uint_eq(vec.count, 1);
    ck_assert_uint_eq(vec.capacity, capacity);
    ck_assert_uint_eq(vec.items[0], 42);
    free(vec.items);
}
END_TEST

static Suite *vec_suite(void)
{
    Suite *suite = suite_create("base/vec");
    TCase *tcase = tcase_create("vec");

    tcase_add_test(tcase, pushed_items_stay_through_growth);
    tcase_add_test(tcase, growth_at_least_doubles);
    tcase_add_test(tcase, a_cleared_array_is_filled_again_in_place);
    tcase_add_test(tcase, reserving_makes_room_for_all_at_once);
    tcase_add_test(tcase, room_that_cannot_be_had_leaves_the_array_alone);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(vec_suite)
