/* Python objects by type or by module, and what they have grown by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/facts.h"
#include "tui/focus_table.h"
#include "tui/missing.h"
#include "tui/types_rows.h"

/* With less than that the lines that make the column add up leave. */
#define LINES_ROWS_MIN 9

struct types_screen {
    const struct pht_view *view;
    struct pht_own_table table;
    struct pht_types_rows rows;
    bool by_module;
    bool only_changed;
    struct pht_focus_table focus;
};

static void *create(void)
{
    struct types_screen *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pht_own_table_init(&self->table, PHT_TABLE_TYPES, PHT_TYPES_SIZE);
    pht_focus_table_init(&self->focus);
    return self;
}

static void destroy(void *state)
{
    struct types_screen *self = state;

    pht_types_rows_deinit(&self->rows);
    pht_own_table_deinit(&self->table);
    pht_focus_table_deinit(&self->focus);
    free(self);
}

static bool has_objects(const struct types_screen *self)
{
    return self->view != NULL && self->view->report->objects != NULL;
}

static void refill(struct types_screen *self)
{
    if (!has_objects(self)) {
        pht_types_rows_deinit(&self->rows);
        return;
    }
    /* Short of memory there are no rows, which shows. */
    (void)pht_types_rows_fill(&self->rows, self->view, self->by_module, self->only_changed);
    const struct pht_table_source source = pht_types_source(&self->rows);
    pht_own_table_refresh(&self->table, &source, self->view);
}

