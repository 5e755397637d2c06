#include "tui/focus_table.h"

#include <stdio.h>
#include <string.h>

#include "tui/bar.h"
#include "tui/facts.h"
#include "tui/type_name.h"

/* Rows below the types: blocks of no known type, and the sum. */
enum {
    LINE_UNOWNED,
    LINE_TOTAL,
    LINES,
};

static const struct pht_focus *found(const struct pht_focus_table *self)
{
    const struct pht_objects *objects = self->view != NULL ? self->view->report->objects : NULL;
    const struct pht_focus *focus = objects != NULL ? objects->focus : NULL;

    if (focus == NULL || focus->on.kind != self->wanted.kind ||
        focus->on.number != self->wanted.number)
        return NULL;
    return focus;
}

/* ---- types of a size class or an arena ---------------------------------------------------- */

static uint64_t bytes_of(const struct pht_focus_type *row)
{
    return row->objects.bytes + row->buffers.bytes;
}

static void put_row(const struct pht_focus_table *self, const struct pht_focus_type *row,
                    size_t column, struct pht_table_cell *cell)
{
    switch (column) {
    case PHT_FOCUS_TYPE_OBJECTS:
        pht_cell_count(cell, row->objects.count);
        break;
    case PHT_FOCUS_TYPE_BYTES:
        pht_cell_bytes(cell, self->view, row->objects.bytes);
        break;
    case PHT_FOCUS_TYPE_BUFFERS:
        pht_cell_count(cell, row->buffers.count);
        break;
    case PHT_FOCUS_TYPE_BUFFER_BYTES:
        pht_cell_bytes(cell, self->view, row->buffers.bytes);
        break;
    case PHT_FOCUS_TYPE_TOTAL:
        pht_cell_bytes(cell, self->view, bytes_of(row));
        break;
    case PHT_FOCUS_TYPE_SHARE:
        pht_cell_percent(cell, bytes_of(row), found(self)->blocks.bytes);
        break;
    default:
        break;
    }
}

static void type_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    const struct pht_focus_type *type = &found(self)->types[row];

    if (column == PHT_FOCUS_TYPE_NAME)
        pht_type_name(&self->view->report->objects->types[type->type], cell->text,
                      sizeof(cell->text));
    else
        put_row(self, type, column, cell);
}

static int compare_types(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_focus_table *self = data;
    const struct pht_focus *focus = found(self);
    const struct pht_focus_type *left = &focus->types[a], *right = &focus->types[b];
    const struct pht_type_sum *types = self->view->report->objects->types;

    switch (column) {
    case PHT_FOCUS_TYPE_NAME:
        return pht_type_compare_names(&types[left->type], &types[right->type]);
    case PHT_FOCUS_TYPE_OBJECTS:
        return pht_compare_numbers(left->objects.count, right->objects.count);
    case PHT_FOCUS_TYPE_BYTES:
        return pht_compare_numbers(left->objects.bytes, right->objects.bytes);
    case PHT_FOCUS_TYPE_BUFFERS:
        return pht_compare_numbers(left->buffers.count, right->buffers.count);
    case PHT_FOCUS_TYPE_BUFFER_BYTES:
        return pht_compare_numbers(left->buffers.bytes, right->buffers.bytes);
    default:
        return pht_compare_numbers(bytes_of(left), bytes_of(right));
    }
}

static const char *type_of_row(const void *data, size_t row)
{
    const struct pht_focus_table *self = data;

    return self->view->report->objects->types[found(self)->types[row].type].name;
}

static uint64_t type_key(const void *data, size_t row)
{
    const struct pht_focus_table *self = data;

    return self->view->report->objects->types[found(self)->types[row].type].address;
}

static void add_row(struct pht_focus_type *sum, const struct pht_focus_type *row)
{
    sum->objects.count += row->objects.count;
    sum->objects.bytes += row->objects.bytes;
    sum->buffers.count += row->buffers.count;
    sum->buffers.bytes += row->buffers.bytes;
}

static void hidden_types(const void *data, const size_t *rows, size_t count, size_t column,
                         struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    struct pht_focus_type sum = {0};

    for (size_t i = 0; i < count; i++)
        add_row(&sum, &found(self)->types[rows[i]]);
    if (column == PHT_FOCUS_TYPE_NAME)
        snprintf(cell->text, sizeof(cell->text), "%zu other type%s", count,
                 pht_human_plural(count));
    else
        put_row(self, &sum, column, cell);
}

static void line_cell(const void *data, size_t line, size_t column, struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    const struct pht_focus *focus = found(self);
    struct pht_focus_type sum = {0};

    cell->role = line == LINE_TOTAL ? PHT_ROLE_TITLE : PHT_ROLE_DIM;
    if (column == PHT_FOCUS_TYPE_NAME) {
        pht_cell_text(cell, line == LINE_TOTAL ? "all blocks in use" : "of no known type");
        return;
    }
    if (line == LINE_UNOWNED) {
        sum.objects = focus->unowned;
    } else {
        for (size_t i = 0; i < focus->type_count; i++)
            add_row(&sum, &focus->types[i]);
        sum.objects.count += focus->unowned.count;
        sum.objects.bytes += focus->unowned.bytes;
    }
    put_row(self, &sum, column, cell);
}

