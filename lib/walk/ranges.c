#include "walk/ranges.h"

#include "base/sorted.h"

bool pht_ranges_add(struct pht_ranges *ranges, pht_addr start, pht_addr end)
{
    const struct pht_range range = {start, end};

    return pht_vec_push(ranges, range);
}

bool pht_ranges_copy(const struct pht_ranges *from, struct pht_ranges *to)
{
    to->count = 0;
    for (size_t i = 0; i < from->count; i++) {
        if (!pht_vec_push(to, from->items[i]))
            return false;
    }
    return true;
}

/* Ranges that overlap become one, so that both their ends rise. */
void pht_ranges_sort(struct pht_ranges *ranges)
{
    size_t kept = 0;

    if (ranges->count == 0)
        return;
    pht_sort(ranges->items, ranges->count, sizeof(ranges->items[0]));
    for (size_t i = 1; i < ranges->count; i++) {
        struct pht_range *last = &ranges->items[kept];
        if (ranges->items[i].start > last->end)
            ranges->items[++kept] = ranges->items[i];
        else if (ranges->items[i].end > last->end)
            last->end = ranges->items[i].end;
    }
    ranges->count = kept + 1;
}

const struct pht_range *pht_ranges_find(const struct pht_ranges *ranges, pht_addr addr)
{
    size_t low = 0, high = ranges->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ranges->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ranges->count ? &ranges->items[low] : NULL;
}
