#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "target/maps.h"

static struct pht_maps parse(const char *text)
{
    struct pht_maps maps;
    char *copy = strdup(text);

    ck_assert_ptr_nonnull(copy);
    ck_assert(pht_maps_parse(copy, &maps));
    return maps;
}

static const struct name_row {
    const char *line;
    const char *name;
    bool deleted;
} name_rows[] = {
    {"1000-2000 r--p 00000000 fe:00 7          /usr/lib/libfoo.so", "/usr/lib/libfoo.so", false},
    {"1000-2000 r--p 00000000 fe:00 7  /usr/lib/libfoo.so (deleted)", "/usr/lib/libfoo.so", true},
    {"1000-2000 r--p 00000000 fe:00 7  /a (deleted) (deleted)", "/a (deleted)", true},
    {"1000-2000 r--p 00000000 fe:00 7  /srv/my app/lib (new).so", "/srv/my app/lib (new).so",
     false},
    {"1000-2000 r--p 00000000 fe:00 7  /ends with blanks  ", "/ends with blanks  ", false},
    {"1000-2000 r--p 00000000 fe:00 7  /two\\012lines\\012", "/two\nlines\n", false},
    {"1000-2000 r--p 00000000 fe:00 7  /a\\012b (deleted)", "/a\nb", true},
    {"1000-2000 r--p 00000000 fe:00 7  /other \\040 escapes \\01 stay",
     "/other \\040 escapes \\01 stay", false},
    {"1000-2000 rw-p 00000000 00:00 0 ", "", false},
    {"1000-2000 rw-p 00000000 00:00 0", "", false},
    {"1000-2000 rw-p 00000000 00:00 0      [heap]", "[heap]", false},
    {"1000-2000 rw-p 00000000 00:00 0      [anon:a b]", "[anon:a b]", false},
    {"1000-2000 rw-s 00000000 00:01 9      /memfd:x (deleted)", "/memfd:x", true},
};

START_TEST(names_are_as_the_file_system_has_them)
{
    struct pht_maps maps = parse(name_rows[_i].line);

    ck_assert_uint_eq(maps.count, 1);
    ck_assert_str_eq(maps.items[0].name, name_rows[_i].name);
    ck_assert(maps.items[0].deleted == name_rows[_i].deleted);
    pht_maps_deinit(&maps);
}
END_TEST

START_TEST(all_fields_of_a_line_are_read)
{
    struct pht_maps maps = parse("7f2b9c000000-7f2b9c021000 rwxs 0001f000 fe:1a 393233   /x\n");
    const struct pht_mapping *mapping = &maps.items[0];

    ck_assert_uint_eq(maps.count, 1);
    ck_assert_uint_eq(mapping->start, 0x7f2b9c000000);
    ck_assert_uint_eq(mapping->end, 0x7f2b9c021000);
    ck_assert_uint_eq(mapping->offset, 0x1f000);
    ck_assert_uint_eq(mapping->dev_major, 0xfe);
    ck_assert_uint_eq(mapping->dev_minor, 0x1a);
    ck_assert_uint_eq(mapping->inode, 393233);
    ck_assert(mapping->readable && mapping->writable && mapping->executable && mapping->shared);
    pht_maps_deinit(&maps);
}
END_TEST

static const struct permission_row {
    const char *text;
    bool readable, writable, executable, shared;
} permission_rows[] = {
    {"---p", false, false, false, false}, {"r--p", true, false, false, false},
    {"-w-p", false, true, false, false},  {"--xp", false, false, true, false},
    {"---s", false, false, false, true},
};

START_TEST(each_permission_has_its_letter)
{
    const struct permission_row *row = &permission_rows[_i];
    char line[80];

    snprintf(line, sizeof(line), "1000-2000 %s 00000000 00:00 0\n", row->text);
    struct pht_maps maps = parse(line);
    ck_assert_uint_eq(maps.count, 1);
    ck_assert(maps.items[0].readable == row->readable);
    ck_assert(maps.items[0].writable == row->writable);
    ck_assert(maps.items[0].executable == row->executable);
    ck_assert(maps.items[0].shared == row->shared);
    pht_maps_deinit(&maps);
}
END_TEST

static const char *const bad_lines[] = {
    "",
    "garbage",
    "1000-2000",
    "1000-2000 rw-p",
    "1000-2000 rw-p 00000000 00:00",
    "1000 2000 rw-p 00000000 00:00 0",
    "xyz-2000 rw-p 00000000 00:00 0",
    "2000-1000 rw-p 00000000 00:00 0 backward",
    "1000-1000 rw-p 00000000 00:00 0 empty",
    "1001-2000 rw-p 00000000 00:00 0 unaligned",
    "1000-2001 rw-p 00000000 00:00 0 unaligned",
    "10000000000000000-10000000000001000 rw-p 00000000 00:00 0 beyond 64 bits",
    "Rss:                1234 kB",
};

