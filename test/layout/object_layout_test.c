/* Of which interpreters objects can be told, and by which rules. */
#include <string.h>

#include "pyheaptop/layout.h"
#include "support/suite.h"

static struct pht_object_layout layout;

static bool find(unsigned major, unsigned minor, bool free_threaded, bool debug_build)
{
    struct pht_python python = {
        .version = {major, minor, 0}, .free_threaded = free_threaded, .debug_build = debug_build};

    memset(&python.layout, 0xff, sizeof(python.layout));
    return pht_object_layout_find(&python, &layout);
}

START_TEST(known_versions)
{
    ck_assert(find(2, 7, false, false));
    for (unsigned minor = 6; minor <= 15; minor++) {
        ck_assert(find(3, minor, false, false));
        ck_assert_uint_eq(layout.minor, minor);
    }
    ck_assert(!find(2, 6, false, false));
    ck_assert(!find(3, 5, false, false));
    ck_assert(!find(3, 16, false, false));
    ck_assert(!find(4, 7, false, false));
    ck_assert(!find(0, 0, false, false));
}
END_TEST

START_TEST(builds_with_other_objects)
{
    ck_assert(!find(3, 13, true, false));
    ck_assert(!find(2, 7, false, true));
    ck_assert(!find(3, 7, false, true));
    ck_assert(find(3, 8, false, true));
}
END_TEST

START_TEST(rules_change_with_their_version)
{
    static const struct {
        unsigned minor;
        enum pht_dict_form dict;
        enum pht_values_form values;
        uint32_t managed_flags;
        uint16_t gc_head_bytes;
        uint16_t heap_type_bytes;
    } rows[] = {
        {6, PHT_DICT_SIZED, PHT_VALUES_IN_DICT, 0, 32, 864},
        {7, PHT_DICT_SIZED, PHT_VALUES_IN_DICT, 0, 32, 864},
        {8, PHT_DICT_SIZED, PHT_VALUES_IN_DICT, 0, 16, 880},
        {10, PHT_DICT_SIZED, PHT_VALUES_IN_DICT, 0, 16, 888},
        {11, PHT_DICT_LOG2, PHT_VALUES_POINTED, 16, 16, 904},
        {12, PHT_DICT_LOG2, PHT_VALUES_TAGGED, 24, 16, 920},
        {13, PHT_DICT_LOG2, PHT_VALUES_EMBEDDED, 24, 16, 928},
        {15, PHT_DICT_LOG2, PHT_VALUES_EMBEDDED, 24, 16, 944},
    };

    ck_assert(find(3, rows[_i].minor, false, false));
    ck_assert(!layout.is_python2);
    ck_assert_int_eq(layout.dict_form, rows[_i].dict);
    ck_assert_int_eq(layout.values_form, rows[_i].values);
    ck_assert_uint_eq(layout.managed_flags, rows[_i].managed_flags);
    ck_assert_uint_eq(layout.gc_head_bytes, rows[_i].gc_head_bytes);
    ck_assert_uint_eq(layout.heap_type_bytes, rows[_i].heap_type_bytes);
}
END_TEST

/* Where a generation has no room for 32 bytes, the collector's head is shorter. */
START_TEST(heads_before_3_8_are_of_two_lengths)
{
    static const struct {
        unsigned minor;
        uint64_t state;
        uint64_t statics;
        uint16_t head;
    } rows[] = {
        {6, PHT_UNKNOWN, 144, 32}, {6, PHT_UNKNOWN, 96, 24},          {7, 144, PHT_UNKNOWN, 32},
        {7, 96, PHT_UNKNOWN, 24},  {7, PHT_UNKNOWN, PHT_UNKNOWN, 32}, {8, 96, PHT_UNKNOWN, 16},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pht_python python = {.version = {3, rows[i].minor, 0}};
        memset(&python.layout, 0xff, sizeof(python.layout));
        python.layout.gc_generations_bytes = rows[i].state;
        python.layout.gc_static_generations_bytes = rows[i].statics;
        ck_assert(pht_object_layout_find(&python, &layout));
        ck_assert_uint_eq(layout.gc_head_bytes, rows[i].head);
    }
}
END_TEST

START_TEST(python2_has_characters_of_two_widths)
{
    struct pht_python python = {.version = {2, 7, 18}};

    memset(&python.layout, 0xff, sizeof(python.layout));
    ck_assert(pht_object_layout_find(&python, &layout));
    ck_assert(layout.is_python2);
    ck_assert_int_eq(layout.dict_form, PHT_DICT_TABLE);
    ck_assert_uint_eq(layout.str_char_bytes, 4);
    python.layout.narrow_unicode = 0x1000;
    ck_assert(pht_object_layout_find(&python, &layout));
    ck_assert_uint_eq(layout.str_char_bytes, 2);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("layout/object_layout");
    TCase *tcase = tcase_create("object_layout");

    tcase_add_test(tcase, known_versions);
    tcase_add_test(tcase, builds_with_other_objects);
    tcase_add_loop_test(tcase, rules_change_with_their_version, 0, 8);
    tcase_add_test(tcase, heads_before_3_8_are_of_two_lengths);
    tcase_add_test(tcase, python2_has_characters_of_two_widths);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
