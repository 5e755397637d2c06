#include "tui/maps_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/bar.h"
#include "view/family.h"
#include "view/mapping.h"

/* That of the family's last column. */
#define COPIED_COLUMNS 22

/* ---- mappings ----------------------------------------------------------------------------- */

void pht_maps_rows_deinit(struct pht_maps_rows *rows)
{
    for (size_t i = 0; i < rows->count; i++)
        free(rows->what[i]);
    free(rows->what);
    *rows = (struct pht_maps_rows){0};
}

bool pht_maps_rows_fill(struct pht_maps_rows *rows, const struct pht_view *view)
{
    const struct pht_report *report = view->report;

    pht_maps_rows_deinit(rows);
    rows->view = view;
    rows->what = calloc(report->mapping_count + 1, sizeof(*rows->what));
    while (rows->what != NULL && rows->count < report->mapping_count) {
        char *what = pht_mapping_describe(&report->mappings[rows->count], PHT_CELL_TEXT_MAX);
        if (what == NULL)
            break;
        rows->what[rows->count++] = what;
    }
    if (rows->what != NULL && rows->count == report->mapping_count)
        return true;
    pht_maps_rows_deinit(rows);
    return false;
}

static const struct pht_report_mapping *mapping_of(const void *data, size_t row)
{
    const struct pht_maps_rows *rows = data;

    return &rows->view->report->mappings[row];
}

static void draw_owners(const void *data, size_t row, struct pht_area area)
{
    const struct pht_report_mapping *mapping = mapping_of(data, row);
    struct pht_bar_part parts[PHT_CATEGORIES];

    if (mapping->owned == NULL || mapping->owned->resident_bytes == 0)
        return;
    size_t count = pht_bar_categories(&mapping->owned->resident, parts);
    pht_bar_draw(area, 0, 0, area.columns, parts, count, 0);
}

struct sums {
    uint64_t size;
    uint64_t rss;
    uint64_t exclusive;
    uint64_t shared;
    uint64_t swap;
};

static uint64_t size_of(const struct pht_report_mapping *row)
{
    return row->mapping->end - row->mapping->start;
}

static void add_mapping(struct sums *sums, const struct pht_report_mapping *row)
{
    sums->size += size_of(row);
    sums->rss += pht_mapping_rss(row);
    sums->exclusive += row->memory->exclusive_bytes;
    sums->shared += row->memory->shared_bytes;
    sums->swap += row->memory->swap_bytes;
}

static void put_sums(const struct pht_maps_rows *rows, const struct sums *sums, size_t column,
                     struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_MAP_SIZE:
        pht_cell_bytes(cell, rows->view, sums->size);
        break;
    case PHT_MAP_RSS:
        pht_cell_bytes(cell, rows->view, sums->rss);
        break;
    case PHT_MAP_EXCLUSIVE:
        pht_cell_bytes(cell, rows->view, sums->exclusive);
        break;
    case PHT_MAP_SHARED:
        pht_cell_bytes(cell, rows->view, sums->shared);
        break;
    case PHT_MAP_SWAP:
        pht_cell_bytes(cell, rows->view, sums->swap);
        break;
    default:
        break;
    }
}

static void map_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_maps_rows *rows = data;
    const struct pht_report_mapping *mapping = mapping_of(data, row);
    struct sums sums = {0};

    switch (column) {
    case PHT_MAP_START:
        snprintf(cell->text, sizeof(cell->text), "%" PRIx64, mapping->mapping->start);
        break;
    case PHT_MAP_PROT:
        pht_mapping_perms(mapping->mapping, cell->text);
        break;
    case PHT_MAP_OWNERS:
        cell->draw = draw_owners;
        break;
    case PHT_MAP_WHAT:
        cell->long_text = rows->what[row];
        break;
    default:
        add_mapping(&sums, mapping);
        put_sums(rows, &sums, column, cell);
        break;
    }
}

static int compare_maps(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_maps_rows *rows = data;
    const struct pht_report_mapping *left = mapping_of(data, a), *right = mapping_of(data, b);

    switch (column) {
    case PHT_MAP_START:
        return pht_compare_numbers(right->mapping->start, left->mapping->start);
    case PHT_MAP_SIZE:
        return pht_compare_numbers(size_of(left), size_of(right));
    case PHT_MAP_EXCLUSIVE:
        return pht_compare_numbers(left->memory->exclusive_bytes, right->memory->exclusive_bytes);
    case PHT_MAP_SHARED:
        return pht_compare_numbers(left->memory->shared_bytes, right->memory->shared_bytes);
    case PHT_MAP_SWAP:
        return pht_compare_numbers(left->memory->swap_bytes, right->memory->swap_bytes);
    case PHT_MAP_WHAT:
        return strcmp(rows->what[a], rows->what[b]);
    default:
        return pht_compare_numbers(pht_mapping_rss(left), pht_mapping_rss(right));
    }
}

