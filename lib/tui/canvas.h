/*
 * A grid of cells that screens draw on, and tests read. It knows no terminal.
 *
 * Text is any bytes: what is no printable character is escaped, here and nowhere else, so that
 * nothing of a target reaches a terminal as it is. Widths are columns of a terminal, by the
 * program's LC_CTYPE: a wide character takes two cells, marks join the character before them.
 */
#ifndef PHT_LIB_TUI_CANVAS_H
#define PHT_LIB_TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/theme.h"

/* A character, and as many marks as fit; a terminal is not asked to stack more. */
#define PHT_CELL_BYTES 12

struct pht_cell {
    char text[PHT_CELL_BYTES + 1]; /* UTF-8; "" in the second cell of a wide character */
    bool is_selected;              /* part of the row that the cursor is on */
    enum pht_role role;
};

struct pht_canvas {
    unsigned rows;
    unsigned columns;
    bool is_ascii; /* all other characters are escaped */
    struct pht_cell *cells;
};

/* Blank. False when memory is short; nothing is to be released then. */
bool pht_canvas_init(struct pht_canvas *canvas, unsigned rows, unsigned columns, bool is_ascii);
void pht_canvas_deinit(struct pht_canvas *canvas);

const struct pht_cell *pht_canvas_cell(const struct pht_canvas *canvas, unsigned row,
                                       unsigned column);

/* A part of a canvas. Whatever is drawn outside of it is not drawn. */
struct pht_area {
    struct pht_canvas *canvas;
    unsigned row;
    unsigned column;
    unsigned rows;
    unsigned columns;
};

struct pht_area pht_canvas_area(struct pht_canvas *canvas);

/* `rows` rows of an area from `row` on, as far as there are so many. */
struct pht_area pht_area_rows(struct pht_area area, unsigned row, unsigned rows);

/* The same of columns. */
struct pht_area pht_area_columns(struct pht_area area, unsigned column, unsigned columns);

/* Draw text in one row, up to the edge of the area. Returns the column after it. */
unsigned pht_area_put(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                      const char *text);

unsigned pht_area_format(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                         const char *format, ...) __attribute__((format(printf, 5, 6)));

/* So many columns at most, or to the edge; the end of what does not fit becomes "..". */
unsigned pht_area_put_cut(struct pht_area area, unsigned row, unsigned column, unsigned columns,
                          enum pht_role role, const char *text);

/* Text that ends before column `end`. What does not fit is cut at its end. */
void pht_area_put_right(struct pht_area area, unsigned row, unsigned end, unsigned columns,
                        enum pht_role role, const char *text);

/* The cursor is on this row: all of its cells. */
void pht_area_select(struct pht_area area, unsigned row);

/* Columns that the text takes when drawn on this canvas. */
unsigned pht_canvas_width(const struct pht_canvas *canvas, const char *text);

/* Lines of text without blanks at their ends; NULL when memory is short. For the caller to free. */
char *pht_canvas_text(const struct pht_canvas *canvas);

/* The same with a letter for each role; capitals of selected rows are the caller's to look for:
 * the first column shows '>' there. */
char *pht_canvas_roles(const struct pht_canvas *canvas);

#endif
