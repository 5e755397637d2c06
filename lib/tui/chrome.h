/* The frame of all screens: header lines, tabs, the message line and the footer. */
#ifndef PHT_LIB_TUI_CHROME_H
#define PHT_LIB_TUI_CHROME_H

#include "tui/status.h"

/* No screen is drawn on less. */
#define PHT_ROWS_MIN 10
#define PHT_COLUMNS_MIN 40

/* What is left between header and footer for the screen. */
struct pht_area pht_chrome_body(struct pht_canvas *canvas);

void pht_chrome_draw(struct pht_canvas *canvas, const struct pht_status *status);

/* "32x8 is too small", in the middle. */
void pht_chrome_draw_too_small(struct pht_canvas *canvas);

/* The tab at a place of the canvas; PHT_SCREENS: there is none. */
enum pht_screen_id pht_chrome_tab_at(const struct pht_canvas *canvas, unsigned row,
                                     unsigned column);

/* The screens in turn, which tabs and digits go by. */
const struct pht_screen *pht_screen_of(enum pht_screen_id id);

#endif
