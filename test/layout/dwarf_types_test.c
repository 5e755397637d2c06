#include <dwarf.h>

#include "layout/dwarf_types.h"
#include "support/elf_fixture.h"
#include "support/suite.h"

static const char *const paths[] = {ELF_FIXTURE("plain"), ELF_FIXTURE("dwarf4"),
                                    ELF_FIXTURE("clang"), ELF_FIXTURE("lto")};
#define PATHS 4

static struct elf_fixture fixture;

static uint64_t size_of(const char *file, const char *name)
{
    Dwarf_Die type;
    Dwarf_Word size;

    ck_assert_msg(pht_dwarf_find_type(&fixture.units, file, name, &type), "%s", name);
    ck_assert_int_eq(dwarf_aggregate_size(&type, &size), 0);
    return size;
}

START_TEST(units_are_known_by_the_name_of_their_source)
{
    unsigned found = 0;

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    for (size_t i = 0; i < fixture.units.count; i++) {
        found += pht_dwarf_unit_is(&fixture.units.items[i], "obmalloc.c");
        ck_assert(!pht_dwarf_unit_is(&fixture.units.items[i], "malloc.c"));
        ck_assert(!pht_dwarf_unit_is(&fixture.units.items[i], "obmalloc"));
        ck_assert(!pht_dwarf_unit_is(&fixture.units.items[i], ""));
    }
    ck_assert_uint_eq(found, 1);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_unit_needs_no_folder_and_no_name)
{
    const struct pht_dwarf_unit plain = {.name = "obmalloc.c"}, unnamed = {.name = NULL};

    ck_assert(pht_dwarf_unit_is(&plain, "obmalloc.c"));
    ck_assert(!pht_dwarf_unit_is(&plain, "Objects/obmalloc.c"));
    ck_assert(pht_dwarf_name_is("../Objects/obmalloc.c", "Objects/obmalloc.c"));
    ck_assert(!pht_dwarf_name_is("../Objects/obmalloc.c", "bjects/obmalloc.c"));
    ck_assert(!pht_dwarf_name_is("../Objects/obmalloc.c", "../../Objects/obmalloc.c"));
    ck_assert(!pht_dwarf_name_is(NULL, "obmalloc.c"));
    ck_assert(!pht_dwarf_unit_is(&unnamed, "obmalloc.c"));
}
END_TEST

START_TEST(types_are_taken_from_the_wanted_file)
{
    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    ck_assert_uint_eq(size_of("obmalloc.c", "pool_header"), 48);
    ck_assert_uint_eq(size_of("obmalloc.c", "arena_object"), 48);
    ck_assert_uint_eq(size_of("other.c", "arena_object"), 5);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_struct_that_was_declared_before_is_taken_complete)
{
    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    ck_assert_uint_eq(size_of("obmalloc.c", "_is"), 16);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_typedef_of_an_unnamed_struct_is_peeled_off)
{
    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    ck_assert_uint_eq(size_of("obmalloc.c", "fixture_nested"), sizeof(char *) * 4 + 2 * 48 + 48);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(what_is_no_complete_struct_is_not_found)
{
    static const char *const absent[] = {"never_complete", "absent",       "",
                                         "uint8_t",        "unsigned int", "fixture_nested_object",
                                         "pool_heade"};
    Dwarf_Die type;

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        ck_assert_msg(!pht_dwarf_find_type(&fixture.units, "obmalloc.c", absent[i], &type), "%s",
                      absent[i]);
    ck_assert(!pht_dwarf_find_type(&fixture.units, "absent.c", "pool_header", &type));
    elf_fixture_close(&fixture);
}
END_TEST

/* `offset` is the number by which fixture_offset() knows the member. */
static const struct member_row {
    const char *type;
    const char *path;
    int offset;
    uint64_t bytes;
} member_rows[] = {
    {"fixture_nested", "first", 0, 4},        {"fixture_nested", "word", 1, 8},
    {"fixture_nested", "high", 2, 2},         {"fixture_nested", "inner.name", 3, 8},
    {"fixture_nested", "inner.pools", 4, 96}, {"fixture_nested", "last.ntotalpools", 5, 4},
    {"fixture_deep", "fourth", 6, 4},
};

START_TEST(members_are_where_the_compiler_put_them)
{
    const int count = (int)(sizeof(member_rows) / sizeof(member_rows[0]));
    uint64_t offset, bytes;
    Dwarf_Die type;

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    for (int i = 0; i < count; i++) {
        const struct member_row *row = &member_rows[i];
        ck_assert(pht_dwarf_find_type(&fixture.units, "obmalloc.c", row->type, &type));
        ck_assert_msg(pht_dwarf_find_member(&type, row->path, &offset, &bytes), "%s", row->path);
        ck_assert_msg(offset == elf_fixture_number(&fixture, "fixture_offset", row->offset),
                      "%s at %llu", row->path, (unsigned long long)offset);
        ck_assert_msg(bytes == row->bytes, "%s has %llu bytes", row->path,
                      (unsigned long long)bytes);
    }
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(paths_that_lead_nowhere_are_told)
{
    static const char *const absent[] = {
        "absent",      "",
        ".",           "inner.",
        ".inner",      "inner.absent",
        "inne",        "inner.name.x",
        "first.word",  "before.x",
        "inner..name", "inner.pools.count",
    };
    uint64_t offset, bytes;
    Dwarf_Die type;

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    ck_assert(pht_dwarf_find_type(&fixture.units, "obmalloc.c", "fixture_nested", &type));
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        ck_assert_msg(!pht_dwarf_find_member(&type, absent[i], &offset, &bytes), "\"%s\"",
                      absent[i]);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(unnamed_structs_are_searched_to_a_depth)
{
    uint64_t offset, bytes;
    Dwarf_Die type;

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    ck_assert(pht_dwarf_find_type(&fixture.units, "obmalloc.c", "fixture_deep", &type));
    ck_assert(!pht_dwarf_find_member(&type, "bottom", &offset, &bytes));
    elf_fixture_close(&fixture);
}
END_TEST

static Suite *dwarf_types_suite(void)
{
    Suite *suite = suite_create("layout/dwarf_types");
    TCase *tcase = tcase_create("dwarf_types");

    tcase_add_loop_test(tcase, units_are_known_by_the_name_of_their_source, 0, PATHS);
    tcase_add_test(tcase, a_unit_needs_no_folder_and_no_name);
    tcase_add_loop_test(tcase, types_are_taken_from_the_wanted_file, 0, PATHS);
    tcase_add_loop_test(tcase, a_struct_that_was_declared_before_is_taken_complete, 0, PATHS);
    tcase_add_loop_test(tcase, a_typedef_of_an_unnamed_struct_is_peeled_off, 0, PATHS);
    tcase_add_loop_test(tcase, what_is_no_complete_struct_is_not_found, 0, PATHS);
    tcase_add_loop_test(tcase, members_are_where_the_compiler_put_them, 0, PATHS);
    tcase_add_loop_test(tcase, paths_that_lead_nowhere_are_told, 0, PATHS);
    tcase_add_loop_test(tcase, unnamed_structs_are_searched_to_a_depth, 0, PATHS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(dwarf_types_suite)
