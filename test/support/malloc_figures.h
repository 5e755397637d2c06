/* What a walk of a finished heap must find, counted from its list of chunks. */
#ifndef PHT_TEST_SUPPORT_MALLOC_FIGURES_H
#define PHT_TEST_SUPPORT_MALLOC_FIGURES_H

#include "support/malloc_heap.h"

/* All but `threads` follows from the list; pages count as they are in the fake now. */
void malloc_figures(const struct malloc_heap *heap, uint32_t arena, struct pht_glibc_arena *ret);

/* Add the figures of `part`, but for its peak. */
void malloc_figures_add(struct pht_glibc_arena *sum, const struct pht_glibc_arena *part);

/* Resident bytes of the pages of [start, end), parts of pages left out. */
uint64_t malloc_resident(const struct malloc_heap *heap, pht_addr start, pht_addr end);

#endif
