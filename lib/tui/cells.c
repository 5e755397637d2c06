#include "tui/cells.h"

#include <stdio.h>
#include <string.h>

#include "pyheaptop/layout.h"

void pht_cell_bytes(struct pht_table_cell *cell, const struct pht_view *view, uint64_t bytes)
{
    pht_units_bytes(view->units, bytes, cell->text);
}

void pht_cell_count(struct pht_table_cell *cell, uint64_t count)
{
    if (count == PHT_UNKNOWN)
        pht_cell_text(cell, "-");
    else
        pht_human_count(count, cell->text);
}

void pht_cell_percent(struct pht_table_cell *cell, uint64_t part, uint64_t whole)
{
    if (part == PHT_UNKNOWN || whole == PHT_UNKNOWN || whole == 0)
        pht_cell_text(cell, "-");
    else
        pht_human_percent(part, whole, cell->text);
}

void pht_cell_use(struct pht_table_cell *cell, uint64_t part, uint64_t whole)
{
    double share = whole > 0 ? (double)part / (double)whole : 0;

    if (part == PHT_UNKNOWN || whole == PHT_UNKNOWN || whole == 0)
        pht_cell_text(cell, "-");
    else
        snprintf(cell->text, sizeof(cell->text), "%.0f%%", 100 * share);
}

/* False: there is nothing to write but what this wrote. */
static bool is_change_known(struct pht_table_cell *cell, const struct pht_view *view,
                            enum pht_figure_kind kind)
{
    if (view->change != NULL && pht_change_knows(view->change, kind))
        return true;
    pht_cell_text(cell, view->change != NULL ? "-" : "");
    return false;
}

void pht_cell_change(struct pht_table_cell *cell, const struct pht_view *view,
                     enum pht_figure_kind kind, int64_t bytes)
{
    if (is_change_known(cell, view, kind))
        pht_units_change(view->units, bytes, cell->text);
}

void pht_cell_count_change(struct pht_table_cell *cell, const struct pht_view *view,
                           enum pht_figure_kind kind, int64_t count)
{
    if (is_change_known(cell, view, kind))
        pht_units_count_change(count, cell->text);
}

void pht_cell_text(struct pht_table_cell *cell, const char *text)
{
    snprintf(cell->text, sizeof(cell->text), "%s", text);
}

int pht_compare_numbers(uint64_t a, uint64_t b)
{
    if (a == b)
        return 0;
    if (a == PHT_UNKNOWN || b == PHT_UNKNOWN)
        return a == PHT_UNKNOWN ? 1 : -1;
    return a > b ? -1 : 1;
}

int pht_compare_changes(int64_t a, int64_t b)
{
    return a > b ? -1 : a < b;
}

/* ---- columns ------------------------------------------------------------------------------ */

/* "999,999,999K" of 1T, and so on: what a process on any machine may have. */
static const unsigned full_widths[PHT_UNITS_COUNT] = {
    [PHT_UNITS_AUTO] = 0, [PHT_UNITS_KIB] = 12, [PHT_UNITS_MIB] = 10, [PHT_UNITS_BYTES] = 15};

void pht_own_table_init(struct pht_own_table *own, enum pht_table_id id, size_t sort_column)
{
    size_t count;
    const struct pht_column *columns = pht_columns_of(id, &count);

    *own = (struct pht_own_table){.id = id};
    memcpy(own->columns, columns, count * sizeof(own->columns[0]));
    pht_table_init(&own->table, own->columns, count, sort_column);
}

void pht_own_table_deinit(struct pht_own_table *own)
{
    pht_table_deinit(&own->table);
}

/* More than any other priority. */
#define FIRST_TO_LEAVE 100

static void fit_columns(struct pht_own_table *own, const struct pht_view *view)
{
    unsigned full = full_widths[view->units];
    size_t count;
    const struct pht_column *columns = pht_columns_of(own->id, &count);

    for (size_t i = 0; i < count; i++) {
        own->columns[i].width = columns[i].width;
        own->columns[i].priority = columns[i].priority;
        if (columns[i].is_bytes && columns[i].width < full)
            own->columns[i].width = full;
        if (columns[i].is_growth && view->change == NULL)
            own->columns[i].priority = FIRST_TO_LEAVE;
    }
}

void pht_own_table_refresh(struct pht_own_table *own, const struct pht_table_source *source,
                           const struct pht_view *view)
{
    fit_columns(own, view);
    /* Short of memory the table is empty, which shows. */
    (void)pht_table_update(&own->table, source, own->key);
}

unsigned pht_own_table_draw(struct pht_own_table *own, const struct pht_table_source *source,
                            struct pht_area area)
{
    unsigned used = pht_table_draw(&own->table, source, area);

    own->key = pht_table_key(&own->table, source);
    return used;
}
