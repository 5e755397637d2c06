#include "tui/chrome.h"

#include <stdio.h>
#include <string.h>

#include "tui/chrome_lines.h"
#include "tui/facts.h"
#include "tui/keymap.h"

/* From so many rows on there is room for all lines of the header and for the hints. */
#define TALL_ROWS 20

/* From so many on, for the tabs. */
#define TABS_ROWS 12

static const char *const reads_only = "pyheaptop only reads the target";

const struct pht_screen *pht_screen_of(enum pht_screen_id id)
{
    static const struct pht_screen *const screens[PHT_SCREENS] = {
        [PHT_SCREEN_OVERVIEW] = &pht_screen_overview, [PHT_SCREEN_PYMALLOC] = &pht_screen_pymalloc,
        [PHT_SCREEN_GLIBC] = &pht_screen_glibc,       [PHT_SCREEN_TYPES] = &pht_screen_types,
        [PHT_SCREEN_MAPS] = &pht_screen_maps,
    };

    return screens[id];
}

static unsigned header_rows(unsigned rows)
{
    return rows >= TALL_ROWS ? 4 : rows >= TABS_ROWS ? 3 : 2;
}

static unsigned footer_rows(unsigned rows)
{
    return rows >= TALL_ROWS ? 2 : 1;
}

struct pht_area pht_chrome_body(struct pht_canvas *canvas)
{
    unsigned header = header_rows(canvas->rows);

    return pht_area_rows(pht_canvas_area(canvas), header,
                         canvas->rows - header - footer_rows(canvas->rows));
}

/* ---- tabs --------------------------------------------------------------------------------- */

/* With titles, or with digits where there is no room for them. */
static unsigned tab_text(const struct pht_canvas *canvas, enum pht_screen_id id, bool is_shown,
                         char text[static 40])
{
    const char *title = pht_screen_of(id)->title;

    if (canvas->columns < 60 && !is_shown)
        title = "";
    snprintf(text, 40, "%c%d%s%s%c", is_shown ? '[' : ' ', (int)id + 1, title[0] != '\0' ? " " : "",
             title, is_shown ? ']' : ' ');
    return (unsigned)strlen(text);
}

static void draw_tabs(struct pht_area line, const struct pht_status *status)
{
    unsigned column = 0;
    char text[40];

    for (int i = 0; i < PHT_SCREENS; i++) {
        enum pht_screen_id id = (enum pht_screen_id)i;
        bool is_shown = !status->is_help && id == status->screen;
        tab_text(line.canvas, id, is_shown, text);
        column = pht_area_put(line, 0, column, is_shown ? PHT_ROLE_TAB : PHT_ROLE_TEXT, text) + 1;
    }
    if (status->is_help)
        pht_area_put_right(line, 0, line.columns, 8, PHT_ROLE_TAB, "[? Help]");
    else if (status->filter != NULL && status->filter[0] != '\0') {
        column = pht_area_put(line, 0, column + 2, PHT_ROLE_WARN, "filter: ");
        pht_area_put_cut(line, 0, column, line.columns - column, PHT_ROLE_WARN, status->filter);
    }
}

enum pht_screen_id pht_chrome_tab_at(const struct pht_canvas *canvas, unsigned row, unsigned column)
{
    unsigned header = header_rows(canvas->rows);
    unsigned start = 0;
    char text[40];

    if (header < 3 || row != header - 1)
        return PHT_SCREENS;
    for (int i = 0; i < PHT_SCREENS; i++) {
        /* Shown or not, a tab begins where the one before ends. */
        unsigned width = tab_text(canvas, (enum pht_screen_id)i, false, text);
        if (column >= start && column < start + width)
            return (enum pht_screen_id)i;
        start += width + 1;
    }
    return PHT_SCREENS;
}

/* ---- footer ------------------------------------------------------------------------------- */

static bool is_footer_key(const struct pht_footer_key *key, unsigned limit, bool has_tabs)
{
    return key->priority <= limit && !(key->is_brief && has_tabs);
}

