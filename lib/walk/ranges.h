/* Ranges of addresses, to know what memory is spoken for. */
#ifndef PHT_LIB_WALK_RANGES_H
#define PHT_LIB_WALK_RANGES_H

#include "base/vec.h"
#include "pyheaptop/walk.h"

struct pht_ranges {
    struct pht_range *items;
    size_t count;
    size_t capacity;
};

/* False when memory is short. */
bool pht_ranges_add(struct pht_ranges *ranges, pht_addr start, pht_addr end);

/* `to` becomes the same as `from`. False when memory is short. */
bool pht_ranges_copy(const struct pht_ranges *from, struct pht_ranges *to);

/* After the last one was added, and before any is looked for. */
void pht_ranges_sort(struct pht_ranges *ranges);

/* The first of sorted ranges that ends behind `addr`; NULL if none does. */
const struct pht_range *pht_ranges_find(const struct pht_ranges *ranges, pht_addr addr);

#endif