static void update(void *state, const struct pht_view *view)
{
    struct types_screen *self = state;

    self->view = view;
    self->only_changed = self->only_changed && view->change != NULL;
    refill(self);
    pht_focus_table_update(&self->focus, view);
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_sums(const struct types_screen *self, struct pht_area area)
{
    const struct pht_objects *objects = self->view->report->objects;
    const struct pht_type_sum *totals = &objects->totals;
    enum pht_units units = self->view->units;
    char text[PHT_HUMAN_MAX], count[PHT_HUMAN_MAX];
    struct pht_facts facts;

    pht_facts_begin(&facts, area, 0, 0, "   ");
    pht_facts_add(&facts, PHT_ROLE_TITLE, "%s type%s", pht_human_count(objects->type_count, count),
                  pht_human_plural(objects->type_count));
    if (self->by_module)
        pht_facts_add(&facts, PHT_ROLE_WARN, "added up by module");
    if (self->only_changed)
        pht_facts_add(&facts, PHT_ROLE_WARN, "unchanged ones hidden");
    if (self->table.table.filter[0] != '\0')
        pht_facts_add(&facts, PHT_ROLE_WARN, "filter: %s", self->table.table.filter);
    pht_facts_add(&facts, PHT_ROLE_TEXT, "objects %s", pht_human_count(totals->objects, count));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "sizes %s",
                  pht_units_bytes(units, totals->size_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "taken %s",
                  pht_units_bytes(units, totals->allocated_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "known to the collector %s",
                  pht_human_count(totals->gc_tracked, count));
    if (self->view->change == NULL)
        pht_facts_add(&facts, PHT_ROLE_DIM, "no baseline yet");
}

static void draw_rows(struct types_screen *self, struct pht_area area)
{
    const struct pht_table_source source = pht_types_source(&self->rows);
    unsigned lines = area.rows >= LINES_ROWS_MIN ? PHT_TYPES_LINES : 0;
    unsigned used =
        pht_own_table_draw(&self->table, &source, pht_area_rows(area, 0, area.rows - lines));

    for (unsigned line = 0; line < lines; line++)
        pht_table_draw_line(&self->table.table, area, used + line, pht_types_line, &self->rows,
                            line);
}

static void draw(void *state, const struct pht_view *view, struct pht_area area)
{
    struct types_screen *self = state;

    if (!has_objects(self)) {
        pht_missing_draw(area, view, PHT_SECTION_TYPES, "Python's objects", NULL);
        return;
    }
    draw_sums(self, area);
    area = pht_area_rows(area, 1, area.rows - 1);
    if (pht_focus_table_is_open(&self->focus))
        pht_focus_table_draw(&self->focus, area);
    else
        draw_rows(self, area);
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct pht_table *table(void *state, struct pht_table_source *source)
{
    struct types_screen *self = state;

    if (!has_objects(self))
        return NULL;
    if (pht_focus_table_is_open(&self->focus))
        return pht_focus_table_table(&self->focus, source);
    *source = pht_types_source(&self->rows);
    return &self->table.table;
}

static void open_module(struct types_screen *self, const struct pht_types_row *row)
{
    char filter[PHT_FILTER_MAX];

    /* Names of builtins are bare: all types, then. */
    snprintf(filter, sizeof(filter), "%s.", row->name);
    if (strcmp(row->name, "builtins") == 0)
        filter[0] = '\0';
    self->by_module = false;
    pht_table_filter(&self->table.table, filter);
    refill(self);
}

static void open_type(struct types_screen *self, const struct pht_types_row *row,
                      struct pht_action *action)
{
    char title[PHT_FOCUS_TITLE_MAX], count[PHT_HUMAN_MAX];

    if (row->type == 0) {
        snprintf(action->message, sizeof(action->message), "no object of it is left");
        return;
    }
    snprintf(title, sizeof(title), "Sizes of the %s objects of %.500s",
             pht_human_count(row->objects, count), row->name);
    pht_focus_table_open(&self->focus, PHT_FOCUS_TYPE, row->type, title, action);
}

static void enter(struct types_screen *self, struct pht_action *action)
{
    size_t row;

    if (pht_focus_table_is_open(&self->focus) || !pht_table_selected(&self->table.table, &row) ||
        row >= self->rows.count)
        return;
    if (self->by_module)
        open_module(self, &self->rows.items[row]);
    else
        open_type(self, &self->rows.items[row], action);
}

static void hide_unchanged(struct types_screen *self, struct pht_action *action)
{
    if (self->view == NULL || self->view->change == NULL) {
        snprintf(action->message, sizeof(action->message),
                 "no baseline yet: b makes this snapshot the baseline");
        return;
    }
    self->only_changed = !self->only_changed;
    refill(self);
}

static bool on_key(void *state, const struct pht_view *view, int key, struct pht_action *action)
{
    struct types_screen *self = state;

    (void)view;
    switch (key) {
    case PHT_KEY_ENTER:
        enter(self, action);
        return true;
    case 't':
        self->by_module = !self->by_module;
        refill(self);
        return true;
    case 'z':
        hide_unchanged(self, action);
        return true;
    default:
        return false;
    }
}

static bool back(void *state)
{
    struct types_screen *self = state;

    if (pht_focus_table_close(&self->focus))
        return true;
    bool was_by_module = self->by_module;
    self->by_module = false;
    if (was_by_module)
        refill(self);
    return was_by_module;
}

static void want(const void *state, struct pht_report_options *options)
{
    const struct types_screen *self = state;

    pht_focus_table_want(&self->focus, options);
}

static const struct pht_key_row keys[] = {
    {'d', PHT_KEY_NONE, "d", "sort by change", "the types that grew most first"},
    {PHT_KEY_ENTER, PHT_KEY_NONE, "Enter", "sizes, where they live",
     "how large the objects of a type are, and where they live"},
    {'t', PHT_KEY_NONE, "t", "by module", "types added up by module"},
    {'z', PHT_KEY_NONE, "z", "hide unchanged", "only types that changed since the baseline"},
};

const struct pht_screen pht_screen_types = {
    .name = "types",
    .title = "Types",
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .create = create,
    .destroy = destroy,
    .update = update,
    .draw = draw,
    .table = table,
    .on_key = on_key,
    .back = back,
    .want = want,
};
