#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "support/suite.h"

#define BYTES(literal) literal, sizeof(literal) - 1
#define REPLACED "\xef\xbf\xbd"

static const struct row {
    const char *bytes;
    size_t size;
    const char *printable;
    const char *utf8;
} rows[] = {
    {BYTES(""), "", ""},
    {BYTES("plain ~ text"), "plain ~ text", "plain ~ text"},
    {BYTES("a\tb\nc\rd"), "a\\x09b\\x0ac\\x0dd", "a\tb\nc\rd"},
    {BYTES("\x1b[31mred"), "\\x1b[31mred", "\x1b[31mred"},
    {BYTES("\x7f"), "\\x7f", "\x7f"},
    {BYTES("a\0b"), "a\\x00b", "ab"},
    {BYTES("\0"), "\\x00", ""},
    /* well-formed, at each end of each length */
    {BYTES("\xc3\xa9"), "\xc3\xa9", "\xc3\xa9"},
    {BYTES("\xc2\xa0\xdf\xbf"), "\xc2\xa0\xdf\xbf", "\xc2\xa0\xdf\xbf"},
    {BYTES("\xe0\xa0\x80\xef\xbf\xbf"), "\xe0\xa0\x80\xef\xbf\xbf", "\xe0\xa0\x80\xef\xbf\xbf"},
    {BYTES("\xed\x9f\xbf\xee\x80\x80"), "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
    {BYTES("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf",
     "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    /* C1 controls: a terminal takes U+009B for "escape [" */
    {BYTES("\xc2\x80x"), "\\xc2\\x80x", "\xc2\x80x"},
    {BYTES("\xc2\x9b"), "\\xc2\\x9b", "\xc2\x9b"},
    {BYTES("\xc2\x9f"), "\\xc2\\x9f", "\xc2\x9f"},
    /* marks that turn the direction of text, or end a line, and their neighbours */
    {BYTES("\xd8\x9b\xd8\x9c\xd8\x9d"), "\xd8\x9b\\xd8\\x9c\xd8\x9d", "\xd8\x9b\xd8\x9c\xd8\x9d"},
    {BYTES("\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90"),
     "\xe2\x80\x8d\\xe2\\x80\\x8e\\xe2\\x80\\x8f\xe2\x80\x90",
     "\xe2\x80\x8d\xe2\x80\x8e\xe2\x80\x8f\xe2\x80\x90"},
    {BYTES("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf"),
     "\xe2\x80\xa7\\xe2\\x80\\xa8\\xe2\\x80\\xae\xe2\x80\xaf",
     "\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf"},
    {BYTES("\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"),
     "\xe2\x81\xa5\\xe2\\x81\\xa6\\xe2\\x81\\xa9\xe2\x81\xaa",
     "\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"},
    /* overlong */
    {BYTES("\xc0\xaf"), "\\xc0\\xaf", REPLACED REPLACED},
    {BYTES("\xc1\xbf"), "\\xc1\\xbf", REPLACED REPLACED},
    {BYTES("\xe0\x9f\xbf"), "\\xe0\\x9f\\xbf", REPLACED REPLACED REPLACED},
    {BYTES("\xf0\x8f\xbf\xbf"), "\\xf0\\x8f\\xbf\\xbf", REPLACED REPLACED REPLACED REPLACED},
    /* surrogates, and what lies above U+10FFFF */
    {BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80", REPLACED REPLACED REPLACED},
    {BYTES("\xed\xbf\xbf"), "\\xed\\xbf\\xbf", REPLACED REPLACED REPLACED},
    {BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80", REPLACED REPLACED REPLACED REPLACED},
    {BYTES("\xf5\xfe\xff"), "\\xf5\\xfe\\xff", REPLACED REPLACED REPLACED},
    /* cut short, or with no beginning */
    {BYTES("\x80"), "\\x80", REPLACED},
    {BYTES("\xc3"), "\\xc3", REPLACED},
    {BYTES("\xe2\x82"), "\\xe2\\x82", REPLACED REPLACED},
    {BYTES("\xf0\x9f\x98"), "\\xf0\\x9f\\x98", REPLACED REPLACED REPLACED},
    {BYTES("\xe2\x82z"), "\\xe2\\x82z", REPLACED REPLACED "z"},
    {BYTES("\xc3\xc3\xa9"), "\\xc3\xc3\xa9", REPLACED "\xc3\xa9"},
    {BYTES("\xf0\x9f\x98\xc3\xa9"), "\\xf0\\x9f\\x98\xc3\xa9",
     REPLACED REPLACED REPLACED "\xc3\xa9"},
};

/* In memory that ends where the bytes do, so that a sanitizer sees a read beyond them. */
static char *exact_copy(const struct row *row)
{
    char *copy = malloc(row->size > 0 ? row->size : 1);

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, row->bytes, row->size);
    return copy;
}

START_TEST(printable_escapes_what_a_terminal_must_not_see)
{
    char *copy = exact_copy(&rows[_i]);
    char *text = pht_text_printable(copy, rows[_i].size);

    ck_assert_str_eq(text, rows[_i].printable);
    free(text);
    free(copy);
}
END_TEST

START_TEST(utf8_replaces_what_cannot_be_decoded)
{
    char *copy = exact_copy(&rows[_i]);
    char *text = pht_text_utf8(copy, rows[_i].size);

    ck_assert_str_eq(text, rows[_i].utf8);
    free(text);
    free(copy);
}
END_TEST

START_TEST(all_bad_bytes_fit_into_the_result)
{
    char bytes[1000];

    memset(bytes, 0xff, sizeof(bytes));
    char *printable = pht_text_printable(bytes, sizeof(bytes));
    char *utf8 = pht_text_utf8(bytes, sizeof(bytes));
    ck_assert_uint_eq(strlen(printable), 4 * sizeof(bytes));
    ck_assert_uint_eq(strlen(utf8), 3 * sizeof(bytes));
    free(printable);
    free(utf8);
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    ck_assert_ptr_null(pht_text_printable("", SIZE_MAX / 4));
    ck_assert_ptr_null(pht_text_printable("", SIZE_MAX));
    ck_assert_ptr_null(pht_text_utf8("", SIZE_MAX / 3));
    ck_assert_ptr_null(pht_text_utf8("", SIZE_MAX));
}
END_TEST

START_TEST(format_makes_a_string_of_its_own)
{
    char *text = pht_text_format("%s-%d", "pid", 42);

    ck_assert_str_eq(text, "pid-42");
    free(text);
}
END_TEST

static const struct cut_row {
    const char *text;
    size_t characters;
    const char *cut;
} cut_rows[] = {
    {"", 2, ""},
    {"ab", 2, "ab"},
    {"abc", 2, ".."},
    {"abc", 3, "abc"},
    {"abcd", 3, "a.."},
    {"celery worker", 8, "celery.."},
    {"\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9\xc3\xa9\xc3\xa9"},
    {"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3, "\xc3\xa9.."},
    {"a\xe2\x82\xac"
     "b\xf0\x9f\x98\x80"
     "c",
     4, "a\xe2\x82\xac.."},
};

START_TEST(a_text_is_cut_between_characters)
{
    char text[64];

    strcpy(text, cut_rows[_i].text);
    pht_text_cut(text, cut_rows[_i].characters);
    ck_assert_str_eq(text, cut_rows[_i].cut);
}
END_TEST

START_TEST(characters_are_counted_and_not_bytes)
{
    ck_assert_uint_eq(pht_text_characters(""), 0);
    ck_assert_uint_eq(pht_text_characters("celery"), 6);
    ck_assert_uint_eq(pht_text_characters("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 3);
}
END_TEST

START_TEST(arguments_stand_in_one_line)
{
    static const char command[] = "python\0-c\0a\nb\0\0";
    char *line = pht_text_arguments(command, sizeof(command));

    ck_assert_str_eq(line, "python -c a\\x0ab");
    free(line);
    line = pht_text_arguments("", 0);
    ck_assert_str_eq(line, "");
    free(line);
}
END_TEST

START_TEST(times_are_utc_with_milliseconds_cut)
{
    char *text = pht_text_time((struct timespec){.tv_sec = 1795356187, .tv_nsec = 41999999});

    ck_assert_str_eq(text, "2026-11-22T14:03:07.041Z");
    free(text);
}
END_TEST

static Suite *text_suite(void)
{
    Suite *suite = suite_create("base/text");
    TCase *tcase = tcase_create("text");
    int count = (int)(sizeof(rows) / sizeof(rows[0]));

    tcase_add_test(tcase, arguments_stand_in_one_line);
    tcase_add_loop_test(tcase, printable_escapes_what_a_terminal_must_not_see, 0, count);
    tcase_add_loop_test(tcase, utf8_replaces_what_cannot_be_decoded, 0, count);
    tcase_add_test(tcase, all_bad_bytes_fit_into_the_result);
    tcase_add_test(tcase, sizes_that_overflow_are_refused);
    tcase_add_loop_test(tcase, a_text_is_cut_between_characters, 0,
                        (int)(sizeof(cut_rows) / sizeof(cut_rows[0])));
    tcase_add_test(tcase, characters_are_counted_and_not_bytes);
    tcase_add_test(tcase, times_are_utc_with_milliseconds_cut);
    tcase_add_test(tcase, format_makes_a_string_of_its_own);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(text_suite)
