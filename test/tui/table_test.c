/* Tables: what is shown in which room, and where the cursor goes. */
#include <string.h>

#include "support/suite.h"
#include "tui/key.h"
#include "tui/table.h"

static const struct pht_column columns[] = {
    {.id = "type", .title = "Type", .width = 6, .is_flexible = true},
    {.id = "objects", .title = "Objects", .width = 7, .priority = 3, .alignment = PHT_ALIGN_RIGHT},
    {.id = "size", .title = "Size", .width = 5, .alignment = PHT_ALIGN_RIGHT},
    {.id = "note", .title = "Note", .width = 4, .priority = 5},
    {.id = "change",
     .title = "+Size",
     .width = 6,
     .priority = 1,
     .alignment = PHT_ALIGN_RIGHT,
     .is_change = true},
};

struct row {
    const char *name;
    uint64_t objects;
    uint64_t size;
};

static struct row rows[] = {
    {"dict", 10, 500},         {"str", 40, 400},     {"list", 5, 300},
    {"numpy.ndarray", 1, 200}, {"Dictator", 2, 100},
};

static struct pht_table table;
static struct pht_canvas canvas;

static void cell(const void *data, size_t row, size_t column, struct pht_table_cell *ret)
{
    const struct row *all = data;

    if (column == 0)
        ret->long_text = all[row].name;
    else
        snprintf(ret->text, sizeof(ret->text), "%lu",
                 column == 1 ? all[row].objects : all[row].size);
}

static int compare(const void *data, size_t column, size_t a, size_t b)
{
    const struct row *all = data;

    if (column == 0)
        return strcmp(all[a].name, all[b].name);
    uint64_t left = column == 1 ? all[a].objects : all[a].size;
    uint64_t right = column == 1 ? all[b].objects : all[b].size;
    return left > right ? -1 : left < right;
}

static const char *name(const void *data, size_t row)
{
    return ((const struct row *)data)[row].name;
}

static uint64_t key(const void *data, size_t row)
{
    return (uint64_t)(uintptr_t)((const struct row *)data)[row].name;
}

static void rest(const void *data, const size_t *hidden, size_t count, size_t column,
                 struct pht_table_cell *ret)
{
    const struct row *all = data;
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += all[hidden[i]].size;
    if (column == 0)
        snprintf(ret->text, sizeof(ret->text), "%zu more", count);
    else if (column == 2)
        snprintf(ret->text, sizeof(ret->text), "%lu", sum);
}

static struct pht_table_source source;

static void update(uint64_t old_key)
{
    ck_assert(pht_table_update(&table, &source, old_key));
}

static void setup(void)
{
    source = (struct pht_table_source){rows, 5, cell, compare, name, key, rest};
    pht_table_init(&table, columns, 5, 2);
    update(0);
}

static void teardown(void)
{
    pht_table_deinit(&table);
}

static void check(unsigned height, unsigned width, const char *wanted)
{
    ck_assert(pht_canvas_init(&canvas, height, width, true));
    pht_table_draw(&table, &source, pht_canvas_area(&canvas));
    char *text = pht_canvas_text(&canvas);
    ck_assert_str_eq(text, wanted);
    free(text);
    pht_canvas_deinit(&canvas);
}

static void check_selected(const char *wanted)
{
    size_t row;

    ck_assert(pht_table_selected(&table, &row));
    ck_assert_str_eq(rows[row].name, wanted);
}

static void press(const char *keys)
{
    for (; *keys != '\0'; keys++)
        ck_assert(pht_table_move(&table, *keys));
}

/* ---- drawing ------------------------------------------------------------------------------ */

START_TEST(all_columns_and_rows_where_there_is_room)
{
    check(7, 46,
          "  Type         Objects   Size v Note   +Size\n"
          "> dict              10    500   500      500\n"
          "  str               40    400   400      400\n"
          "  list               5    300   300      300\n"
          "  numpy.nda..        1    200   200      200\n"
          "  Dictator           2    100   100      100\n"
          "\n");
}
END_TEST

START_TEST(columns_leave_by_priority)
{
    unsigned last = 6;

    for (unsigned width = 50; width >= 17; width--) {
        unsigned count = 0;
        ck_assert(pht_canvas_init(&canvas, 3, width, true));
        pht_table_draw(&table, &source, pht_canvas_area(&canvas));
        char *text = pht_canvas_text(&canvas);
        bool has_objects = strstr(text, "Objects") != NULL, has_note = strstr(text, "Note") != NULL;
        bool has_change = strstr(text, "+Size") != NULL;
        ck_assert(strstr(text, "Ty") != NULL && strstr(text, " Size") != NULL);
        ck_assert(!has_note || has_objects);
        ck_assert(!has_objects || has_change);
        count = 2 + has_objects + has_note + has_change;
        ck_assert_uint_le(count, last);
        last = count;
        free(text);
        pht_canvas_deinit(&canvas);
    }
    ck_assert_uint_eq(last, 2);
}
END_TEST

