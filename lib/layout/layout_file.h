/* Layouts out of a file that was given. */
#ifndef PHT_LIB_LAYOUT_LAYOUT_FILE_H
#define PHT_LIB_LAYOUT_LAYOUT_FILE_H

#include "layout/record.h"

/* The record of that kind and build-id. False leaves anything in it; `file` may be NULL. */
bool pht_layout_file_find(const struct pht_layout_file *file, const struct pht_record_kind *kind,
                          struct pht_layout_record *record);

#endif
