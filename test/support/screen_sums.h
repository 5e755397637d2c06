/* Columns of a table add up, whatever is hidden. */
#ifndef PHT_TEST_SUPPORT_SCREEN_SUMS_H
#define PHT_TEST_SUPPORT_SCREEN_SUMS_H

#include "tui/table.h"

/*
 * The numbers of all rows in `column`, written in full, and `lines` below them are what the line
 * `total` says; and the sum of hidden rows with those that are not.
 */
void screen_check_sum(const struct pht_table_source *source, size_t column,
                      void (*line)(const void *data, size_t row, size_t column,
                                   struct pht_table_cell *ret),
                      size_t lines, size_t total);

#endif
