/*
 * Debug files from servers that the user has configured (DEBUGINFOD_URLS). In a sandbox there is no
 * network, so that the steward asks them; elsewhere libdwfl does it by itself.
 */
#ifndef PHT_LIB_LAYOUT_DEBUGINFOD_H
#define PHT_LIB_LAYOUT_DEBUGINFOD_H

#include "pyheaptop/layout.h"

/* A descriptor of the debug file, open for reading; -1 if no server has it, or none is asked. */
int pht_debuginfod_find(struct pht_steward *steward, const char *build_id);

#endif