static const char *map_name(const void *data, size_t row)
{
    const struct pht_maps_rows *rows = data;

    return rows->what[row];
}

static uint64_t map_key(const void *data, size_t row)
{
    return mapping_of(data, row)->mapping->start;
}

static void hidden_maps(const void *data, const size_t *hidden, size_t count, size_t column,
                        struct pht_table_cell *cell)
{
    struct sums sums = {0};

    for (size_t i = 0; i < count; i++)
        add_mapping(&sums, mapping_of(data, hidden[i]));
    if (column == PHT_MAP_WHAT)
        snprintf(cell->text, sizeof(cell->text), "%zu more mapping%s", count,
                 pht_human_plural(count));
    else
        put_sums(data, &sums, column, cell);
}

void pht_maps_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_maps_rows *rows = data;
    struct sums sums = {0};

    (void)row;
    for (size_t i = 0; i < rows->count; i++)
        add_mapping(&sums, mapping_of(data, i));
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_MAP_WHAT)
        snprintf(cell->text, sizeof(cell->text), "all %zu mapping%s", rows->count,
                 pht_human_plural(rows->count));
    else
        put_sums(rows, &sums, column, cell);
}

struct pht_table_source pht_maps_source(const struct pht_maps_rows *rows)
{
    return (struct pht_table_source){.data = rows,
                                     .rows = rows->count,
                                     .cell = map_cell,
                                     .compare = compare_maps,
                                     .name = map_name,
                                     .key = map_key,
                                     .rest = hidden_maps};
}

/* ---- family ------------------------------------------------------------------------------- */

void pht_family_rows_deinit(struct pht_family_rows *rows)
{
    free(rows->order);
    *rows = (struct pht_family_rows){0};
}

bool pht_family_rows_fill(struct pht_family_rows *rows, const struct pht_view *view)
{
    const struct pht_report *report = view->report;

    pht_family_rows_deinit(rows);
    rows->view = view;
    rows->order = calloc(report->family_count + 1, sizeof(*rows->order));
    if (rows->order == NULL)
        return false;
    rows->count = report->family_count;
    pht_family_order(report->family, rows->count, rows->order);
    return true;
}

static const struct pht_family_row *process_of(const void *data, size_t row)
{
    const struct pht_family_rows *rows = data;

    return &rows->view->report->family[rows->order[row]];
}

static void put_process(const struct pht_family_rows *rows, size_t row, struct pht_table_cell *cell)
{
    const struct pht_family_row *process = process_of(rows, row);
    char lines[PHT_FAMILY_LINES_MAX];

    snprintf(cell->text, sizeof(cell->text), "%s%d %.100s%s",
             pht_family_lines(rows->view->report->family, rows->order, rows->count, row, lines),
             process->pid, process->comm, process->is_target ? " <" : "");
}

static void family_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_family_rows *rows = data;
    const struct pht_family_row *process = process_of(data, row);

    switch (column) {
    case PHT_FAMILY_NAME:
        put_process(rows, row, cell);
        break;
    case PHT_FAMILY_RSS:
        pht_cell_bytes(cell, rows->view, process->rss_bytes);
        break;
    case PHT_FAMILY_PSS:
        pht_cell_bytes(cell, rows->view, process->pss_bytes);
        break;
    case PHT_FAMILY_SHARED:
        pht_cell_bytes(cell, rows->view, process->shared_with_target_bytes);
        break;
    case PHT_FAMILY_COPIED:
        pht_cell_bytes(cell, rows->view, process->copied_bytes);
        break;
    default:
        pht_family_copied(process, cell->text, COPIED_COLUMNS + 1);
        break;
    }
}

static int compare_family(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_family_row *left = process_of(data, a), *right = process_of(data, b);

    switch (column) {
    case PHT_FAMILY_PSS:
        return pht_compare_numbers(left->pss_bytes, right->pss_bytes);
    case PHT_FAMILY_SHARED:
        return pht_compare_numbers(left->shared_with_target_bytes, right->shared_with_target_bytes);
    case PHT_FAMILY_COPIED:
        return pht_compare_numbers(left->copied_bytes, right->copied_bytes);
    default:
        return pht_compare_numbers(left->rss_bytes, right->rss_bytes);
    }
}

static const char *family_name(const void *data, size_t row)
{
    return process_of(data, row)->comm;
}

static uint64_t family_key(const void *data, size_t row)
{
    return (uint64_t)process_of(data, row)->pid;
}

struct pht_table_source pht_family_source(const struct pht_family_rows *rows)
{
    return (struct pht_table_source){.data = rows,
                                     .rows = rows->count,
                                     .cell = family_cell,
                                     .compare = compare_family,
                                     .name = family_name,
                                     .key = family_key};
}
