#include "tui/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tui/key.h"
#include "tui/table_columns.h"

/* "> " before the row that the cursor is on. */
#define MARK_COLUMNS 2

void pht_table_init(struct pht_table *table, const struct pht_column *columns, size_t column_count,
                    size_t sort_column)
{
    *table = (struct pht_table){
        .columns = columns, .column_count = column_count, .sort_column = sort_column};
}

void pht_table_deinit(struct pht_table *table)
{
    free(table->order.items);
    table->order.items = NULL;
}

/* ---- which rows, and in which order ------------------------------------------------------- */

static bool is_filtered_out(const struct pht_table *table, const struct pht_table_source *source,
                            size_t row)
{
    if (table->filter[0] == '\0')
        return false;
    return source->name == NULL ||
           strcasestr(source->name(source->data, row), table->filter) == NULL;
}

struct sorting {
    const struct pht_table *table;
    const struct pht_table_source *source;
};

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct sorting *sorting = (const struct sorting *)context;
    const struct pht_table *table = sorting->table;
    size_t a = *(const size_t *)left;
    size_t b = *(const size_t *)right;

    int order = sorting->source->compare(sorting->source->data, table->sort_column, a, b);
    if (order != 0)
        return table->is_reversed ? -order : order;
    return a < b ? -1 : a > b; /* equal rows never change places */
}

static void sort(struct pht_table *table, const struct pht_table_source *source)
{
    struct sorting sorting = {table, source};

    if (table->sort_column >= table->column_count || source->compare == NULL)
        return;
    if (table->order.count > 1)
        qsort_r(table->order.items, table->order.count, sizeof(size_t), compare_rows, &sorting);
}

static size_t find_key(const struct pht_table *table, const struct pht_table_source *source,
                       uint64_t key)
{
    for (size_t i = 0; source->key != NULL && i < table->order.count; i++) {
        if (source->key(source->data, table->order.items[i]) == key)
            return i;
    }
    return SIZE_MAX;
}

static size_t last_row(const struct pht_table *table)
{
    return table->order.count > 0 ? table->order.count - 1 : 0;
}

bool pht_table_update(struct pht_table *table, const struct pht_table_source *source,
                      uint64_t old_key)
{
    table->order.count = 0;
    if (!pht_vec_reserve(&table->order, source->rows)) {
        table->selected = 0;
        return false;
    }
    for (size_t row = 0; row < source->rows; row++) {
        if (!is_filtered_out(table, source, row))
            table->order.items[table->order.count++] = row;
    }
    table->filtered_out = source->rows - table->order.count;
    sort(table, source);
    size_t same = old_key != 0 ? find_key(table, source, old_key) : SIZE_MAX;
    if (same != SIZE_MAX)
        table->selected = same;
    if (table->selected > last_row(table))
        table->selected = last_row(table);
    return true;
}

uint64_t pht_table_key(const struct pht_table *table, const struct pht_table_source *source)
{
    size_t row;

    if (source->key == NULL || !pht_table_selected(table, &row) || row >= source->rows)
        return 0;
    return source->key(source->data, row);
}

