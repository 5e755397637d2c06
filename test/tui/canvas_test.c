/* What reaches a cell, and that nothing else does. */
#include <locale.h>
#include <string.h>

#include "support/suite.h"
#include "tui/canvas.h"

static struct pht_canvas canvas;
static struct pht_area area;

static void open_canvas(unsigned rows, unsigned columns, bool is_ascii)
{
    pht_canvas_deinit(&canvas);
    ck_assert(pht_canvas_init(&canvas, rows, columns, is_ascii));
    area = pht_canvas_area(&canvas);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
    open_canvas(2, 20, false);
}

static void teardown(void)
{
    pht_canvas_deinit(&canvas);
}

static void check_text(const char *wanted)
{
    char *text = pht_canvas_text(&canvas);

    ck_assert_str_eq(text, wanted);
    free(text);
}

/* ---- characters --------------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *utf8;
    const char *ascii;
} names[] = {
    {"plain", "plain", "plain"},
    {"a\tb\nc", "a\\x09b\\x0ac", "a\\x09b\\x0ac"},
    {"\x1b[31m", "\\x1b[31m", "\\x1b[31m"},
    {"\x7f", "\\x7f", "\\x7f"},
    {"\xc2\x9b"
     "1m",
     "\\u009b1m", "\\u009b1m"},
    {"\xff\xc3(", "\\xff\\xc3(", "\\xff\\xc3("},
    {"Gr\xc3\xb6\xc3\x9f"
     "e",
     "Gr\xc3\xb6\xc3\x9f"
     "e",
     "Gr\\u00f6\\u00dfe"},
    {"\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87", "\\u4e2d\\u6587"},
    {"e\xcc\x81", "e\xcc\x81", "e\\u0301"},
    {"\xd7\xa9\xd7\x9c", "\xd7\xa9\xd7\x9c", "\\u05e9\\u05dc"},
    {"a\xe2\x80\xae"
     "b",
     "a\\u202eb", "a\\u202eb"},
    {"a\xe2\x80\x8b"
     "b",
     "a\\u200bb", "a\\u200bb"},
    {"\xef\xbb\xbf", "\\ufeff", "\\ufeff"},
    {"\xf3\xa0\x80\x81", "\\U000e0001", "\\U000e0001"},
};

#define NAMES ((int)(sizeof(names) / sizeof(names[0])))

START_TEST(text_is_escaped_where_it_is_not_printable)
{
    char line[64];

    for (int is_ascii = 0; is_ascii <= 1; is_ascii++) {
        open_canvas(1, 20, is_ascii);
        pht_area_put(area, 0, 0, PHT_ROLE_TEXT, names[_i].text);
        snprintf(line, sizeof(line), "%s\n", is_ascii ? names[_i].ascii : names[_i].utf8);
        check_text(line);
    }
}
END_TEST

START_TEST(locale_without_utf8_shows_no_byte_of_it)
{
    ck_assert_ptr_nonnull(setlocale(LC_CTYPE, "C"));
    pht_area_put(area, 0, 0, PHT_ROLE_TEXT, "\xc3\xb6");
    check_text("\\u00f6\n\n");
}
END_TEST

/* ---- width -------------------------------------------------------------------------------- */

START_TEST(wide_characters_take_two_cells)
{
    ck_assert_uint_eq(pht_area_put(area, 0, 0, PHT_ROLE_TEXT,
                                   "\xe4\xb8\xad"
                                   "x"),
                      3);
    ck_assert_str_eq(pht_canvas_cell(&canvas, 0, 1)->text, "");
    ck_assert_str_eq(pht_canvas_cell(&canvas, 0, 2)->text, "x");
}
END_TEST

START_TEST(half_of_a_wide_character_does_not_stay)
{
    for (unsigned at = 0; at <= 1; at++) {
        pht_area_put(area, 0, 0, PHT_ROLE_TEXT, "\xe4\xb8\xad");
        pht_area_put(area, 0, at, PHT_ROLE_TEXT, "x");
        ck_assert_str_eq(pht_canvas_cell(&canvas, 0, at)->text, "x");
        ck_assert_str_eq(pht_canvas_cell(&canvas, 0, 1 - at)->text, " ");
    }
}
END_TEST

START_TEST(wide_character_at_the_edge_is_left_out)
{
    open_canvas(1, 3, false);
    pht_area_put(area, 0, 0, PHT_ROLE_TEXT, "ab\xe4\xb8\xad");
    check_text("ab\n");
}
END_TEST

