/*
 * Layouts that are compiled in: lib/layout/tables/, a file for each build, as --dump-layout has
 * written it from that build's debug information. The name of a file says where the build is from.
 *
 * Their addresses are of that build alone and are not used: another build of the same release has
 * the same types and its variables elsewhere.
 */
#ifndef PHT_LIB_LAYOUT_TABLES_H
#define PHT_LIB_LAYOUT_TABLES_H

#include "layout/record.h"

/*
 * The next record of that kind, from `*at` on, which begins with 0. Any build-id matches. False
 * after the last one.
 */
bool pht_tables_next(size_t *at, const struct pht_record_kind *kind,
                     struct pht_layout_record *record);

#endif
