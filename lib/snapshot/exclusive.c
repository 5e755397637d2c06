#include "snapshot/exclusive.h"

#include "base/checked.h"
#include "base/sorted.h"
#include "base/vec.h"

static bool is_exclusive(const struct pht_mapping *mapping, const struct pht_mapping_memory *memory)
{
    return !mapping->shared && memory->shared_bytes == 0;
}

bool pht_exclusive_ranges_find(const struct pht_smaps *smaps, struct pht_exclusive_ranges *ret)
{
    for (size_t i = 0; i < smaps->maps.count; i++) {
        const struct pht_mapping *mapping = &smaps->maps.items[i];
        if (!is_exclusive(mapping, &smaps->memory[i]))
            continue;
        if (ret->count > 0 && ret->items[ret->count - 1].end == mapping->start) {
            ret->items[ret->count - 1].end = mapping->end;
            continue;
        }
        const struct pht_exclusive_range range = {mapping->start, mapping->end};
        if (!pht_vec_push(ret, range))
            return false;
    }
    return true;
}

void pht_exclusive_ranges_deinit(struct pht_exclusive_ranges *ranges)
{
    free(ranges->items);
    *ranges = (struct pht_exclusive_ranges){0};
}

bool pht_exclusive_ranges_hold(struct pht_exclusive_ranges *ranges, pht_addr addr, uint64_t size)
{
    pht_addr end;

    if (ranges->count == 0 || !pht_add_fits(addr, size, &end))
        return false;
    const struct pht_exclusive_range *range = &ranges->items[ranges->last];
    if (addr < range->start || addr >= range->end) {
        size_t found =
            pht_sorted_find_range(ranges->items, ranges->count, sizeof(ranges->items[0]), addr);
        if (found == ranges->count)
            return false;
        ranges->last = found;
        range = &ranges->items[found];
    }
    return addr >= range->start && end <= range->end;
}
