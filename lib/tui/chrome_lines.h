/* The lines of the header, one function each. */
#ifndef PHT_LIB_TUI_CHROME_LINES_H
#define PHT_LIB_TUI_CHROME_LINES_H

#include "tui/status.h"

/* Who: program, pid, command; interpreter, C library, uptime. */
void pht_chrome_draw_process(struct pht_area line, const struct pht_status *status);

/* How much: RSS, the bar of all categories, change. */
void pht_chrome_draw_memory(struct pht_area line, const struct pht_status *status);

/* All of the above in two lines of a small terminal. */
void pht_chrome_draw_brief(struct pht_area lines, const struct pht_status *status);

/* As of when, and at what cost; or what is going on. */
void pht_chrome_draw_state(struct pht_area line, const struct pht_status *status);

#endif
