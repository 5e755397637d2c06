/* Text of /proc/PID/maps, parsed: what is mapped where. */
#ifndef PHT_LIB_TARGET_MAPS_H
#define PHT_LIB_TARGET_MAPS_H

#include "pyheaptop/target.h"

/*
 * Parse one line without its newline; it is modified, and the mapping's name points into it.
 * False if it is not of the form of maps(5), or begins below `least`.
 */
bool pht_maps_parse_line(char *line, pht_addr least, struct pht_mapping *ret);

/*
 * Parse maps(5). Lines that are not of its form, overlap, or go backwards are left out. On success
 * `text` belongs to `ret`. False when memory is short.
 */
bool pht_maps_parse(char *text, struct pht_maps *ret);

#endif
