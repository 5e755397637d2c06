/* The tables of the maps screen: mappings, and the processes of the target's family. */
#ifndef PHT_LIB_TUI_MAPS_ROWS_H
#define PHT_LIB_TUI_MAPS_ROWS_H

#include "tui/cells.h"

/* A row's description is kept, since search and filter look at it. */
struct pht_maps_rows {
    const struct pht_view *view;
    char **what; /* of each mapping of the report */
    size_t count;
};

/* False when memory is short: there are no rows then. */
bool pht_maps_rows_fill(struct pht_maps_rows *rows, const struct pht_view *view);
void pht_maps_rows_deinit(struct pht_maps_rows *rows);

/* A source whose data is the rows. */
struct pht_table_source pht_maps_source(const struct pht_maps_rows *rows);

/* The sum of all mappings, for pht_table_draw_line(); the data is the rows. */
void pht_maps_total(const void *data, size_t row, size_t column, struct pht_table_cell *cell);

struct pht_family_rows {
    const struct pht_view *view;
    size_t *order; /* of the report's rows, as a tree */
    size_t count;
};

bool pht_family_rows_fill(struct pht_family_rows *rows, const struct pht_view *view);
void pht_family_rows_deinit(struct pht_family_rows *rows);

/* A source whose data is the rows. */
struct pht_table_source pht_family_source(const struct pht_family_rows *rows);

#endif
