/* How memory that is split by categories is shown. */
#ifndef PHT_LIB_VIEW_SPLIT_H
#define PHT_LIB_VIEW_SPLIT_H

#include "pyheaptop/model.h"

/* The categories that have something, largest first; how many. */
size_t pht_split_order(const struct pht_split *split, enum pht_category ret[static PHT_CATEGORIES]);

/*
 * A bar of `cells` letters, "PPPPPPPppf", in the order of the report. `total` is what the split
 * adds up to; "" if that is nothing. A category with a cell's worth or more has a letter in it.
 * `text` has room for one more than `cells`.
 */
const char *pht_split_bar(const struct pht_split *split, uint64_t total, size_t cells, char *text);

#endif
