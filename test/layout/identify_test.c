#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/identify.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

/* ---- versions ----------------------------------------------------------------------------- */

static const struct version_row {
    const char *text;
    struct pht_version version; /* 0.0.0: refused */
} version_rows[] = {
    {"3.9.18", {3, 9, 18}},
    {"3.15.0rc2", {3, 15, 0}},
    {"2.7.18+", {2, 7, 18}},
    {"3.13.0a1", {3, 13, 0}},
    {"3.13.0b4+", {3, 13, 0}},
    {"2.7.3c1", {2, 7, 3}},
    {"10.11.12", {10, 11, 12}},
    {"3.0.0", {3, 0, 0}},
    {"", {0, 0, 0}},
    {"3", {0, 0, 0}},
    {"3.", {0, 0, 0}},
    {"3.9", {0, 0, 0}},
    {"3.9.", {0, 0, 0}},
    {".9.18", {0, 0, 0}},
    {"3..18", {0, 0, 0}},
    {"3.9.x", {0, 0, 0}},
    {"v3.9.18", {0, 0, 0}},
    {" 3.9.18", {0, 0, 0}},
    {"-3.9.18", {0, 0, 0}},
    {"+3.9.18", {0, 0, 0}},
    {"3.-9.18", {0, 0, 0}},
    {"3.9.-1", {0, 0, 0}},
    {"3.+9.18", {0, 0, 0}},
    {"3. 9.18", {0, 0, 0}},
    {"3.9. 18", {0, 0, 0}},
    {"3.9.18 ", {0, 0, 0}},
    {"3.9.18++", {0, 0, 0}},
    {"3.9.18+1", {0, 0, 0}},
    {"3.9.18r2", {0, 0, 0}},
    {"3.9.18d1", {0, 0, 0}},
    {"3.9.18a1b2", {0, 0, 0}},
    {"3.9.18.1", {0, 0, 0}},
    {"3.9.1234", {0, 0, 0}},
    {"3.123.1", {0, 0, 0}},
    {"3.9.18 (default, Jan  1 2024)", {0, 0, 0}},
    {"3.9.180000000000000000000000000", {0, 0, 0}},
};

START_TEST(a_version_is_digits_and_a_level)
{
    const struct version_row *row = &version_rows[_i];
    struct pht_version version = {0};
    size_t length = strlen(row->text);
    /* Not NULL-terminated: it stands among other constants. */
    char *copy = malloc(length + 1);

    memcpy(copy, row->text, length);
    copy[length] = '7';
    ck_assert_msg(pht_version_parse(copy, length, &version) == (row->version.major != 0), "%s",
                  row->text);
    if (row->version.major != 0) {
        ck_assert_uint_eq(version.major, row->version.major);
        ck_assert_uint_eq(version.minor, row->version.minor);
        ck_assert_uint_eq(version.micro, row->version.micro);
    }
    free(copy);
}
END_TEST

/* ---- images ------------------------------------------------------------------------------- */

static const struct image_row {
    const char *path;
    bool debug_build;
} image_rows[] = {
    {ELF_FIXTURE("plain"), false},
    {ELF_FIXTURE("stripped"), false},
    {ELF_FIXTURE("lto"), true},
};

START_TEST(an_interpreter_is_known_by_its_symbols)
{
    struct elf_fixture fixture;
    struct pht_python python = {0};

    if (!elf_fixture_open(&fixture, image_rows[_i].path))
        return;
    ck_assert_int_eq(pht_identify(&fixture.image), PHT_IDENTITY_CPYTHON);
    pht_identify_build(&fixture.image, &python);
    ck_assert_uint_eq(python.version.major, 3);
    ck_assert_uint_eq(python.version.minor, 11);
    ck_assert_uint_eq(python.version.micro, 2);
    ck_assert_str_eq(python.version_text, "3.11.2rc1");
    ck_assert(python.debug_build == image_rows[_i].debug_build);
    ck_assert(!python.free_threaded);
    elf_fixture_close(&fixture);
}
END_TEST

