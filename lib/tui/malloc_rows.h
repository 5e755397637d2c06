/* The tables of the glibc screen: arenas of malloc, and what one of them keeps free. */
#ifndef PHT_LIB_TUI_MALLOC_ROWS_H
#define PHT_LIB_TUI_MALLOC_ROWS_H

#include "tui/cells.h"

/* A source whose data is the view; its report has glibc. */
struct pht_table_source pht_malloc_arena_source(const struct pht_view *view);

/* The sum of all arenas, for pht_table_draw_line(); the data is the view. */
void pht_malloc_arena_total(const void *data, size_t row, size_t column,
                            struct pht_table_cell *cell);

#define PHT_MALLOC_ARENA_NAME_MAX 32

/* "main", "arena 1" and so on, as the ring of arenas goes from the main one; or its address. */
const char *pht_malloc_arena_name(const struct pht_view *view, size_t arena,
                                  char text[static PHT_MALLOC_ARENA_NAME_MAX]);

/* Free chunks of an arena by kind. */
struct pht_free_rows {
    const struct pht_view *view;
    const struct pht_glibc_arena *arena;
};

struct pht_table_source pht_free_source(const struct pht_free_rows *rows);

/* What is free of it, for pht_table_draw_line(); the data is the rows. */
void pht_free_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell);

#endif
