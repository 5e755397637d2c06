#include "layout/library.h"
#include "support/suite.h"

#define NONE 99

static const struct name_row {
    const char *name;
    unsigned library;
} name_rows[] = {
    {"/lib/x86_64-linux-gnu/libc.so.6", PHT_LIBRARY_GLIBC},
    {"/lib/x86_64-linux-gnu/libc-2.31.so", PHT_LIBRARY_GLIBC},
    {"/lib64/libc-2.5.so", PHT_LIBRARY_GLIBC},
    {"/srv/libc.so.6/lib/libm.so.6", NONE},
    {"/lib/libc.so.60", NONE},
    {"/lib/mylibc.so.6", NONE},
    {"/lib/libc.so", PHT_LIBRARY_LIBC},
    {"/lib/libc-client.so", NONE},
    {"/lib/libc-2.31.so.bak", NONE},
    {"/lib/libcrypt-2.31.so", NONE},
    {"/lib/libc_malloc_debug.so.0", NONE},
    {"libc.so.6", NONE}, /* the name of a memfd, or of nothing */
    {"", NONE},
    {"/lib/libpthread.so.0", PHT_LIBRARY_PTHREAD},
    {"/lib/libpthread-2.31.so", PHT_LIBRARY_PTHREAD},
    {"/lib/libpthread-stubs.so", NONE},
    {"/lib64/ld-linux-x86-64.so.2", PHT_LIBRARY_LOADER},
    {"/lib/ld-linux-aarch64.so.1", PHT_LIBRARY_LOADER},
    {"/lib/x86_64-linux-gnu/ld-2.31.so", PHT_LIBRARY_LOADER},
    {"/usr/bin/ld", NONE},
    {"/lib/ld-musl-x86_64.so.1", PHT_LIBRARY_MUSL},
    {"/lib/libc.musl-x86_64.so.1", PHT_LIBRARY_MUSL},
};

START_TEST(libraries_are_known_by_the_names_of_their_files)
{
    const struct name_row *row = &name_rows[_i];
    struct pht_mapping mapping = {.inode = 7, .executable = true, .name = row->name};
    struct pht_maps maps = {.items = &mapping, .count = 1};

    for (unsigned library = 0; library <= PHT_LIBRARY_LIBC; library++)
        ck_assert_msg((pht_library_find(&maps, library) == &mapping) == (library == row->library),
                      "%s, %u", row->name, library);
}
END_TEST

START_TEST(only_code_of_a_file_is_taken)
{
    struct pht_mapping items[] = {
        {.inode = 7, .name = "/lib/libc.so.6"},
        {.executable = true, .name = "/lib/libc.so.6"},
        {.inode = 7, .executable = true, .name = "/lib/libc.so.6"},
        {.inode = 8, .executable = true, .name = "/lib/libc.so.6"},
    };
    struct pht_maps maps = {.items = items, .count = 4};

    ck_assert_ptr_eq(pht_library_find(&maps, PHT_LIBRARY_GLIBC), &items[2]);
    maps.count = 2;
    ck_assert_ptr_null(pht_library_find(&maps, PHT_LIBRARY_GLIBC));
    maps.count = 0;
    ck_assert_ptr_null(pht_library_find(&maps, PHT_LIBRARY_GLIBC));
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *library_suite(void)
{
    Suite *suite = suite_create("layout/library");
    TCase *tcase = tcase_create("library");

    tcase_add_loop_test(tcase, libraries_are_known_by_the_names_of_their_files, 0, ROWS(name_rows));
    tcase_add_test(tcase, only_code_of_a_file_is_taken);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(library_suite)
