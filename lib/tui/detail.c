#include "tui/detail.h"

#define INDENT 2

/* Sizes end here, unless the screen ends before. */
#define COLUMNS_MAX 68

/* "1,868,310,773", and two blanks before it; fewer where there is little room. */
#define SIZE_COLUMNS 15
#define SMALL_SIZE_COLUMNS 8

void pht_detail_bytes(struct pht_lines *lines, enum pht_units units, enum pht_role role,
                      const char *what, uint64_t bytes)
{
    unsigned columns = lines->area.columns;
    unsigned end = columns < COLUMNS_MAX ? columns : COLUMNS_MAX;
    unsigned size = units == PHT_UNITS_AUTO ? SMALL_SIZE_COLUMNS : SIZE_COLUMNS;
    char text[PHT_HUMAN_MAX];
    unsigned row;

    pht_lines_put(lines, INDENT, role, "");
    if (!pht_lines_is_seen(lines, &row) || end < INDENT + size)
        return;
    pht_area_put_cut(lines->area, row, INDENT, end - INDENT - size, role, what);
    pht_area_put_right(lines->area, row, end, size, role, pht_units_bytes(units, bytes, text));
}
