/* Layouts that are written on one machine, and read on another. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/libc_cache.h"
#include "layout/python_cache.h"
#include "support/elf_fixture.h"
#include "support/elf_layout.h"
#include "support/malloc_layout.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static struct proc_tree tree;
static char path[96];
static char *text;
static size_t size;
static struct pht_layout_file *file;

static struct pht_python python_of(const char *build_id)
{
    struct pht_python python = {
        .version = {3, 11, 2},
        .version_text = "3.11.2",
        .odd_process = "4711.98",
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_SYMTAB,
        .layout = elf_layout_of_3_11(),
    };

    snprintf(python.build_id, sizeof(python.build_id), "%s", build_id);
    return python;
}

static struct pht_libc libc_of(const char *build_id)
{
    struct pht_libc libc = {
        .family = PHT_LIBC_GLIBC,
        .version_text = "2.36",
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_DWARF,
    };

    malloc_layout(MALLOC_2_36, &libc.layout);
    snprintf(libc.build_id, sizeof(libc.build_id), "%s", build_id);
    return libc;
}

/* Two interpreters and a C library. */
static void setup(void)
{
    const struct pht_python first = python_of("a1"), second = python_of("b2");
    const struct pht_libc libc = libc_of("c3");

    proc_tree_init(&tree);
    snprintf(path, sizeof(path), "%s/some.layouts", tree.path);
    FILE *memory = open_memstream(&text, &size);
    ck_assert(pht_python_record_write(memory, &first));
    ck_assert(pht_libc_record_write(memory, &libc));
    ck_assert(pht_python_record_write(memory, &second));
    fclose(memory);
    file = NULL;
}

static void teardown(void)
{
    pht_layout_file_close(file);
    free(text);
    proc_tree_deinit(&tree);
}

static struct pht_error *open_text(const char *bytes, size_t length)
{
    proc_tree_write_bytes(&tree, "some.layouts", bytes, length);
    return pht_layout_file_open(path, &file);
}

static void check_refused(struct pht_error *error, const char *why)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_FROM_FILE);
    ck_assert_msg(strstr(error->text, why) != NULL, "%s", error->text);
    ck_assert_ptr_nonnull(error->remedy);
    ck_assert_ptr_null(file);
    pht_error_destroy(error);
}

/* ---- what is found ------------------------------------------------------------------------ */

START_TEST(each_build_has_its_own)
{
    struct pht_python python = {.build_id = "b2", .bias = 42};
    struct pht_libc libc = {.build_id = "c3", .family = PHT_LIBC_GLIBC};
    const struct pht_python_layout wanted = elf_layout_of_3_11();

    ck_assert_ptr_null(open_text(text, size));
    ck_assert(pht_python_file_load(file, &python));
    ck_assert_str_eq(python.version_text, "3.11.2");
    ck_assert_uint_eq(python.version.minor, 11);
    ck_assert_uint_eq(python.bias, 42);
    ck_assert_int_eq(python.layout_source, PHT_LAYOUT_TABLE);
    ck_assert(python.carried);
    ck_assert_int_eq(python.symbol_source, PHT_SYMBOL_SYMTAB);
    ck_assert(!python.cached);
    ck_assert_mem_eq(&python.layout, &wanted, sizeof(wanted));
    ck_assert(pht_libc_file_load(file, &libc));
    ck_assert_str_eq(libc.version_text, "2.36");
    ck_assert_int_eq(libc.layout_source, PHT_LAYOUT_TABLE);
    ck_assert(libc.carried);
}
END_TEST

static const char *const strangers[] = {"", "a", "a11", "c3", "b", "zz"};

START_TEST(another_build_has_none)
{
    struct pht_python python = {.bias = 42}, before;

    ck_assert_ptr_null(open_text(text, size));
    snprintf(python.build_id, sizeof(python.build_id), "%s", strangers[_i]);
    before = python;
    ck_assert(!pht_python_file_load(file, &python));
    ck_assert_mem_eq(&python, &before, sizeof(before));
}
END_TEST

START_TEST(without_a_file_there_is_none)
{
    struct pht_python python = {.build_id = "a1"};
    struct pht_libc libc = {.build_id = "c3"};

    ck_assert(!pht_python_file_load(NULL, &python));
    ck_assert(!pht_libc_file_load(NULL, &libc));
}
END_TEST

/* ---- what is refused ---------------------------------------------------------------------- */

START_TEST(a_file_that_is_not_there_is_refused)
{
    snprintf(path, sizeof(path), "%s/missing", tree.path);
    check_refused(pht_layout_file_open(path, &file), "No such file");
    check_refused(pht_layout_file_open(tree.path, &file), "it is no file");
}
END_TEST

START_TEST(a_file_without_layouts_is_refused)
{
    check_refused(open_text("", 0), "it has none");
    check_refused(open_text("{\"schema\": 1}\n", 14), "it has none");
    check_refused(open_text("pyheaptop-", 10), "it is damaged");
}
END_TEST

START_TEST(a_byte_that_changed_is_damage)
{
    size_t at = (size_t)_i * (size - 1) / 99;

    text[at] = (char)(text[at] ^ 1);
    struct pht_error *error = open_text(text, size);
    ck_assert_ptr_nonnull(error);
    check_refused(error, "cannot take layouts from");
}
END_TEST