START_TEST(marks_take_no_cell_however_many_there_are)
{
    char text[4096] = "e";

    for (int i = 0; i < 1000; i++)
        strcat(text, "\xcc\x81");
    strcat(text, "x");
    ck_assert_uint_eq(pht_area_put(area, 0, 0, PHT_ROLE_TEXT, text), 2);
    ck_assert_uint_le(strlen(pht_canvas_cell(&canvas, 0, 0)->text), PHT_CELL_BYTES);
    ck_assert_str_eq(pht_canvas_cell(&canvas, 0, 1)->text, "x");
}
END_TEST

START_TEST(mark_without_a_character_is_left_out)
{
    pht_area_put(area, 0, 0, PHT_ROLE_TEXT,
                 "\xcc\x81"
                 "a");
    check_text("a\n\n");
}
END_TEST

START_TEST(long_text_is_cut_with_dots)
{
    char text[5000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    pht_area_put_cut(area, 0, 2, 6, PHT_ROLE_TEXT, text);
    pht_area_put_cut(area, 1, 0, 3, PHT_ROLE_TEXT, "\xe4\xb8\xad\xe6\x96\x87");
    check_text("  aaaa..\n ..\n");
}
END_TEST

START_TEST(text_that_fits_is_not_cut)
{
    pht_area_put_cut(area, 0, 0, 3, PHT_ROLE_TEXT, "abc");
    pht_area_put_right(area, 1, 20, 5, PHT_ROLE_TEXT, "abcde");
    check_text("abc\n               abcde\n");
}
END_TEST

START_TEST(text_to_the_right_ends_where_it_should)
{
    pht_area_put_right(area, 0, 10, 8, PHT_ROLE_TEXT, "x");
    pht_area_put_right(area, 1, 4, 8, PHT_ROLE_TEXT, "abcdefgh");
    check_text("         x\nab..\n");
}
END_TEST

/* ---- areas -------------------------------------------------------------------------------- */

START_TEST(nothing_is_drawn_outside_of_an_area)
{
    struct pht_area part = pht_area_columns(pht_area_rows(area, 1, 9), 5, 4);

    ck_assert_uint_eq(part.rows, 1);
    pht_area_put(part, 0, 0, PHT_ROLE_TEXT, "abcdefgh");
    pht_area_put(part, 1, 0, PHT_ROLE_TEXT, "below");
    pht_area_put(part, 0, 4, PHT_ROLE_TEXT, "beside");
    pht_area_select(part, 5);
    check_text("\n     abcd\n");
}
END_TEST

START_TEST(part_beyond_an_area_is_empty)
{
    struct pht_area part = pht_area_columns(pht_area_rows(area, 7, 2), 30, 2);

    ck_assert_uint_eq(part.rows, 0);
    ck_assert_uint_eq(part.columns, 0);
    pht_area_put(part, 0, 0, PHT_ROLE_TEXT, "x");
    check_text("\n\n");
}
END_TEST

START_TEST(roles_are_told_by_letters)
{
    unsigned column = pht_area_put(area, 0, 0, pht_role_of(PHT_CATEGORY_STACKS), "12");

    pht_area_put(area, 0, column + 1, PHT_ROLE_BAD, "x");
    pht_area_select(area, 0);
    char *roles = pht_canvas_roles(&canvas);
    ck_assert_str_eq(roles, "SS b\n\n");
    free(roles);
    ck_assert(pht_canvas_cell(&canvas, 0, 19)->is_selected);
    ck_assert(!pht_canvas_cell(&canvas, 1, 0)->is_selected);
}
END_TEST

static Suite *canvas_suite(void)
{
    Suite *suite = suite_create("canvas");
    TCase *tcase = tcase_create("canvas");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, text_is_escaped_where_it_is_not_printable, 0, NAMES);
    tcase_add_test(tcase, locale_without_utf8_shows_no_byte_of_it);
    tcase_add_test(tcase, wide_characters_take_two_cells);
    tcase_add_test(tcase, half_of_a_wide_character_does_not_stay);
    tcase_add_test(tcase, wide_character_at_the_edge_is_left_out);
    tcase_add_test(tcase, marks_take_no_cell_however_many_there_are);
    tcase_add_test(tcase, mark_without_a_character_is_left_out);
    tcase_add_test(tcase, long_text_is_cut_with_dots);
    tcase_add_test(tcase, text_that_fits_is_not_cut);
    tcase_add_test(tcase, text_to_the_right_ends_where_it_should);
    tcase_add_test(tcase, nothing_is_drawn_outside_of_an_area);
    tcase_add_test(tcase, part_beyond_an_area_is_empty);
    tcase_add_test(tcase, roles_are_told_by_letters);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(canvas_suite)
