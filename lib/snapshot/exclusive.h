/*
 * Which memory no other process maps: mappings of which smaps says so. It may be read in the way
 * that would make the target copy what fork left shared. Memory that was mapped later is not among
 * it; a process that forks while it is read is the one case in which this is out of date.
 */
#ifndef PHT_LIB_SNAPSHOT_EXCLUSIVE_H
#define PHT_LIB_SNAPSHOT_EXCLUSIVE_H

#include "pyheaptop/target.h"

struct pht_exclusive_range {
    pht_addr start;
    pht_addr end;
};

struct pht_exclusive_ranges {
    struct pht_exclusive_range *items; /* by address, those that touch made one */
    size_t count;
    size_t capacity;
    size_t last; /* where the last question led */
};

/* False when memory is short. */
bool pht_exclusive_ranges_find(const struct pht_smaps *smaps, struct pht_exclusive_ranges *ret);
void pht_exclusive_ranges_deinit(struct pht_exclusive_ranges *ranges);

/* True if all of [addr, addr + size) is in one of them. */
bool pht_exclusive_ranges_hold(struct pht_exclusive_ranges *ranges, pht_addr addr, uint64_t size);

#endif
