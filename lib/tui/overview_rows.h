/* Rows of the overview: categories, and what the kernel tells while nothing was walked yet. */
#ifndef PHT_LIB_TUI_OVERVIEW_ROWS_H
#define PHT_LIB_TUI_OVERVIEW_ROWS_H

#include "tui/lines.h"
#include "tui/screen.h"

/* Categories that have any memory, in their order. Returns how many. */
size_t pht_overview_categories(const struct pht_report *report,
                               enum pht_category categories[static PHT_CATEGORIES]);

void pht_overview_draw_title(struct pht_lines *lines, const struct pht_view *view);
void pht_overview_draw_category(struct pht_lines *lines, const struct pht_view *view,
                                enum pht_category category);

/* What all of them add up to. */
void pht_overview_draw_rss(struct pht_lines *lines, const struct pht_view *view);

/* Instead of categories: RSS by what the kernel knows of it. */
void pht_overview_draw_kernel(struct pht_lines *lines, const struct pht_view *view);

#endif
