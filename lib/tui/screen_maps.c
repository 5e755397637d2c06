/* Mappings with whose memory is in them, and the processes that fork made of this one's program. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/detail.h"
#include "tui/facts.h"
#include "tui/maps_rows.h"
#include "tui/missing.h"
#include "view/mapping.h"

/* With less than that there are mappings alone. */
#define FAMILY_ROWS_MIN 16

/* Of the family below the mappings: a blank, titles, and so many of it at most. */
#define FAMILY_ROWS_MAX 8

struct maps_screen {
    const struct pht_view *view;
    struct pht_own_table maps;
    struct pht_own_table family;
    struct pht_maps_rows map_rows;
    struct pht_family_rows family_rows;
    bool lists_family; /* on all of the screen */
    bool is_open;      /* one mapping in detail */
};

static void *create(void)
{
    struct maps_screen *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    pht_own_table_init(&self->maps, PHT_TABLE_MAPPINGS, PHT_MAP_RSS);
    pht_own_table_init(&self->family, PHT_TABLE_FAMILY, PHT_TABLE_UNSORTED);
    return self;
}

static void destroy(void *state)
{
    struct maps_screen *self = state;

    pht_maps_rows_deinit(&self->map_rows);
    pht_family_rows_deinit(&self->family_rows);
    pht_own_table_deinit(&self->maps);
    pht_own_table_deinit(&self->family);
    free(self);
}

static bool has_family(const struct maps_screen *self)
{
    return self->family_rows.count > 1;
}

static void update(void *state, const struct pht_view *view)
{
    struct maps_screen *self = state;

    self->view = view;
    /* Short of memory there are no rows, which shows. */
    (void)pht_maps_rows_fill(&self->map_rows, view);
    (void)pht_family_rows_fill(&self->family_rows, view);
    const struct pht_table_source maps = pht_maps_source(&self->map_rows);
    const struct pht_table_source family = pht_family_source(&self->family_rows);
    pht_own_table_refresh(&self->maps, &maps, view);
    pht_own_table_refresh(&self->family, &family, view);
    self->lists_family = self->lists_family && has_family(self);
}

/* ---- drawing ------------------------------------------------------------------------------ */

static void draw_sums(const struct maps_screen *self, struct pht_area area)
{
    const struct pht_kernel_memory *kernel = &self->view->report->kernel;
    enum pht_units units = self->view->units;
    char text[PHT_HUMAN_MAX];
    struct pht_facts facts;

    pht_facts_begin(&facts, area, 0, 0, "   ");
    pht_facts_add(&facts, PHT_ROLE_TITLE, "%zu mapping%s", self->map_rows.count,
                  pht_human_plural(self->map_rows.count));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "RSS %s", pht_units_bytes(units, kernel->rss_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "PSS %s", pht_units_bytes(units, kernel->pss_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "swapped %s",
                  pht_units_bytes(units, kernel->swap_bytes, text));
    pht_facts_add(&facts, PHT_ROLE_TEXT, "peak %s",
                  pht_units_bytes(units, kernel->peak_rss_bytes, text));
    if (self->maps.table.filter[0] != '\0')
        pht_facts_add(&facts, PHT_ROLE_WARN, "filter: %s", self->maps.table.filter);
}

static const char *sharing_text(const struct pht_report *report)
{
    return report->family_is_exact
               ? "Page owners: exact.  Using objects writes reference counts: that copies pages."
               : "Page owners: hidden (needs CAP_SYS_ADMIN): exclusive or shared only.";
}

/* With the cursor only where the family has all of the screen. */
static void draw_family(struct maps_screen *self, struct pht_area area, bool has_cursor)
{
    const struct pht_table_source source = pht_family_source(&self->family_rows);

    self->family.table.has_no_cursor = !has_cursor;
    pht_own_table_draw(&self->family, &source, pht_area_rows(area, 0, area.rows - 1));
    pht_area_put_cut(area, area.rows - 1, 0, area.columns, PHT_ROLE_DIM,
                     sharing_text(self->view->report));
}

static void draw_maps(struct maps_screen *self, struct pht_area area)
{
    const struct pht_table_source source = pht_maps_source(&self->map_rows);
    unsigned below = 0;

    if (area.rows >= FAMILY_ROWS_MIN && has_family(self)) {
        unsigned most = area.rows / 2 - 3 < FAMILY_ROWS_MAX ? area.rows / 2 - 3 : FAMILY_ROWS_MAX;
        below = self->family_rows.count < most ? (unsigned)self->family_rows.count : most;
        below += 3; /* a blank, the titles, and what is known of sharing */
    }
    unsigned used =
        pht_own_table_draw(&self->maps, &source, pht_area_rows(area, 0, area.rows - below - 1));
    pht_table_draw_line(&self->maps.table, area, used, pht_maps_total, &self->map_rows, 0);
    if (below > 0)
        draw_family(self, pht_area_rows(area, area.rows - below + 1, below - 1), false);
}

/* ---- one mapping -------------------------------------------------------------------------- */

static void put_split(struct pht_lines *lines, const struct pht_view *view,
                      const struct pht_owned_mapping *owned)
{
    char what[80];

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        enum pht_category category = (enum pht_category)i;
        const struct pht_category_name *name = pht_category_name(category);
        if (owned->resident.bytes[i] == 0)
            continue;
        snprintf(what, sizeof(what), "%c %s", name->letter, name->label);
        pht_detail_bytes(lines, view->units, pht_role_of(category), what, owned->resident.bytes[i]);
    }
}

