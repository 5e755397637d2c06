/* Arenas of glibc's malloc, what the one under the cursor keeps free, and what gives it back. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/detail.h"
#include "tui/facts.h"
#include "tui/malloc_rows.h"
#include "tui/missing.h"

/* With less than that there are arenas alone. */
#define FREE_ROWS_MIN 16

/* A blank, titles, the kinds, their sum; a blank, what trim gives, tunables. */
#define FREE_ROWS (PHT_FREE_KINDS + 3)
#define TAIL_ROWS 3

struct glibc_screen {
    const struct pht_view *view;
    struct pht_own_table arenas;
    struct pht_own_table kinds;
    bool is_open; /* one arena in detail */
    unsigned top; /* the first line of that */
};

static void *create(void)
{
    struct glibc_screen *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pht_own_table_init(&self->arenas, PHT_TABLE_MALLOC_ARENAS, PHT_MALLOC_ARENA_FREE);
    pht_own_table_init(&self->kinds, PHT_TABLE_FREE_KINDS, PHT_TABLE_UNSORTED);
    self->kinds.table.has_no_cursor = true;
    return self;
}

static void destroy(void *state)
{
    struct glibc_screen *self = state;

    pht_own_table_deinit(&self->arenas);
    pht_own_table_deinit(&self->kinds);
    free(self);
}

static bool has_arenas(const struct pht_view *view)
{
    return view != NULL && view->report->glibc != NULL && view->report->glibc->arena_count > 0;
}

static void update(void *state, const struct pht_view *view)
{
    struct glibc_screen *self = state;

    self->view = view;
    if (!has_arenas(view))
        return;
    const struct pht_table_source arenas = pht_malloc_arena_source(view);
    const struct pht_free_rows rows = {view, &view->report->glibc->totals};
    const struct pht_table_source kinds = pht_free_source(&rows);
    pht_own_table_refresh(&self->arenas, &arenas, view);
    pht_own_table_refresh(&self->kinds, &kinds, view);
}

/* ---- sums --------------------------------------------------------------------------------- */

/* Who says how many arenas there may be. */
static void limit_text(const struct pht_report *report, char *text, size_t size)
{
    const struct pht_arena_limit *limit = &report->arena_limit;
    char count[PHT_HUMAN_MAX];

    if (limit->arenas == PHT_UNKNOWN)
        snprintf(text, size, "no known limit");
    else if (limit->source == NULL)
        snprintf(text, size, "limit %s", pht_human_count(limit->arenas, count));
    else if (strcmp(limit->source, "processors") == 0)
        snprintf(text, size, "limit %s = 8 x %u cpu%s", pht_human_count(limit->arenas, count),
                 report->process.processors, pht_human_plural(report->process.processors));
    else
        snprintf(text, size, "limit %s by %s", pht_human_count(limit->arenas, count),
                 limit->source);
}

