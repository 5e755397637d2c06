/* How a mapping is shown, in text and in JSON. */
#ifndef PHT_LIB_VIEW_MAPPING_H
#define PHT_LIB_VIEW_MAPPING_H

#include "pyheaptop/model.h"

#define PHT_PERMS_MAX 5

/* "rw-p", as /proc/PID/maps has it. */
const char *pht_mapping_perms(const struct pht_mapping *mapping, char text[static PHT_PERMS_MAX]);

/* At the moment of the ledger if there is one, so that it adds up; else what smaps said. */
uint64_t pht_mapping_rss(const struct pht_report_mapping *row);

/* The last part of a path: that is how files are known, and there is little room. */
const char *pht_mapping_short_name(const char *name);

/*
 * What lives there, in at most `characters` (2 or more) and fit to print: "pymalloc",
 * "libc.so.6 (deleted)", "[heap]". The caller frees it; NULL when memory is short.
 */
char *pht_mapping_describe(const struct pht_report_mapping *row, size_t characters);

#endif
