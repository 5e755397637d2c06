/* Size classes of pymalloc, and its arenas: as a heat map, or as a list of those that keep most. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/facts.h"
#include "tui/focus_table.h"
#include "tui/heat_map.h"
#include "tui/missing.h"
#include "tui/pymalloc_rows.h"

/* With less than that there are size classes alone. */
#define MAP_ROWS_MIN 14

/* A blank, the title of the map, and what it says. */
#define MAP_FRAME_ROWS 3

#define MAP_INDENT 2

struct pymalloc_screen {
    const struct pht_view *view;
    struct pht_own_table classes;
    struct pht_own_table arenas;
    bool lists_arenas;
    struct pht_focus_table focus;
};

static void *create(void)
{
    struct pymalloc_screen *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pht_own_table_init(&self->classes, PHT_TABLE_SIZE_CLASSES, PHT_CLASS_FREE);
    pht_own_table_init(&self->arenas, PHT_TABLE_ARENAS, PHT_ARENA_KEPT);
    pht_focus_table_init(&self->focus);
    return self;
}

static void destroy(void *state)
{
    struct pymalloc_screen *self = state;

    pht_own_table_deinit(&self->classes);
    pht_own_table_deinit(&self->arenas);
    pht_focus_table_deinit(&self->focus);
    free(self);
}

static bool has_arenas(const struct pht_view *view)
{
    return view != NULL && view->report->pymalloc != NULL &&
           view->report->pymalloc->totals.arenas > 0;
}

static void update(void *state, const struct pht_view *view)
{
    struct pymalloc_screen *self = state;

    self->view = view;
    pht_focus_table_update(&self->focus, view);
    if (!has_arenas(view))
        return;
    const struct pht_table_source classes = pht_class_source(view);
    const struct pht_table_source arenas = pht_arena_source(view);
    pht_own_table_refresh(&self->classes, &classes, view);
    pht_own_table_refresh(&self->arenas, &arenas, view);
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* The sizes add up to the arenas: what is nothing is left out. */
static void draw_sums(const struct pht_view *view, struct pht_area area)
{
    const struct pht_pymalloc_totals *totals = &view->report->pymalloc->totals;
    const struct {
        const char *what;
        uint64_t bytes;
    } sums[] = {
        {"live", totals->live_bytes},
        {"free blocks", totals->free_bytes},
        {"free pools", totals->unused_pool_bytes},
        {"headers", totals->pool_header_bytes},
        {"lost", totals->quantization_bytes + totals->arena_alignment_bytes},
        {"unread", totals->unknown_pool_bytes},
    };
    char text[PHT_HUMAN_MAX], count[PHT_HUMAN_MAX];
    struct pht_facts facts;

    pht_facts_begin(&facts, area, 0, 0, "   ");
    pht_facts_add(&facts, PHT_ROLE_TITLE, "%s arena%s: %s", pht_human_count(totals->arenas, count),
                  pht_human_plural(totals->arenas),
                  pht_units_bytes(view->units, totals->total_bytes, text));
    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        if (i == 0 || sums[i].bytes > 0)
            pht_facts_add(&facts, PHT_ROLE_TEXT, "%s %s", sums[i].what,
                          pht_units_bytes(view->units, sums[i].bytes, text));
    }
    pht_facts_add(&facts, PHT_ROLE_DIM, "pools: %s used, %s free",
                  pht_human_count(totals->pools_used, count),
                  pht_human_count(totals->pools_free, text));
}

static void draw_sparse(const struct pht_view *view, struct pht_area area, unsigned row,
                        const char *more)
{
    const struct pht_pymalloc *pymalloc = view->report->pymalloc;
    char count[PHT_HUMAN_MAX], live[PHT_HUMAN_MAX], held[PHT_HUMAN_MAX];

    if (pymalloc->sparse_arenas == 0) {
        pht_area_put_cut(area, row, 0, area.columns, PHT_ROLE_GOOD, "No arena is under 10% used.");
        return;
    }
    _cleanup_free_ char *text = pht_text_format(
        "%s arena%s under 10%% used: %s of live blocks keep %s from return (%s)",
        pht_human_count(pymalloc->sparse_arenas, count), pht_human_plural(pymalloc->sparse_arenas),
        pht_units_bytes(view->units, pymalloc->sparse_live_bytes, live),
        pht_units_bytes(view->units, pymalloc->sparse_held_bytes, held), more);
    pht_area_put_cut(area, row, 0, area.columns, PHT_ROLE_WARN, text != NULL ? text : "");
}

static void draw_map(const struct pht_view *view, struct pht_area area)
{
    const struct pht_pymalloc *pymalloc = view->report->pymalloc;
    unsigned columns = area.columns > MAP_INDENT ? area.columns - MAP_INDENT : 0;
    unsigned rows = area.rows - (MAP_FRAME_ROWS - 1);
    uint64_t each = pht_heat_map_arenas_each(pymalloc->totals.arenas, rows, columns);
    char size[PHT_HUMAN_MAX], count[PHT_HUMAN_MAX];

    pht_human_bytes(pymalloc->arena_bytes, size);
    _cleanup_free_ char *title = pht_text_format(
        "%s arena%s of %s a cell, by address.  0-9: tenths in use  .: empty  #: full",
        pht_human_count(each, count), pht_human_plural(each), size);
    pht_area_put_cut(area, 0, 0, area.columns, PHT_ROLE_TITLE, title != NULL ? title : "");
    struct pht_area map = pht_area_columns(pht_area_rows(area, 1, rows), MAP_INDENT, columns);
    unsigned used = pht_heat_map_draw(map, pymalloc);
    draw_sparse(view, area, 1 + used, "a: which");
}