/* What the arenas have adds up to them; mmapped chunks come on top. */
static void draw_sums(const struct pht_view *view, struct pht_area area)
{
    const struct pht_glibc *glibc = view->report->glibc;
    const struct pht_glibc_arena *totals = &glibc->totals;
    uint64_t rest = totals->overhead_bytes + totals->foreign_bytes + totals->unknown_bytes;
    char limit[96], text[PHT_HUMAN_MAX];
    struct pht_facts facts;

    limit_text(view->report, limit, sizeof(limit));
    pht_facts_begin(&facts, area, 0, 0, "   ");
    pht_facts_add(&facts, PHT_ROLE_TITLE, "%zu arena%s: %s", glibc->arena_count,
                  pht_human_plural(glibc->arena_count),
                  pht_units_bytes(view->units, totals->system_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "live %s",
                  pht_units_bytes(view->units, totals->live_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "free %s",
                  pht_units_bytes(view->units, totals->free_bytes + totals->tcache_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "top %s",
                  pht_units_bytes(view->units, totals->top_bytes, text));
    if (rest > 0)
        pht_facts_add(&facts, PHT_ROLE_TEXT, "other %s", pht_units_bytes(view->units, rest, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "mmapped %s (%zu)",
                  pht_units_bytes(view->units, glibc->mmapped_bytes, text), glibc->mmapped_count);
    pht_facts_add(&facts, PHT_ROLE_DIM, "%s", limit);
}

static void draw_trim(const struct pht_view *view, struct pht_area area, unsigned row)
{
    const struct pht_glibc_arena *totals = &view->report->glibc->totals;
    char now[PHT_HUMAN_MAX], flushed[PHT_HUMAN_MAX];

    if (totals->trimmable_bytes == 0 && totals->trimmable_flushed_bytes == 0) {
        pht_area_put_cut(area, row, 0, area.columns, PHT_ROLE_GOOD,
                         "malloc_trim(0) would give nothing back.");
        return;
    }
    pht_units_bytes(view->units, totals->trimmable_bytes, now);
    pht_units_bytes(view->units, totals->trimmable_flushed_bytes, flushed);
    bool is_same = strcmp(now, flushed) == 0;
    _cleanup_free_ char *text = pht_text_format(
        "malloc_trim(0) would give back %s of all arenas%s%s%s", now, is_same ? "" : ", ",
        is_same ? "" : flushed, is_same ? "." : " if the tcaches were empty.");
    pht_area_put_cut(area, row, 0, area.columns, PHT_ROLE_WARN, text != NULL ? text : "");
}

static void draw_tunables(const struct pht_view *view, struct pht_area area, unsigned row)
{
    const struct pht_malloc_params *params = &view->report->glibc->params;
    const char *how = params->mmap_threshold_dynamic ? "dynamic" : "fixed";
    char limit[96], text[PHT_HUMAN_MAX];
    struct pht_facts facts;

    limit_text(view->report, limit, sizeof(limit));
    pht_facts_begin(&facts, area, row, 0, "   ");
    pht_facts_add(&facts, PHT_ROLE_TITLE, "Tunables");
    pht_facts_add(&facts, PHT_ROLE_TEXT, "arenas: %s", limit);
    pht_facts_add(&facts, PHT_ROLE_TEXT, "trim_threshold %s (%s)",
                  pht_units_bytes(view->units, params->trim_threshold_bytes, text), how);
    pht_facts_add(&facts, PHT_ROLE_TEXT, "mmap_threshold %s (%s)",
                  pht_units_bytes(view->units, params->mmap_threshold_bytes, text), how);
    pht_facts_add(&facts, PHT_ROLE_TEXT, "top_pad %s",
                  pht_units_bytes(view->units, params->top_pad_bytes, text));
    if (params->tcache_count != PHT_UNKNOWN)
        pht_facts_add(&facts, PHT_ROLE_TEXT, "tcache_count %s",
                      pht_human_count(params->tcache_count, text));
}

/* ---- free chunks -------------------------------------------------------------------------- */

static void draw_kinds(struct glibc_screen *self, size_t arena, struct pht_area area)
{
    const struct pht_view *view = self->view;
    const struct pht_free_rows rows = {view, &view->report->glibc->arenas[arena]};
    const struct pht_table_source source = pht_free_source(&rows);
    char title[PHT_MALLOC_ARENA_NAME_MAX + 8], name[PHT_MALLOC_ARENA_NAME_MAX];

    snprintf(title, sizeof(title), "Free in %s", pht_malloc_arena_name(view, arena, name));
    self->kinds.columns[PHT_FREE_NAME].title = title;
    unsigned used =
        pht_own_table_draw(&self->kinds, &source, pht_area_rows(area, 0, PHT_FREE_KINDS + 1));
    self->kinds.columns[PHT_FREE_NAME].title = "Free chunks";
    pht_table_draw_line(&self->kinds.table, area, used, pht_free_total, &rows, 0);
}

static void draw_arenas(struct glibc_screen *self, struct pht_area area)
{
    const struct pht_table_source source = pht_malloc_arena_source(self->view);
    bool is_roomy = area.rows >= FREE_ROWS_MIN;
    unsigned below = is_roomy ? FREE_ROWS + TAIL_ROWS : 0, rows = area.rows - below;
    size_t arena;

    unsigned used = pht_own_table_draw(&self->arenas, &source, pht_area_rows(area, 0, rows - 1));
    pht_table_draw_line(&self->arenas.table, area, used, pht_malloc_arena_total, self->view, 0);
    if (!is_roomy)
        return;
    used += 2;
    if (pht_table_selected(&self->arenas.table, &arena))
        draw_kinds(self, arena, pht_area_rows(area, used, FREE_ROWS));
    draw_trim(self->view, area, used + FREE_ROWS);
    draw_tunables(self->view, area, used + FREE_ROWS + 1);
}

/* ---- one arena ---------------------------------------------------------------------------- */

static void put_figures(struct pht_lines *lines, const struct pht_view *view,
                        const struct pht_glibc_arena *arena)
{
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "chunks in use", arena->live_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "free in bins", arena->free_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "free in tcaches", arena->tcache_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "top chunk", arena->top_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "headers", arena->overhead_bytes);
    if (arena->foreign_bytes > 0)
        pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "taken from brk by others",
                         arena->foreign_bytes);
    if (arena->unknown_bytes > 0)
        pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "could not be read",
                         arena->unknown_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "all of it", arena->system_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "  at most so far",
                     arena->peak_system_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "  resident", arena->resident_bytes);
    pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, "  malloc_trim(0) gives back",
                     arena->trimmable_bytes);
}

