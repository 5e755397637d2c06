#include <dwarf.h>

#include "layout/dwarf_vars.h"
#include "support/elf_fixture.h"
#include "support/suite.h"

static const char *const paths[] = {ELF_FIXTURE("plain"), ELF_FIXTURE("dwarf4"),
                                    ELF_FIXTURE("clang"), ELF_FIXTURE("lto")};
#define PATHS 4

static struct elf_fixture fixture;

static unsigned variables_with_an_origin(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < fixture.units.count; i++) {
        Dwarf_Die root, child;
        ck_assert_ptr_nonnull(
            dwarf_offdie(fixture.dwarf, fixture.units.items[i].die_offset, &root));
        if (dwarf_child(&root, &child) != 0)
            continue;
        do {
            count += dwarf_tag(&child) == DW_TAG_variable &&
                     dwarf_hasattr(&child, DW_AT_abstract_origin) &&
                     dwarf_hasattr(&child, DW_AT_location) && !dwarf_hasattr(&child, DW_AT_name);
        } while (dwarf_siblingof(&child, &child) == 0);
    }
    return count;
}

START_TEST(the_optimised_library_hides_its_addresses)
{
    if (!elf_fixture_open_units(&fixture, ELF_FIXTURE("lto")))
        return;
    ck_assert_uint_ge(variables_with_an_origin(), 6);
    elf_fixture_close(&fixture);
}
END_TEST

