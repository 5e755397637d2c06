#include "tui/types_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tui/type_name.h"

/* ---- filling ------------------------------------------------------------------------------ */

void pht_types_rows_deinit(struct pht_types_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->items[i].name);
    free(rows->items);
    rows->items = NULL;
    rows->count = 0;
}

static void add_growth(struct pht_types_row *row, const struct pht_growth *growth)
{
    row->more_objects += growth->count;
    row->more_bytes += growth->bytes;
}

static bool add_type(struct pht_types_rows *rows, const struct pht_type_sum *type)
{
    const struct pht_growth *growth = pht_change_of_type(rows->view->change, type);
    struct pht_types_row *row = &rows->items[rows->count];
    char name[PHT_TYPE_NAME_BYTES + 32];

    pht_type_name(type, name, PHT_TYPE_NAME_BYTES);
    if (rows->view->show_addresses && type->name[0] != '\0')
        snprintf(name + strlen(name), sizeof(name) - strlen(name), " %" PRIx64, type->address);
    *row = (struct pht_types_row){
        .name = strdup(name),
        .module = pht_type_module(type),
        .type = type->address,
        .key = type->address,
        .objects = type->objects,
        .size_bytes = type->size_bytes,
        .taken_bytes = type->allocated_bytes,
        .largest_bytes = type->max_bytes,
    };
    if (growth != NULL)
        add_growth(row, growth);
    rows->count += row->name != NULL;
    return row->name != NULL;
}

/* Types of the baseline that have no object any more: without them the change does not add up. */
static bool add_gone(struct pht_types_rows *rows, const struct pht_growth *growth)
{
    const struct pht_figure *figure = growth->figure;
    const struct pht_type_sum type = {
        .address = figure->number, .name = figure->name, .module = figure->module};
    struct pht_types_row *row = &rows->items[rows->count];
    char name[PHT_TYPE_NAME_BYTES];

    *row = (struct pht_types_row){.name = strdup(pht_type_name(&type, name, sizeof(name))),
                                  .module = pht_type_module(&type),
                                  .key = figure->number};
    add_growth(row, growth);
    rows->count += row->name != NULL;
    return row->name != NULL;
}

static const struct pht_growth_list *growths(const struct pht_view *view)
{
    static const struct pht_growth_list none = {0};

    if (view->change == NULL || !pht_change_knows(view->change, PHT_FIGURE_TYPE))
        return &none;
    return &pht_change_diff(view->change)->lists[PHT_FIGURE_TYPE];
}

static bool add_all(struct pht_types_rows *rows)
{
    const struct pht_objects *objects = rows->view->report->objects;
    const struct pht_growth_list *list = growths(rows->view);

    for (size_t i = 0; i < objects->type_count; i++) {
        if (!add_type(rows, &objects->types[i]))
            return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].after == NULL && !add_gone(rows, &list->items[i]))
            return false;
    }
    return true;
}

/* ---- by module ---------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct pht_types_row *left = a, *right = b;

    return strcmp(left->name, right->name);
}

/* FNV-1a: names stand for modules from one snapshot to the next. */
static uint64_t key_of(const char *name)
{
    uint64_t key = 0xcbf29ce484222325;

    for (; *name != '\0'; name++)
        key = (key ^ (unsigned char)*name) * 0x100000001b3;
    return key;
}

static bool name_by_modules(struct pht_types_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        struct pht_types_row *row = &rows->items[i];
        char *name = pht_text_format("%s", row->module);
        if (name == NULL)
            return false;
        free(row->name);
        row->name = name;
        row->key = key_of(name);
        row->type = 0;
    }
    return true;
}

static void merge_row(struct pht_types_row *sum, struct pht_types_row *row)
{
    sum->objects += row->objects;
    sum->size_bytes += row->size_bytes;
    sum->taken_bytes += row->taken_bytes;
    sum->more_objects += row->more_objects;
    sum->more_bytes += row->more_bytes;
    if (row->largest_bytes > sum->largest_bytes)
        sum->largest_bytes = row->largest_bytes;
    free(row->name);
}

