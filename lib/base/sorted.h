/*
 * Arrays of structs that begin with a 64-bit number, an address for one, and are sorted by it.
 */
#ifndef PHT_LIB_BASE_SORTED_H
#define PHT_LIB_BASE_SORTED_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline uint64_t pht_sorted_key(const void *items, size_t item_bytes, size_t i)
{
    uint64_t key;

    memcpy(&key, (const char *)items + i * item_bytes, sizeof(key));
    return key;
}

static inline int pht_sorted_compare(const void *a, const void *b)
{
    uint64_t left = pht_sorted_key(a, 0, 0), right = pht_sorted_key(b, 0, 0);

    return left < right ? -1 : left > right;
}

/* `items` may be NULL if there are none. */
static inline void pht_sort(void *items, size_t count, size_t item_bytes)
{
    if (count > 0)
        qsort(items, count, item_bytes, pht_sorted_compare);
}

/* The first item whose number is `least` or more; `count` if there is none. */
static inline size_t pht_sorted_find(const void *items, size_t count, size_t item_bytes,
                                     uint64_t least)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (pht_sorted_key(items, item_bytes, middle) < least)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/*
 * Of ranges, structs that begin with a start and an end: the last that starts at or before `addr`
 * if it holds `addr`, else the first that starts behind it; `count` if there is none.
 */
static inline size_t pht_sorted_find_range(const void *ranges, size_t count, size_t range_bytes,
                                           uint64_t addr)
{
    size_t behind =
        addr == UINT64_MAX ? count : pht_sorted_find(ranges, count, range_bytes, addr + 1);
    uint64_t end;

    if (behind == 0)
        return 0;
    memcpy(&end, (const char *)ranges + (behind - 1) * range_bytes + sizeof(addr), sizeof(end));
    return addr < end ? behind - 1 : behind;
}

#endif
