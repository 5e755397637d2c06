#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/debug_file.h"
#include "layout/dwarf_types.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct elf_fixture fixture;

/* No debug file may come from the network. */
static void setup(void)
{
    unsetenv("DEBUGINFOD_URLS");
}

static bool has_pool_header(Dwarf *dwarf)
{
    struct pht_dwarf_units units;
    Dwarf_Die type;

    ck_assert(pht_dwarf_units_init(&units, dwarf));
    bool found = pht_dwarf_find_type(&units, "obmalloc.c", "pool_header", &type);
    pht_dwarf_units_deinit(&units);
    return found;
}

static void check_debug_information(bool wanted)
{
    struct pht_debug_file file;

    ck_assert(pht_debug_file_open(fixture.target, &fixture.image, &file));
    ck_assert((file.dwarf != NULL) == wanted);
    ck_assert((file.elf != NULL) == wanted);
    if (wanted)
        ck_assert(has_pool_header(file.dwarf));
    pht_debug_file_close(&file);
    ck_assert_ptr_null(file.dwfl);
}

START_TEST(debug_information_in_the_file_itself_is_used)
{
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("plain")));
    check_debug_information(true);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_debug_file_beside_a_stripped_one_is_found)
{
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("stripped")));
    check_debug_information(true);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- in a folder of its own --------------------------------------------------------------- */

static struct proc_tree tree;

static void copy_to_tree(const char *from, const char *name)
{
    FILE *file = fopen(from, "r");
    char *bytes = malloc(1 << 20);

    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, 1 << 20, file);
    ck_assert_uint_gt(size, 0);
    fclose(file);
    proc_tree_write_bytes(&tree, name, bytes, size);
    free(bytes);
}

/* The stripped library, with `debug_file` for its debug file at `name`. */
static void check_found_in_tree(const char *debug_file, const char *name, bool wanted)
{
    char path[128];

    proc_tree_init(&tree);
    copy_to_tree(ELF_FIXTURE("stripped"), "lib.so");
    if (debug_file != NULL)
        copy_to_tree(debug_file, name);
    snprintf(path, sizeof(path), "%s/lib.so", tree.path);
    ck_assert(elf_fixture_open(&fixture, path));
    check_debug_information(wanted);
    elf_fixture_close(&fixture);
    proc_tree_deinit(&tree);
}

START_TEST(a_debug_file_in_the_hidden_folder_is_found)
{
    check_found_in_tree(ELF_FIXTURE("stripped") ".debug", ".debug/stripped.so.debug", true);
}
END_TEST

START_TEST(without_a_debug_file_there_is_no_debug_information)
{
    check_found_in_tree(NULL, NULL, false);
}
END_TEST

START_TEST(a_debug_file_of_another_build_is_not_used)
{
    check_found_in_tree(ELF_FIXTURE("dwarf4"), "stripped.so.debug", false);
}
END_TEST

START_TEST(a_debug_file_that_is_no_elf_is_not_used)
{
    check_found_in_tree("/proc/self/status", "stripped.so.debug", false);
}
END_TEST

static Suite *debug_file_suite(void)
{
    Suite *suite = suite_create("layout/debug_file");
    TCase *tcase = tcase_create("debug_file");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, debug_information_in_the_file_itself_is_used);
    tcase_add_test(tcase, a_debug_file_beside_a_stripped_one_is_found);
    tcase_add_test(tcase, a_debug_file_in_the_hidden_folder_is_found);
    tcase_add_test(tcase, without_a_debug_file_there_is_no_debug_information);
    tcase_add_test(tcase, a_debug_file_of_another_build_is_not_used);
    tcase_add_test(tcase, a_debug_file_that_is_no_elf_is_not_used);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(debug_file_suite)