static const struct variable_row {
    const char *name;
    const char *file;
    const char *truth; /* the function of the library that knows */
    uint64_t bytes;
} rows[] = {
    {"usedpools", "obmalloc.c", "fixture_usedpools", 64 * 8},
    {"arenas", "obmalloc.c", "fixture_arenas", 8},
    {"maxarenas", "obmalloc.c", "fixture_maxarenas", 4},
    {"narenas_currently_allocated", "obmalloc.c", "fixture_narenas", 8},
    {"arenas", "other.c", "fixture_other_arenas", 3 * 8},
    {"maxarenas", "other.c", "fixture_other_maxarenas", 100},
    {"numfree", "Objects/listobject.c", "fixture_free_lists", 4},
    {"numfree", "Modules/listobject.c", "fixture_other_free_lists", 4},
    {"numfree", "tupleobject.c", "fixture_free_tuples", 20 * 4},
    {"usedpools", NULL, "fixture_usedpools", 64 * 8},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

START_TEST(variables_are_where_the_program_has_them)
{
    struct pht_dwarf_variable variables[ROWS];

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    for (size_t i = 0; i < ROWS; i++)
        variables[i] = (struct pht_dwarf_variable){.name = rows[i].name, .file = rows[i].file};
    /* The last row asks for the first row's variable once more, so it is searched alone. */
    pht_dwarf_find_variables(&fixture.units, variables, ROWS - 1);
    pht_dwarf_find_variables(&fixture.units, &variables[ROWS - 1], 1);
    for (size_t i = 0; i < ROWS; i++) {
        ck_assert_msg(variables[i].found, "%s of %s", rows[i].name, rows[i].file);
        ck_assert_msg(variables[i].address == elf_fixture_address(&fixture, rows[i].truth),
                      "%s of %s at %llx", rows[i].name, rows[i].file,
                      (unsigned long long)variables[i].address);
        ck_assert_msg(variables[i].bytes == rows[i].bytes, "%s of %s has %llu bytes", rows[i].name,
                      rows[i].file, (unsigned long long)variables[i].bytes);
    }
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(exported_variables_are_found_without_a_file)
{
    struct pht_dwarf_variable variables[] = {{.name = "_PyRuntime"}, {.name = "PyType_Type"}};

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    pht_dwarf_find_variables(&fixture.units, variables, 2);
    ck_assert(variables[0].found && variables[1].found);
    ck_assert_uint_eq(variables[0].bytes, 64);
    ck_assert_uint_eq(variables[1].bytes, 50 * sizeof(long));
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(what_is_no_variable_of_the_file_is_not_found)
{
    struct pht_dwarf_variable variables[] = {
        {.name = "absent", .file = "obmalloc.c"},
        {.name = "usedpools", .file = "other.c"},
        {.name = "usedpools", .file = "malloc.c"},
        {.name = "fixture_arenas", .file = "obmalloc.c"},     /* a function */
        {.name = "offsets", .file = "obmalloc.c"},            /* a static of a function */
        {.name = "numfree", .file = "Objects/floatobject.c"}, /* left out by the compiler */
        {.name = "numfree", .file = "bjects/listobject.c"},
        {.name = "numfree", .file = "Python/listobject.c"},
        {.name = "", .file = NULL},
    };

    if (!elf_fixture_open_units(&fixture, paths[_i]))
        return;
    pht_dwarf_find_variables(&fixture.units, variables, sizeof(variables) / sizeof(variables[0]));
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        ck_assert_msg(!variables[i].found, "%s", variables[i].name);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- thread-local ones -------------------------------------------------------------------- */

static const char *const threaded[] = {
    ELF_FIXTURE("libc-shadowed/libc-2.99"),
    ELF_FIXTURE("libc-clang/libc-2.99"),
    ELF_FIXTURE("libc-lto/libc-2.99"),
};
#define THREADED 3

START_TEST(thread_local_variables_have_offsets)
{
    struct pht_dwarf_variable variables[] = {
        {.name = "tcache", .file = "malloc.c", .is_thread_local = true},
        {.name = "thread_arena", .file = "malloc.c", .is_thread_local = true},
        {.name = "mp_", .file = "shadow.c", .is_thread_local = true},
    };
    static const char *const truths[] = {"fixture_tcache", "fixture_thread_arena",
                                         "fixture_other_params"};

    if (!elf_fixture_open_units(&fixture, threaded[_i]))
        return;
    pht_dwarf_find_variables(&fixture.units, variables, 3);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_msg(variables[i].found, "%s", variables[i].name);
        ck_assert_uint_eq(variables[i].address, elf_fixture_thread_local(&fixture, truths[i]));
    }
    ck_assert_uint_eq(variables[0].bytes, sizeof(void *));
    ck_assert_uint_eq(variables[2].bytes, sizeof(int));
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(the_kind_of_a_variable_decides_between_two_of_a_name)
{
    struct pht_dwarf_variable variables[] = {
        {.name = "tcache"},
        {.name = "tcache", .is_thread_local = true},
        {.name = "mp_"},
        {.name = "tcache", .file = "malloc.c"},
        {.name = "tcache", .file = "shadow.c", .is_thread_local = true},
        {.name = "main_arena", .is_thread_local = true},
    };

    if (!elf_fixture_open_units(&fixture, threaded[_i]))
        return;
    pht_dwarf_find_variables(&fixture.units, variables, 6);
    for (size_t i = 0; i < 6; i++)
        ck_assert_msg(variables[i].found == (i < 3), "%zu", i);
    ck_assert_uint_eq(variables[0].address, elf_fixture_address(&fixture, "fixture_other_tcache"));
    ck_assert_uint_eq(variables[1].address, elf_fixture_thread_local(&fixture, "fixture_tcache"));
    ck_assert_uint_eq(variables[2].address, elf_fixture_address(&fixture, "fixture_params"));
    elf_fixture_close(&fixture);
}
END_TEST

static Suite *dwarf_vars_suite(void)
{
    Suite *suite = suite_create("layout/dwarf_vars");
    TCase *tcase = tcase_create("dwarf_vars");

    tcase_add_test(tcase, the_optimised_library_hides_its_addresses);
    tcase_add_loop_test(tcase, variables_are_where_the_program_has_them, 0, PATHS);
    tcase_add_loop_test(tcase, exported_variables_are_found_without_a_file, 0, PATHS);
    tcase_add_loop_test(tcase, what_is_no_variable_of_the_file_is_not_found, 0, PATHS);
    tcase_add_loop_test(tcase, thread_local_variables_have_offsets, 0, THREADED);
    tcase_add_loop_test(tcase, the_kind_of_a_variable_decides_between_two_of_a_name, 0, THREADED);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(dwarf_vars_suite)
