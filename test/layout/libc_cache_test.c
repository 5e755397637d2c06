/* What the cache does with any layout is tested with the interpreter's, in cache_test.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/libc_cache.h"
#include "layout/python_cache.h"
#include "support/elf_layout.h"
#include "support/malloc_layout.h"
#include "support/proc_tree.h"
#include "support/suite.h"
#include "target/procfs.h"

#define BUILD_ID "93ac61ec5a8eb1396f9fbd350e3169a558528a40"
#define FILE_NAME "cache/" BUILD_ID ".libc-layout"

static struct proc_tree tree;
static char directory[80];
static const struct pht_layout_options keeping = {.cache_directory = directory};

static struct pht_libc resolved(void)
{
    struct pht_libc_layout layout;

    malloc_layout(MALLOC_2_36, &layout);
    return (struct pht_libc){
        .version_text = "2.36",
        .build_id = BUILD_ID,
        .odd_process = "4711.98",
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_SYMTAB,
        .layout = layout,
    };
}

static void setup(void)
{
    proc_tree_init(&tree);
    snprintf(directory, sizeof(directory), "%s/cache", tree.path);
}

static void teardown(void)
{
    proc_tree_deinit(&tree);
}

static bool loads(struct pht_libc *libc)
{
    *libc = (struct pht_libc){
        .build_id = BUILD_ID, .image = (char *)"kept", .bias = 42, .start = 43, .end = 44};
    struct pht_libc before = *libc;
    bool loaded = pht_libc_cache_load(directory, libc);
    if (!loaded)
        ck_assert_mem_eq(libc, &before, sizeof(before));
    return loaded;
}

START_TEST(a_stored_layout_is_loaded_as_it_was)
{
    struct pht_libc wanted = resolved(), libc;

    pht_libc_cache_store(&keeping, &wanted);
    ck_assert(loads(&libc));
    ck_assert(libc.cached);
    ck_assert_str_eq(libc.image, "kept");
    ck_assert_uint_eq(libc.bias, 42);
    ck_assert_uint_eq(libc.start, 43);
    ck_assert_uint_eq(libc.end, 44);
    ck_assert_str_eq(libc.version_text, "2.36");
    ck_assert_str_eq(libc.odd_process, "4711.98");
    ck_assert_int_eq(libc.layout_source, PHT_LAYOUT_DWARF);
    ck_assert_int_eq(libc.symbol_source, PHT_SYMBOL_SYMTAB);
    ck_assert_mem_eq(&libc.layout, &wanted.layout, sizeof(wanted.layout));
    pht_libc_cache_forget(&keeping, BUILD_ID);
    ck_assert(!loads(&libc));
}
END_TEST

static const struct version_row {
    const char *text;
    bool whole;
} version_rows[] = {
    {"2.36", true}, {"2.38.9000", true}, {"", true},       {"2.36.", false}, {"2", false},
    {"two", false}, {"2.36 ", false},    {" 2.36", false}, {".36", false},   {"2.3\n6", false},
};

START_TEST(a_version_must_be_one)
{
    struct pht_libc libc = resolved();

    snprintf(libc.version_text, sizeof(libc.version_text), "%s", version_rows[_i].text);
    pht_libc_cache_store(&keeping, &libc);
    ck_assert(loads(&libc) == version_rows[_i].whole);
    ck_assert_str_eq(libc.version_text, version_rows[_i].whole ? version_rows[_i].text : "");
}
END_TEST

START_TEST(a_layout_that_is_not_sound_is_rejected)
{
    struct pht_libc libc = resolved();

    libc.layout.state_bins_bytes = 8192;
    pht_libc_cache_store(&keeping, &libc);
    ck_assert(!loads(&libc));
}
END_TEST

START_TEST(every_truncation_is_rejected)
{
    struct pht_libc libc = resolved();
    size_t size;

    pht_libc_cache_store(&keeping, &libc);
    char *text = pht_procfs_read(tree.fd, FILE_NAME, &size);
    ck_assert_ptr_nonnull(text);
    for (size_t length = 0; length < size; length++) {
        proc_tree_write_bytes(&tree, FILE_NAME, text, length);
        ck_assert_msg(!loads(&libc), "cut to %zu of %zu bytes", length, size);
    }
    proc_tree_write_bytes(&tree, FILE_NAME, text, size);
    ck_assert(loads(&libc));
    free(text);
}
END_TEST

/* Of one build-id, as of a program that is both; and each where the other's is looked for. */
START_TEST(an_interpreter_is_no_c_library)
{
    struct pht_libc libc = resolved();
    struct pht_python python = {
        .version = {3, 11, 2},
        .version_text = "3.11.2",
        .build_id = BUILD_ID,
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_DYNSYM,
        .layout = elf_layout_of_3_11(),
    };
    size_t size;

    pht_libc_cache_store(&keeping, &libc);
    pht_python_cache_store(&keeping, &python);
    ck_assert(loads(&libc));
    ck_assert(pht_python_cache_load(directory, &python));
    char *text = pht_procfs_read(tree.fd, "cache/" BUILD_ID ".layout", &size);
    proc_tree_write_bytes(&tree, FILE_NAME, text, size);
    ck_assert(!loads(&libc));
    free(text);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *libc_cache_suite(void)
{
    Suite *suite = suite_create("layout/libc_cache");
    TCase *tcase = tcase_create("libc_cache");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_stored_layout_is_loaded_as_it_was);
    tcase_add_loop_test(tcase, a_version_must_be_one, 0, ROWS(version_rows));
    tcase_add_test(tcase, a_layout_that_is_not_sound_is_rejected);
    tcase_add_test(tcase, every_truncation_is_rejected);
    tcase_add_test(tcase, an_interpreter_is_no_c_library);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(libc_cache_suite)
