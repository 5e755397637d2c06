/* Mappings and regions in the JSON. */
#include <stdio.h>
#include <string.h>

#include "support/heap_ledger.h"
#include "support/json_report.h"
#include "support/suite.h"

#define MIB ((uint64_t)1 << 20)

/* Places of some mappings in the list. */
#define PROGRAM 0
#define HEAP 1
#define SHARED_MEMORY 14
#define LIBRARY 15
#define VSYSCALL 18

static const char *path_of(int mapping, const char *field)
{
    static char path[64];

    snprintf(path, sizeof(path), "mappings.%d.%s", mapping, field);
    return path;
}

/* ---- mappings ----------------------------------------------------------------------------- */

START_TEST(mapping_has_what_maps_and_smaps_say)
{
    report->smaps.memory[HEAP] = (struct pht_mapping_memory){
        .rss_bytes = 1, .pss_bytes = 2, .exclusive_bytes = 3, .shared_bytes = 4, .swap_bytes = 5};
    write_report();
    heap_json_check_text(root, path_of(HEAP, "start"), "0x55d0c8a3e000");
    heap_json_check_text(root, path_of(HEAP, "end"), "0x55d0e8a3e000");
    heap_json_check_text(root, path_of(HEAP, "perms"), "rw-p");
    heap_json_check_text(root, path_of(HEAP, "name"), "[heap]");
    heap_json_check_text(root, path_of(HEAP, "kind"), "heap");
    heap_json_check_number(root, path_of(HEAP, "offset"), 0);
    heap_json_check_number(root, path_of(HEAP, "pss_bytes"), 2);
    heap_json_check_number(root, path_of(HEAP, "exclusive_bytes"), 3);
    heap_json_check_number(root, path_of(HEAP, "shared_bytes"), 4);
    heap_json_check_number(root, path_of(HEAP, "swap_bytes"), 5);
}
END_TEST

/* At the moment of the ledger, so that the list adds up; smaps is a moment of its own. */
START_TEST(resident_bytes_are_those_of_the_ledger)
{
    report->smaps.memory[HEAP].rss_bytes = 1;
    write_report();
    heap_json_check_number(root, path_of(HEAP, "rss_bytes"), 475 * MIB);
}
END_TEST

START_TEST(mapping_without_a_ledger_has_what_smaps_said)
{
    heap_ledger_drop(report);
    report->smaps.memory[HEAP].rss_bytes = 1;
    write_report();
    heap_json_check_number(root, path_of(HEAP, "rss_bytes"), 1);
    heap_json_check_null(root, path_of(HEAP, "categories"));
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "mappings")), report->mapping_count);
}
END_TEST

START_TEST(mapping_names_the_categories_that_it_has)
{
    write_report();
    ck_assert_uint_eq(json_object_size(heap_json_get(root, path_of(HEAP, "categories"))), 4);
    heap_json_check_number(root, path_of(HEAP, "categories.malloc_unowned"), 358 * MIB);
    heap_json_check_number(root, path_of(HEAP, "categories.malloc_free"), 90 * MIB);
    heap_json_check_number(root, path_of(HEAP, "categories.malloc_top"), 26 * MIB);
    heap_json_check_number(root, path_of(HEAP, "categories.unattributed"), 1 * MIB);
    ck_assert_uint_eq(json_object_size(heap_json_get(root, path_of(VSYSCALL, "categories"))), 0);
}
END_TEST

START_TEST(mapped_files_have_offset_and_whole_name)
{
    write_report();
    heap_json_check_text(root, path_of(PROGRAM, "name"), "/usr/bin/python3.11");
    heap_json_check_text(root, path_of(PROGRAM, "perms"), "r-xp");
    heap_json_check_text(root, path_of(PROGRAM, "kind"), "file");
    heap_json_check_number(root, path_of(PROGRAM, "offset"), 0x1f000);
    ck_assert(json_is_false(heap_json_get(root, path_of(PROGRAM, "deleted"))));
    ck_assert(json_is_true(heap_json_get(root, path_of(LIBRARY, "deleted"))));
    heap_json_check_text(root, path_of(SHARED_MEMORY, "perms"), "rw-s");
    heap_json_check_text(root, path_of(SHARED_MEMORY, "kind"), "shared_memory");
}
END_TEST

