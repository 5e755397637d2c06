/* The tables of the pymalloc screen: size classes, and arenas by what they keep for how few. */
#ifndef PHT_LIB_TUI_PYMALLOC_ROWS_H
#define PHT_LIB_TUI_PYMALLOC_ROWS_H

#include "tui/cells.h"

/* Sources whose data is the view; it has a report with pymalloc. */
struct pht_table_source pht_class_source(const struct pht_view *view);
struct pht_table_source pht_arena_source(const struct pht_view *view);

/* The sums of these tables, for pht_table_draw_line(); the data is the view. */
void pht_class_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell);
void pht_arena_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell);

#define PHT_ARENA_NAME_MAX 64

/* "arena 12", by address, or its address. */
const char *pht_arena_name(const struct pht_view *view, size_t arena,
                           char text[static PHT_ARENA_NAME_MAX]);

#endif