/* Rows for the map and its frame: as many as it needs, up to half of what there is. */
static unsigned map_rows(const struct pht_view *view, struct pht_area area)
{
    unsigned columns = area.columns > MAP_INDENT ? area.columns - MAP_INDENT : 1;
    uint64_t needed = (view->report->pymalloc->totals.arenas + columns - 1) / columns;
    unsigned most = area.rows / 2 - MAP_FRAME_ROWS;

    return (needed < most ? (unsigned)needed : most) + MAP_FRAME_ROWS;
}

static void draw_classes(struct pymalloc_screen *self, struct pht_area area)
{
    const struct pht_view *view = self->view;
    const struct pht_table_source source = pht_class_source(view);
    unsigned map = area.rows >= MAP_ROWS_MIN ? map_rows(view, area) : 0;
    unsigned rows = area.rows - map - 1;

    unsigned used = pht_own_table_draw(&self->classes, &source, pht_area_rows(area, 0, rows));
    pht_table_draw_line(&self->classes.table, area, used, pht_class_total, view, 0);
    if (map > 0)
        draw_map(view, pht_area_rows(area, used + 2, map - 1));
}

static void draw_arenas(struct pymalloc_screen *self, struct pht_area area)
{
    const struct pht_table_source source = pht_arena_source(self->view);
    unsigned tail = area.rows >= MAP_ROWS_MIN ? 2 : 0;

    unsigned used =
        pht_own_table_draw(&self->arenas, &source, pht_area_rows(area, 0, area.rows - 1 - tail));
    pht_table_draw_line(&self->arenas.table, area, used, pht_arena_total, self->view, 0);
    if (tail > 0)
        draw_sparse(self->view, area, used + tail, "Enter: who");
}

static void draw(void *state, const struct pht_view *view, struct pht_area area)
{
    struct pymalloc_screen *self = state;

    if (!has_arenas(view)) {
        pht_missing_draw(area, view, PHT_SECTION_PYMALLOC, "pymalloc's arenas", "pymalloc");
        return;
    }
    draw_sums(view, area);
    area = pht_area_rows(area, 1, area.rows - 1);
    if (pht_focus_table_is_open(&self->focus))
        pht_focus_table_draw(&self->focus, area);
    else if (self->lists_arenas)
        draw_arenas(self, area);
    else
        draw_classes(self, area);
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct pht_table *table(void *state, struct pht_table_source *source)
{
    struct pymalloc_screen *self = state;

    if (!has_arenas(self->view))
        return NULL;
    if (pht_focus_table_is_open(&self->focus))
        return pht_focus_table_table(&self->focus, source);
    *source = self->lists_arenas ? pht_arena_source(self->view) : pht_class_source(self->view);
    return self->lists_arenas ? &self->arenas.table : &self->classes.table;
}

static void open_arena(struct pymalloc_screen *self, size_t row, struct pht_action *action)
{
    const struct pht_arena *arena = &self->view->report->pymalloc->arenas[row];
    char title[PHT_FOCUS_TITLE_MAX], name[PHT_ARENA_NAME_MAX], live[PHT_HUMAN_MAX];

    snprintf(title, sizeof(title), "Types that keep %s: %s of live blocks in it",
             pht_arena_name(self->view, row, name),
             pht_units_bytes(self->view->units, arena->live_bytes, live));
    pht_focus_table_open(&self->focus, PHT_FOCUS_ARENA, arena->address, title, action);
}

static void open_class(struct pymalloc_screen *self, size_t row, struct pht_action *action)
{
    uint64_t size = self->view->report->pymalloc->classes[row].block_bytes;
    char title[PHT_FOCUS_TITLE_MAX];

    snprintf(title, sizeof(title), "Types that live in blocks of %" PRIu64 " bytes", size);
    pht_focus_table_open(&self->focus, PHT_FOCUS_SIZE_CLASS, size, title, action);
}

static void enter(struct pymalloc_screen *self, struct pht_action *action)
{
    size_t row;

    if (pht_focus_table_is_open(&self->focus) || !has_arenas(self->view))
        return;
    if (self->lists_arenas && pht_table_selected(&self->arenas.table, &row))
        open_arena(self, row, action);
    else if (!self->lists_arenas && pht_table_selected(&self->classes.table, &row))
        open_class(self, row, action);
}

static bool on_key(void *state, const struct pht_view *view, int key, struct pht_action *action)
{
    struct pymalloc_screen *self = state;

    (void)view;
    if (key == PHT_KEY_ENTER) {
        enter(self, action);
        return true;
    }
    if (key != 'a')
        return false;
    if (!pht_focus_table_close(&self->focus))
        self->lists_arenas = !self->lists_arenas;
    return true;
}

static bool back(void *state)
{
    struct pymalloc_screen *self = state;

    if (pht_focus_table_close(&self->focus))
        return true;
    bool was_list = self->lists_arenas;
    self->lists_arenas = false;
    return was_list;
}

static void want(const void *state, struct pht_report_options *options)
{
    const struct pymalloc_screen *self = state;

    pht_focus_table_want(&self->focus, options);
}

static const struct pht_key_row keys[] = {
    {'a', PHT_KEY_NONE, "a", "list / heat map", "arenas as a list, by what each keeps"},
    {PHT_KEY_ENTER, PHT_KEY_NONE, "Enter", "types that live there",
     "types in this size class or arena"},
};

const struct pht_screen pht_screen_pymalloc = {
    .name = "pymalloc",
    .title = "Pymalloc",
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
