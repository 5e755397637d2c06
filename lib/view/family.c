#include "view/family.h"

#include <stdio.h>
#include <string.h>

#include "base/human.h"
#include "view/split.h"

#define LEVEL_COLUMNS 3

/* The place behind the last descendant of `parent`, which stands at `at` in `order`. */
static size_t behind_descendants(const struct pht_family_row *rows, const size_t *order,
                                 size_t count, size_t at)
{
    unsigned depth = rows[order[at]].depth;

    do
        at++;
    while (at < count && rows[order[at]].depth > depth);
    return at;
}

/* Parents come before their children; in a tree, their children also before anybody else. */
void pht_family_order(const struct pht_family_row *rows, size_t count, size_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t place = i;
        for (size_t at = 0; at < i && rows[i].depth > 0; at++) {
            if (rows[order[at]].pid == rows[i].ppid)
                place = behind_descendants(rows, order, i, at);
        }
        memmove(&order[place + 1], &order[place], (i - place) * sizeof(*order));
        order[place] = i;
    }
}

/* True if a sibling follows at `depth`: a line goes on past row `at`. */
static bool goes_on(const struct pht_family_row *rows, const size_t *order, size_t count, size_t at,
                    unsigned depth)
{
    for (at++; at < count && rows[order[at]].depth >= depth; at++) {
        if (rows[order[at]].depth == depth)
            return true;
    }
    return false;
}

/* A deep tree loses its inner lines. */
const char *pht_family_lines(const struct pht_family_row *rows, const size_t *order, size_t count,
                             size_t at, char text[static PHT_FAMILY_LINES_MAX])
{
    const struct pht_family_row *row = &rows[order[at]];
    char *end = text;

    for (unsigned depth = 1;
         depth <= row->depth && end + LEVEL_COLUMNS + 2 <= text + PHT_FAMILY_LINES_MAX; depth++) {
        bool follows = goes_on(rows, order, count, at, depth);
        if (depth < row->depth)
            end = stpcpy(end, follows ? " | " : "   ");
        else
            end = stpcpy(end, follows ? " |-" : " `-");
    }
    if (row->depth > 0)
        *end++ = ' ';
    *end = '\0';
    return text;
}

void pht_family_copied(const struct pht_family_row *row, char *text, size_t size)
{
    enum pht_category order[PHT_CATEGORIES];
    size_t count = row->copied_bytes != PHT_UNKNOWN ? pht_split_order(&row->copied, order) : 0;
    size_t used = 0;

    snprintf(text, size, count == 0 ? "-" : "");
    for (size_t i = 0; i < count; i++) {
        char part[PHT_HUMAN_MAX + 8], bytes[PHT_HUMAN_MAX];
        int length = snprintf(part, sizeof(part), "%s%c %s", i > 0 ? ", " : "",
                              pht_category_name(order[i])->letter,
                              pht_human_bytes(row->copied.bytes[order[i]], bytes));
        if (used + (size_t)length + (i + 1 < count ? 5 : 1) > size) {
            snprintf(text + used, size - used, ", ..");
            return;
        }
        memcpy(text + used, part, (size_t)length + 1);
        used += (size_t)length;
    }
}
