#include "tui/missing.h"

#include <stdio.h>
#include <string.h>

#include "tui/lines.h"

static const struct pht_warning *find_warning(const struct pht_report *report, const char *id)
{
    for (size_t i = 0; id != NULL && i < report->warnings.count; i++) {
        if (strncmp(report->warnings.items[i].id, id, strlen(id)) == 0)
            return &report->warnings.items[i];
    }
    return NULL;
}

static void draw_warning(struct pht_lines *lines, const struct pht_warning *warning)
{
    pht_lines_wrap(lines, 2, PHT_ROLE_WARN, warning->text, false);
    if (warning->remedy == NULL || warning->remedy[0] == '\0')
        return;
    pht_lines_skip(lines);
    pht_lines_put(lines, 2, PHT_ROLE_TITLE, "Try");
    pht_lines_wrap(lines, 6, PHT_ROLE_TEXT, warning->remedy, true);
}

void pht_missing_draw(struct pht_area area, const struct pht_view *view, unsigned section,
                      const char *what, const char *warning)
{
    const struct pht_report *report = view->report;
    struct pht_lines lines = {.area = area};
    char text[160];

    if (!(report->sections & section)) {
        snprintf(text, sizeof(text), "Looking at %s ...", what);
        pht_lines_wrap(&lines, 0, PHT_ROLE_DIM, text, false);
        return;
    }
    snprintf(text, sizeof(text), "Nothing is known of %s here.", what);
    pht_lines_wrap(&lines, 0, PHT_ROLE_TITLE, text, false);
    const struct pht_warning *why = find_warning(report, warning);
    if (why != NULL) {
        draw_warning(&lines, why);
        return;
    }
    for (size_t i = 0; i < report->warnings.count; i++)
        pht_lines_wrap(&lines, 2, PHT_ROLE_WARN, report->warnings.items[i].text, false);
}
