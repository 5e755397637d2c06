#include "base/addr_map.h"

#include <stdlib.h>

#define CAPACITY_MIN 1024

static bool grow(struct pht_addr_map *map)
{
    struct pht_addr_map grown = {
        .count = map->count,
        .capacity = map->capacity > 0 ? 2 * map->capacity : CAPACITY_MIN,
    };

    grown.slots = calloc(grown.capacity, sizeof(*grown.slots));
    if (grown.slots == NULL)
        return false;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct pht_addr_map_slot *slot = &map->slots[i];
        if (slot->address != 0)
            grown.slots[pht_addr_map_place(&grown, slot->address)] = *slot;
    }
    free(map->slots);
    *map = grown;
    return true;
}

bool pht_addr_map_put(struct pht_addr_map *map, uint64_t address, uint32_t value)
{
    if (address == 0)
        return true;
    if (2 * (map->count + 1) > map->capacity && !grow(map))
        return false;
    struct pht_addr_map_slot *slot = &map->slots[pht_addr_map_place(map, address)];
    map->count += slot->address == 0;
    *slot = (struct pht_addr_map_slot){.address = address, .value = value};
    return true;
}

void pht_addr_map_deinit(struct pht_addr_map *map)
{
    free(map->slots);
    *map = (struct pht_addr_map){0};
}
