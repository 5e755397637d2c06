/* Where all of resident memory goes, and what is remarkable about it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "tui/overview_findings.h"
#include "tui/overview_rows.h"
#include "tui/screen.h"
#include "tui/shown.h"
#include "view/finding.h"

/* How much is drawn: what does not fit is left out in turn, and beyond that it scrolls. */
struct room {
    bool has_extras;  /* sharing and warnings */
    size_t explained; /* findings that take all the lines they need; others take one */
    unsigned spare;   /* lines besides that are left for the first of those */
    bool has_blanks;
    bool has_titles;
};

/* Longer lines are hard to read. */
#define COLUMNS_MAX 120

/* Items that the cursor goes through: the categories, then the findings. */
struct overview {
    const struct pht_view *view;
    enum pht_category categories[PHT_CATEGORIES];
    size_t category_count;
    size_t finding_count;
    size_t selected;
    bool has_moved; /* the user did; before, the cursor is on what matters most */
    bool is_open;   /* a finding is explained */
    unsigned top;   /* the first line that is shown */
};

static void *create(void)
{
    return calloc(1, sizeof(struct overview));
}

static void destroy(void *state)
{
    free(state);
}

static size_t item_count(const struct overview *self)
{
    return self->category_count + self->finding_count;
}

static void update(void *state, const struct pht_view *view)
{
    struct overview *self = state;

    self->view = view;
    self->category_count = pht_overview_categories(view->report, self->categories);
    self->finding_count = view->report->findings.count;
    if (self->selected >= item_count(self))
        self->selected = item_count(self) > 0 ? item_count(self) - 1 : 0;
    if (self->finding_count == 0)
        self->is_open = false;
}

static const struct pht_finding *selected_finding(const struct overview *self)
{
    if (self->selected < self->category_count || self->selected >= item_count(self))
        return NULL;
    return &self->view->report->findings.items[self->selected - self->category_count];
}

/* ---- the rest ----------------------------------------------------------------------------- */

static uint64_t copied_bytes(const struct pht_report *report)
{
    for (size_t i = 0; i < report->family_count; i++) {
        if (report->family[i].is_target)
            return report->family[i].copied_bytes;
    }
    return PHT_UNKNOWN;
}

static void draw_sharing(struct pht_lines *lines, const struct pht_view *view)
{
    const struct pht_report *report = view->report;
    char shared[PHT_HUMAN_MAX], copied[PHT_HUMAN_MAX], count[PHT_HUMAN_MAX];
    _cleanup_free_ char *copies = NULL;

    if (!report->has_family || report->family_count < 2)
        return;
    uint64_t relatives = report->family_count - 1;
    if (copied_bytes(report) != PHT_UNKNOWN)
        copies = pht_text_format(", %s copied since fork",
                                 pht_units_bytes(view->units, copied_bytes(report), copied));
    _cleanup_free_ char *text = pht_text_format(
        "%s shared with %s relative%s%s (screen 5).",
        pht_units_bytes(view->units, report->family_shared_bytes, shared),
        pht_human_count(relatives, count), pht_human_plural(relatives), copies ? copies : "");
    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_TITLE, "Sharing");
    pht_lines_wrap(lines, PHT_FINDING_INDENT, PHT_ROLE_TEXT, text != NULL ? text : "", true);
}

static void draw_warnings(struct pht_lines *lines, const struct pht_report *report)
{
    size_t count = report->warnings.count;

    if (count == 0)
        return;
    _cleanup_free_ char *text =
        pht_text_format("%s (%zu warning%s: ? has %s)", report->warnings.items[0].text, count,
                        pht_human_plural(count), count == 1 ? "it" : "all of them");
    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_WARN, "Warning");
    pht_lines_wrap(lines, PHT_FINDING_INDENT, PHT_ROLE_TEXT, text != NULL ? text : "", true);
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* Where an item was drawn, so that it can be marked and scrolled to. */
struct drawn {
    unsigned first;
    unsigned last;
};

static void mark(const struct pht_lines *lines, const struct drawn *drawn)
{
    for (unsigned line = drawn->first; line <= drawn->last; line++) {
        if (line < lines->top || line - lines->top >= lines->area.rows)
            continue;
        if (line == drawn->first)
            pht_area_put(lines->area, line - lines->top, 0, PHT_ROLE_TEXT, ">");
        pht_area_select(lines->area, line - lines->top);
    }
}

