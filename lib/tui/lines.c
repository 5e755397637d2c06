#include "tui/lines.h"

#include <limits.h>
#include <string.h>

#include "base/cleanup.h"

bool pht_lines_is_seen(const struct pht_lines *lines, unsigned *row)
{
    unsigned line = lines->count - 1;

    *row = line - lines->top;
    return lines->count > 0 && line >= lines->top && *row < lines->area.rows;
}

unsigned pht_lines_add(struct pht_lines *lines, unsigned column, enum pht_role role,
                       const char *text)
{
    unsigned row;

    if (!pht_lines_is_seen(lines, &row))
        return column;
    return column >= lines->area.columns
               ? column
               : pht_area_put_cut(lines->area, row, column, lines->area.columns - column, role,
                                  text);
}

unsigned pht_lines_put(struct pht_lines *lines, unsigned column, enum pht_role role,
                       const char *text)
{
    lines->count++;
    return pht_lines_add(lines, column, role, text);
}

void pht_lines_skip(struct pht_lines *lines)
{
    lines->count++;
}

/* Bytes of `text` that fit into `columns`, up to a blank if there is one, and its width. */
static size_t fitting(const struct pht_canvas *canvas, const char *text, unsigned columns)
{
    size_t end = strlen(text);
    _cleanup_free_ char *part = strdup(text);

    if (part == NULL || pht_canvas_width(canvas, part) <= columns)
        return end;
    for (char *blank; (blank = strrchr(part, ' ')) != NULL;) {
        *blank = '\0';
        if (pht_canvas_width(canvas, part) <= columns)
            return (size_t)(blank - part);
    }
    return strcspn(text, " "); /* a word that is longer than a line is cut */
}

void pht_lines_wrap(struct pht_lines *lines, unsigned column, enum pht_role role, const char *text,
                    bool is_begun)
{
    pht_lines_wrap_most(lines, column, role, text, is_begun, UINT_MAX);
}

unsigned pht_lines_wrap_most(struct pht_lines *lines, unsigned column, enum pht_role role,
                             const char *text, bool is_begun, unsigned most)
{
    unsigned width = lines->area.columns > column ? lines->area.columns - column : 1;
    _cleanup_free_ char *rest = strdup(text);

    if (rest == NULL)
        return most;
    for (char *at = rest; *at != '\0' && most > 0; most--) {
        char *newline = strchrnul(at, '\n');
        char after = *newline;
        *newline = '\0';
        size_t length = most > 1 ? fitting(lines->area.canvas, at, width) : strlen(at);
        char *end = at + length;
        bool is_whole = end == newline;
        *end = '\0';
        lines->count += !is_begun;
        pht_lines_add(lines, column, role, at);
        is_begun = false;
        *newline = after;
        if (is_whole)
            at = after == '\n' ? newline + 1 : newline;
        else
            at = end + 1;
    }
    return most;
}
