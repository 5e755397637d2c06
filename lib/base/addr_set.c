#include "base/addr_set.h"

#include <stdlib.h>

#define CAPACITY_MIN 1024

/* Addresses are often as far apart as sizes are: a multiplication spreads them. */
#define GOLDEN_RATIO UINT64_C(0x9e3779b97f4a7c15)

/* Where it is, or where it would be put. */
static size_t find(const uint64_t *slots, size_t capacity, uint64_t value)
{
    size_t slot = (size_t)(value * GOLDEN_RATIO >> 32) & (capacity - 1);

    while (slots[slot] != 0 && slots[slot] != value)
        slot = (slot + 1) & (capacity - 1);
    return slot;
}

static bool grow(struct pht_addr_set *set)
{
    size_t capacity = set->capacity > 0 ? 2 * set->capacity : CAPACITY_MIN;
    uint64_t *slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < set->capacity; i++) {
        if (set->slots[i] != 0)
            slots[find(slots, capacity, set->slots[i])] = set->slots[i];
    }
    free(set->slots);
    set->slots = slots;
    set->capacity = capacity;
    return true;
}

bool pht_addr_set_add(struct pht_addr_set *set, uint64_t value, bool *is_new)
{
    *is_new = false;
    if (value == 0)
        return true;
    if (2 * (set->count + 1) > set->capacity && !grow(set))
        return false;
    size_t slot = find(set->slots, set->capacity, value);
    *is_new = set->slots[slot] == 0;
    set->slots[slot] = value;
    set->count += *is_new;
    return true;
}

void pht_addr_set_deinit(struct pht_addr_set *set)
{
    free(set->slots);
    *set = (struct pht_addr_set){0};
}