START_TEST(mappings_stand_by_address)
{
    char address[32];

    write_report();
    for (size_t i = 0; i < report->mapping_count; i++) {
        snprintf(address, sizeof(address), "0x%lx", report->smaps.maps.items[i].start);
        heap_json_check_text(root, path_of((int)i, "start"), address);
        heap_json_check_text(root, path_of((int)i, "kind"),
                             pht_mapping_kind_name(report->mappings[i].kind));
    }
    heap_json_check_text(root, path_of(VSYSCALL, "start"), "0xffffffffff600000");
}
END_TEST

START_TEST(permissions_are_those_of_maps)
{
    struct pht_mapping *mapping = &report->smaps.maps.items[HEAP];
    char wanted[] = "----";

    mapping->readable = _i & 1;
    mapping->writable = _i & 2;
    mapping->executable = _i & 4;
    mapping->shared = _i & 8;
    wanted[0] = _i & 1 ? 'r' : '-';
    wanted[1] = _i & 2 ? 'w' : '-';
    wanted[2] = _i & 4 ? 'x' : '-';
    wanted[3] = _i & 8 ? 's' : 'p';
    write_report();
    heap_json_check_text(root, path_of(HEAP, "perms"), wanted);
}
END_TEST

START_TEST(mapping_names_are_valid_whatever_they_hold)
{
    report->smaps.maps.items[HEAP].name = "/tmp/\xc3\x28\n\x1b[2J";
    write_report();
    heap_json_check_text(root, path_of(HEAP, "name"), "/tmp/\xef\xbf\xbd\x28\n\x1b[2J");
    ck_assert_ptr_null(strchr(written, '\x1b'));
}
END_TEST

START_TEST(mappings_that_were_not_asked_for_are_null)
{
    free(report->mappings);
    report->mappings = NULL;
    report->mapping_count = report->unattributed_count = 0;
    write_report();
    heap_json_check_null(root, "mappings");
}
END_TEST

START_TEST(numbers_that_do_not_fit_are_null)
{
    report->smaps.memory[HEAP].pss_bytes = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, path_of(HEAP, "pss_bytes"));
}
END_TEST

/* ---- regions ------------------------------------------------------------------------------ */

START_TEST(regions_have_kind_place_and_thread)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "regions")), 4);
    heap_json_check_text(root, "regions.1.kind", "stack");
    heap_json_check_text(root, "regions.1.start", "0x7f2bd4001000");
    heap_json_check_text(root, "regions.1.end", "0x7f2bd4801000");
    heap_json_check_number(root, "regions.1.tid", 4723);
    heap_json_check_number(root, "regions.1.resident_bytes", 7 * MIB);
    heap_json_check_null(root, "regions.2.tid");
}
END_TEST

START_TEST(every_kind_of_region_has_a_name)
{
    report->regions.items[0].kind = (enum pht_region_kind)_i;
    write_report();
    heap_json_check_text(root, "regions.0.kind", pht_region_kind_name((enum pht_region_kind)_i));
}
END_TEST

static Suite *json_mappings_suite(void)
{
    Suite *suite = suite_create("json_mappings");
    TCase *tcase = tcase_create("json_mappings");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_test(tcase, mapping_has_what_maps_and_smaps_say);
    tcase_add_test(tcase, resident_bytes_are_those_of_the_ledger);
    tcase_add_test(tcase, mapping_without_a_ledger_has_what_smaps_said);
    tcase_add_test(tcase, mapping_names_the_categories_that_it_has);
    tcase_add_test(tcase, mapped_files_have_offset_and_whole_name);
    tcase_add_test(tcase, mappings_stand_by_address);
    tcase_add_loop_test(tcase, permissions_are_those_of_maps, 0, 16);
    tcase_add_test(tcase, mapping_names_are_valid_whatever_they_hold);
    tcase_add_test(tcase, mappings_that_were_not_asked_for_are_null);
    tcase_add_test(tcase, numbers_that_do_not_fit_are_null);
    tcase_add_test(tcase, regions_have_kind_place_and_thread);
    tcase_add_loop_test(tcase, every_kind_of_region_has_a_name, 0, PHT_REGION_INTERNED + 1);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(json_mappings_suite)