static bool group(struct pht_types_rows *rows)
{
    size_t kept = 0;

    if (!name_by_modules(rows))
        return false;
    qsort(rows->items, rows->count, sizeof(*rows->items), compare_names);
    for (size_t i = 0; i < rows->count; i++) {
        if (kept > 0 && strcmp(rows->items[kept - 1].name, rows->items[i].name) == 0)
            merge_row(&rows->items[kept - 1], &rows->items[i]);
        else
            rows->items[kept++] = rows->items[i];
    }
    rows->count = kept;
    return true;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void drop_unchanged(struct pht_types_rows *rows)
{
    size_t kept = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].more_bytes != 0 || rows->items[i].more_objects != 0)
            rows->items[kept++] = rows->items[i];
        else
            free(rows->items[i].name);
    }
    rows->count = kept;
}

bool pht_types_rows_fill(struct pht_types_rows *rows, const struct pht_view *view, bool by_module,
                         bool only_changed)
{
    const struct pht_objects *objects = view->report->objects;

    pht_types_rows_deinit(rows);
    rows->view = view;
    rows->items = calloc(objects->type_count + growths(view)->count + 1, sizeof(*rows->items));
    if (rows->items == NULL || !add_all(rows) || (by_module && !group(rows))) {
        pht_types_rows_deinit(rows);
        return false;
    }
    rows->all_taken_bytes = objects->totals.allocated_bytes + objects->blocks.unowned.bytes +
                            objects->blocks.free_listed.bytes;
    if (only_changed)
        drop_unchanged(rows);
    return true;
}

/* ---- cells -------------------------------------------------------------------------------- */

static void put_row(const struct pht_types_rows *rows, const struct pht_types_row *row,
                    size_t column, struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_TYPES_OBJECTS:
        pht_cell_count(cell, row->objects);
        break;
    case PHT_TYPES_SIZE:
        pht_cell_bytes(cell, rows->view, row->size_bytes);
        break;
    case PHT_TYPES_TAKEN:
        pht_cell_bytes(cell, rows->view, row->taken_bytes);
        break;
    case PHT_TYPES_SHARE:
        pht_cell_percent(cell, row->taken_bytes, rows->all_taken_bytes);
        break;
    case PHT_TYPES_AVERAGE:
        if (row->objects > 0)
            pht_cell_bytes(cell, rows->view, row->size_bytes / row->objects);
        break;
    case PHT_TYPES_LARGEST:
        pht_cell_bytes(cell, rows->view, row->largest_bytes);
        break;
    case PHT_TYPES_MORE_OBJECTS:
        pht_cell_count_change(cell, rows->view, PHT_FIGURE_TYPE, row->more_objects);
        break;
    case PHT_TYPES_MORE_BYTES:
        pht_cell_change(cell, rows->view, PHT_FIGURE_TYPE, row->more_bytes);
        break;
    default:
        break;
    }
}

static void cell(const void *data, size_t row, size_t column, struct pht_table_cell *ret)
{
    const struct pht_types_rows *rows = data;

    if (column == PHT_TYPES_NAME)
        ret->long_text = rows->items[row].name;
    else
        put_row(rows, &rows->items[row], column, ret);
}

static uint64_t average(const struct pht_types_row *row)
{
    return row->objects > 0 ? row->size_bytes / row->objects : 0;
}

static int compare(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_types_rows *rows = data;
    const struct pht_types_row *left = &rows->items[a], *right = &rows->items[b];

    switch (column) {
    case PHT_TYPES_NAME:
        return strcmp(left->name, right->name);
    case PHT_TYPES_OBJECTS:
        return pht_compare_numbers(left->objects, right->objects);
    case PHT_TYPES_TAKEN:
    case PHT_TYPES_SHARE:
        return pht_compare_numbers(left->taken_bytes, right->taken_bytes);
    case PHT_TYPES_AVERAGE:
        return pht_compare_numbers(average(left), average(right));
    case PHT_TYPES_LARGEST:
        return pht_compare_numbers(left->largest_bytes, right->largest_bytes);
    case PHT_TYPES_MORE_OBJECTS:
        return pht_compare_changes(left->more_objects, right->more_objects);
    case PHT_TYPES_MORE_BYTES:
        return pht_compare_changes(left->more_bytes, right->more_bytes);
    default:
        return pht_compare_numbers(left->size_bytes, right->size_bytes);
    }
}