static void put_largest(struct pht_lines *lines, const struct pht_view *view, size_t arena)
{
    const struct pht_glibc *glibc = view->report->glibc;
    char address[40];

    pht_lines_put(lines, 0, PHT_ROLE_TITLE, "Largest free chunks of all arenas that are in here");
    for (size_t i = 0; i < glibc->largest_free_count; i++) {
        const struct pht_free_chunk *chunk = &glibc->largest_free[i];
        if (chunk->arena != arena)
            continue;
        snprintf(address, sizeof(address), "number %zu", i + 1);
        if (view->show_addresses)
            snprintf(address, sizeof(address), "0x%" PRIx64, chunk->address);
        pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, address, chunk->bytes);
    }
}

static void put_threads(struct pht_lines *lines, const struct pht_view *view,
                        const struct pht_glibc_arena *arena)
{
    const struct pht_glibc *glibc = view->report->glibc;
    char text[40];

    pht_lines_put(lines, 0, PHT_ROLE_TITLE,
                  glibc->threads_known ? "Threads that use it, with their tcaches"
                                       : "Its threads are not known");
    for (size_t i = 0; i < glibc->thread_count; i++) {
        if (glibc->threads[i].arena != arena->address)
            continue;
        snprintf(text, sizeof(text), "thread %d", glibc->threads[i].tid);
        pht_detail_bytes(lines, view->units, PHT_ROLE_TEXT, text, glibc->threads[i].tcache_bytes);
    }
}

static void draw_detail(struct glibc_screen *self, size_t arena, struct pht_area area)
{
    const struct pht_view *view = self->view;
    struct pht_lines lines = {.area = area, .top = self->top};
    char name[PHT_MALLOC_ARENA_NAME_MAX], title[PHT_MALLOC_ARENA_NAME_MAX + 16];

    snprintf(title, sizeof(title), "Arena: %s", pht_malloc_arena_name(view, arena, name));
    pht_lines_put(&lines, 0, PHT_ROLE_TITLE, title);
    put_figures(&lines, view, &view->report->glibc->arenas[arena]);
    pht_lines_skip(&lines);
    put_threads(&lines, view, &view->report->glibc->arenas[arena]);
    pht_lines_skip(&lines);
    put_largest(&lines, view, arena);
    if (lines.count <= area.rows)
        self->top = 0;
    else if (self->top > lines.count - area.rows)
        self->top = lines.count - area.rows;
}

/* ---- the screen --------------------------------------------------------------------------- */

static void draw(void *state, const struct pht_view *view, struct pht_area area)
{
    struct glibc_screen *self = state;
    size_t arena;

    if (!has_arenas(view)) {
        pht_missing_draw(area, view, PHT_SECTION_GLIBC, "malloc's arenas", "glibc");
        return;
    }
    draw_sums(view, area);
    area = pht_area_rows(area, 1, area.rows - 1);
    if (self->is_open && pht_table_selected(&self->arenas.table, &arena))
        draw_detail(self, arena, area);
    else
        draw_arenas(self, area);
}

static struct pht_table *table(void *state, struct pht_table_source *source)
{
    struct glibc_screen *self = state;

    if (!has_arenas(self->view) || self->is_open)
        return NULL;
    *source = pht_malloc_arena_source(self->view);
    return &self->arenas.table;
}

/* Lines of an arena in detail scroll. */
static bool scroll(struct glibc_screen *self, int key)
{
    switch (key) {
    case 'j':
    case PHT_KEY_DOWN:
        self->top++; /* as far as there is more, which drawing knows */
        return true;
    case 'k':
    case PHT_KEY_UP:
        self->top -= self->top > 0;
        return true;
    case 'g':
    case PHT_KEY_HOME:
        self->top = 0;
        return true;
    default:
        return false;
    }
}

static bool on_key(void *state, const struct pht_view *view, int key, struct pht_action *action)
{
    struct glibc_screen *self = state;

    (void)action;
    if (self->is_open)
        return scroll(self, key) || key == PHT_KEY_ENTER;
    if (key != PHT_KEY_ENTER)
        return false;
    self->is_open = has_arenas(view);
    self->top = 0;
    return true;
}

static bool back(void *state)
{
    struct glibc_screen *self = state;
    bool was_open = self->is_open;

    self->is_open = false;
    return was_open;
}

static const struct pht_key_row keys[] = {
    {'j', 'k', "j k", "free chunks of another arena", "the arena whose free chunks are shown"},
    {PHT_KEY_ENTER, PHT_KEY_NONE, "Enter", "one arena in detail",
     "an arena's parts, threads and largest chunks"},
};

const struct pht_screen pht_screen_glibc = {
    .name = "glibc",
    .title = "Glibc",
    .keys = keys,
    .key_count = sizeof(keys) / sizeof(keys[0]),
    .create = create,
    .destroy = destroy,
    .update = update,
    .draw = draw,
    .table = table,
    .on_key = on_key,
    .back = back,
};
