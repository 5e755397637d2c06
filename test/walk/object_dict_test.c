/* Sizes and buffers of dicts, and the values of instances. */
#include "support/measured_object.h"
#include "support/suite.h"

/* ---- dict --------------------------------------------------------------------------------- */

static void of_dict(pht_addr keys, pht_addr values)
{
    measured_of(PHT_KIND_DICT, 48, 0, true);
    measured_put(32, keys);
    measured_put(40, values);
}

START_TEST(dicts_of_all_versions)
{
    static const struct {
        unsigned minor;
        unsigned log2;
        unsigned kind;
        uint64_t bytes;
    } rows[] = {
        {6, 3, 0, 248},       {8, 3, 0, 232},       {8, 8, 0, 4696},
        {10, 17, 0, 2621536}, {11, 3, 0, 224},      {11, 3, 1, 184},
        {11, 8, 0, 4688},     {12, 17, 0, 2621528}, {15, 17, 1, 1922480},
    };

    measured_begin(3, rows[_i].minor);
    pht_addr keys = measured_put_keys(rows[_i].log2, rows[_i].kind, 2, 1);
    of_dict(keys, 0);
    check_size(rows[_i].bytes);
    check_buffers(1);
    check_buffer(0, keys, rows[_i].bytes - 48 - type.prefix_bytes);
    ck_assert(size.buffers.items[0].is_shared);
    measured_end();
}
END_TEST

START_TEST(shared_keys_count_for_their_type)
{
    measured_begin(3, 8);
    pht_addr keys = measured_put_keys(3, 0, 2, 3);
    of_dict(keys, 0x5000);
    check_size(64 + 40);
    check_buffers(2);
    check_buffer(0, 0x5000, 40);
    check_buffer(1, keys, 168);
    ck_assert(!size.buffers.items[0].is_prefixed);
    of_dict(keys, 0);
    check_size(64);
    measured_end();
}
END_TEST

START_TEST(values_are_as_many_as_instances_have_room_for)
{
    static const unsigned minors[] = {11, 12, 13};

    measured_begin(3, minors[_i]);
    pht_addr keys = measured_put_keys(6, 2, 2, 5);
    fake_target_put_u64(objects->fake, keys + 16, 25); /* usable, of 40 */
    of_dict(keys, 0x5000);
    check_size(64 + 27 * 8);
    check_buffers(2);
    check_buffer(0, 0x5000, 0);
    ck_assert(size.buffers.items[0].is_prefixed == (minors[_i] < 13));
    measured_end();
}
END_TEST

START_TEST(empty_dicts_own_nothing)
{
    measured_begin(3, 11);
    of_dict(measured_put_keys(0, 1, 0, 1), 0);
    check_size(64);
    check_buffers(0);
    measured_end();
    measured_begin(3, 8);
    of_dict(measured_put_keys(0, 0, 0, 1), 0);
    check_size(64);
    check_buffers(0);
    measured_end();
}
END_TEST

START_TEST(keys_that_contradict_themselves)
{
    static const struct {
        unsigned minor;
        uint64_t offset;
        uint64_t value;
    } rows[] = {
        {8, 8, 0},
        {8, 8, 7},
        {8, 8, (uint64_t)1 << 50},
        {8, 32, 6},
        {8, 32, UINT64_MAX},
        {11, 8, 3 | 3 << 8 | 3 << 16},
        {11, 8, 63},
        {11, 8, 3 | 63 << 8},
        {11, 16, 6},
        {11, 24, 6},
        {11, 24, UINT64_MAX},
    };

    measured_begin(3, rows[_i].minor);
    pht_addr keys = measured_put_keys(3, 0, 1, 1);
    fake_target_put_u64(objects->fake, keys + rows[_i].offset, rows[_i].value);
    of_dict(keys, 0x5000);
    check_damage(64);
    check_buffers(0);
    of_dict(0x123456789000, 0);
    check_damage(64);
    measured_end();
}
END_TEST

START_TEST(keys_that_the_caller_has_read)
{
    measured_begin(3, 11);
    pht_addr keys = measured_put_keys(3, 1, 1, 1), needed = 0;
    of_dict(keys, 0);
    const struct pht_object described = {
        .address = object,
        .type = &type,
        .bytes = fake_target_bytes(objects->fake, object, 48),
        .size = 48,
    };
    ck_assert(pht_object_needs(&objects->layout, &described, &needed));
    ck_assert_uint_eq(needed, keys);
    uint64_t reads = objects->fake->read_count;
    measure_head(48, fake_target_bytes(objects->fake, keys, PHT_OBJECT_MORE_BYTES));
    ck_assert_uint_eq(size.size_bytes, 184);
    ck_assert_uint_eq(objects->fake->read_count, reads);
    measured_end();
}
END_TEST