START_TEST(what_is_not_shown_is_added_up)
{
    check(4, 22,
          "  Type          Size v\n"
          "> dict           500\n"
          "  str            400\n"
          "  3 more         600\n");
    press("G");
    check(4, 22,
          "  Type          Size v\n"
          "  numpy.nda..    200\n"
          "> Dictator       100\n"
          "  3 more        1200\n");
}
END_TEST

START_TEST(filter_leaves_rows_that_are_added_up)
{
    pht_table_filter(&table, "DICT");
    update(0);
    check(6, 22,
          "  Type          Size v\n"
          "> dict           500\n"
          "  Dictator       100\n"
          "  3 more         900\n"
          "\n"
          "\n");
    pht_table_filter(&table, "nothing");
    update(0);
    check(3, 22,
          "  Type          Size v\n"
          "  5 more        1500\n"
          "\n");
    size_t row;
    ck_assert(!pht_table_selected(&table, &row));
}
END_TEST

START_TEST(columns_are_scrolled_away)
{
    press("l");
    check(2, 46,
          "  Type                   Size v Note   +Size\n"
          "> dict                    500   500      500\n");
    press("l");
    check(2, 46,
          "  Type                          Size v +Size\n"
          "> dict                           500     500\n");
    press("lhh");
    check(2, 46,
          "  Type         Objects   Size v Note   +Size\n"
          "> dict              10    500   500      500\n");
}
END_TEST

/* ---- the cursor --------------------------------------------------------------------------- */

START_TEST(cursor_stays_within_the_rows)
{
    press("kkk");
    check_selected("dict");
    press("jj");
    check_selected("list");
    press("jjjjjjj");
    check_selected("Dictator");
    press("g");
    check_selected("dict");
    ck_assert(!pht_table_move(&table, 'x'));
}
END_TEST

START_TEST(cursor_stays_with_its_row)
{
    press("jjj");
    uint64_t old = pht_table_key(&table, &source);
    pht_table_sort_by(&table, 0);
    update(old);
    check_selected("numpy.ndarray");
    pht_table_sort_by(&table, 0);
    update(old);
    check_selected("numpy.ndarray");
    ck_assert_uint_eq(table.selected, 1); /* names turned around */
}
END_TEST

START_TEST(cursor_stays_near_where_its_row_was)
{
    press("G");
    uint64_t old = pht_table_key(&table, &source);
    source.rows = 3;
    update(old);
    check_selected("list");
}
END_TEST

START_TEST(search_goes_on_and_around)
{
    ck_assert(pht_table_search(&table, &source, "dict", 0));
    check_selected("dict");
    ck_assert(pht_table_search(&table, &source, "dict", 1));
    check_selected("Dictator");
    ck_assert(pht_table_search(&table, &source, "dict", 1));
    check_selected("dict");
    ck_assert(pht_table_search(&table, &source, "dict", -1));
    check_selected("Dictator");
    ck_assert(!pht_table_search(&table, &source, "tuple", 1));
    check_selected("Dictator");
}
END_TEST

START_TEST(empty_table_moves_nowhere)
{
    source.rows = 0;
    update(0);
    press("jkgGlh");
    ck_assert(!pht_table_search(&table, &source, "d", 1));
    check(3, 22, "  Type          Size v\n\n\n");
}
END_TEST

START_TEST(clicks_find_rows_and_titles)
{
    size_t column;

    ck_assert(pht_canvas_init(&canvas, 9, 50, true));
    pht_table_draw(&table, &source, pht_area_rows(pht_canvas_area(&canvas), 2, 7));
    pht_canvas_deinit(&canvas);
    ck_assert(pht_table_select_at(&table, 4, 10));
    check_selected("str");
    ck_assert(!pht_table_select_at(&table, 2, 10)); /* the titles */
    ck_assert(!pht_table_select_at(&table, 8, 10)); /* below the rows */
    ck_assert(!pht_table_select_at(&table, 1, 10));
    ck_assert(pht_table_title_at(&table, 2, 2, &column));
    ck_assert_uint_eq(column, 0);
    ck_assert(pht_table_title_at(&table, 2, 45, &column));
    ck_assert_uint_eq(column, 4);
    ck_assert(!pht_table_title_at(&table, 3, 2, &column));
}
END_TEST

START_TEST(change_column_is_found)
{
    ck_assert_uint_eq(pht_table_change_column(&table), 4);
}
END_TEST

static Suite *table_suite(void)
{
    Suite *suite = suite_create("table");
    TCase *tcase = tcase_create("table");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, all_columns_and_rows_where_there_is_room);
    tcase_add_test(tcase, columns_leave_by_priority);
    tcase_add_test(tcase, what_is_not_shown_is_added_up);
    tcase_add_test(tcase, filter_leaves_rows_that_are_added_up);
    tcase_add_test(tcase, columns_are_scrolled_away);
    tcase_add_test(tcase, cursor_stays_within_the_rows);
    tcase_add_test(tcase, cursor_stays_with_its_row);
    tcase_add_test(tcase, cursor_stays_near_where_its_row_was);
    tcase_add_test(tcase, search_goes_on_and_around);
    tcase_add_test(tcase, empty_table_moves_nowhere);
    tcase_add_test(tcase, clicks_find_rows_and_titles);
    tcase_add_test(tcase, change_column_is_found);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(table_suite)