static unsigned lines_for(const struct room *room, size_t finding)
{
    if (finding < room->explained)
        return UINT_MAX;
    return finding == room->explained ? 1 + room->spare : 1;
}

static void draw_findings(const struct overview *self, struct pht_lines *lines,
                          const struct room *room, struct drawn *drawn)
{
    const struct pht_report *report = self->view->report;
    char title[40];

    if (room->has_blanks)
        pht_lines_skip(lines);
    if (self->finding_count == 0)
        pht_overview_draw_no_finding(lines, report);
    snprintf(title, sizeof(title), "Findings (%zu)", self->finding_count);
    if (room->has_titles && self->finding_count > 0)
        pht_lines_put(lines, 0, PHT_ROLE_TITLE, title);
    for (size_t i = 0; i < self->finding_count; i++) {
        unsigned first = lines->count;
        pht_overview_draw_finding(lines, &report->findings.items[i], i + 1, lines_for(room, i));
        if (self->category_count + i == self->selected)
            *drawn = (struct drawn){first, lines->count - 1};
    }
}

/* Tells where the item that is selected was drawn. */
static struct drawn draw_all(const struct overview *self, struct pht_lines *lines,
                             const struct room *room)
{
    struct drawn drawn = {0};

    if (room->has_titles)
        pht_overview_draw_title(lines, self->view);
    for (size_t i = 0; i < self->category_count; i++) {
        pht_overview_draw_category(lines, self->view, self->categories[i]);
        if (i == self->selected)
            drawn = (struct drawn){lines->count - 1, lines->count - 1};
    }
    pht_overview_draw_rss(lines, self->view);
    draw_findings(self, lines, room, &drawn);
    if (room->has_extras) {
        draw_sharing(lines, self->view);
        draw_warnings(lines, self->view->report);
    }
    return drawn;
}

static unsigned count_lines(const struct overview *self, struct pht_area area,
                            const struct room *room)
{
    struct pht_lines counted = {.area = pht_area_rows(area, area.rows, 0)};

    draw_all(self, &counted, room);
    return counted.count;
}

static void scroll_to(struct overview *self, const struct drawn *drawn, unsigned lines,
                      unsigned rows)
{
    if (drawn->first < self->top)
        self->top = drawn->first;
    if (drawn->last >= self->top + rows)
        self->top = drawn->last - rows + 1;
    if (self->top + rows > lines)
        self->top = lines > rows ? lines - rows : 0;
    if (self->selected == 0)
        self->top = 0; /* the title, too */
}

/* The last rows of an area that does not hold all: how much more there is, and the worst of it. */
static void draw_more(const struct overview *self, struct pht_area rows, unsigned more,
                      bool sees_findings)
{
    const struct pht_finding *worst = &self->view->report->findings.items[0];

    if (rows.rows == 1 || sees_findings) {
        pht_area_format(rows, 0, 2, PHT_ROLE_DIM, "%u more line%s: j k", more,
                        pht_human_plural(more));
        return;
    }
    pht_area_format(rows, 0, 2, PHT_ROLE_DIM, "%u more line%s: j k   %zu finding%s:", more,
                    pht_human_plural(more), self->finding_count,
                    pht_human_plural(self->finding_count));
    unsigned column = pht_area_put(rows, 1, 2, pht_severity_role(worst->severity),
                                   pht_finding_word(worst->severity)) +
                      1;
    pht_area_put_cut(rows, 1, column, rows.columns, PHT_ROLE_TEXT, worst->text);
}

static void draw_scrolled(struct overview *self, struct pht_area area, unsigned lines_count)
{
    unsigned last = self->finding_count > 0 ? 2 : 1;
    struct pht_lines counted = {.area = pht_area_rows(area, area.rows, 0)};
    const struct room room = {0};
    struct drawn drawn = draw_all(self, &counted, &room);
    bool sees_findings = self->selected >= self->category_count;

    if (sees_findings)
        last = 1;
    unsigned rows = area.rows - last;
    scroll_to(self, &drawn, lines_count, rows);
    struct pht_lines lines = {.area = pht_area_rows(area, 0, rows), .top = self->top};
    draw_all(self, &lines, &room);
    mark(&lines, &drawn);
    draw_more(self, pht_area_rows(area, rows, last), lines_count - rows, sees_findings);
}

/* False: nothing more can be left out. */
static bool leave_out(struct room *room)
{
    if (room->has_extras)
        room->has_extras = false;
    else if (room->explained > 0)
        room->explained--;
    else if (room->has_blanks)
        room->has_blanks = false;
    else if (room->has_titles)
        room->has_titles = false;
    else
        return false;
    return true;
}

