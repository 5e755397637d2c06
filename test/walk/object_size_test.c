/*
 * What objects measure, and which buffers they own. Expected sizes are those that sys.getsizeof()
 * of the version has returned for such an object.
 */
#include "support/heap_random.h"
#include "support/measured_object.h"
#include "support/suite.h"

/* ---- by their items ----------------------------------------------------------------------- */

START_TEST(items_count_by_their_number)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_GENERIC, 32, 0, true);
    measured_put(16, 1000);
    check_size(48);
    measured_of(PHT_KIND_TUPLE, 24, 8, true);
    check_size(40);
    measured_put(16, 7);
    check_size(40 + 56);
    measured_of(PHT_KIND_GENERIC, 24, 4, false);
    measured_put(16, (uint64_t)-3);
    check_size(36);
    measured_put(16, (uint64_t)1 << 60);
    check_damage(24);
    measured_put(16, (uint64_t)1 << 63);
    check_damage(24);
    check_buffers(0);
    measured_end();
}
END_TEST

/* ---- what holds for all ------------------------------------------------------------------- */

START_TEST(frequent_kinds_need_no_read)
{
    static const enum pht_kind kinds[] = {PHT_KIND_GENERIC, PHT_KIND_STR,      PHT_KIND_BYTES,
                                          PHT_KIND_INT,     PHT_KIND_LIST,     PHT_KIND_TUPLE,
                                          PHT_KIND_SET,     PHT_KIND_BYTEARRAY};
    pht_addr needed;

    for (unsigned minor = 6; minor <= 15; minor++) {
        measured_begin(3, minor);
        measured_of(kinds[_i], 64, 8, true);
        measured_put(16, 3);
        measured_put(32, KIND_2 | READY);
        uint64_t reads = objects->fake->read_count;
        measure_head(PHT_OBJECT_HEAD_BYTES, NULL);
        ck_assert_uint_eq(objects->fake->read_count, reads);
        const struct pht_object described = {
            .type = &type, .bytes = fake_target_bytes(objects->fake, object, 128), .size = 128};
        ck_assert(!pht_object_needs(&objects->layout, &described, &needed));
        measured_end();
    }
}
END_TEST

/* Any bytes at all, of any kind: it ends soon. */
START_TEST(random_objects)
{
    struct heap_random random = {(uint64_t)_i + 1};

    measured_begin(_i % 11 == 0 ? 2 : 3, _i % 11 == 0 ? 7 : 5 + (unsigned)_i % 11);
    for (int round = 0; round < 300; round++) {
        measured_of((enum pht_kind)heap_random_below(&random, PHT_KINDS), 64, 8, true);
        for (uint64_t i = 0; i < 128; i++) {
            uint64_t small = heap_random_below(&random, 256);
            uint64_t inside = object + 8 * heap_random_below(&random, 200);
            measured_put(8 * i, heap_random_below(&random, 2) ? inside : small << (small % 50));
        }
        uint64_t reads = objects->fake->read_count;
        measure_head(128, NULL);
        ck_assert_uint_lt(objects->fake->read_count - reads, 20000);
        ck_assert_uint_eq(size.size_bytes >> 52, 0);
    }
    measured_end();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_size");
    TCase *tcase = tcase_create("object_size");

    tcase_add_checked_fixture(tcase, NULL, measured_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, items_count_by_their_number);
    tcase_add_loop_test(tcase, frequent_kinds_need_no_read, 0, 8);
    tcase_add_loop_test(tcase, random_objects, 0, 22);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
