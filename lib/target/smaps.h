/* Text of /proc/PID/smaps, parsed: what is mapped where, and what memory that holds. */
#ifndef PHT_LIB_TARGET_SMAPS_H
#define PHT_LIB_TARGET_SMAPS_H

#include "pyheaptop/target.h"

/*
 * Mappings are left out as pht_maps_parse() leaves them out, each with its fields. Fields that
 * are missing are 0; what would make one larger than its mapping is left out. On success `text`
 * belongs to `ret`. False when memory is short.
 */
bool pht_smaps_parse(char *text, struct pht_smaps *ret);

#endif
