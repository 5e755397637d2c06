#include "tui/help.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/keymap.h"
#include "tui/lines.h"

/* From so many columns on, groups of keys stand side by side. */
#define TWO_COLUMNS 96

#define KEYS_COLUMN 2
#define HELP_COLUMN 15

static const char *const meanings =
    "Sizes are powers of 1024 and carry a suffix, except in bytes. \"change\" compares with the "
    "baseline: the first snapshot, or the one b was pressed at. Evidence: walked = every block was "
    "visited; remainder = in use, but no Python object points to it; kernel = /proc says so; - = "
    "nothing could prove it. Not attributed is shown, never spread over the others.\n"
    "pyheaptop only reads. It stops the target for the time shown in the header; --stop=none never "
    "does. F-keys are extras: no key needs them.\n"
    "man pyheaptop: options, what findings mean, exit codes, JSON.";

/* ---- keys --------------------------------------------------------------------------------- */

static void draw_group(struct pht_lines *lines, enum pht_key_group group)
{
    size_t count;
    const struct pht_binding *bindings = pht_keymap(&count);

    pht_lines_put(lines, 0, PHT_ROLE_TITLE, pht_key_group_name(group));
    for (size_t i = 0; i < count; i++) {
        if (bindings[i].group != group)
            continue;
        pht_lines_put(lines, KEYS_COLUMN, PHT_ROLE_KEY, bindings[i].shown);
        pht_lines_add(lines, HELP_COLUMN, PHT_ROLE_TEXT, bindings[i].help);
    }
}

/* Two groups side by side. */
static void draw_pair(struct pht_lines *lines, enum pht_key_group left, enum pht_key_group right)
{
    unsigned half = lines->area.columns / 2;
    struct pht_lines first = *lines, second = *lines;

    first.area = pht_area_columns(lines->area, 0, half - 1);
    second.area = pht_area_columns(lines->area, half, half);
    draw_group(&first, left);
    draw_group(&second, right);
    lines->count = first.count > second.count ? first.count : second.count;
}

static void draw_keys(struct pht_lines *lines)
{
    if (lines->area.columns >= TWO_COLUMNS) {
        draw_pair(lines, PHT_KEYS_MOVING, PHT_KEYS_SEEING);
        pht_lines_skip(lines);
        draw_pair(lines, PHT_KEYS_MEASURING, PHT_KEYS_LEAVING);
        return;
    }
    for (int group = 0; group < PHT_KEY_GROUPS; group++) {
        if (group > 0)
            pht_lines_skip(lines);
        draw_group(lines, (enum pht_key_group)group);
    }
}

static void draw_own_keys(struct pht_lines *lines, const struct pht_screen *screen)
{
    char title[80];

    if (screen->key_count == 0)
        return;
    snprintf(title, sizeof(title), "%s", screen->title);
    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_TITLE, title);
    for (size_t i = 0; i < screen->key_count; i++) {
        pht_lines_put(lines, KEYS_COLUMN, PHT_ROLE_KEY, screen->keys[i].shown);
        pht_lines_add(lines, HELP_COLUMN, PHT_ROLE_TEXT, screen->keys[i].help);
    }
}

/* ---- letters ------------------------------------------------------------------------------ */

static void draw_letters(struct pht_lines *lines)
{
    unsigned columns = lines->area.columns >= TWO_COLUMNS ? 2 : 1;
    unsigned width = lines->area.columns / columns;
    char letter[2] = "";

    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_TITLE, "Letters in the bars and tables");
    for (unsigned i = 0; i < PHT_CATEGORIES; i++) {
        const struct pht_category_name *name = pht_category_name((enum pht_category)i);
        unsigned column = i % columns * width;
        letter[0] = name->letter;
        lines->count += i % columns == 0;
        pht_lines_add(lines, column + 2, pht_role_of((enum pht_category)i), letter);
        pht_lines_add(lines, column + 5, PHT_ROLE_TEXT, name->label);
    }
}

/* ---- warnings ----------------------------------------------------------------------------- */

static void draw_warnings(struct pht_lines *lines, const struct pht_report *report)
{
    if (report == NULL || report->warnings.count == 0)
        return;
    pht_lines_put(lines, 0, PHT_ROLE_WARN, "Warnings of this snapshot");
    for (size_t i = 0; i < report->warnings.count; i++) {
        const struct pht_warning *warning = &report->warnings.items[i];
        pht_lines_put(lines, 2, PHT_ROLE_WARN, warning->id);
        pht_lines_wrap(lines, 4, PHT_ROLE_TEXT, warning->text, false);
        if (warning->remedy == NULL)
            continue;
        _cleanup_free_ char *remedy = pht_text_format("try: %s", warning->remedy);
        pht_lines_wrap(lines, 4, PHT_ROLE_TEXT, remedy != NULL ? remedy : warning->remedy, false);
    }
    pht_lines_skip(lines);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void draw(struct pht_lines *lines, const struct pht_screen *screen,
                 const struct pht_report *report)
{
    draw_warnings(lines, report);
    draw_keys(lines);
    draw_own_keys(lines, screen);
    draw_letters(lines);
    pht_lines_skip(lines);
    pht_lines_wrap(lines, 0, PHT_ROLE_TEXT, meanings, false);
    pht_lines_put(lines, 0, PHT_ROLE_DIM, "Esc or ?: back");
}

void pht_help_draw(struct pht_help *help, const struct pht_screen *screen,
                   const struct pht_report *report, struct pht_area area)
{
    struct pht_lines lines = {.area = area, .top = help->top};

    /* The last row tells that there is more, if there is. */
    struct pht_lines counted = {.area = pht_area_rows(area, area.rows, 0)};
    draw(&counted, screen, report);
    help->lines = counted.count;
    help->page = area.rows;
    if (help->lines > area.rows) {
        help->page = area.rows - 1;
        lines.area = pht_area_rows(area, 0, help->page);
        if (help->top + help->page > help->lines)
            lines.top = help->top = help->lines - help->page;
        pht_area_format(area, area.rows - 1, 0, PHT_ROLE_DIM, "lines %u to %u of %u   j k: scroll",
                        help->top + 1, help->top + help->page, help->lines);
    } else {
        lines.top = help->top = 0;
    }
    draw(&lines, screen, report);
}

bool pht_help_on_key(struct pht_help *help, int key)
{
    unsigned last = help->lines > help->page ? help->lines - help->page : 0;
    unsigned page = help->page > 1 ? help->page - 1 : 1;

    switch (key) {
    case 'j':
    case PHT_KEY_DOWN:
        help->top += help->top < last;
        return true;
    case 'k':
    case PHT_KEY_UP:
        help->top -= help->top > 0;
        return true;
    case PHT_KEY_PAGE_DOWN:
        help->top = help->top + page < last ? help->top + page : last;
        return true;
    case PHT_KEY_PAGE_UP:
        help->top = help->top > page ? help->top - page : 0;
        return true;
    case 'g':
    case PHT_KEY_HOME:
        help->top = 0;
        return true;
    case 'G':
    case PHT_KEY_END:
        help->top = last;
        return true;
    default:
        return false;
    }
}
