/* Walking a heap of heap.h, and comparing what was found with what was put there. */
#ifndef PHT_TEST_SUPPORT_HEAP_WALK_H
#define PHT_TEST_SUPPORT_HEAP_WALK_H

#include "support/heap.h"
#include "support/owned.h"

struct heap_walk {
    struct pht_pymalloc_roots roots;
    struct pht_snapshot *snapshot;
    struct pht_pymalloc *pymalloc;
    struct fake_target *fake;
    struct owned owned;
};

/* Copy the roots; the walk is left to the test. Its claims are checked whenever it is run. */
void heap_walk_freeze(struct heap *heap, enum pht_stop_mode stop, struct heap_walk *ret);
void heap_walk_run(struct heap_walk *walk);
void heap_walk_deinit(struct heap_walk *walk);

/* Both of the above; nothing may be read that is not resident, private and readable. */
void heap_walk_all(struct heap *heap, enum pht_stop_mode stop, struct heap_walk *ret);

/* Every total, class, arena and state as the heap has it. */
void heap_check_figures(const struct heap *heap, const struct pht_pymalloc *pymalloc);

/* The parts add up to arenas times the size of one: overall, by state and by class. */
void heap_check_sums(const struct pht_pymalloc *pymalloc);

/* No sign of damage. */
void heap_check_clean(const struct pht_pymalloc *pymalloc);

#endif
