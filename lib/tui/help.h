/*
 * The help: keys from their table, what the letters mean, warnings of the snapshot. Scrolls where
 * it does not fit.
 */
#ifndef PHT_LIB_TUI_HELP_H
#define PHT_LIB_TUI_HELP_H

#include "tui/screen.h"

struct pht_help {
    unsigned top;   /* the first line that is shown */
    unsigned lines; /* as drawn last */
    unsigned page;
};

/* `report` may be NULL. */
void pht_help_draw(struct pht_help *help, const struct pht_screen *screen,
                   const struct pht_report *report, struct pht_area area);

/* Keys that scroll. False: it is none of them. */
bool pht_help_on_key(struct pht_help *help, int key);

#endif