static const char *name_of(const void *data, size_t row)
{
    const struct pht_types_rows *rows = data;

    return rows->items[row].name;
}

static uint64_t key_of_row(const void *data, size_t row)
{
    const struct pht_types_rows *rows = data;

    return rows->items[row].key;
}

static void add_row(struct pht_types_row *sum, const struct pht_types_row *row)
{
    sum->objects += row->objects;
    sum->size_bytes += row->size_bytes;
    sum->taken_bytes += row->taken_bytes;
    sum->more_objects += row->more_objects;
    sum->more_bytes += row->more_bytes;
    if (row->largest_bytes > sum->largest_bytes)
        sum->largest_bytes = row->largest_bytes;
}

static void hidden(const void *data, const size_t *hidden_rows, size_t count, size_t column,
                   struct pht_table_cell *ret)
{
    const struct pht_types_rows *rows = data;
    struct pht_types_row sum = {0};

    for (size_t i = 0; i < count; i++)
        add_row(&sum, &rows->items[hidden_rows[i]]);
    if (column == PHT_TYPES_NAME)
        snprintf(ret->text, sizeof(ret->text), "%zu more", count);
    else
        put_row(rows, &sum, column, ret);
}

struct pht_table_source pht_types_source(const struct pht_types_rows *rows)
{
    return (struct pht_table_source){.data = rows,
                                     .rows = rows->count,
                                     .cell = cell,
                                     .compare = compare,
                                     .name = name_of,
                                     .key = key_of_row,
                                     .rest = hidden};
}

/* ---- lines below -------------------------------------------------------------------------- */

static void put_blocks(const struct pht_types_rows *rows, const struct pht_tally *blocks,
                       const char *what, size_t column, struct pht_table_cell *cell)
{
    cell->role = PHT_ROLE_DIM;
    if (column == PHT_TYPES_NAME)
        pht_cell_text(cell, what);
    else if (column == PHT_TYPES_TAKEN)
        pht_cell_bytes(cell, rows->view, blocks->bytes);
    else if (column == PHT_TYPES_SHARE)
        pht_cell_percent(cell, blocks->bytes, rows->all_taken_bytes);
}

/* Objects and sizes of all rows, whatever hides some of them. */
static void put_total(const struct pht_types_rows *rows, size_t column, struct pht_table_cell *cell)
{
    const struct pht_type_sum *totals = &rows->view->report->objects->totals;
    const struct pht_growth_list *list = growths(rows->view);
    struct pht_types_row sum = {
        .objects = totals->objects,
        .size_bytes = totals->size_bytes,
        .taken_bytes = rows->all_taken_bytes,
        .largest_bytes = totals->max_bytes,
    };

    for (size_t i = 0; i < list->count; i++)
        add_growth(&sum, &list->items[i]);
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_TYPES_NAME)
        pht_cell_text(cell, "all");
    else
        put_row(rows, &sum, column, cell);
}

void pht_types_line(const void *data, size_t line, size_t column, struct pht_table_cell *cell)
{
    const struct pht_types_rows *rows = data;
    const struct pht_holders *blocks = &rows->view->report->objects->blocks;

    if (line == PHT_TYPES_LINE_FREE_LISTED)
        put_blocks(rows, &blocks->free_listed, "in free lists", column, cell);
    else if (line == PHT_TYPES_LINE_UNOWNED)
        put_blocks(rows, &blocks->unowned, "of no known type", column, cell);
    else
        put_total(rows, column, cell);
}
