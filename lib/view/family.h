/* A family of processes as a tree of lines. */
#ifndef PHT_LIB_VIEW_FAMILY_H
#define PHT_LIB_VIEW_FAMILY_H

#include "pyheaptop/model.h"

/* The rows in the order of a tree, children below their parents: `order` has room for `count`. */
void pht_family_order(const struct pht_family_row *rows, size_t count, size_t *order);

/* Lines of a deep tree end here, so that there is room for a pid and a name. */
#define PHT_FAMILY_LINES_MAX 16

/* What stands before the row at place `at` of that order: " |  `- ", or "". */
const char *pht_family_lines(const struct pht_family_row *rows, const size_t *order, size_t count,
                             size_t at, char text[static PHT_FAMILY_LINES_MAX]);

/* "P 311M, N 86.0M": what was copied, most first, as much as fits `size`; "-" if that is not known.
 */
void pht_family_copied(const struct pht_family_row *row, char *text, size_t size);

#endif
