/*
 * A table: rows that scroll, are sorted, filtered and searched, in columns that leave by priority
 * when it gets narrow. What the rows say is its source's; the table keeps what the user chose.
 */
#ifndef PHT_LIB_TUI_TABLE_H
#define PHT_LIB_TUI_TABLE_H

#include "base/vec.h"
#include "tui/canvas.h"
#include "view/columns.h"

#define PHT_TABLE_COLUMNS_MAX 16
#define PHT_CELL_TEXT_MAX 256

/* What stands in a cell. With `draw`, that draws it instead: a bar, say. */
struct pht_table_cell {
    char text[PHT_CELL_TEXT_MAX];
    const char *long_text; /* instead of `text`; borrowed while the table is drawn */
    enum pht_role role;
    void (*draw)(const void *data, size_t row, struct pht_area cell);
};

/* Rows are numbers below `rows`, in any order. What is called must not change them. */
struct pht_table_source {
    const void *data;
    size_t rows;
    void (*cell)(const void *data, size_t row, size_t column, struct pht_table_cell *ret);
    /* Less than 0 if `a` comes first when sorted by that column: largest first, names in order. */
    int (*compare)(const void *data, size_t column, size_t a, size_t b);
    /* What search and filter look at; NULL: neither finds anything. */
    const char *(*name)(const void *data, size_t row);
    /* The same for the same thing in a later report, so that the cursor stays with it; may be
     * NULL. */
    uint64_t (*key)(const void *data, size_t row);
    /* The sum of rows that are not shown, so that a column adds up: "2,113 other types". NULL:
     * the table says how many there are. */
    void (*rest)(const void *data, const size_t *rows, size_t count, size_t column,
                 struct pht_table_cell *ret);
};

#define PHT_FILTER_MAX 64

struct pht_table {
    const struct pht_column *columns;
    size_t column_count;
    size_t sort_column; /* PHT_TABLE_UNSORTED: in the source's order */
    bool is_reversed;
    char filter[PHT_FILTER_MAX]; /* "": all rows */
    PHT_VEC(size_t) order;       /* rows that pass the filter, as sorted */
    size_t filtered_out;         /* rows that do not */
    size_t selected;             /* in `order` */
    size_t top;                  /* of those drawn, in `order` */
    unsigned page;               /* rows that were drawn last */
    unsigned shift;              /* columns that were scrolled away on the left */
    bool has_no_cursor;          /* keys go elsewhere */
    struct pht_area drawn;       /* where it was drawn last: for clicks */
};

#define PHT_TABLE_UNSORTED SIZE_MAX

void pht_table_init(struct pht_table *table, const struct pht_column *columns, size_t column_count,
                    size_t sort_column);
void pht_table_deinit(struct pht_table *table);

/*
 * Take up the source's rows: at first, when it has others, and after the filter or the sorting
 * changed. `old_key` is what pht_table_key() told of the rows before, or 0. False when memory is
 * short: the table is empty then.
 */
bool pht_table_update(struct pht_table *table, const struct pht_table_source *source,
                      uint64_t old_key);

/* The key of the row that the cursor is on; 0: there is none. */
uint64_t pht_table_key(const struct pht_table *table, const struct pht_table_source *source);

/*
 * Titles in the first row, then rows, then one for what is not shown if there is more; fewer rows
 * than the area has leave the rest blank. Returns the rows used.
 */
unsigned pht_table_draw(struct pht_table *table, const struct pht_table_source *source,
                        struct pht_area area);

/* One more line, in the columns as they were drawn last: totals. `cell` as the source's. */
void pht_table_draw_line(const struct pht_table *table, struct pht_area area, unsigned row,
                         void (*cell)(const void *data, size_t row, size_t column,
                                      struct pht_table_cell *ret),
                         const void *data, size_t data_row);

/* False: the table is empty. */
bool pht_table_selected(const struct pht_table *table, size_t *ret);

/* Moves of the cursor, h and l to the side. False: the key is none of them. */
bool pht_table_move(struct pht_table *table, int key);

/* A click at a place of the canvas: on a row, which the cursor goes to, or on the title of a column
 * that can be sorted by. */
bool pht_table_select_at(struct pht_table *table, unsigned row, unsigned column);
bool pht_table_title_at(const struct pht_table *table, unsigned row, unsigned column, size_t *ret);

/* The same column again turns the order around. Then update. */
void pht_table_sort_by(struct pht_table *table, size_t column);

/* The column that `d` sorts by; column_count: there is none. */
size_t pht_table_change_column(const struct pht_table *table);

/*
 * Put the cursor on the next row whose name holds the text, without regard to case: from the row
 * itself on with 0, after it with 1, before it with -1; around the end. False: there is none.
 */
bool pht_table_search(struct pht_table *table, const struct pht_table_source *source,
                      const char *text, int direction);

/* The text is cut to what fits; "" shows all rows again. Then update. */
void pht_table_filter(struct pht_table *table, const char *text);

#endif