/* ---- sizes of a type ---------------------------------------------------------------------- */

static struct pht_tally all_sizes(const struct pht_focus *focus)
{
    struct pht_tally sum = {0};

    for (size_t i = 0; i < focus->size_count; i++) {
        sum.count += focus->sizes[i].objects.count;
        sum.bytes += focus->sizes[i].objects.bytes;
    }
    return sum;
}

static void draw_share(const void *data, size_t row, struct pht_area area)
{
    const struct pht_focus *focus = found(data);
    const struct pht_bar_part part = {'#', PHT_ROLE_TEXT, focus->sizes[row].objects.bytes};

    pht_bar_draw(area, 0, 0, area.columns, &part, 1, all_sizes(focus).bytes);
}

static void put_tally(const struct pht_focus_table *self, const struct pht_tally *tally,
                      size_t column, struct pht_table_cell *cell)
{
    if (column == PHT_FOCUS_SIZE_OBJECTS)
        pht_cell_count(cell, tally->count);
    else if (column == PHT_FOCUS_SIZE_BYTES)
        pht_cell_bytes(cell, self->view, tally->bytes);
    else if (column == PHT_FOCUS_SIZE_SHARE)
        pht_cell_percent(cell, tally->bytes, all_sizes(found(self)).bytes);
}

static void size_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    const struct pht_focus_size *size = &found(self)->sizes[row];
    char least[PHT_HUMAN_MAX], below[PHT_HUMAN_MAX];

    if (column == PHT_FOCUS_SIZE_RANGE)
        snprintf(cell->text, sizeof(cell->text), "%s to %s",
                 pht_human_bytes(size->min_bytes, least), pht_human_bytes(size->max_bytes, below));
    else if (column == PHT_FOCUS_SIZE_BAR)
        cell->draw = draw_share;
    else
        put_tally(self, &size->objects, column, cell);
}

static int compare_sizes(const void *data, size_t column, size_t a, size_t b)
{
    const struct pht_focus *focus = found(data);
    const struct pht_focus_size *left = &focus->sizes[a], *right = &focus->sizes[b];

    switch (column) {
    case PHT_FOCUS_SIZE_OBJECTS:
        return pht_compare_numbers(left->objects.count, right->objects.count);
    case PHT_FOCUS_SIZE_BYTES:
        return pht_compare_numbers(left->objects.bytes, right->objects.bytes);
    default:
        return pht_compare_numbers(right->min_bytes, left->min_bytes);
    }
}

static uint64_t size_key(const void *data, size_t row)
{
    return found(data)->sizes[row].min_bytes;
}

static void hidden_sizes(const void *data, const size_t *rows, size_t count, size_t column,
                         struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    struct pht_tally sum = {0};

    for (size_t i = 0; i < count; i++) {
        sum.count += found(self)->sizes[rows[i]].objects.count;
        sum.bytes += found(self)->sizes[rows[i]].objects.bytes;
    }
    if (column == PHT_FOCUS_SIZE_RANGE)
        snprintf(cell->text, sizeof(cell->text), "%zu more", count);
    else
        put_tally(self, &sum, column, cell);
}