static unsigned footer_width(const struct pht_footer_key *keys, size_t count, unsigned limit,
                             bool has_tabs)
{
    unsigned width = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_footer_key(&keys[i], limit, has_tabs))
            width += (unsigned)(strlen(keys[i].key) + strlen(keys[i].label)) + 3;
    }
    return width > 0 ? width - 2 : 0;
}

static void draw_keys(struct pht_area line)
{
    size_t count;
    const struct pht_footer_key *keys = pht_keymap_footer(&count);
    bool has_tabs = header_rows(line.canvas->rows) >= 3;
    unsigned limit = 9, column = 0;

    while (limit > 0 && footer_width(keys, count, limit, has_tabs) > line.columns)
        limit--;
    for (size_t i = 0; i < count; i++) {
        if (!is_footer_key(&keys[i], limit, has_tabs))
            continue;
        column = pht_area_put(line, 0, column, PHT_ROLE_KEY, keys[i].key);
        column = pht_area_put(line, 0, column + 1, PHT_ROLE_TEXT, keys[i].label) + 2;
    }
}

static void draw_hints(struct pht_area line, const struct pht_status *status)
{
    struct pht_facts facts;

    pht_facts_begin(&facts, line, 0, 0, "   ");
    if (status->screen == PHT_SCREEN_OVERVIEW && line.columns >= 96)
        pht_facts_right(&facts, PHT_ROLE_DIM, reads_only);
    for (size_t i = 0; i < status->key_count; i++) {
        if (status->keys[i].label != NULL)
            pht_facts_add(&facts, PHT_ROLE_DIM, "%s: %s", status->keys[i].shown,
                          status->keys[i].label);
    }
}

static void draw_prompt(struct pht_area line, const struct pht_prompt *prompt)
{
    unsigned column = pht_area_put(line, 0, 0, PHT_ROLE_KEY, prompt->label);

    column = pht_area_put(line, 0, column, PHT_ROLE_TEXT, prompt->text);
    column = pht_area_put(line, 0, column, PHT_ROLE_KEY, "_");
    if (column + 26 <= line.columns)
        pht_area_put_right(line, 0, line.columns, 24, PHT_ROLE_DIM, "Enter: keep   Esc: leave");
}

void pht_chrome_draw(struct pht_canvas *canvas, const struct pht_status *status)
{
    struct pht_area all = pht_canvas_area(canvas);
    unsigned header = header_rows(canvas->rows), footer = footer_rows(canvas->rows);
    struct pht_area hints = pht_area_rows(all, canvas->rows - footer, 1);

    if (header == 4) {
        pht_chrome_draw_process(pht_area_rows(all, 0, 1), status);
        pht_chrome_draw_memory(pht_area_rows(all, 1, 1), status);
        pht_chrome_draw_state(pht_area_rows(all, 2, 1), status);
    } else {
        pht_chrome_draw_brief(pht_area_rows(all, 0, 2), status);
    }
    if (header >= 3)
        draw_tabs(pht_area_rows(all, header - 1, 1), status);
    /* Where there is one line for both, what is said now comes before what can be pressed. */
    if (status->prompt != NULL)
        draw_prompt(hints, status->prompt);
    else if (status->message[0] != '\0')
        pht_area_put_cut(hints, 0, 0, hints.columns, PHT_ROLE_WARN, status->message);
    else if (footer == 2)
        draw_hints(hints, status);
    else
        draw_keys(hints);
    if (footer == 2)
        draw_keys(pht_area_rows(all, canvas->rows - 1, 1));
}

void pht_chrome_draw_too_small(struct pht_canvas *canvas)
{
    struct pht_area all = pht_canvas_area(canvas);
    char text[80];

    snprintf(text, sizeof(text), "%ux%u is too small, %dx%d is enough (q: quit)", canvas->columns,
             canvas->rows, PHT_COLUMNS_MIN, PHT_ROWS_MIN);
    unsigned width = pht_canvas_width(canvas, text);
    if (width > canvas->columns) {
        snprintf(text, sizeof(text), "needs %dx%d", PHT_COLUMNS_MIN, PHT_ROWS_MIN);
        width = pht_canvas_width(canvas, text);
    }
    pht_area_put(all, canvas->rows / 2, canvas->columns > width ? (canvas->columns - width) / 2 : 0,
                 PHT_ROLE_WARN, text);
}
