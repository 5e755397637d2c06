/* A stripped interpreter, and beside it the debug file of another build. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/debug_file.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct elf_fixture fixture;
static struct proc_tree tree;
static char library[96], debug_file[128];

static void setup(void)
{
    unsetenv("DEBUGINFOD_URLS");
    proc_tree_init(&tree);
    snprintf(library, sizeof(library), "%s/lib.so", tree.path);
    snprintf(debug_file, sizeof(debug_file), "%s/exported-stripped.so.debug", tree.path);
    elf_fixture_copy(ELF_FIXTURE("exported-stripped"), library, NULL, NULL, 0);
}

static void teardown(void)
{
    elf_fixture_close(&fixture);
    proc_tree_deinit(&tree);
}

static void open_with(const char *lender)
{
    if (lender != NULL)
        elf_fixture_copy(lender, debug_file, NULL, NULL, 0);
    ck_assert(elf_fixture_open(&fixture, library));
}

static struct pht_python *find(const struct pht_layout_options *options)
{
    struct pht_python *python = NULL;

    ck_assert_ptr_null(pht_python_find(fixture.target, &fixture.maps, options, &python));
    ck_assert_str_eq(python->image, library);
    return python;
}

START_TEST(the_other_build_lends_its_types_and_no_address)
{
    const struct pht_layout_options options = {.cache_directory = tree.path};
    struct pht_elf_image lender;

    open_with(ELF_FIXTURE("lender"));
    ck_assert(pht_elf_image_open_file(debug_file, &lender));
    struct pht_python *python = find(&options);
    const struct pht_python_layout *layout = &python->layout;
    ck_assert_ptr_null(python->layout_error);
    ck_assert_int_eq(python->layout_source, PHT_LAYOUT_DWARF);
    ck_assert_int_eq(python->symbol_source, PHT_SYMBOL_DYNSYM);
    ck_assert_str_eq(python->build_id, fixture.image.build_id);
    ck_assert_str_eq(python->lent_build_id, lender.build_id);
    ck_assert_str_ne(python->lent_build_id, python->build_id);
    ck_assert_uint_eq(layout->pool_header_bytes, 48);
    ck_assert_uint_eq(layout->interp_id, 8);
    ck_assert_uint_eq(layout->usedpools, elf_fixture_address(&fixture, "fixture_usedpools"));
    ck_assert_uint_eq(layout->usedpools_bytes, 64 * 8);
    ck_assert_uint_eq(layout->narenas, elf_fixture_address(&fixture, "fixture_narenas"));
    /* Not exported, so known in the other build only. */
    ck_assert_uint_eq(layout->free_static_lists, PHT_UNKNOWN);
    pht_python_destroy(python);

    /* The cache would not tell whose types they are. */
    python = find(&options);
    ck_assert(!python->cached);
    ck_assert_str_eq(python->lent_build_id, lender.build_id);
    pht_python_destroy(python);
    pht_elf_image_close(&lender);
}
END_TEST

static const char *const useless[] = {
    NULL,
    ELF_FIXTURE("lender-later"), /* 3.11.21 */
    ELF_FIXTURE("plain"),        /* does not tell its release */
    ELF_FIXTURE("stripped"),     /* has no types */
    "/proc/self/status",
};

START_TEST(what_is_not_known_to_be_of_the_release_lends_nothing)
{
    open_with(useless[_i]);
    struct pht_python *python = find(&(struct pht_layout_options){0});
    ck_assert_str_eq(python->lent_build_id, "");
    ck_assert_int_ne(python->layout_source, PHT_LAYOUT_DWARF);
    pht_python_destroy(python);
}
END_TEST

START_TEST(nothing_is_lent_where_no_dwarf_is_wanted)
{
    open_with(ELF_FIXTURE("lender"));
    struct pht_python *python = find(&(struct pht_layout_options){.no_dwarf = true});
    ck_assert_str_eq(python->lent_build_id, "");
    ck_assert_int_ne(python->layout_source, PHT_LAYOUT_DWARF);
    pht_python_destroy(python);
}
END_TEST

START_TEST(the_debug_file_of_the_build_itself_is_no_other)
{
    struct pht_elf_image other;
    char *path;

    open_with(ELF_FIXTURE("exported-stripped") ".debug");
    ck_assert(!pht_debug_file_find_other(fixture.target, &fixture.image, &path, &other));
    ck_assert_ptr_null(path);
    struct pht_python *python = find(&(struct pht_layout_options){0});
    ck_assert_int_eq(python->layout_source, PHT_LAYOUT_DWARF);
    ck_assert_str_eq(python->lent_build_id, "");
    ck_assert_uint_ne(python->layout.free_static_lists, PHT_UNKNOWN);
    pht_python_destroy(python);
}
END_TEST

static Suite *python_lent_suite(void)
{
    Suite *suite = suite_create("layout/python_lent");
    TCase *tcase = tcase_create("python_lent");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_other_build_lends_its_types_and_no_address);
    tcase_add_loop_test(tcase, what_is_not_known_to_be_of_the_release_lends_nothing, 0,
                        (int)(sizeof(useless) / sizeof(useless[0])));
    tcase_add_test(tcase, nothing_is_lent_where_no_dwarf_is_wanted);
    tcase_add_test(tcase, the_debug_file_of_the_build_itself_is_no_other);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(python_lent_suite)
