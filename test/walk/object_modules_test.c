/* What objects of extension modules measure, and which buffers they own. */
#include <stdlib.h>
#include <string.h>

#include "support/measured_object.h"
#include "support/suite.h"

static pht_addr other;

static void setup(void)
{
    measured_begin(3, 12);
    other = objects_alloc(objects, 4096);
}

static void teardown(void)
{
    measured_end();
    measured_teardown();
}

static void put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, object + offset, value);
}

static void measure(enum pht_kind kind, uint32_t basicsize)
{
    type = (struct pht_type){.kind = kind, .basicsize = basicsize};
    measure_head(96, NULL);
}

/* ---- io ------------------------------------------------------------------------------------ */

START_TEST(files_count_their_buffer)
{
    put(56, other);
    put(120, 8192);
    measure(PHT_KIND_BUFFERED, 152);
    ck_assert_uint_eq(size.size_bytes, 152 + 8192);
    ck_assert_uint_eq(size.buffers.count, 1);
    check_buffer(0, other, 8192);
    put(56, 0);
    measure(PHT_KIND_BUFFERED, 152);
    ck_assert_uint_eq(size.size_bytes, 152);
    ck_assert_uint_eq(size.buffers.count, 0);
}
END_TEST

/* Its bytes are an object, and another one's as well if that has two references. */
START_TEST(files_in_memory_count_bytes_that_are_theirs_alone)
{
    fake_target_put_u64(objects->fake, other, 1 + (uint64_t)_i);
    fake_target_put_u64(objects->fake, other + 16, 500);
    put(16, other);
    measure(PHT_KIND_BYTES_IO, 64);
    ck_assert_uint_eq(size.size_bytes, _i == 0 ? 64 + 533 : 64);
    ck_assert_uint_eq(size.buffers.count, 0);
}
END_TEST

START_TEST(text_in_memory_owns_its_characters)
{
    put(16, other);
    measure(PHT_KIND_STRING_IO, 120);
    ck_assert_uint_eq(size.size_bytes, 120);
    check_buffer(0, other, 0);
}
END_TEST

/* ---- ctypes -------------------------------------------------------------------------------- */

START_TEST(c_data_owns_what_stands_elsewhere)
{
    put(16, other);
    put(24, 1);
    measure(PHT_KIND_CDATA, 96);
    ck_assert_uint_eq(size.size_bytes, 96);
    check_buffer(0, other, 0);
    /* It is another one's. */
    put(24, 0);
    measure(PHT_KIND_CDATA, 96);
    ck_assert_uint_eq(size.buffers.count, 0);
    /* It is inside. */
    put(16, object + 80);
    put(24, 1);
    measure(PHT_KIND_CDATA, 96);
    ck_assert_uint_eq(size.buffers.count, 0);
}
END_TEST

/* ---- numpy --------------------------------------------------------------------------------- */

#define DATA (other + 2048)
#define SHAPE (other + 1024)

/* 1,000 times 50 items; numpy 1 has their size as an int, numpy 2 as a word behind its flags. */
static void put_array(unsigned numpy, uint32_t item_bytes)
{
    put(16, DATA);
    put(24, 2);
    put(32, SHAPE);
    put(56, other);
    put(64, 0x507);
    fake_target_put_u64(objects->fake, SHAPE, 1000);
    fake_target_put_u64(objects->fake, SHAPE + 8, 50);
    fake_target_put_u64(objects->fake, other + 32, numpy == 1 ? item_bytes : 0x18);
    fake_target_put_u64(objects->fake, other + 40, numpy == 1 ? 0x7f1200001000 : item_bytes);
}

START_TEST(arrays_count_their_data_and_their_shape)
{
    put_array((unsigned)_i + 1, 8);
    measure(PHT_KIND_NDARRAY, 96);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, 96 + 32 + 400000);
    ck_assert_uint_eq(size.buffers.count, 2);
    check_buffer(0, SHAPE, 32);
    check_buffer(1, DATA, 400000);
}
END_TEST

START_TEST(views_have_a_shape_and_no_data)
{
    put_array(1, 8);
    put(64, 0x503);
    measure(PHT_KIND_NDARRAY, 96);
    ck_assert_uint_eq(size.size_bytes, 96 + 32);
    ck_assert_uint_eq(size.buffers.count, 1);
}
END_TEST

START_TEST(arrays_without_dimensions_have_one_item)
{
    put_array(1, 16);
    put(24, 0);
    measure(PHT_KIND_NDARRAY, 96);
    ck_assert_uint_eq(size.size_bytes, 96 + 16);
    check_buffer(0, DATA, 16);
}
END_TEST

START_TEST(arrays_that_lie_are_damaged)
{
    put_array(1, 8);
    if (_i == 0)
        put(24, 65);
    else if (_i == 1)
        fake_target_put_u64(objects->fake, SHAPE + 8, UINT64_MAX);
    else
        put(_i == 2 ? 32 : 56, 0x1000);
    measure(PHT_KIND_NDARRAY, 96);
    ck_assert(size.is_damaged);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/object_modules");
    TCase *tcase = tcase_create("modules");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, files_count_their_buffer);
    tcase_add_loop_test(tcase, files_in_memory_count_bytes_that_are_theirs_alone, 0, 2);
    tcase_add_test(tcase, text_in_memory_owns_its_characters);
    tcase_add_test(tcase, c_data_owns_what_stands_elsewhere);
    tcase_add_loop_test(tcase, arrays_count_their_data_and_their_shape, 0, 2);
    tcase_add_test(tcase, views_have_a_shape_and_no_data);
    tcase_add_test(tcase, arrays_without_dimensions_have_one_item);
    tcase_add_loop_test(tcase, arrays_that_lie_are_damaged, 0, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
