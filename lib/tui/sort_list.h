/* The list of columns that a table can be sorted by, to choose from. */
#ifndef PHT_LIB_TUI_SORT_LIST_H
#define PHT_LIB_TUI_SORT_LIST_H

#include "tui/table.h"

struct pht_sort_list {
    bool is_open;
    const struct pht_table *table;
    size_t columns[PHT_TABLE_COLUMNS_MAX]; /* those that can be sorted by */
    size_t count;
    size_t selected;
};

/* Keeps the table while it is open. */
void pht_sort_list_open(struct pht_sort_list *list, const struct pht_table *table);

/* True: a column was chosen. Enter and Esc close it. */
bool pht_sort_list_on_key(struct pht_sort_list *list, int key, size_t *column);

void pht_sort_list_draw(const struct pht_sort_list *list, struct pht_area area);

#endif
