#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/python_layout.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

/* ---- a library in this process passes for the interpreter --------------------------------- */

static const struct library_row {
    const char *path;
    bool debug_build;
    enum pht_symbol_source symbol_source;
} rows[] = {
    {ELF_FIXTURE("plain"), false, PHT_SYMBOL_DWARF}, /* statics share their names */
    {ELF_FIXTURE("dwarf4"), false, PHT_SYMBOL_DWARF},
    {ELF_FIXTURE("stripped"), false, PHT_SYMBOL_DWARF},
    {ELF_FIXTURE("clang"), false, PHT_SYMBOL_DWARF}, /* addresses by index, DW_OP_addrx */
    {ELF_FIXTURE("lto"), true, PHT_SYMBOL_DWARF},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

static struct elf_fixture fixture;

static void setup(void)
{
    unsetenv("DEBUGINFOD_URLS");
}

static struct pht_python *find(const char *cache_directory)
{
    const struct pht_layout_options options = {.cache_directory = cache_directory};
    struct pht_python *python = NULL;
    struct pht_error *error = pht_python_find(fixture.target, &fixture.maps, &options, &python);

    ck_assert_msg(error == NULL, "%s", error != NULL ? error->text : "");
    ck_assert_ptr_nonnull(python);
    ck_assert_msg(python->layout_error == NULL, "%s",
                  python->layout_error != NULL ? python->layout_error->text : "");
    return python;
}

START_TEST(an_interpreter_is_found_among_the_mappings)
{
    if (!elf_fixture_open(&fixture, rows[_i].path))
        return;
    struct pht_python *python = find(NULL);
    ck_assert_str_eq(python->image, rows[_i].path);
    ck_assert_str_eq(python->build_id, fixture.image.build_id);
    ck_assert_uint_eq(python->bias, fixture.image.bias);
    ck_assert_str_eq(python->version_text, "3.11.2rc1");
    ck_assert(python->debug_build == rows[_i].debug_build);
    ck_assert(!python->cached);
    ck_assert_int_eq(python->layout_source, PHT_LAYOUT_DWARF);
    ck_assert_int_eq(python->symbol_source, rows[_i].symbol_source);
    pht_python_destroy(python);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(its_layout_is_that_of_the_compiler)
{
    if (!elf_fixture_open(&fixture, rows[_i].path))
        return;
    struct pht_python *python = find(NULL);
    const struct pht_python_layout *layout = &python->layout;
    ck_assert_uint_eq(layout->pool_header_bytes, 48);
    ck_assert_uint_eq(layout->pool_count, 0);
    ck_assert_uint_eq(layout->pool_freeblock, 8);
    ck_assert_uint_eq(layout->pool_arenaindex, 32);
    ck_assert_uint_eq(layout->pool_maxnextoffset, 44);
    ck_assert_uint_eq(layout->arena_object_bytes, 48);
    ck_assert_uint_eq(layout->arena_ntotalpools, 20);
    ck_assert_uint_eq(layout->usedpools, elf_fixture_address(&fixture, "fixture_usedpools"));
    ck_assert_uint_eq(layout->usedpools_bytes, 64 * 8);
    ck_assert_uint_eq(layout->arenas, elf_fixture_address(&fixture, "fixture_arenas"));
    ck_assert_uint_eq(layout->maxarenas, elf_fixture_address(&fixture, "fixture_maxarenas"));
    ck_assert_uint_eq(layout->narenas, elf_fixture_address(&fixture, "fixture_narenas"));
    ck_assert_uint_eq(layout->free_static_lists,
                      elf_fixture_address(&fixture, "fixture_free_lists"));
    ck_assert_uint_eq(layout->free_static_tuples,
                      elf_fixture_address(&fixture, "fixture_free_tuples"));
    ck_assert_uint_eq(layout->free_static_tuples_bytes, 80);
    ck_assert_uint_eq(layout->interp_bytes, 16);
    ck_assert_uint_eq(layout->interp_id, 8);
    pht_python_destroy(python);
    elf_fixture_close(&fixture);
}
END_TEST

/* That there is one of the name in another file is no reason to take it. */
START_TEST(what_the_build_does_not_have_is_unknown)
{
    if (!elf_fixture_open(&fixture, rows[_i].path))
        return;
    struct pht_python *python = find(NULL);
    ck_assert_uint_eq(python->layout.free_static_floats, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.free_static_dicts, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.free_static_dict_keys, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.obmalloc_bytes, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.interp_obmalloc, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.narenas_highwater, PHT_UNKNOWN);
    ck_assert_uint_eq(python->layout.mimalloc_function, PHT_UNKNOWN);
    pht_python_destroy(python);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- the cache ---------------------------------------------------------------------------- */

START_TEST(the_second_search_is_answered_by_the_cache)
{
    struct proc_tree tree;
    char directory[80];

    if (!elf_fixture_open(&fixture, rows[_i].path))
        return;
    proc_tree_init(&tree);
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    const struct pht_layout_options options = {.cache_directory = directory};
    struct pht_python *first = find(directory), *second = find(directory);
    ck_assert(!first->cached);
    ck_assert(second->cached);
    ck_assert_mem_eq(&first->layout, &second->layout, sizeof(first->layout));
    ck_assert_str_eq(first->version_text, second->version_text);
    ck_assert_str_eq(first->image, second->image);
    ck_assert_uint_eq(first->bias, second->bias);
    ck_assert_int_eq(first->symbol_source, second->symbol_source);
    ck_assert(first->debug_build == second->debug_build);

    /* What was not taken from the cache cannot be mended by forgetting it. */
    const struct pht_process process = {.pid = 4711, .start_time_ticks = 98};
    ck_assert(!pht_python_distrust_cache(first, &process, &options));
    ck_assert(pht_python_distrust_cache(second, &process, &options));
    struct pht_python *third = find(directory);
    ck_assert(!third->cached);
    pht_python_destroy(first);
    pht_python_destroy(second);
    pht_python_destroy(third);
    proc_tree_deinit(&tree);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_layout_that_was_kept_is_doubted_for_other_processes_only)
{
    const struct pht_process odd = {.pid = 4711, .start_time_ticks = 98};
    const struct pht_process others[] = {{.pid = 4711, .start_time_ticks = 99},
                                         {.pid = 4712, .start_time_ticks = 98}};
    struct proc_tree tree;
    char directory[80];

    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("plain")));
    proc_tree_init(&tree);
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    const struct pht_layout_options options = {.cache_directory = directory};
    struct pht_python *first = find(directory);
    pht_python_keep_doubted(first, &odd, &options);
    struct pht_python *second = find(directory);
    ck_assert(second->cached);
    ck_assert_mem_eq(&first->layout, &second->layout, sizeof(first->layout));
    ck_assert(!pht_python_distrust_cache(second, &odd, &options));
    struct pht_python *third = find(directory);
    ck_assert(third->cached);
    ck_assert(pht_python_distrust_cache(third, &others[_i], &options));
    struct pht_python *fourth = find(directory);
    ck_assert(!fourth->cached);
    pht_python_destroy(first);
    pht_python_destroy(second);
    pht_python_destroy(third);
    pht_python_destroy(fourth);
    proc_tree_deinit(&tree);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- when there is none ------------------------------------------------------------------- */

static struct pht_error *search_in_vain(struct pht_target *target)
{
    const struct pht_layout_options options = {0};
    struct pht_python *python = NULL;
    struct pht_maps maps;

    ck_assert_ptr_null(pht_target_read_maps(target, &maps));
    struct pht_error *error = pht_python_find(target, &maps, &options, &python);
    ck_assert_ptr_nonnull(error);
    ck_assert_ptr_null(python);
    pht_maps_deinit(&maps);
    return error;
}

START_TEST(a_program_without_an_interpreter_is_told)
{
    struct pht_target *target;
    char wanted[4200], exe[4096] = "";

    if (getenv("PHT_VALGRIND") != NULL)
        return; /* the program is valgrind then, and the kernel says so */
    ck_assert_ptr_null(pht_target_open(getpid(), NULL, &target));
    struct pht_error *error = search_in_vain(target);
    ck_assert_int_gt(readlink("/proc/self/exe", exe, sizeof(exe) - 1), 0);
    snprintf(wanted, sizeof(wanted), "pid %d is not a Python process (%s)", getpid(), exe);
    ck_assert_int_eq(error->code, PHT_ERROR_NOT_PYTHON);
    ck_assert_str_eq(error->text, wanted);
    ck_assert_str_eq(error->why, "neither the program nor a library in it is a CPython runtime");
    ck_assert_ptr_null(error->remedy);
    pht_error_destroy(error);
    pht_target_destroy(target);
}
END_TEST

START_TEST(without_debug_information_there_is_no_layout)
{
    const struct pht_layout_options options = {0};
    struct pht_python *python = NULL;
    struct proc_tree tree;
    char path[80], bytes[1 << 16];
    FILE *file = fopen(ELF_FIXTURE("stripped"), "r");

    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    proc_tree_init(&tree);
    proc_tree_write_bytes(&tree, "lonely.so", bytes, size);
    snprintf(path, sizeof(path), "%s/lonely.so", tree.path);
    ck_assert(elf_fixture_open(&fixture, path));
    ck_assert_ptr_null(pht_python_find(fixture.target, &fixture.maps, &options, &python));
    ck_assert_int_eq(python->layout_source, PHT_LAYOUT_NONE);
    ck_assert_str_eq(python->version_text, "3.11.2rc1");
    ck_assert_ptr_nonnull(python->layout_error);
    ck_assert_int_eq(python->layout_error->code, PHT_ERROR_NO_LAYOUT);
    ck_assert_ptr_nonnull(strstr(python->layout_error->text, "no debug information for lonely.so"));
    pht_python_destroy(python);
    pht_python_destroy(NULL);
    elf_fixture_close(&fixture);
    proc_tree_deinit(&tree);
}
END_TEST

START_TEST(sources_have_names)
{
    ck_assert_str_eq(pht_layout_source_name(PHT_LAYOUT_NONE), "none");
    ck_assert_str_eq(pht_layout_source_name(PHT_LAYOUT_DWARF), "dwarf");
    ck_assert_str_eq(pht_symbol_source_name(PHT_SYMBOL_NONE), "none");
    ck_assert_str_eq(pht_symbol_source_name(PHT_SYMBOL_SYMTAB), "symtab");
    ck_assert_str_eq(pht_symbol_source_name(PHT_SYMBOL_DYNSYM), "dynsym");
    ck_assert_str_eq(pht_symbol_source_name(PHT_SYMBOL_DWARF), "dwarf");
}
END_TEST

static Suite *python_suite(void)
{
    Suite *suite = suite_create("layout/python");
    TCase *tcase = tcase_create("python");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, an_interpreter_is_found_among_the_mappings, 0, ROWS);
    tcase_add_loop_test(tcase, its_layout_is_that_of_the_compiler, 0, ROWS);
    tcase_add_loop_test(tcase, what_the_build_does_not_have_is_unknown, 0, ROWS);
    tcase_add_loop_test(tcase, the_second_search_is_answered_by_the_cache, 0, ROWS);
    tcase_add_loop_test(tcase, a_layout_that_was_kept_is_doubted_for_other_processes_only, 0, 2);
    tcase_add_test(tcase, a_program_without_an_interpreter_is_told);
    tcase_add_test(tcase, without_debug_information_there_is_no_layout);
    tcase_add_test(tcase, sources_have_names);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(python_suite)