bool pht_table_selected(const struct pht_table *table, size_t *ret)
{
    if (table->selected >= table->order.count)
        return false;
    *ret = table->order.items[table->selected];
    return true;
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_cell(struct pht_area area, unsigned row, const struct pht_column_place *place,
                      const struct pht_table_cell *cell, const void *data, size_t data_row)
{
    const char *text = cell->long_text != NULL ? cell->long_text : cell->text;

    if (cell->draw != NULL) {
        cell->draw(data, data_row,
                   pht_area_columns(pht_area_rows(area, row, 1), place->start, place->width));
        return;
    }
    if (place->column->alignment == PHT_ALIGN_RIGHT)
        pht_area_put_right(area, row, place->start + place->width, place->width, cell->role, text);
    else
        pht_area_put_cut(area, row, place->start, place->width, cell->role, text);
}

static void draw_titles(const struct pht_table *table, const struct pht_column_place *places,
                        size_t count, struct pht_area area)
{
    for (size_t i = 0; i < count; i++) {
        const struct pht_column *column = places[i].column;
        bool is_sorted = (size_t)(column - table->columns) == table->sort_column;
        enum pht_role role = is_sorted ? PHT_ROLE_SORTED : PHT_ROLE_TITLE;
        unsigned end = places[i].start + places[i].width;
        if (column->alignment == PHT_ALIGN_RIGHT)
            pht_area_put_right(area, 0, end, places[i].width, role, column->title);
        else
            end = pht_area_put_cut(area, 0, places[i].start, places[i].width, role, column->title);
        if (is_sorted)
            pht_area_put(area, 0, end + 1, role, table->is_reversed ? "^" : "v");
    }
}

static void draw_row(const struct pht_column_place *places, size_t count, struct pht_area area,
                     unsigned row, const struct pht_table *table,
                     const struct pht_table_source *source, size_t data_row)
{
    for (size_t i = 0; i < count; i++) {
        struct pht_table_cell cell = {.role = PHT_ROLE_TEXT};
        source->cell(source->data, data_row, (size_t)(places[i].column - table->columns), &cell);
        draw_cell(area, row, &places[i], &cell, source->data, data_row);
    }
}

/* Rows that are not drawn: those above, those below, and what the filter keeps out. */
static size_t list_hidden(const struct pht_table *table, const struct pht_table_source *source,
                          size_t *ret)
{
    size_t count = 0;

    for (size_t i = 0; i < table->order.count; i++) {
        if (i < table->top || i >= table->top + table->page)
            ret[count++] = table->order.items[i];
    }
    for (size_t row = 0; table->filtered_out > 0 && row < source->rows; row++) {
        if (is_filtered_out(table, source, row))
            ret[count++] = row;
    }
    return count;
}

static void draw_rest(const struct pht_column_place *places, size_t count, struct pht_area area,
                      unsigned row, const struct pht_table *table,
                      const struct pht_table_source *source)
{
    _cleanup_free_ size_t *hidden = calloc(source->rows + 1, sizeof(*hidden));

    if (hidden == NULL)
        return;
    size_t hidden_count = list_hidden(table, source, hidden);
    if (source->rest == NULL) {
        unsigned after =
            pht_area_format(area, row, MARK_COLUMNS, PHT_ROLE_DIM, "%zu more", hidden_count);
        if (table->order.count > table->page)
            pht_area_put(area, row, after + 3, PHT_ROLE_DIM, "PgDn PgUp: scroll");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct pht_table_cell cell = {.role = PHT_ROLE_DIM};
        source->rest(source->data, hidden, hidden_count,
                     (size_t)(places[i].column - table->columns), &cell);
        draw_cell(area, row, &places[i], &cell, source->data, 0);
    }
}

/* How many rows fit below the titles, and from which on, so that the cursor is among them. */
static void scroll(struct pht_table *table, unsigned rows)
{
    size_t count = table->order.count;
    bool is_whole = count <= rows && table->filtered_out == 0;

    table->page = rows;
    if (!is_whole && rows > 1)
        table->page = rows - 1; /* one tells of the rest */
    if (table->selected < table->top)
        table->top = table->selected;
    if (table->page > 0 && table->selected >= table->top + table->page)
        table->top = table->selected - table->page + 1;
    if (table->top + table->page > count)
        table->top = count > table->page ? count - table->page : 0;
}

unsigned pht_table_draw(struct pht_table *table, const struct pht_table_source *source,
                        struct pht_area area)
{
    struct pht_column_place places[PHT_TABLE_COLUMNS_MAX];
    unsigned row = 1;

    table->drawn = area;
    size_t count = pht_table_place(table, MARK_COLUMNS, area.columns, places);
    draw_titles(table, places, count, area);
    if (area.rows < 2)
        return area.rows;
    scroll(table, area.rows - 1);
    for (size_t i = table->top; i < table->order.count && row <= table->page; i++, row++) {
        draw_row(places, count, area, row, table, source, table->order.items[i]);
        if (i == table->selected && !table->has_no_cursor) {
            pht_area_put(area, row, 0, PHT_ROLE_TEXT, ">");
            pht_area_select(area, row);
        }
    }
    if ((table->order.count > table->page || table->filtered_out > 0) && row < area.rows)
        draw_rest(places, count, area, row++, table, source);
    return row;
}

void pht_table_draw_line(const struct pht_table *table, struct pht_area area, unsigned row,
                         void (*cell)(const void *data, size_t row, size_t column,
                                      struct pht_table_cell *ret),
                         const void *data, size_t data_row)
{
    const struct pht_table_source source = {.data = data, .cell = cell};
    struct pht_column_place places[PHT_TABLE_COLUMNS_MAX];

    size_t count = pht_table_place(table, MARK_COLUMNS, area.columns, places);
    draw_row(places, count, area, row, table, &source, data_row);
}

/* ---- what the user does ------------------------------------------------------------------- */

static void move_by(struct pht_table *table, size_t rows, bool down)
{
    size_t last = last_row(table);

    if (down)
        table->selected = rows < last - table->selected ? table->selected + rows : last;
    else
        table->selected = rows < table->selected ? table->selected - rows : 0;
}

bool pht_table_move(struct pht_table *table, int key)
{
    size_t page = table->page > 1 ? table->page - 1 : 1;

    switch (key) {
    case 'j':
    case PHT_KEY_DOWN:
        move_by(table, 1, true);
        return true;
    case 'k':
    case PHT_KEY_UP:
        move_by(table, 1, false);
        return true;
    case PHT_KEY_PAGE_DOWN:
        move_by(table, page, true);
        return true;
    case PHT_KEY_PAGE_UP:
        move_by(table, page, false);
        return true;
    case PHT_KEY_CONTROL('d'):
        move_by(table, page / 2 + 1, true);
        return true;
    case PHT_KEY_CONTROL('u'):
        move_by(table, page / 2 + 1, false);
        return true;
    case 'g':
    case PHT_KEY_HOME:
        table->selected = 0;
        return true;
    case 'G':
    case PHT_KEY_END:
        table->selected = last_row(table);
        return true;
    case 'l':
    case PHT_KEY_RIGHT:
        table->shift += table->shift < pht_table_shift_limit(table);
        return true;
    case 'h':
    case PHT_KEY_LEFT:
        table->shift -= table->shift > 0;
        return true;
    default:
        return false;
    }
}

static bool is_drawn_at(const struct pht_table *table, unsigned row, unsigned column)
{
    const struct pht_area *drawn = &table->drawn;

    return row >= drawn->row && row < drawn->row + drawn->rows && column >= drawn->column &&
           column < drawn->column + drawn->columns;
}

bool pht_table_select_at(struct pht_table *table, unsigned row, unsigned column)
{
    if (!is_drawn_at(table, row, column) || row == table->drawn.row)
        return false;
    size_t at = table->top + (row - table->drawn.row - 1);
    if (at >= table->order.count || at >= table->top + table->page)
        return false;
    table->selected = at;
    return true;
}

bool pht_table_title_at(const struct pht_table *table, unsigned row, unsigned column, size_t *ret)
{
    struct pht_column_place places[PHT_TABLE_COLUMNS_MAX];

    if (!is_drawn_at(table, row, column) || row != table->drawn.row)
        return false;
    size_t count = pht_table_place(table, MARK_COLUMNS, table->drawn.columns, places);
    unsigned at = column - table->drawn.column;
    for (size_t i = 0; i < count; i++) {
        if (at >= places[i].start && at < places[i].start + places[i].width) {
            *ret = (size_t)(places[i].column - table->columns);
            return places[i].column->id != NULL;
        }
    }
    return false;
}

void pht_table_sort_by(struct pht_table *table, size_t column)
{
    table->is_reversed = table->sort_column == column && !table->is_reversed;
    table->sort_column = column;
}

size_t pht_table_change_column(const struct pht_table *table)
{
    size_t column = 0;

    while (column < table->column_count && !table->columns[column].is_change)
        column++;
    return column;
}

bool pht_table_search(struct pht_table *table, const struct pht_table_source *source,
                      const char *text, int direction)
{
    size_t count = table->order.count;

    if (source->name == NULL || text[0] == '\0')
        return false;
    for (size_t step = direction == 0 ? 0 : 1; step <= count && count > 0; step++) {
        size_t at = direction < 0 ? (table->selected + count - step % count) % count
                                  : (table->selected + step) % count;
        if (strcasestr(source->name(source->data, table->order.items[at]), text) != NULL) {
            table->selected = at;
            return true;
        }
    }
    return false;
}

void pht_table_filter(struct pht_table *table, const char *text)
{
    snprintf(table->filter, sizeof(table->filter), "%s", text);
}
