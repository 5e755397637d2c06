/* What compressors and decompressors of bz2 own. */
#include <stdlib.h>

#include "support/measured_object.h"
#include "support/suite.h"

static pht_addr state;
static pht_addr lock;

enum buffer { ARRAY_1 = 0x10000, ARRAY_2 = 0x20000, FREQUENCIES = 0x30000, INPUT = 0x40000 };

static void setup(void)
{
    measured_begin(3, 12);
    state = objects_alloc(objects, 65536);
    lock = objects_alloc(objects, 32);
    fake_target_put_u64(objects->fake, object + 64, state);
}

static void teardown(void)
{
    measured_end();
    measured_teardown();
}

static void put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, state + offset, value);
}

static void measure(enum pht_kind kind, uint32_t basicsize)
{
    type = (struct pht_type){.kind = kind, .basicsize = basicsize};
    measure_head(96, NULL);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, basicsize);
}

static void check_buffer_from(size_t i, pht_addr address, uint64_t bytes,
                              enum pht_buffer_source source)
{
    check_buffer(i, address, bytes);
    ck_assert_uint_eq(size.buffers.items[i].source, source);
}

/* Of blocks of 300,000 bytes. */
static void put_compressor(void)
{
    fake_target_put_u64(objects->fake, object + 104, lock);
    put(0, object + 16);
    put(24, ARRAY_1);
    put(32, ARRAY_2);
    put(40, FREQUENCIES);
    put(56, ARRAY_1);
    put(64, ARRAY_2);
    put(112, 299981);
    put(664, 3);
}

START_TEST(compressors_own_their_arrays)
{
    put_compressor();
    measure(PHT_KIND_BZ2_COMPRESSOR, 112);
    ck_assert_uint_eq(size.buffers.count, 5);
    check_buffer_from(0, lock, 32, PHT_BUFFER_RAW);
    check_buffer_from(1, state, 0, PHT_BUFFER_RAW);
    check_buffer_from(2, ARRAY_1, 1200000, PHT_BUFFER_RAW);
    check_buffer_from(3, ARRAY_2, 1200136, PHT_BUFFER_RAW);
    check_buffer_from(4, FREQUENCIES, 262148, PHT_BUFFER_RAW);
}
END_TEST

START_TEST(states_that_lie_are_not_followed)
{
    static const struct {
        uint64_t offset;
        uint64_t value;
    } lies[] = {{56, ARRAY_2}, {64, ARRAY_1}, {112, 300000}, {664, 4}, {664, 0}, {664, 10}};

    put_compressor();
    put(lies[_i].offset, lies[_i].value);
    measure(PHT_KIND_BZ2_COMPRESSOR, 112);
    ck_assert_uint_eq(size.buffers.count, 2);
    check_buffer_from(1, state, 0, PHT_BUFFER_RAW);
}
END_TEST

START_TEST(states_of_other_streams_are_not_theirs)
{
    put_compressor();
    if (_i == 0)
        put(0, object + 24);
    else
        fake_target_put_u64(objects->fake, object + 64, _i == 1 ? 0 : 0x1000);
    measure(PHT_KIND_BZ2_COMPRESSOR, 112);
    ck_assert_uint_eq(size.buffers.count, 1);
}
END_TEST

START_TEST(decompressors_own_their_table_and_input)
{
    fake_target_put_u64(objects->fake, object + 120, INPUT);
    fake_target_put_u64(objects->fake, object + 128, 5000);
    fake_target_put_u64(objects->fake, object + 144, lock);
    put(0, object + 16);
    put(40, 9);
    put(3152, ARRAY_1);
    measure(PHT_KIND_BZ2_DECOMPRESSOR, 152);
    ck_assert_uint_eq(size.buffers.count, 4);
    check_buffer_from(0, lock, 32, PHT_BUFFER_RAW);
    check_buffer_from(1, state, 0, PHT_BUFFER_LIBC);
    check_buffer_from(2, ARRAY_1, 3600000, PHT_BUFFER_LIBC);
    check_buffer_from(3, INPUT, 5000, PHT_BUFFER_PYTHON);
    /* Its size is not known yet, so there can be none. */
    put(40, 0x39);
    measure(PHT_KIND_BZ2_DECOMPRESSOR, 152);
    ck_assert_uint_eq(size.buffers.count, 3);
    /* Not its own. */
    put(0, object);
    measure(PHT_KIND_BZ2_DECOMPRESSOR, 152);
    ck_assert_uint_eq(size.buffers.count, 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/object_bz2");
    TCase *tcase = tcase_create("bz2");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, compressors_own_their_arrays);
    tcase_add_loop_test(tcase, states_that_lie_are_not_followed, 0, 6);
    tcase_add_loop_test(tcase, states_of_other_streams_are_not_theirs, 0, 3);
    tcase_add_test(tcase, decompressors_own_their_table_and_input);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
