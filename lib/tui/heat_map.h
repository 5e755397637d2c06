/*
 * Arenas of pymalloc, a character each, by address: '.' empty, a digit for the tenths that are in
 * use, '#' full. Digits survive monochrome, copy and paste, and can be read aloud.
 */
#ifndef PHT_LIB_TUI_HEAT_MAP_H
#define PHT_LIB_TUI_HEAT_MAP_H

#include "tui/canvas.h"

/* So many blocks of nothing else fit: a header and what is left over in each pool are no loss. */
#define PHT_HEAT_FULL_PERCENT 97

char pht_heat_of(uint64_t live_bytes, uint64_t arena_bytes);

/* Arenas that share a cell, so that all of them fit into `rows` rows of `columns`. */
uint64_t pht_heat_map_arenas_each(uint64_t arenas, unsigned rows, unsigned columns);

/* All arenas in the area, from its first column on. Returns the rows used. */
unsigned pht_heat_map_draw(struct pht_area area, const struct pht_pymalloc *pymalloc);

#endif
