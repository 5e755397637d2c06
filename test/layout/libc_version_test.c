#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/libc_version.h"
#include "support/elf_fixture.h"
#include "support/proc_tree.h"
#include "support/suite.h"

static const struct text_row {
    const char *text;
    const char *version;
} text_rows[] = {
    {"2.36", "2.36"},
    {"2.36.", "2.36"},
    {"2.38.9000.\n", "2.38.9000"},
    {"2.17, by Roland McGrath et al.", "2.17"},
    {"2.36.......", "2.36"},
    {"123456.789012345678", "123456.78901234"},
    {"2", ""},
    {"2.", ""},
    {".5", ""},
    {"...", ""},
    {"two", ""},
    {" 2.36", ""},
    {"", ""},
};

START_TEST(a_version_is_two_numbers_or_more)
{
    const struct text_row *row = &text_rows[_i];
    char version[16] = "before";

    ck_assert(pht_libc_version_parse(row->text, strlen(row->text), version) ==
              (row->version[0] != '\0'));
    ck_assert_str_eq(version, row->version);
}
END_TEST

START_TEST(no_more_is_read_than_there_is)
{
    static const char text[] = "2.36";
    static const char *const versions[] = {"", "", "", "2.3", "2.36"};
    char version[16];

    for (size_t length = 0; length <= 4; length++) {
        char *copy = malloc(length + 1); /* of the very size, for the sanitizer */
        memcpy(copy, text, length);
        char *exact = realloc(copy, length > 0 ? length : 1);
        pht_libc_version_parse(exact, length, version);
        ck_assert_str_eq(version, versions[length]);
        free(exact);
    }
}
END_TEST

/* ---- in a file ---------------------------------------------------------------------------- */

static const struct file_row {
    const char *path;
    const char *version;
} file_rows[] = {
    {ELF_FIXTURE("libc/libc-2.99"), "2.99"},
    {ELF_FIXTURE("libc-stripped/libc-2.99"), "2.99"},
    {ELF_FIXTURE("libc-old/libc-2.17"), "2.17"},
    {ELF_FIXTURE("plain"), ""},
};

START_TEST(a_file_tells_its_version)
{
    struct elf_fixture fixture;
    char version[16] = "before";

    ck_assert(elf_fixture_open(&fixture, file_rows[_i].path));
    pht_libc_version(&fixture.image, version);
    ck_assert_str_eq(version, file_rows[_i].version);
    elf_fixture_close(&fixture);
}
END_TEST

/* What becomes of the banner, in place. */
static const struct banner_row {
    const char *from;
    const char *to;
    const char *version;
} banner_rows[] = {
    {" stable release", " future release", "2.99"},
    {" release version ", " release versiox ", ""},
    {" release version 2.99.", " release version x.99.", ""},
    {"GNU C Library (", "GNU D Library (", ""},
    {"2.99.\nThis is", "2.99.12345678", "2.99.12345678"}, /* and " free software" */
    {"(Fixture GLIBC 2.99-9)", "(Fixture release versi", "2.99"},
    {"Fixture", "Fix\0ure", ""},
};

START_TEST(a_banner_may_say_anything)
{
    const struct banner_row *row = &banner_rows[_i];
    struct elf_fixture fixture;
    struct proc_tree tree;
    char path[128], version[16];

    proc_tree_init(&tree);
    snprintf(path, sizeof(path), "%s/libc-2.99.so", tree.path);
    elf_fixture_copy(ELF_FIXTURE("libc/libc-2.99"), path, row->from, row->to, strlen(row->from));
    ck_assert(elf_fixture_open(&fixture, path));
    pht_libc_version(&fixture.image, version);
    ck_assert_str_eq(version, row->version);
    elf_fixture_close(&fixture);
    proc_tree_deinit(&tree);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *libc_version_suite(void)
{
    Suite *suite = suite_create("layout/libc_version");
    TCase *tcase = tcase_create("libc_version");

    tcase_add_loop_test(tcase, a_version_is_two_numbers_or_more, 0, ROWS(text_rows));
    tcase_add_test(tcase, no_more_is_read_than_there_is);
    tcase_add_loop_test(tcase, a_file_tells_its_version, 0, ROWS(file_rows));
    tcase_add_loop_test(tcase, a_banner_may_say_anything, 0, ROWS(banner_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(libc_version_suite)
