/* Which columns of a table are shown in a given width, and where. */
#ifndef PHT_LIB_TUI_TABLE_COLUMNS_H
#define PHT_LIB_TUI_TABLE_COLUMNS_H

#include "tui/table.h"

struct pht_column_place {
    const struct pht_column *column;
    unsigned start;
    unsigned width;
};

/*
 * Place the columns from `start` on. Those that were scrolled away are left out, then the least
 * important ones until the others fit. Returns how many there are.
 */
size_t pht_table_place(const struct pht_table *table, unsigned start, unsigned columns,
                       struct pht_column_place places[static PHT_TABLE_COLUMNS_MAX]);

/* How many columns can be scrolled away: those that may leave. */
unsigned pht_table_shift_limit(const struct pht_table *table);

#endif
