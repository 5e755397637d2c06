/* Objects by type in the JSON. */
#include <stdio.h>
#include <string.h>

#include "support/heap_objects.h"
#include "support/json_report.h"
#include "support/suite.h"

static const char *path_of(size_t type, const char *field)
{
    static char path[64];

    snprintf(path, sizeof(path), "types.%zu.%s", type, field);
    return path;
}

START_TEST(every_figure_of_a_type_stands_in_its_place)
{
    struct pht_type_sum *type = &report->objects->types[2];

    type->address = 0x7f2bd5e4c2a0;
    type->objects = 4711;
    type->size_bytes = 4712;
    type->allocated_bytes = 4713;
    type->max_bytes = 4714;
    type->gc_tracked = 4715;
    write_report();
    heap_json_check_text(root, "types.2.name", "ndarray");
    heap_json_check_text(root, "types.2.module", "numpy");
    heap_json_check_text(root, "types.2.address", "0x7f2bd5e4c2a0");
    heap_json_check_number(root, "types.2.objects", 4711);
    heap_json_check_number(root, "types.2.size_bytes", 4712);
    heap_json_check_number(root, "types.2.allocated_bytes", 4713);
    heap_json_check_number(root, "types.2.max_bytes", 4714);
    heap_json_check_number(root, "types.2.gc_tracked", 4715);
    ck_assert_uint_eq(json_object_size(heap_json_get(root, "types.2")), 8);
}
END_TEST

START_TEST(types_are_all_there_in_the_order_of_the_model)
{
    const struct pht_objects *objects = report->objects;

    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "types")), objects->type_count);
    for (size_t i = 0; i < objects->type_count; i++) {
        heap_json_check_text(root, path_of(i, "name"), objects->types[i].name);
        heap_json_check_text(root, path_of(i, "module"), objects->types[i].module);
    }
}
END_TEST

START_TEST(every_total_stands_in_its_place)
{
    struct pht_objects *objects = report->objects;

    objects->totals.objects = 11;
    objects->totals.size_bytes = 12;
    objects->totals.allocated_bytes = 13;
    objects->totals.gc_tracked = 14;
    objects->interned = (struct pht_tally){15, 16};
    objects->blocks = (struct pht_holders){{20, 21}, {22, 23}, {24, 25}, {26, 27}};
    objects->chunks = (struct pht_holders){{30, 31}, {32, 33}, {34, 35}, {36, 37}};
    objects->damaged_objects = 17;
    objects->torn_pools = 18;
    objects->swapped_pools = 19;
    write_report();
    heap_json_check_number(root, "objects.objects", 11);
    heap_json_check_number(root, "objects.size_bytes", 12);
    heap_json_check_number(root, "objects.allocated_bytes", 13);
    heap_json_check_number(root, "objects.gc_tracked", 14);
    heap_json_check_number(root, "objects.interned.count", 15);
    heap_json_check_number(root, "objects.interned.bytes", 16);
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {"objects", "buffers", "free_listed", "unowned"};
        char path[64];
        snprintf(path, sizeof(path), "objects.blocks.%s.count", names[i]);
        heap_json_check_number(root, path, 20 + 2 * i);
        snprintf(path, sizeof(path), "objects.blocks.%s.bytes", names[i]);
        heap_json_check_number(root, path, 21 + 2 * i);
        snprintf(path, sizeof(path), "objects.chunks.%s.count", names[i]);
        if (i != 2)
            heap_json_check_number(root, path, 30 + 2 * i);
    }
    ck_assert_uint_eq(json_object_size(heap_json_get(root, "objects.chunks")), 3);
    heap_json_check_number(root, "objects.damaged_objects", 17);
    heap_json_check_number(root, "objects.torn_pools", 18);
    heap_json_check_number(root, "objects.swapped_pools", 19);
    ck_assert_uint_eq(json_object_size(heap_json_get(root, "objects")), 10);
}
END_TEST

START_TEST(free_lists_that_are_not_known_are_null)
{
    report->objects->blocks.free_listed.count = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, "objects.blocks.free_listed");
}
END_TEST

