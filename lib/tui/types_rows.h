/*
 * The rows of the types screen: types, or modules with all of their types; with what each has grown
 * by, and those that the baseline had and this snapshot has not.
 */
#ifndef PHT_LIB_TUI_TYPES_ROWS_H
#define PHT_LIB_TUI_TYPES_ROWS_H

#include "tui/cells.h"

struct pht_types_row {
    char *name;         /* owned: any bytes */
    const char *module; /* borrowed while the rows are filled */
    pht_addr type;      /* 0: of a module, or of a type that is not there any more */
    uint64_t key;
    uint64_t objects;
    uint64_t size_bytes;
    uint64_t taken_bytes;
    uint64_t largest_bytes;
    int64_t more_objects;
    int64_t more_bytes;
};

struct pht_types_rows {
    const struct pht_view *view;
    struct pht_types_row *items;
    size_t count;
    uint64_t all_taken_bytes; /* of all rows, and of blocks of no known type */
};

/*
 * Of the view's report, which has objects; `by_module`, and without those that did not change if
 * `only_changed`. False when memory is short: there are no rows then.
 */
bool pht_types_rows_fill(struct pht_types_rows *rows, const struct pht_view *view, bool by_module,
                         bool only_changed);
void pht_types_rows_deinit(struct pht_types_rows *rows);

/* A source whose data is the rows. */
struct pht_table_source pht_types_source(const struct pht_types_rows *rows);

/* Lines below the rows, for pht_table_draw_line(): blocks without a type, and the sum. */
enum pht_types_line {
    PHT_TYPES_LINE_FREE_LISTED,
    PHT_TYPES_LINE_UNOWNED,
    PHT_TYPES_LINE_TOTAL,
    PHT_TYPES_LINES,
};

void pht_types_line(const void *data, size_t line, size_t column, struct pht_table_cell *cell);

#endif