static void draw_list(struct overview *self, struct pht_area area)
{
    struct room room = {true, self->finding_count, 0, true, true};
    unsigned count;

    /* Before the user moved, the cursor is on the worst finding if that is seen with the rest. */
    if (!self->has_moved)
        self->selected = self->finding_count > 0 ? self->category_count : 0;
    while ((count = count_lines(self, area, &room)) > area.rows && leave_out(&room))
        ;
    if (count > area.rows) {
        if (!self->has_moved)
            self->selected = 0;
        draw_scrolled(self, area, count);
        return;
    }
    room.spare = area.rows - count;
    struct pht_lines lines = {.area = area};
    struct drawn drawn = draw_all(self, &lines, &room);
    if (item_count(self) > 0)
        mark(&lines, &drawn);
}

static void draw(void *state, const struct pht_view *view, struct pht_area area)
{
    struct overview *self = state;

    area = pht_area_columns(area, 0, COLUMNS_MAX);
    struct pht_lines lines = {.area = area};
    if (!pht_report_is_whole(view->report))
        pht_overview_draw_kernel(&lines, view);
    else if (self->is_open && selected_finding(self) != NULL)
        pht_overview_explain(&lines, view, selected_finding(self));
    else
        draw_list(self, area);
}

/* ---- keys --------------------------------------------------------------------------------- */

static struct pht_table *table(void *state, struct pht_table_source *source)
{
    (void)state;
    (void)source;
    return NULL;
}

/* The screen that has more of a category. */
static enum pht_screen_id screen_for(enum pht_category category)
{
    switch (category) {
    case PHT_CATEGORY_PYTHON_SMALL:
    case PHT_CATEGORY_PYMALLOC_SLACK:
        return PHT_SCREEN_PYMALLOC;
    case PHT_CATEGORY_PYTHON_LARGE:
        return PHT_SCREEN_TYPES;
    case PHT_CATEGORY_MALLOC_UNOWNED:
    case PHT_CATEGORY_MALLOC_FREE:
    case PHT_CATEGORY_MALLOC_TOP:
    case PHT_CATEGORY_MALLOC_MMAPPED:
        return PHT_SCREEN_GLIBC;
    default:
        return PHT_SCREEN_MAPS;
    }
}

static void enter(struct overview *self, struct pht_action *action)
{
    if (selected_finding(self) != NULL) {
        self->is_open = true;
        self->has_moved = true; /* later snapshots do not move what is read */
    } else if (self->selected < self->category_count) {
        action->kind = PHT_ACTION_GO;
        action->screen = screen_for(self->categories[self->selected]);
    }
}

static void move_to(struct overview *self, size_t item)
{
    self->selected = item;
    self->has_moved = true;
}

static bool on_key(void *state, const struct pht_view *view, int key, struct pht_action *action)
{
    struct overview *self = state;
    size_t last = item_count(self) > 0 ? item_count(self) - 1 : 0;

    (void)view;
    switch (key) {
    case PHT_KEY_ENTER:
        enter(self, action);
        return true;
    case 'j':
    case PHT_KEY_DOWN:
        move_to(self, self->selected < last ? self->selected + 1 : last);
        return true;
    case 'k':
    case PHT_KEY_UP:
        move_to(self, self->selected > 0 ? self->selected - 1 : 0);
        return true;
    case 'g':
    case PHT_KEY_HOME:
    case PHT_KEY_PAGE_UP:
        move_to(self, 0);
        return true;
    case 'G':
    case PHT_KEY_END:
    case PHT_KEY_PAGE_DOWN:
        move_to(self, last);
        return true;
    default:
        return false;
    }
}

static bool back(void *state)
{
    struct overview *self = state;
    bool was_open = self->is_open;

    self->is_open = false;
    return was_open;
}

static const struct pht_key_row keys[] = {
    {PHT_KEY_TAB, PHT_KEY_NONE, "Tab or 1-5", "other screens", "the other screens"},
    {'j', 'k', "j k", "move", "go through categories and findings"},
    {PHT_KEY_ENTER, PHT_KEY_NONE, "Enter", "explain a finding, open a category",
     "a finding's evidence; a category's screen"},
};

const struct pht_screen pht_screen_overview = {
    .name = "overview",
    .title = "Overview",
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
