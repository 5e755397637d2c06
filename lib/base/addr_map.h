/*
 * Numbers by address, or by any other number but 0. Clear to zero before the first use.
 *
 * Open addressing, at most half of the slots in use: an answer for a known address costs one
 * multiplication and, nearly always, one comparison.
 */
#ifndef PHT_LIB_BASE_ADDR_MAP_H
#define PHT_LIB_BASE_ADDR_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PHT_ADDR_MAP_NONE UINT32_MAX

struct pht_addr_map_slot {
    uint64_t address; /* 0: free */
    uint32_t value;
};

struct pht_addr_map {
    struct pht_addr_map_slot *slots;
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

/* Addresses are often as far apart as sizes are: a multiplication spreads them. */
static inline size_t pht_addr_map_place(const struct pht_addr_map *map, uint64_t address)
{
    size_t place = (size_t)(address * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (map->capacity - 1);

    while (map->slots[place].address != 0 && map->slots[place].address != address)
        place = (place + 1) & (map->capacity - 1);
    return place;
}

/* PHT_ADDR_MAP_NONE if it is not there. */
static inline uint32_t pht_addr_map_get(const struct pht_addr_map *map, uint64_t address)
{
    if (map->capacity == 0)
        return PHT_ADDR_MAP_NONE;
    const struct pht_addr_map_slot *slot = &map->slots[pht_addr_map_place(map, address)];
    return slot->address != 0 ? slot->value : PHT_ADDR_MAP_NONE;
}

/* Address 0 is left out. False when memory is short; the map is as it was then. */
bool pht_addr_map_put(struct pht_addr_map *map, uint64_t address, uint32_t value);

void pht_addr_map_deinit(struct pht_addr_map *map);

#endif
