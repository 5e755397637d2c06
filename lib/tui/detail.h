/* A thing in detail: lines of what and how much. */
#ifndef PHT_LIB_TUI_DETAIL_H
#define PHT_LIB_TUI_DETAIL_H

#include "tui/lines.h"
#include "tui/units.h"

/* Another line: the size ends at the same column in all of them. */
void pht_detail_bytes(struct pht_lines *lines, enum pht_units units, enum pht_role role,
                      const char *what, uint64_t bytes);

#endif
