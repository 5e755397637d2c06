/* Sizes and buffers of str, bytes and int, as those of object_size_test.c. */
#include "support/measured_object.h"
#include "support/suite.h"

START_TEST(bytes_and_their_classes)
{
    measured_begin(3, 8);
    measured_of(PHT_KIND_BYTES, 33, 1, false);
    measured_put(16, 5);
    check_size(38);
    measured_of(PHT_KIND_BYTES, 40, 1, true);
    measured_put(16, 5);
    check_size(61);
    measured_end();
    measured_begin(2, 7);
    measured_of(PHT_KIND_BYTES, 37, 1, false);
    measured_put(16, 5);
    check_size(42);
    measured_of(PHT_KIND_BYTES, 48, 1, true);
    measured_put(16, 5);
    check_size(32 + 42);
    measured_end();
}
END_TEST

START_TEST(integers_by_their_digits)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t word; /* ob_size or lv_tag */
        uint64_t bytes;
    } rows[] = {
        {2, 7, 0, 24},
        {2, 7, 2, 32},
        {2, 7, -(uint64_t)2, 32},
        {3, 6, 0, 24},
        {3, 6, 1, 28},
        {3, 10, 0, 24},
        {3, 10, -(uint64_t)3, 36},
        {3, 11, 0, 28},
        {3, 11, 2, 32},
        {3, 12, 1, 28},
        {3, 12, 1 << 3, 28},
        {3, 12, 2 << 3 | 2, 32},
        {3, 15, 5 << 3, 44},
        {3, 15, 5 << 3 | 2, 44},
    };

    measured_begin(rows[_i].major, rows[_i].minor);
    measured_of(PHT_KIND_INT, 24, 4, false);
    measured_put(16, rows[_i].word);
    check_size(rows[_i].bytes);
    measured_end();
}
END_TEST

START_TEST(classes_of_int_count_in_full_from_3_12_on)
{
    measured_begin(3, 11);
    measured_of(PHT_KIND_INT, 32, 4, true);
    measured_put(16, 1);
    check_size(16 + 28);
    measured_end();
    measured_begin(3, 12);
    measured_of(PHT_KIND_INT, 32, 4, true);
    measured_put(16, 1 << 3);
    check_size(16 + 36);
    measured_end();
}
END_TEST

/* ---- str ---------------------------------------------------------------------------------- */

static void of_str(uint64_t length, uint32_t state)
{
    measured_of(PHT_KIND_STR, 80, 0, false);
    measured_put(16, length);
    measured_put(32, state);
}

START_TEST(compact_strings)
{
    static const struct {
        unsigned minor;
        uint32_t state;
        uint64_t bytes; /* of three characters */
    } rows[] = {
        {6, KIND_1 | COMPACT | ASCII | READY, 52},
        {11, KIND_1 | COMPACT | ASCII | READY, 52},
        {12, KIND_1 | COMPACT | ASCII, 44},
        {15, KIND_1 | COMPACT | ASCII, 44},
        {6, KIND_1 | COMPACT | READY, 76},
        {11, KIND_2 | COMPACT | READY, 80},
        {12, KIND_2 | COMPACT, 64},
        {15, KIND_4 | COMPACT, 72},
    };

    measured_begin(3, rows[_i].minor);
    of_str(3, rows[_i].state);
    check_size(rows[_i].bytes);
    check_buffers(0);
    of_str((uint64_t)1 << 62, rows[_i].state);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    measured_end();
}
END_TEST

START_TEST(strings_with_an_encoded_copy)
{
    measured_begin(3, 11);
    of_str(3, KIND_2 | COMPACT | READY);
    measured_put(48, 9);
    measured_put(56, 0x5000);
    check_size(80 + 10);
    check_buffers(1);
    check_buffer(0, 0x5000, 10);
    measured_end();
    measured_begin(3, 13);
    of_str(3, KIND_2 | COMPACT);
    measured_put(40, 9);
    measured_put(48, 0x5000);
    check_size(64 + 10);
    check_buffer(0, 0x5000, 10);
    measured_end();
}
END_TEST

START_TEST(strings_with_wide_characters_besides)
{
    measured_begin(3, 8);
    of_str(3, KIND_1 | COMPACT | ASCII | READY);
    measured_put(40, 0x5000);
    measured_put(64, 100); /* not looked at: the length is the same */
    check_size(52 + 16);
    check_buffer(0, 0x5000, 16);
    of_str(3, KIND_2 | COMPACT | READY);
    measured_put(40, 0x5000);
    measured_put(64, 4);
    check_size(80 + 20);
    of_str(3, KIND_4 | COMPACT | READY);
    measured_put(40, object + 72); /* the data itself */
    measured_put(64, 3);
    check_size(72 + 16);
    check_buffers(0);
    of_str(0, 0); /* not ready: no data but wide characters */
    measured_put(40, 0x5000);
    measured_put(64, 5);
    check_size(80 + 24);
    check_buffers(1);
    measured_end();
}
END_TEST

START_TEST(instances_of_classes_of_str)
{
    measured_begin(3, 8);
    of_str(3, KIND_2 | READY);
    measured_put(72, 0x5000);
    check_size(80 + 8);
    check_buffers(1);
    check_buffer(0, 0x5000, 8);
    of_str(3, KIND_1 | ASCII | READY);
    type.prefix_bytes = 16;
    measured_put(72, 0x5000);
    measured_put(56, 0x5000); /* utf8 is the data */
    check_size(16 + 80 + 4);
    check_buffers(1);
    measured_end();
    measured_begin(3, 14);
    of_str(3, KIND_1 | ASCII);
    measured_put(56, 0x5000);
    check_size(64 + 4);
    check_buffer(0, 0x5000, 4);
    measured_end();
}
END_TEST

START_TEST(unicode_of_python2)
{
    measured_begin(2, 7);
    measured_of(PHT_KIND_STR, 48, 0, false);
    measured_put(16, 1);
    measured_put(24, 0x5000);
    check_size(56);
    check_buffer(0, 0x5000, 8);
    objects->layout.str_char_bytes = 2;
    check_size(52);
    measured_end();
}
END_TEST

START_TEST(strings_of_no_kind_are_damaged)
{
    measured_begin(3, 8);
    of_str(3, 3 << 2 | COMPACT | READY);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    of_str(3, KIND_2 | COMPACT | ASCII | READY);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    measured_end();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_text");
    TCase *tcase = tcase_create("object_text");

    tcase_add_checked_fixture(tcase, NULL, measured_teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, bytes_and_their_classes);
    tcase_add_loop_test(tcase, integers_by_their_digits, 0, 14);
    tcase_add_test(tcase, classes_of_int_count_in_full_from_3_12_on);
    tcase_add_loop_test(tcase, compact_strings, 0, 8);
    tcase_add_test(tcase, strings_with_an_encoded_copy);
    tcase_add_test(tcase, strings_with_wide_characters_besides);
    tcase_add_test(tcase, instances_of_classes_of_str);
    tcase_add_test(tcase, unicode_of_python2);
    tcase_add_test(tcase, strings_of_no_kind_are_damaged);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
