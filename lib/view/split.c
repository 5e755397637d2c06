#include "view/split.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b, void *context)
{
    const struct pht_split *split = context;
    enum pht_category left = *(const enum pht_category *)a, right = *(const enum pht_category *)b;

    if (split->bytes[left] != split->bytes[right])
        return split->bytes[left] < split->bytes[right] ? 1 : -1;
    return left < right ? -1 : left > right;
}

size_t pht_split_order(const struct pht_split *split, enum pht_category ret[static PHT_CATEGORIES])
{
    size_t count = 0;

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (split->bytes[i] > 0)
            ret[count++] = (enum pht_category)i;
    }
    qsort_r(ret, count, sizeof(ret[0]), by_bytes, (void *)split);
    return count;
}

/* Each cell shows what its middle falls on. */
const char *pht_split_bar(const struct pht_split *split, uint64_t total, size_t cells, char *text)
{
    int category = 0;
    uint64_t end = split->bytes[0];
    size_t cell = 0;

    for (; total > 0 && cell < cells; cell++) {
        unsigned __int128 halves = 2 * (unsigned __int128)cell + 1;
        uint64_t middle = (uint64_t)(total * halves / (2 * (unsigned __int128)cells));
        while (middle >= end && category + 1 < PHT_CATEGORIES)
            end += split->bytes[++category];
        text[cell] = pht_category_name((enum pht_category)category)->letter;
    }
    text[cell] = '\0';
    return text;
}
