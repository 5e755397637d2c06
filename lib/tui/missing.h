/* What a screen says where its part of the report is not there. */
#ifndef PHT_LIB_TUI_MISSING_H
#define PHT_LIB_TUI_MISSING_H

#include "tui/screen.h"

/*
 * `what` is the part's name: "pymalloc". The warning whose id begins with `warning` tells why, if
 * there is one; it may be NULL.
 */
void pht_missing_draw(struct pht_area area, const struct pht_view *view, unsigned section,
                      const char *what, const char *warning);

#endif