static void draw_detail(const struct maps_screen *self, size_t row, struct pht_area area)
{
    const struct pht_report_mapping *mapping = &self->view->report->mappings[row];
    struct pht_lines lines = {.area = area};
    char perms[PHT_PERMS_MAX];

    _cleanup_free_ char *title = pht_text_format(
        "%" PRIx64 "-%" PRIx64 " %s  %s", mapping->mapping->start, mapping->mapping->end,
        pht_mapping_perms(mapping->mapping, perms), self->map_rows.what[row]);
    pht_lines_put(&lines, 0, PHT_ROLE_TITLE, title != NULL ? title : "");
    if (mapping->mapping->name[0] == '/')
        pht_lines_wrap(&lines, 2, PHT_ROLE_DIM, mapping->mapping->name, false);
    pht_detail_bytes(&lines, self->view->units, PHT_ROLE_TEXT, "size",
                     mapping->mapping->end - mapping->mapping->start);
    pht_detail_bytes(&lines, self->view->units, PHT_ROLE_TEXT, "exclusive",
                     mapping->memory->exclusive_bytes);
    pht_detail_bytes(&lines, self->view->units, PHT_ROLE_TEXT, "shared",
                     mapping->memory->shared_bytes);
    pht_detail_bytes(&lines, self->view->units, PHT_ROLE_TEXT, "swapped",
                     mapping->memory->swap_bytes);
    pht_lines_skip(&lines);
    pht_lines_put(&lines, 0, PHT_ROLE_TITLE, "Whose resident pages these are");
    if (mapping->owned != NULL)
        put_split(&lines, self->view, mapping->owned);
    pht_detail_bytes(&lines, self->view->units, PHT_ROLE_TITLE, "resident",
                     pht_mapping_rss(mapping));
}

static void draw(void *state, const struct pht_view *view, struct pht_area area)
{
    struct maps_screen *self = state;
    size_t row;

    if (self->map_rows.count == 0) {
        pht_missing_draw(area, view, PHT_SECTION_MAPS, "mappings", NULL);
        return;
    }
    draw_sums(self, area);
    area = pht_area_rows(area, 1, area.rows - 1);
    if (self->lists_family)
        draw_family(self, area, true);
    else if (self->is_open && pht_table_selected(&self->maps.table, &row))
        draw_detail(self, row, area);
    else
        draw_maps(self, area);
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct pht_table *table(void *state, struct pht_table_source *source)
{
    struct maps_screen *self = state;

    if (self->is_open && !self->lists_family)
        return NULL;
    *source = self->lists_family ? pht_family_source(&self->family_rows)
                                 : pht_maps_source(&self->map_rows);
    return self->lists_family ? &self->family.table : &self->maps.table;
}

static void show_family(struct maps_screen *self, struct pht_action *action)
{
    self->is_open = false;
    if (has_family(self))
        self->lists_family = !self->lists_family;
    else
        snprintf(action->message, sizeof(action->message),
                 "no other process came from this program by fork alone");
}

static void open_process(struct maps_screen *self, struct pht_action *action)
{
    size_t row;

    if (!self->lists_family) {
        show_family(self, action);
        return;
    }
    if (!pht_table_selected(&self->family.table, &row))
        return;
    const struct pht_family_row *process =
        &self->view->report->family[self->family_rows.order[row]];
    if (process->is_target) {
        snprintf(action->message, sizeof(action->message), "that is the one that is shown");
        return;
    }
    action->kind = PHT_ACTION_OPEN;
    action->pid = process->pid;
}

static bool on_key(void *state, const struct pht_view *view, int key, struct pht_action *action)
{
    struct maps_screen *self = state;

    (void)view;
    switch (key) {
    case PHT_KEY_ENTER:
        if (self->lists_family)
            open_process(self, action);
        else
            self->is_open = self->map_rows.count > 0;
        return true;
    case 'f':
        show_family(self, action);
        return true;
    case 'o':
        open_process(self, action);
        return true;
    default:
        return false;
    }
}

static bool back(void *state)
{
    struct maps_screen *self = state;
    bool was_open = self->is_open || self->lists_family;

    self->is_open = self->lists_family = false;
    return was_open;
}

static const struct pht_key_row keys[] = {
    {PHT_KEY_ENTER, PHT_KEY_NONE, "Enter", "whose pages", "whose pages a mapping has"},
    {'f', PHT_KEY_NONE, "f", "family", "processes that fork made, on all of the screen"},
    {'o', PHT_KEY_NONE, "o", "open a relative", "watch the process under the cursor instead"},
};

const struct pht_screen pht_screen_maps = {
    .name = "maps",
    .title = "Maps",
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
