#include "tui/heat_map.h"

char pht_heat_of(uint64_t live_bytes, uint64_t arena_bytes)
{
    if (live_bytes == 0 || arena_bytes == 0)
        return '.';
    if (live_bytes / PHT_HEAT_FULL_PERCENT >= arena_bytes / 100)
        return '#';
    uint64_t tenths = live_bytes / (arena_bytes / 10 + 1);
    return (char)('0' + (tenths < 9 ? tenths : 9));
}

uint64_t pht_heat_map_arenas_each(uint64_t arenas, unsigned rows, unsigned columns)
{
    uint64_t cells = (uint64_t)rows * columns;

    return cells == 0 || arenas <= cells ? 1 : (arenas + cells - 1) / cells;
}

/* What keeps much of an arena for few blocks stands out. */
static enum pht_role role_of(char heat)
{
    if (heat == '.' || heat == '0')
        return PHT_ROLE_BAD;
    return heat >= '1' && heat <= '3' ? PHT_ROLE_WARN : PHT_ROLE_TEXT;
}

static char heat_of_cell(const struct pht_pymalloc *pymalloc, uint64_t first, uint64_t each)
{
    uint64_t live = 0, arenas = 0;

    for (uint64_t i = first; i < first + each && i < pymalloc->totals.arenas; i++) {
        live += pymalloc->arenas[i].live_bytes;
        arenas++;
    }
    return pht_heat_of(live, arenas * pymalloc->arena_bytes);
}

unsigned pht_heat_map_draw(struct pht_area area, const struct pht_pymalloc *pymalloc)
{
    uint64_t arenas = pymalloc->totals.arenas, cell = 0;
    uint64_t each = pht_heat_map_arenas_each(arenas, area.rows, area.columns);

    if (area.columns == 0)
        return 0;
    for (uint64_t first = 0; first < arenas; first += each, cell++) {
        const char text[] = {heat_of_cell(pymalloc, first, each), '\0'};
        pht_area_put(area, (unsigned)(cell / area.columns), (unsigned)(cell % area.columns),
                     role_of(text[0]), text);
    }
    return (unsigned)((cell + area.columns - 1) / area.columns);
}
