#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout/libc_layout.h"
#include "support/child.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct elf_fixture fixture;
static struct proc_tree tree;
static char path[128];

/* No debug file may come from the network. */
static void setup(void)
{
    unsetenv("DEBUGINFOD_URLS");
    proc_tree_init(&tree);
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static struct pht_libc *find(const char *cache_directory)
{
    const struct pht_layout_options options = {.cache_directory = cache_directory};
    struct pht_libc *libc = NULL;
    struct pht_error *error = pht_libc_find(fixture.target, &fixture.maps, &options, &libc);

    ck_assert_msg(error == NULL, "%s", error != NULL ? error->text : "");
    return libc;
}

static void check_has_no_layout(const struct pht_libc *libc)
{
    struct pht_libc_layout cleared;

    pht_libc_layout_clear(&cleared);
    ck_assert_int_eq(libc->layout_source, PHT_LAYOUT_NONE);
    ck_assert_mem_eq(&libc->layout, &cleared, sizeof(cleared));
}

/* ---- a library in this process passes for glibc ------------------------------------------- */

static const struct library_row {
    const char *path;
    const char *version;
    enum pht_symbol_source symbol_source;
    bool has_tcache;
} rows[] = {
    {ELF_FIXTURE("libc/libc-2.99"), "2.99", PHT_SYMBOL_SYMTAB, true},
    {ELF_FIXTURE("libc-stripped/libc-2.99"), "2.99", PHT_SYMBOL_SYMTAB, true},
    {ELF_FIXTURE("libc-old/libc-2.17"), "2.17", PHT_SYMBOL_SYMTAB, false},
    /* two files' statics share their names */
    {ELF_FIXTURE("libc-shadowed/libc-2.99"), "2.99", PHT_SYMBOL_DWARF, true},
    {ELF_FIXTURE("libc-clang/libc-2.99"), "2.99", PHT_SYMBOL_DWARF, true},
    {ELF_FIXTURE("libc-lto/libc-2.99"), "2.99", PHT_SYMBOL_DWARF, true},
};
#define ROWS ((int)(sizeof(rows) / sizeof(rows[0])))

/* False if there is none such here. */
static bool open_row(const struct library_row *row)
{
    if (!elf_fixture_open(&fixture, row->path))
        return false;
    elf_fixture_hide_others(&fixture, PHT_FIXTURE_DIR);
    return true;
}

START_TEST(a_c_library_is_found_among_the_mappings)
{
    if (!open_row(&rows[_i]))
        return;
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc);
    ck_assert_ptr_null(libc->layout_error);
    ck_assert_int_eq(libc->family, PHT_LIBC_GLIBC);
    ck_assert_str_eq(libc->version_text, rows[_i].version);
    ck_assert_str_eq(libc->image, rows[_i].path);
    ck_assert_str_eq(libc->build_id, fixture.image.build_id);
    ck_assert_uint_eq(libc->bias, fixture.image.bias);
    ck_assert(!libc->cached);
    ck_assert_int_eq(libc->layout_source, PHT_LAYOUT_DWARF);
    ck_assert_int_eq(libc->symbol_source, rows[_i].symbol_source);
    ck_assert(!libc->threads.known); /* there is no loader */
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(its_structs_are_those_of_the_compiler)
{
    if (!open_row(&rows[_i]))
        return;
    struct pht_libc *libc = find(NULL);
    const struct pht_libc_layout *layout = &libc->layout;
    ck_assert_uint_eq(layout->state_bytes, 2184);
    ck_assert_uint_eq(layout->state_flags, 4);
    ck_assert_uint_eq(layout->state_fastbins, 8);
    ck_assert_uint_eq(layout->state_fastbins_bytes, 80);
    ck_assert_uint_eq(layout->state_top, 88);
    ck_assert_uint_eq(layout->state_bins, 104);
    ck_assert_uint_eq(layout->state_bins_bytes, 2032);
    ck_assert_uint_eq(layout->state_next, 2152);
    ck_assert_uint_eq(layout->state_system_mem, 2168);
    ck_assert_uint_eq(layout->state_max_system_mem, 2176);
    ck_assert_uint_eq(layout->heap_bytes, 32);
    ck_assert_uint_eq(layout->heap_size, 16);
    ck_assert_uint_eq(layout->params_bytes, rows[_i].has_tcache ? 112 : 80);
    ck_assert_uint_eq(layout->params_n_mmaps, 40);
    ck_assert_uint_eq(layout->params_mmapped_mem, 56);
    ck_assert_uint_eq(layout->params_sbrk_base, 72);
    ck_assert_uint_eq(layout->params_hp_pagesize, PHT_UNKNOWN);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(its_variables_are_where_the_program_has_them)
{
    if (!open_row(&rows[_i]))
        return;
    struct pht_libc *libc = find(NULL);
    const struct pht_libc_layout *layout = &libc->layout;
    ck_assert_uint_eq(layout->main_arena, elf_fixture_address(&fixture, "fixture_main_arena"));
    ck_assert_uint_eq(layout->params, elf_fixture_address(&fixture, "fixture_params"));
    ck_assert_uint_eq(layout->thread_arena,
                      elf_fixture_thread_local(&fixture, "fixture_thread_arena"));
    if (rows[_i].has_tcache) {
        ck_assert_uint_eq(layout->tcache_key, elf_fixture_address(&fixture, "fixture_tcache_key"));
        ck_assert_uint_eq(layout->tcache, elf_fixture_thread_local(&fixture, "fixture_tcache"));
    }
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(what_a_release_does_not_have_is_unknown)
{
    if (!open_row(&rows[_i]))
        return;
    struct pht_libc *libc = find(NULL);
    const struct pht_libc_layout *layout = &libc->layout;
    bool known = rows[_i].has_tcache;
    ck_assert_uint_eq(layout->tcache_bytes, known ? 640 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_counts, known ? 0 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_counts_bytes, known ? 128 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_entries, known ? 128 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_entries_bytes, known ? 512 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_entry_key, known ? 8 : PHT_UNKNOWN);
    ck_assert_uint_eq(layout->tcache_slots, PHT_UNKNOWN);
    ck_assert_uint_eq(layout->params_tcache_count, known ? 96 : PHT_UNKNOWN);
    ck_assert((layout->tcache != PHT_UNKNOWN) == known);
    ck_assert((layout->tcache_key != PHT_UNKNOWN) == known);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- the cache ---------------------------------------------------------------------------- */

START_TEST(the_second_search_is_answered_by_the_cache)
{
    char directory[80];

    if (!open_row(&rows[_i]))
        return;
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    const struct pht_layout_options options = {.cache_directory = directory};
    struct pht_libc *first = find(directory), *second = find(directory);
    ck_assert(!first->cached);
    ck_assert(second->cached);
    ck_assert_mem_eq(&first->layout, &second->layout, sizeof(first->layout));
    ck_assert_str_eq(first->version_text, second->version_text);
    ck_assert_str_eq(first->image, second->image);
    ck_assert_uint_eq(first->bias, second->bias);
    ck_assert_uint_eq(first->end, second->end);
    ck_assert_int_eq(first->layout_source, second->layout_source);
    ck_assert_int_eq(first->symbol_source, second->symbol_source);

    /* What was not taken from the cache cannot be mended by forgetting it. */
    const struct pht_process process = {.pid = 4711, .start_time_ticks = 98};
    ck_assert(!pht_libc_distrust_cache(first, &process, &options));
    ck_assert(pht_libc_distrust_cache(second, &process, &options));
    struct pht_libc *third = find(directory);
    ck_assert(!third->cached);
    pht_libc_destroy(first);
    pht_libc_destroy(second);
    pht_libc_destroy(third);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_layout_that_was_kept_is_doubted_for_other_processes_only)
{
    const struct pht_process odd = {.pid = 4711, .start_time_ticks = 98};
    const struct pht_process others[] = {{.pid = 4711, .start_time_ticks = 99},
                                         {.pid = 4712, .start_time_ticks = 98}};
    char directory[80];

    ck_assert(open_row(&rows[0]));
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    const struct pht_layout_options options = {.cache_directory = directory};
    struct pht_libc *first = find(directory);
    pht_libc_keep_doubted(first, &odd, &options);
    struct pht_libc *second = find(directory);
    ck_assert(second->cached);
    ck_assert_mem_eq(&first->layout, &second->layout, sizeof(first->layout));
    ck_assert(!pht_libc_distrust_cache(second, &odd, &options));
    struct pht_libc *third = find(directory);
    ck_assert(third->cached);
    ck_assert(pht_libc_distrust_cache(third, &others[_i], &options));
    struct pht_libc *fourth = find(directory);
    ck_assert(!fourth->cached);
    pht_libc_destroy(first);
    pht_libc_destroy(second);
    pht_libc_destroy(third);
    pht_libc_destroy(fourth);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- other libraries ---------------------------------------------------------------------- */

/* `banner` stands in place of "GNU C Library (", unless NULL. */
static void open_changed(const char *library, const char *name, const char *banner)
{
    snprintf(path, sizeof(path), "%s/%s", tree.path, name);
    elf_fixture_copy(library, path, "GNU C Library (", banner, banner != NULL ? 15 : 0);
    ck_assert(elf_fixture_open(&fixture, path));
    elf_fixture_hide_others(&fixture, tree.path);
}

static void open_copy(const char *library, const char *name)
{
    open_changed(library, name, NULL);
}

START_TEST(a_process_may_have_no_c_library)
{
    struct pht_libc *libc = (struct pht_libc *)&libc;
    const struct pht_layout_options options = {0};

    open_copy(ELF_FIXTURE("libc/libc-2.99"), "libsomething.so.6");
    ck_assert_ptr_null(pht_libc_find(fixture.target, &fixture.maps, &options, &libc));
    ck_assert_ptr_null(libc);
    pht_libc_destroy(NULL);
    elf_fixture_close(&fixture);
}
END_TEST

static const char *const musls[] = {"ld-musl-x86_64.so.1", "libc.musl-x86_64.so.1"};

START_TEST(musl_is_told_and_has_no_layout)
{
    open_copy(ELF_FIXTURE("libc/libc-2.99"), musls[_i]);
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc);
    ck_assert_int_eq(libc->family, PHT_LIBC_MUSL);
    ck_assert_str_eq(libc->image, path);
    ck_assert_str_eq(libc->version_text, "");
    ck_assert_uint_eq(libc->bias, fixture.image.bias);
    ck_assert_uint_gt(libc->end, libc->start);
    ck_assert_ptr_null(libc->layout_error);
    ck_assert(!libc->threads.known);
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

/* glibc has no file of that name; which other it is tells a text for who runs it. */
START_TEST(a_plain_libc_is_musl_if_it_says_so)
{
    bool says_so = _i == 1;

    open_changed(ELF_FIXTURE("libc/libc-2.99"), "libc.so",
                 says_so ? "musl libc (x86)" : "Bionic C librar");
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc);
    ck_assert_int_eq(libc->family, says_so ? PHT_LIBC_MUSL : PHT_LIBC_OTHER);
    ck_assert_ptr_null(libc->layout_error);
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(families_have_names)
{
    ck_assert_str_eq(pht_libc_family_name(PHT_LIBC_GLIBC), "glibc");
    ck_assert_str_eq(pht_libc_family_name(PHT_LIBC_MUSL), "musl");
    ck_assert_str_eq(pht_libc_family_name(PHT_LIBC_OTHER), "other");
}
END_TEST

/* ---- when there is no layout -------------------------------------------------------------- */

START_TEST(without_debug_information_there_is_no_layout)
{
    char text[200];

    open_copy(ELF_FIXTURE("libc-stripped/libc-2.99"), "libc-2.9\033.so");
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc);
    snprintf(text, sizeof(text), "no debug information for libc-2.9\\x1b.so (build-id %.12s)",
             fixture.image.build_id);
    ck_assert_ptr_nonnull(libc->layout_error);
    ck_assert_int_eq(libc->layout_error->code, PHT_ERROR_NO_LAYOUT);
    ck_assert_str_eq(libc->layout_error->text, text);
    ck_assert_ptr_null(libc->layout_error->remedy);
    ck_assert_str_eq(libc->version_text, "2.99");
    ck_assert_uint_eq(libc->bias, fixture.image.bias);
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

static const struct system_row {
    const char *path;
    bool has_package;
} system_rows[] = {
    {"/usr/lib/x86_64-linux-gnu/libc.so.6", true},
    {"/lib/x86_64-linux-gnu/libc-2.31.so", true},
    {"/lib64/libc.so.6", true},
    {"/opt/lib/libc.so.6", false},
    {"/srv/lib/libc.so.6", false},
    {"/library/libc.so.6", false},
};

START_TEST(a_library_of_the_system_has_a_package_for_it)
{
    struct pht_libc libc = {0};

    open_copy(ELF_FIXTURE("libc-stripped/libc-2.99"), "libc-2.99.so");
    fixture.image.path = system_rows[_i].path;
    struct pht_error *error = pht_libc_layout_resolve(fixture.target, &fixture.image, &libc);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_NO_LAYOUT);
    if (system_rows[_i].has_package)
        ck_assert_str_eq(error->remedy, "apt install libc6-dbg    (Debian, Ubuntu)");
    else
        ck_assert_ptr_null(error->remedy);
    pht_error_destroy(error);
    elf_fixture_close(&fixture);
}
END_TEST

/* ---- what is compiled in ------------------------------------------------------------------ */

/* The C library of a child; the cache is not asked, and gets nothing. */
START_TEST(memory_tells_where_there_is_no_debug_information)
{
    char directory[80];
    struct child child;
    struct pht_maps maps;
    struct pht_target *target;

    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
    const struct pht_layout_options options = {.cache_directory = directory, .no_dwarf = true};
    child_init(&child);
    child_start_beating(&child, child_beat);
    ck_assert_ptr_null(pht_target_open(child.pid, NULL, &target));
    ck_assert_ptr_null(pht_target_read_maps(target, &maps));
    for (int i = 0; i < 2; i++) {
        struct pht_libc *libc = NULL;
        ck_assert_ptr_null(pht_libc_find(target, &maps, &options, &libc));
        ck_assert_ptr_nonnull(libc);
        ck_assert_msg(libc->layout_error == NULL, "%s", libc->layout_error->text);
        ck_assert_int_eq(libc->layout_source, PHT_LAYOUT_TABLE);
        ck_assert_int_ne(libc->symbol_source, PHT_SYMBOL_NONE);
        ck_assert(!libc->cached);
        ck_assert(!libc->carried);
        ck_assert_uint_lt(libc->layout.params, libc->layout.main_arena);
        pht_libc_destroy(libc);
    }
    ck_assert_int_ne(access(directory, F_OK), 0);
    pht_maps_deinit(&maps);
    pht_target_destroy(target);
    child_deinit(&child);
}
END_TEST

/* Nothing in it is malloc's. */
START_TEST(a_library_that_only_passes_for_glibc_has_none)
{
    const struct pht_layout_options options = {.no_dwarf = true};
    struct pht_libc *libc = NULL;

    ck_assert(open_row(&rows[0]));
    ck_assert_ptr_null(pht_libc_find(fixture.target, &fixture.maps, &options, &libc));
    ck_assert_ptr_nonnull(libc->layout_error);
    ck_assert_int_eq(libc->layout_error->code, PHT_ERROR_NO_LAYOUT);
    ck_assert_ptr_nonnull(strstr(libc->layout_error->text, "no built-in layout that fits"));
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

/* Debug information of something else, and of a malloc without its parameters. */
static const char *const unlike[] = {ELF_FIXTURE("plain"), ELF_FIXTURE("libc-unlike/libc-2.99")};

START_TEST(debug_information_without_what_is_needed_is_not_usable)
{
    open_copy(unlike[_i], "libc.so.6");
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc->layout_error);
    ck_assert_ptr_nonnull(
        strstr(libc->layout_error->text, "no usable debug information for libc.so.6 (build-id"));
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(a_file_that_cannot_be_had_has_no_layout)
{
    open_copy(ELF_FIXTURE("libc/libc-2.99"), "libc-2.99.so");
    for (size_t i = 0; i < fixture.maps.count; i++) {
        if (fixture.maps.items[i].inode != 0)
            fixture.maps.items[i].offset += 0x123000; /* nothing of a program */
    }
    struct pht_libc *libc = find(NULL);
    ck_assert_ptr_nonnull(libc);
    ck_assert_str_eq(libc->image, path);
    ck_assert_str_eq(libc->layout_error->text, "no readable file for libc-2.99.so (build-id none)");
    ck_assert_uint_lt(libc->start, libc->end);
    check_has_no_layout(libc);
    pht_libc_destroy(libc);
    elf_fixture_close(&fixture);
}
END_TEST

static Suite *libc_suite(void)
{
    Suite *suite = suite_create("layout/libc");
    TCase *tcase = tcase_create("libc");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_loop_test(tcase, a_c_library_is_found_among_the_mappings, 0, ROWS);
    tcase_add_loop_test(tcase, its_structs_are_those_of_the_compiler, 0, ROWS);
    tcase_add_loop_test(tcase, its_variables_are_where_the_program_has_them, 0, ROWS);
    tcase_add_loop_test(tcase, what_a_release_does_not_have_is_unknown, 0, ROWS);
    tcase_add_loop_test(tcase, the_second_search_is_answered_by_the_cache, 0, ROWS);
    tcase_add_loop_test(tcase, a_layout_that_was_kept_is_doubted_for_other_processes_only, 0, 2);
    tcase_add_test(tcase, a_process_may_have_no_c_library);
    tcase_add_loop_test(tcase, musl_is_told_and_has_no_layout, 0, 2);
    tcase_add_loop_test(tcase, a_plain_libc_is_musl_if_it_says_so, 0, 2);
    tcase_add_test(tcase, families_have_names);
    tcase_add_test(tcase, without_debug_information_there_is_no_layout);
    tcase_add_loop_test(tcase, a_library_of_the_system_has_a_package_for_it, 0, 6);
    tcase_add_loop_test(tcase, debug_information_without_what_is_needed_is_not_usable, 0, 2);
    tcase_add_test(tcase, memory_tells_where_there_is_no_debug_information);
    tcase_add_test(tcase, a_library_that_only_passes_for_glibc_has_none);
    tcase_add_test(tcase, a_file_that_cannot_be_had_has_no_layout);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(libc_suite)
