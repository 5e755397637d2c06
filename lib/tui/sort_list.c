#include "tui/sort_list.h"

#include "tui/key.h"

void pht_sort_list_open(struct pht_sort_list *list, const struct pht_table *table)
{
    *list = (struct pht_sort_list){.is_open = true, .table = table};
    for (size_t i = 0; i < table->column_count && list->count < PHT_TABLE_COLUMNS_MAX; i++) {
        if (table->columns[i].id == NULL)
            continue;
        if (i == table->sort_column)
            list->selected = list->count;
        list->columns[list->count++] = i;
    }
}

bool pht_sort_list_on_key(struct pht_sort_list *list, int key, size_t *column)
{
    switch (key) {
    case PHT_KEY_ENTER:
        list->is_open = false;
        if (list->count == 0)
            return false;
        *column = list->columns[list->selected];
        return true;
    case 'j':
    case PHT_KEY_DOWN:
    case '>':
        list->selected += list->selected + 1 < list->count;
        return false;
    case 'k':
    case PHT_KEY_UP:
    case '<':
        list->selected -= list->selected > 0;
        return false;
    default:
        list->is_open = false;
        return false;
    }
}

void pht_sort_list_draw(const struct pht_sort_list *list, struct pht_area area)
{
    unsigned first = 0, rows = area.rows > 1 ? area.rows - 1 : 0;

    pht_area_put_cut(area, 0, 0, area.columns, PHT_ROLE_TITLE,
                     "Sort by (the same again: reversed)   Enter: choose   Esc: leave");
    if (list->selected >= rows)
        first = (unsigned)list->selected - rows + 1;
    for (unsigned i = first; i < list->count && i - first < rows; i++) {
        const struct pht_column *column = &list->table->columns[list->columns[i]];
        bool is_sorted = list->columns[i] == list->table->sort_column;
        unsigned row = i - first + 1;
        unsigned end = pht_area_put(area, row, 2, PHT_ROLE_TEXT, column->title);
        if (is_sorted)
            pht_area_put(area, row, end + 1, PHT_ROLE_SORTED, list->table->is_reversed ? "^" : "v");
        if (i == list->selected) {
            pht_area_put(area, row, 0, PHT_ROLE_TEXT, ">");
            pht_area_select(area, row);
        }
    }
}
