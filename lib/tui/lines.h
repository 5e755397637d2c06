/*
 * Lines of text that are drawn one below the other, wrapped between words, from some line on: what
 * does not fit is scrolled to.
 */
#ifndef PHT_LIB_TUI_LINES_H
#define PHT_LIB_TUI_LINES_H

#include "tui/canvas.h"

struct pht_lines {
    struct pht_area area;
    unsigned top;   /* lines above the area */
    unsigned count; /* written so far, those that are not seen included */
};

/* A line: at `column`, up to the edge. Returns the column after it. */
unsigned pht_lines_put(struct pht_lines *lines, unsigned column, enum pht_role role,
                       const char *text);

/* More in the line that was begun last. */
unsigned pht_lines_add(struct pht_lines *lines, unsigned column, enum pht_role role,
                       const char *text);

void pht_lines_skip(struct pht_lines *lines);

/* As many lines as it takes from `column` to the edge; the first may be begun already. */
void pht_lines_wrap(struct pht_lines *lines, unsigned column, enum pht_role role, const char *text,
                    bool is_begun);

/* The same in `most` lines, 1 at least: the end of what does not fit becomes "..". Returns how many
 * were not needed. */
unsigned pht_lines_wrap_most(struct pht_lines *lines, unsigned column, enum pht_role role,
                             const char *text, bool is_begun, unsigned most);

/* Whether the last line is one that is seen. */
bool pht_lines_is_seen(const struct pht_lines *lines, unsigned *row);

#endif
