/* A set of addresses, or of other numbers; 0 is never in it. Clear to zero before the first use. */
#ifndef PHT_LIB_BASE_ADDR_SET_H
#define PHT_LIB_BASE_ADDR_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pht_addr_set {
    uint64_t *slots; /* open addressing, at most half of them in use */
    size_t count;
    size_t capacity; /* a power of two, or 0 */
};

/* `*is_new`: it was not there before. False when memory is short; the set is as it was then. */
bool pht_addr_set_add(struct pht_addr_set *set, uint64_t value, bool *is_new);

void pht_addr_set_deinit(struct pht_addr_set *set);

#endif
