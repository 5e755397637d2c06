#include "tui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tui/glyph.h"

bool pht_canvas_init(struct pht_canvas *canvas, unsigned rows, unsigned columns, bool is_ascii)
{
    *canvas = (struct pht_canvas){.rows = rows, .columns = columns, .is_ascii = is_ascii};
    canvas->cells = calloc((size_t)rows * columns + 1, sizeof(*canvas->cells));
    if (canvas->cells == NULL)
        return false;
    for (size_t i = 0; i < (size_t)rows * columns; i++)
        canvas->cells[i].text[0] = ' ';
    return true;
}

void pht_canvas_deinit(struct pht_canvas *canvas)
{
    free(canvas->cells);
    canvas->cells = NULL;
}

const struct pht_cell *pht_canvas_cell(const struct pht_canvas *canvas, unsigned row,
                                       unsigned column)
{
    return &canvas->cells[(size_t)row * canvas->columns + column];
}

struct pht_area pht_canvas_area(struct pht_canvas *canvas)
{
    return (struct pht_area){.canvas = canvas, .rows = canvas->rows, .columns = canvas->columns};
}

static unsigned clamp(unsigned value, unsigned limit)
{
    return value < limit ? value : limit;
}

struct pht_area pht_area_rows(struct pht_area area, unsigned row, unsigned rows)
{
    row = clamp(row, area.rows);
    area.row += row;
    area.rows = clamp(rows, area.rows - row);
    return area;
}

struct pht_area pht_area_columns(struct pht_area area, unsigned column, unsigned columns)
{
    column = clamp(column, area.columns);
    area.column += column;
    area.columns = clamp(columns, area.columns - column);
    return area;
}

static struct pht_cell *cell_at(struct pht_area area, unsigned row, unsigned column)
{
    return &area.canvas
                ->cells[(size_t)(area.row + row) * area.canvas->columns + area.column + column];
}

/* A cell that was half of a wide character leaves no half behind. */
static void clear_wide(struct pht_area area, unsigned row, unsigned column)
{
    unsigned x = area.column + column;
    struct pht_cell *cell = cell_at(area, row, column);

    if (cell->text[0] == '\0' && x > 0)
        strcpy(cell[-1].text, " ");
    if (x + 1 < area.canvas->columns && cell[1].text[0] == '\0')
        strcpy(cell[1].text, " ");
}

static void set_cells(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                      const struct pht_glyph *glyph)
{
    struct pht_cell *cell = cell_at(area, row, column);

    for (unsigned i = 0; i < glyph->width; i++)
        clear_wide(area, row, column + i);
    for (unsigned i = 0; i < glyph->width; i++) {
        cell[i].role = role;
        cell[i].text[0] = glyph->is_escape ? glyph->text[i] : '\0';
        cell[i].text[1] = '\0';
    }
    if (!glyph->is_escape)
        memcpy(cell->text, glyph->text, glyph->bytes + 1);
}

static void set_ascii(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                      char letter)
{
    set_cells(area, row, column, role,
              &(struct pht_glyph){.text = {letter, '\0'}, .bytes = 1, .width = 1});
}

static void join_mark(struct pht_cell *cell, const struct pht_glyph *glyph)
{
    size_t length = strlen(cell->text);

    if (length > 0 && length + glyph->bytes <= PHT_CELL_BYTES)
        memcpy(cell->text + length, glyph->text, glyph->bytes + 1);
}

/* Draw what fits into [column, end); `*is_cut` tells whether that is all. */
static unsigned put(struct pht_area area, unsigned row, unsigned column, unsigned end,
                    enum pht_role role, const char *text, bool *is_cut)
{
    struct pht_glyph glyph;
    unsigned start = column;

    *is_cut = false;
    while (pht_glyph_next(&text, area.canvas->is_ascii, &glyph)) {
        if (glyph.width == 0) {
            /* A mark of a wide character belongs to its first cell. */
            if (column > start) {
                struct pht_cell *before = cell_at(area, row, column - 1);
                join_mark(before->text[0] == '\0' ? before - 1 : before, &glyph);
            }
            continue;
        }
        if (column + glyph.width > end) {
            *is_cut = true;
            break;
        }
        set_cells(area, row, column, role, &glyph);
        column += glyph.width;
    }
    return column;
}

unsigned pht_area_put(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                      const char *text)
{
    bool is_cut;

    if (row >= area.rows || column >= area.columns)
        return column;
    return put(area, row, column, area.columns, role, text, &is_cut);
}

unsigned pht_area_format(struct pht_area area, unsigned row, unsigned column, enum pht_role role,
                         const char *format, ...)
{
    _cleanup_free_ char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        text = NULL;
        return column;
    }
    return pht_area_put(area, row, column, role, text);
}

unsigned pht_area_put_cut(struct pht_area area, unsigned row, unsigned column, unsigned columns,
                          enum pht_role role, const char *text)
{
    bool is_cut;

    if (row >= area.rows || column >= area.columns)
        return column;
    unsigned end = column + clamp(columns, area.columns - column);
    unsigned after = put(area, row, column, end, role, text, &is_cut);
    if (!is_cut)
        return after;
    /* Blank from where a wide character did not fit, then dots over the end. */
    for (; after < end; after++)
        set_ascii(area, row, after, role, ' ');
    for (unsigned i = end - clamp(2, end - column); i < end; i++)
        set_ascii(area, row, i, role, '.');
    return end;
}

void pht_area_put_right(struct pht_area area, unsigned row, unsigned end, unsigned columns,
                        enum pht_role role, const char *text)
{
    unsigned width = clamp(pht_canvas_width(area.canvas, text), clamp(columns, end));

    pht_area_put_cut(area, row, end - width, width, role, text);
}

void pht_area_select(struct pht_area area, unsigned row)
{
    if (row >= area.rows)
        return;
    for (unsigned column = 0; column < area.columns; column++)
        cell_at(area, row, column)->is_selected = true;
}

unsigned pht_canvas_width(const struct pht_canvas *canvas, const char *text)
{
    struct pht_glyph glyph;
    unsigned width = 0;

    while (pht_glyph_next(&text, canvas->is_ascii, &glyph)) {
        if (width > UINT16_MAX)
            break; /* wider than any canvas */
        width += glyph.width;
    }
    return width;
}

static void write_row(const struct pht_canvas *canvas, unsigned row, bool roles, FILE *file)
{
    unsigned blanks = 0;

    for (unsigned column = 0; column < canvas->columns; column++) {
        const struct pht_cell *cell = pht_canvas_cell(canvas, row, column);
        if (strcmp(cell->text, " ") == 0) {
            blanks++;
            continue;
        }
        for (; blanks > 0; blanks--)
            fputc(' ', file);
        if (roles)
            fputc(pht_role_letter(cell->role), file);
        else
            fputs(cell->text, file);
    }
    fputc('\n', file);
}

static char *dump(const struct pht_canvas *canvas, bool roles)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (file == NULL)
        return NULL;
    for (unsigned row = 0; row < canvas->rows; row++)
        write_row(canvas, row, roles, file);
    if (fclose(file) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

char *pht_canvas_text(const struct pht_canvas *canvas)
{
    return dump(canvas, false);
}

char *pht_canvas_roles(const struct pht_canvas *canvas)
{
    return dump(canvas, true);
}