START_TEST(lines_of_another_form_are_left_out)
{
    char text[300];

    snprintf(text, sizeof(text), "%s\n3000-4000 r--p 00000000 00:00 0 good\n", bad_lines[_i]);
    struct pht_maps maps = parse(text);
    ck_assert_uint_eq(maps.count, 1);
    ck_assert_str_eq(maps.items[0].name, "good");
    pht_maps_deinit(&maps);
}
END_TEST

START_TEST(overlapping_and_backward_lines_are_left_out)
{
    struct pht_maps maps = parse("2000-4000 r--p 00000000 00:00 0 first\n"
                                 "3000-5000 r--p 00000000 00:00 0 overlaps\n"
                                 "1000-2000 r--p 00000000 00:00 0 backward\n"
                                 "2000-4000 r--p 00000000 00:00 0 again\n"
                                 "4000-5000 r--p 00000000 00:00 0 touches\n"
                                 "5000-6000 r--p 00000000 00:00 0 last");

    ck_assert_uint_eq(maps.count, 3);
    ck_assert_str_eq(maps.items[0].name, "first");
    ck_assert_str_eq(maps.items[1].name, "touches");
    ck_assert_str_eq(maps.items[2].name, "last");
    pht_maps_deinit(&maps);
}
END_TEST

START_TEST(the_highest_addresses_are_kept)
{
    struct pht_maps maps =
        parse("7ffffffde000-7ffffffff000 rw-p 00000000 00:00 0  [stack]\n"
              "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0  [vsyscall]\n"
              "fffffffffffff000-fffffffffffff000 --xp 00000000 00:00 0  nothing\n");

    ck_assert_uint_eq(maps.count, 2);
    ck_assert_uint_eq(maps.items[1].end, UINT64_C(0xffffffffff601000));
    ck_assert_ptr_eq(pht_maps_find(&maps, UINT64_C(0xffffffffff600fff)), &maps.items[1]);
    ck_assert_ptr_null(pht_maps_find(&maps, UINT64_MAX));
    pht_maps_deinit(&maps);
}
END_TEST

START_TEST(no_text_is_no_mappings)
{
    struct pht_maps maps = parse("");

    ck_assert_uint_eq(maps.count, 0);
    ck_assert_ptr_null(pht_maps_find(&maps, 0x1000));
    pht_maps_deinit(&maps);
    ck_assert_ptr_null(maps.items);
    ck_assert_ptr_null(maps.names);
}
END_TEST

START_TEST(find_knows_every_address_of_many_mappings)
{
    enum { COUNT = 33 };
    char text[COUNT * 64] = "";
    size_t length = 0;

    /* Every other page is mapped. */
    for (unsigned i = 0; i < COUNT; i++)
        length +=
            (size_t)snprintf(text + length, sizeof(text) - length, "%x-%x r--p 00000000 00:00 0 \n",
                             0x2000 * i + 0x1000, 0x2000 * i + 0x2000);
    struct pht_maps maps = parse(text);
    ck_assert_uint_eq(maps.count, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        pht_addr start = 0x2000 * i + 0x1000;
        ck_assert_ptr_null(pht_maps_find(&maps, start - 1));
        ck_assert_ptr_eq(pht_maps_find(&maps, start), &maps.items[i]);
        ck_assert_ptr_eq(pht_maps_find(&maps, start + 0xfff), &maps.items[i]);
        ck_assert_ptr_null(pht_maps_find(&maps, start + 0x1000));
    }
    pht_maps_deinit(&maps);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *maps_suite(void)
{
    Suite *suite = suite_create("target/maps");
    TCase *tcase = tcase_create("maps");

    tcase_add_loop_test(tcase, names_are_as_the_file_system_has_them, 0, ROWS(name_rows));
    tcase_add_test(tcase, all_fields_of_a_line_are_read);
    tcase_add_loop_test(tcase, each_permission_has_its_letter, 0, ROWS(permission_rows));
    tcase_add_loop_test(tcase, lines_of_another_form_are_left_out, 0, ROWS(bad_lines));
    tcase_add_test(tcase, overlapping_and_backward_lines_are_left_out);
    tcase_add_test(tcase, the_highest_addresses_are_kept);
    tcase_add_test(tcase, no_text_is_no_mappings);
    tcase_add_test(tcase, find_knows_every_address_of_many_mappings);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(maps_suite)