START_TEST(a_file_that_was_cut_is_damaged)
{
    size_t length = 10 + (size_t)_i * (size - 11) / 99;
    const char *end = strstr(text, "\nend ");
    const char *next = strstr(end + 1, "\nend ");

    /* Whole records are a file of their own. */
    if (length == (size_t)(end - text) + 22 || length == (size_t)(next - text) + 22)
        return;
    check_refused(open_text(text, length), "it is damaged");
}
END_TEST

/* The checksum is right, the format is not ours. */
START_TEST(another_version_is_told_as_such)
{
    char *other = strstr(text + 1, "pyheaptop-layout ");
    struct pht_record_kind kind = pht_python_record_kind;
    struct pht_python python = python_of("a1");
    struct pht_python_layout layout = python.layout;
    struct pht_layout_record record = {
        .build_id = "a1",
        .properties = {"3.11.2", "0", "0", ""},
        .layout_source = PHT_LAYOUT_DWARF,
        .symbol_source = PHT_SYMBOL_SYMTAB,
        .layout = &layout,
    };

    ck_assert_ptr_nonnull(other);
    free(text);
    kind.format = "pyheaptop-layout 999";
    FILE *memory = open_memstream(&text, &size);
    ck_assert(pht_record_write(memory, &kind, &record));
    fclose(memory);
    check_refused(open_text(text, size), "another version of pyheaptop wrote it");
}
END_TEST

/* ---- writing them ------------------------------------------------------------------------- */

static struct pht_error *dump(const char *image)
{
    free(text);
    FILE *memory = open_memstream(&text, &size);
    struct pht_error *error = pht_layout_dump_image(image, memory);
    fclose(memory);
    return error;
}

START_TEST(what_a_file_has_is_what_its_process_has)
{
    const struct pht_layout_options options = {0};
    struct elf_fixture fixture;
    struct pht_python *python;

    unsetenv("DEBUGINFOD_URLS");
    /* Loaded first: valgrind ends when a library is that was read before. */
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("plain")));
    ck_assert_ptr_null(dump(ELF_FIXTURE("plain")));
    ck_assert_ptr_null(open_text(text, size));
    elf_fixture_hide_others(&fixture, PHT_FIXTURE_DIR);
    ck_assert_ptr_null(pht_python_find(fixture.target, &fixture.maps, &options, &python));
    struct pht_python carried = {0};
    memcpy(carried.build_id, python->build_id, sizeof(carried.build_id));
    ck_assert(pht_python_file_load(file, &carried));
    ck_assert_mem_eq(&carried.layout, &python->layout, sizeof(carried.layout));
    ck_assert_str_eq(carried.version_text, python->version_text);

    /* Given to the search, it answers before all else. */
    const struct pht_layout_options given = {.file = file};
    struct pht_python *found;
    ck_assert_ptr_null(pht_python_find(fixture.target, &fixture.maps, &given, &found));
    ck_assert_int_eq(found->layout_source, PHT_LAYOUT_TABLE);
    ck_assert_uint_eq(found->bias, python->bias);
    ck_assert_mem_eq(&found->layout, &python->layout, sizeof(found->layout));
    pht_python_destroy(found);
    pht_python_destroy(python);
    elf_fixture_close(&fixture);
}
END_TEST

START_TEST(what_a_process_has_is_written)
{
    const struct pht_layout_options options = {0};
    struct elf_fixture fixture;

    unsetenv("DEBUGINFOD_URLS");
    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("dwarf4")));
    free(text);
    FILE *memory = open_memstream(&text, &size);
    struct pht_error *error = pht_layout_dump(fixture.target, &options, memory);
    fclose(memory);
    elf_fixture_close(&fixture);
    /* The C library of this machine may have no debug file: then nobody would know why. */
    if (error != NULL) {
        ck_assert_int_eq(error->code, PHT_ERROR_NO_LAYOUT);
        pht_error_destroy(error);
        return;
    }
    ck_assert_ptr_null(open_text(text, size));
    ck_assert_ptr_nonnull(strstr(text, "pyheaptop-libc-layout "));
}
END_TEST

START_TEST(what_has_no_layout_is_explained)
{
    struct pht_error *error = dump("/proc/self/exe");

    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_FROM_FILE);
    ck_assert_ptr_nonnull(strstr(error->text, "neither a CPython runtime nor glibc"));
    pht_error_destroy(error);
    error = dump("/proc/self/status");
    ck_assert_ptr_nonnull(strstr(error->text, "no ELF file"));
    pht_error_destroy(error);
    ck_assert_uint_eq(size, 0);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("layout/layout_file");
    TCase *tcase = tcase_create("layout_file");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, each_build_has_its_own);
    tcase_add_loop_test(tcase, another_build_has_none, 0,
                        (int)(sizeof(strangers) / sizeof(strangers[0])));
    tcase_add_test(tcase, without_a_file_there_is_none);
    tcase_add_test(tcase, a_file_that_is_not_there_is_refused);
    tcase_add_test(tcase, a_file_without_layouts_is_refused);
    tcase_add_loop_test(tcase, a_byte_that_changed_is_damage, 0, 100);
    tcase_add_loop_test(tcase, a_file_that_was_cut_is_damaged, 0, 100);
    tcase_add_test(tcase, another_version_is_told_as_such);
    tcase_add_test(tcase, what_a_file_has_is_what_its_process_has);
    tcase_add_test(tcase, what_a_process_has_is_written);
    tcase_add_test(tcase, what_has_no_layout_is_explained);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