START_TEST(largest_objects_show_what_they_begin_with)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "largest")), 2);
    heap_json_check_null(root, "largest.0.preview");
    heap_json_check_text(root, "largest.0.address", "0x7f2b9c3f1c60");
    heap_json_check_number(root, "largest.0.size_bytes", 83886176);
    heap_json_check_text(root, "largest.1.preview", "\x1b[31mSELECT * FROM orders");
    heap_json_check_text(root, "largest.1.type", report->objects->types[1].name);
    heap_json_check_text(root, "largest.1.module", report->objects->types[1].module);
}
END_TEST

START_TEST(what_nobody_owns_has_samples)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "unowned")), 5);
    heap_json_check_number(root, "unowned.0.min_bytes", 4096);
    heap_json_check_number(root, "unowned.0.max_bytes", 5104);
    heap_json_check_number(root, "unowned.0.chunks", 41000);
    heap_json_check_number(root, "unowned.0.bytes", 168592000);
    heap_json_check_text(root, "unowned.0.samples.0.kind", "text");
    heap_json_check_text(root, "unowned.0.samples.0.text", "GET /index.html");
    heap_json_check_null(root, "unowned.0.samples.0.points_to");
    heap_json_check_text(root, "unowned.0.samples.1.kind", "pointer");
    heap_json_check_null(root, "unowned.0.samples.1.text");
    heap_json_check_text(root, "unowned.0.samples.1.points_to.name",
                         "/usr/lib/x86_64-linux-gnu/libcrypto.so.3");
    heap_json_check_number(root, "unowned.0.samples.1.points_to.offset", 0x20230);
    heap_json_check_text(root, "unowned.0.samples.1.points_to.address", "0x7f2bec001230");
    heap_json_check_text(root, "unowned.0.samples.2.kind", "zeros");
    heap_json_check_text(root, "unowned.1.samples.0.kind", "other");
}
END_TEST

START_TEST(census_that_was_not_made_is_null)
{
    heap_report_drop_objects(report);
    write_report();
    heap_json_check_null(root, "largest");
    heap_json_check_null(root, "unowned");
    heap_json_check_null(root, "types");
    heap_json_check_null(root, "objects");
}
END_TEST

/* A list without rows, and sums that are 0, are known. */
START_TEST(census_that_found_nothing_is_not_null)
{
    heap_report_drop_objects(report);
    report->objects = calloc(1, sizeof(*report->objects));
    write_report();
    ck_assert(json_is_array(heap_json_get(root, "types")));
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "types")), 0);
    heap_json_check_number(root, "objects.objects", 0);
}
END_TEST

static const struct {
    const char *name;
    const char *expected;
} names[] = {
    {"", ""},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"Caf\xc3\xa9", "Caf\xc3\xa9"},
    {"cut \xc3", "cut \xef\xbf\xbd"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"\x1b[31mRed\"", "\x1b[31mRed\""},
};

#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

START_TEST(hostile_names_are_valid_json)
{
    heap_objects_rename(&report->objects->types[0], names[_i].name, "plain");
    heap_objects_rename(&report->objects->types[1], "plain", names[_i].name);
    write_report();
    heap_json_check_text(root, "types.0.module", names[_i].expected);
    heap_json_check_text(root, "types.0.name", "plain");
    heap_json_check_text(root, "types.1.module", "plain");
    heap_json_check_text(root, "types.1.name", names[_i].expected);
    ck_assert_ptr_null(strchr(written, '\x1b'));
}
END_TEST

static Suite *types_suite(void)
{
    Suite *suite = suite_create("view/json_types");
    TCase *tcase = tcase_create("types");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_test(tcase, every_figure_of_a_type_stands_in_its_place);
    tcase_add_test(tcase, types_are_all_there_in_the_order_of_the_model);
    tcase_add_test(tcase, every_total_stands_in_its_place);
    tcase_add_test(tcase, free_lists_that_are_not_known_are_null);
    tcase_add_test(tcase, largest_objects_show_what_they_begin_with);
    tcase_add_test(tcase, what_nobody_owns_has_samples);
    tcase_add_test(tcase, census_that_was_not_made_is_null);
    tcase_add_test(tcase, census_that_found_nothing_is_not_null);
    tcase_add_loop_test(tcase, hostile_names_are_valid_json, 0, NAMES);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(types_suite)