/* Up to 3.10 there is no Py_Version; its constants tell which of them is the release. */
START_TEST(a_release_is_known_in_a_file_of_any_name)
{
    struct pht_python python = {0};
    struct pht_elf_image image;
    struct proc_tree tree;
    char first[96], second[96];

    proc_tree_init(&tree);
    snprintf(first, sizeof(first), "%s/first.so", tree.path);
    snprintf(second, sizeof(second), "%s/engine.so", tree.path);
    elf_fixture_copy(ELF_FIXTURE("stripped"), first, "\0Py_Version\0", "\0Qy_Version\0", 12);
    elf_fixture_copy(first, second, "3.11.2rc1 (fixture)", "3.11.9\0rc (fixture)", 20);
    ck_assert(pht_elf_image_open_file(second, &image));
    pht_identify_build(&image, &python);
    ck_assert_str_eq(python.version_text, "3.11.9");
    pht_elf_image_close(&image);

    /* Without a series any number might be one. */
    elf_fixture_copy(second, first, "cpython-311", "cpython-xyz", 11);
    ck_assert(pht_elf_image_open_file(first, &image));
    python = (struct pht_python){0};
    pht_identify_build(&image, &python);
    ck_assert_str_eq(python.version_text, "");
    pht_elf_image_close(&image);
    proc_tree_deinit(&tree);
}
END_TEST

static const struct threading_row {
    const char *path;
    bool free_threaded;
} threading_rows[] = {
    {ELF_FIXTURE("with-gil"), false},
    {ELF_FIXTURE("free-threaded"), true},
    {ELF_FIXTURE("other-cookie"), false}, /* so it is no _Py_DebugOffsets */
};

START_TEST(a_free_threaded_build_is_told_by_its_debug_offsets)
{
    struct pht_python python = {0};
    struct pht_elf_image image;

    ck_assert(pht_elf_image_open_file(threading_rows[_i].path, &image));
    pht_identify_build(&image, &python);
    ck_assert(python.free_threaded == threading_rows[_i].free_threaded);
    pht_elf_image_close(&image);
}
END_TEST

START_TEST(other_libraries_are_none)
{
    struct elf_fixture fixture;
    struct pht_elf_image image;
    char version[32] = "untouched";
    unsigned others = 0;

    ck_assert(elf_fixture_open(&fixture, ELF_FIXTURE("plain")));
    for (size_t i = 0; i < fixture.maps.count; i++) {
        const struct pht_mapping *mapping = &fixture.maps.items[i];
        if (!mapping->executable || mapping->inode == 0 ||
            strcmp(mapping->name, ELF_FIXTURE("plain")) == 0 ||
            !pht_elf_image_open(fixture.target, &fixture.maps, mapping, &image))
            continue;
        others++;
        ck_assert_int_eq(pht_identify(&image), PHT_IDENTITY_NONE);
        pht_elf_image_close(&image);
    }
    ck_assert_uint_ge(others, 2); /* this program and the C library at least */
    pht_identify_pypy_version(&fixture.image, version);
    ck_assert_str_eq(version, "");
    elf_fixture_close(&fixture);
}
END_TEST

static Suite *identify_suite(void)
{
    Suite *suite = suite_create("layout/identify");
    TCase *tcase = tcase_create("identify");

    tcase_add_loop_test(tcase, a_version_is_digits_and_a_level, 0,
                        (int)(sizeof(version_rows) / sizeof(version_rows[0])));
    tcase_add_loop_test(tcase, an_interpreter_is_known_by_its_symbols, 0,
                        (int)(sizeof(image_rows) / sizeof(image_rows[0])));
    tcase_add_test(tcase, a_release_is_known_in_a_file_of_any_name);
    tcase_add_loop_test(tcase, a_free_threaded_build_is_told_by_its_debug_offsets, 0,
                        (int)(sizeof(threading_rows) / sizeof(threading_rows[0])));
    tcase_add_test(tcase, other_libraries_are_none);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(identify_suite)