static void all_sizes_cell(const void *data, size_t row, size_t column, struct pht_table_cell *cell)
{
    const struct pht_focus_table *self = data;
    struct pht_tally sum = all_sizes(found(self));

    (void)row;
    cell->role = PHT_ROLE_TITLE;
    if (column == PHT_FOCUS_SIZE_RANGE)
        pht_cell_text(cell, "all");
    else
        put_tally(self, &sum, column, cell);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static bool is_of_type(const struct pht_focus_table *self)
{
    return self->wanted.kind == PHT_FOCUS_TYPE;
}

struct pht_table *pht_focus_table_table(struct pht_focus_table *self,
                                        struct pht_table_source *source)
{
    const struct pht_focus *focus = found(self);

    if (focus == NULL)
        return NULL;
    if (is_of_type(self)) {
        *source = (struct pht_table_source){.data = self,
                                            .rows = focus->size_count,
                                            .cell = size_cell,
                                            .compare = compare_sizes,
                                            .key = size_key,
                                            .rest = hidden_sizes};
        return &self->sizes.table;
    }
    *source = (struct pht_table_source){.data = self,
                                        .rows = focus->type_count,
                                        .cell = type_cell,
                                        .compare = compare_types,
                                        .name = type_of_row,
                                        .key = type_key,
                                        .rest = hidden_types};
    return &self->types.table;
}

void pht_focus_table_init(struct pht_focus_table *self)
{
    *self = (struct pht_focus_table){.wanted.kind = PHT_FOCUS_NONE};
    pht_own_table_init(&self->types, PHT_TABLE_FOCUS_TYPES, PHT_FOCUS_TYPE_TOTAL);
    pht_own_table_init(&self->sizes, PHT_TABLE_FOCUS_SIZES, PHT_FOCUS_SIZE_RANGE);
}

void pht_focus_table_deinit(struct pht_focus_table *self)
{
    pht_own_table_deinit(&self->types);
    pht_own_table_deinit(&self->sizes);
}

void pht_focus_table_open(struct pht_focus_table *self, enum pht_focus_kind kind, uint64_t number,
                          const char *title, struct pht_action *action)
{
    self->wanted = (struct pht_census_focus){kind, number};
    snprintf(self->title, sizeof(self->title), "%s", title);
    self->types.table.selected = self->sizes.table.selected = 0;
    self->types.key = self->sizes.key = 0;
    pht_focus_table_update(self, self->view);
    if (found(self) == NULL)
        action->kind = PHT_ACTION_TAKE;
}

bool pht_focus_table_is_open(const struct pht_focus_table *self)
{
    return self->wanted.kind != PHT_FOCUS_NONE;
}

bool pht_focus_table_close(struct pht_focus_table *self)
{
    bool was_open = pht_focus_table_is_open(self);

    self->wanted.kind = PHT_FOCUS_NONE;
    return was_open;
}

void pht_focus_table_update(struct pht_focus_table *self, const struct pht_view *view)
{
    struct pht_table_source source;

    self->view = view;
    if (view == NULL)
        return;
    if (pht_focus_table_table(self, &source) != NULL)
        pht_own_table_refresh(is_of_type(self) ? &self->sizes : &self->types, &source, view);
}

void pht_focus_table_want(const struct pht_focus_table *self, struct pht_report_options *options)
{
    if (pht_focus_table_is_open(self))
        options->census.focus = self->wanted;
}

static void draw_places(const struct pht_focus_table *self, struct pht_area area, unsigned row)
{
    const struct pht_focus *focus = found(self);
    char blocks[PHT_HUMAN_MAX], chunks[PHT_HUMAN_MAX];
    char block_bytes[PHT_HUMAN_MAX], chunk_bytes[PHT_HUMAN_MAX];
    struct pht_facts facts;

    pht_facts_begin(&facts, area, row, 2, "   ");
    pht_facts_add(&facts, PHT_ROLE_TEXT, "in pymalloc blocks: %s (%s)",
                  pht_human_count(focus->in_blocks.count, blocks),
                  pht_units_bytes(self->view->units, focus->in_blocks.bytes, block_bytes));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "in malloc chunks: %s (%s)",
                  pht_human_count(focus->in_chunks.count, chunks),
                  pht_units_bytes(self->view->units, focus->in_chunks.bytes, chunk_bytes));
    pht_facts_add(&facts, PHT_ROLE_DIM, "without the buffers they own");
}

static void draw_sizes(struct pht_focus_table *self, const struct pht_table_source *source,
                       struct pht_area area)
{
    bool is_roomy = area.rows > 6;

    if (is_roomy)
        draw_places(self, area, area.rows - 1);
    unsigned rows = area.rows - (is_roomy ? 2 : 0);
    unsigned used = pht_own_table_draw(&self->sizes, source, pht_area_rows(area, 0, rows - 1));
    pht_table_draw_line(&self->sizes.table, area, used, all_sizes_cell, self, 0);
}

static void draw_types(struct pht_focus_table *self, const struct pht_table_source *source,
                       struct pht_area area)
{
    unsigned used =
        pht_own_table_draw(&self->types, source, pht_area_rows(area, 0, area.rows - LINES));

    for (unsigned line = 0; line < LINES; line++)
        pht_table_draw_line(&self->types.table, area, used + line, line_cell, self, line);
}

void pht_focus_table_draw(struct pht_focus_table *self, struct pht_area area)
{
    struct pht_table_source source;
    struct pht_table *table = pht_focus_table_table(self, &source);

    pht_area_put_cut(area, 0, 0, area.columns, PHT_ROLE_TITLE, self->title);
    if (table == NULL) {
        pht_area_put_cut(area, 1, 2, area.columns - 2, PHT_ROLE_DIM,
                         self->view->report->without_types
                             ? "Objects are not counted here (--no-types)."
                             : "The next snapshot looks at it.  r: now   Esc: back");
        return;
    }
    area = pht_area_rows(area, 1, area.rows - 1);
    if (area.rows <= LINES + 1)
        pht_own_table_draw(is_of_type(self) ? &self->sizes : &self->types, &source, area);
    else if (is_of_type(self))
        draw_sizes(self, &source, area);
    else
        draw_types(self, &source, area);
}