START_TEST(dicts_of_python2)
{
    measured_begin(2, 7);
    measured_of(PHT_KIND_DICT, 248, 0, true);
    measured_put(32, 7);
    measured_put(40, object + 56);
    check_size(280);
    check_buffers(0);
    measured_put(32, 511);
    measured_put(40, 0x5000);
    check_size(12568);
    check_buffer(0, 0x5000, 512 * 24);
    measured_put(32, (uint64_t)1 << 60);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    measured_end();
}
END_TEST

/* An OrderedDict of one item, and one that is empty. */
START_TEST(ordered_dicts_own_a_node_for_each_item)
{
    measured_begin(3, 10);
    pht_addr keys = measured_put_keys(3, 0, 1, 1), nodes = objects_alloc(objects, 64);
    measured_of(PHT_KIND_ORDERED_DICT, 112, 0, true);
    measured_put(16, 1);
    measured_put(32, keys);
    measured_put(48, 0x6000);
    measured_put(64, nodes);
    measured_put(72, 8);
    fake_target_put_u64(objects->fake, nodes + 40, 0x6000);
    check_size(392);
    check_buffers(3);
    check_buffer(1, nodes, 64);
    check_buffer(2, 0x6000, 32);
    measured_put(16, 0);
    measured_put(48, 0);
    check_size(360);
    check_buffers(2);
    measured_put(16, 3); /* more items than the table has nodes */
    measured_put(48, 0x6000);
    check_size(360 + 96);
    check_buffers(3);
    measured_put(72, (uint64_t)1 << 40); /* a table that runs out of memory */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    measured_end();
}
END_TEST

/* ---- values of instances ------------------------------------------------------------------ */

static void check_values(unsigned minor, size_t word, uint64_t value, pht_addr expected)
{
    uint64_t prefix[4] = {0};
    struct pht_object described;

    measured_begin(3, minor);
    measured_of(PHT_KIND_GENERIC, 16, 0, true);
    type.prefix_bytes = 32;
    type.has_managed_dict = true;
    prefix[word] = value;
    described = (struct pht_object){.address = object,
                                    .type = &type,
                                    .bytes = fake_target_bytes(objects->fake, object, 16),
                                    .size = 16,
                                    .prefix = (const unsigned char *)prefix};
    ck_assert(pht_object_measure(objects->snapshot, &objects->layout, &described, NULL, &size));
    ck_assert_uint_eq(size.size_bytes, 48);
    check_buffers(expected != 0);
    if (expected != 0) {
        check_buffer(0, expected, 0);
        ck_assert(size.buffers.items[0].is_prefixed);
    }
    described.prefix = NULL;
    ck_assert(pht_object_measure(objects->snapshot, &objects->layout, &described, NULL, &size));
    check_buffers(0);
    measured_end();
}

START_TEST(values_in_front_of_instances)
{
    check_values(11, 0, 0x5020, 0x5020);
    check_values(11, 1, 0x5020, 0); /* the dict */
    check_values(12, 1, 0x501f, 0x5020);
    check_values(12, 1, 0x5020, 0); /* the dict */
    check_values(12, 0, 0x501f, 0); /* weak references */
    check_values(13, 0, 0x501f, 0);
    check_values(13, 1, 0x501f, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_dict");
    TCase *tcase = tcase_create("object_dict");

    tcase_add_checked_fixture(tcase, NULL, measured_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, dicts_of_all_versions, 0, 9);
    tcase_add_test(tcase, shared_keys_count_for_their_type);
    tcase_add_loop_test(tcase, values_are_as_many_as_instances_have_room_for, 0, 3);
    tcase_add_test(tcase, empty_dicts_own_nothing);
    tcase_add_loop_test(tcase, keys_that_contradict_themselves, 0, 11);
    tcase_add_test(tcase, keys_that_the_caller_has_read);
    tcase_add_test(tcase, dicts_of_python2);
    tcase_add_test(tcase, ordered_dicts_own_a_node_for_each_item);
    tcase_add_test(tcase, values_in_front_of_instances);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
