/* What tables of the data screens have in common: cells with numbers, and how wide they are. */
#ifndef PHT_LIB_TUI_CELLS_H
#define PHT_LIB_TUI_CELLS_H

#include "tui/screen.h"

/* "-" for PHT_UNKNOWN. */
void pht_cell_bytes(struct pht_table_cell *cell, const struct pht_view *view, uint64_t bytes);
void pht_cell_count(struct pht_table_cell *cell, uint64_t count);

/* "35.3"; "-" if either is unknown. */
void pht_cell_percent(struct pht_table_cell *cell, uint64_t part, uint64_t whole);

/* "76%" */
void pht_cell_use(struct pht_table_cell *cell, uint64_t part, uint64_t whole);

/* What grew since the baseline; "" without one, "-" where it is not known. */
void pht_cell_change(struct pht_table_cell *cell, const struct pht_view *view,
                     enum pht_figure_kind kind, int64_t bytes);
void pht_cell_count_change(struct pht_table_cell *cell, const struct pht_view *view,
                           enum pht_figure_kind kind, int64_t count);

void pht_cell_text(struct pht_table_cell *cell, const char *text);

/* For sorting: the larger number first, PHT_UNKNOWN last. */
int pht_compare_numbers(uint64_t a, uint64_t b);
int pht_compare_changes(int64_t a, int64_t b);

/*
 * A table of pht_columns_of() with columns of its own, which are wider where sizes are written in
 * full, and whose cursor stays with the same thing from one snapshot to the next. It must not move.
 */
struct pht_own_table {
    enum pht_table_id id;
    struct pht_column columns[PHT_TABLE_COLUMNS_MAX];
    struct pht_table table;
    uint64_t key; /* of the row that the cursor was on when it was drawn last */
};

void pht_own_table_init(struct pht_own_table *own, enum pht_table_id id, size_t sort_column);
void pht_own_table_deinit(struct pht_own_table *own);

/* Take up other rows, or another way to write them. */
void pht_own_table_refresh(struct pht_own_table *own, const struct pht_table_source *source,
                           const struct pht_view *view);

/* As pht_table_draw(), which see. */
unsigned pht_own_table_draw(struct pht_own_table *own, const struct pht_table_source *source,
                            struct pht_area area);

#endif
