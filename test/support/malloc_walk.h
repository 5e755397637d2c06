/* Walking a heap of malloc_heap.h, and comparing what was found with what was put there. */
#ifndef PHT_TEST_SUPPORT_MALLOC_WALK_H
#define PHT_TEST_SUPPORT_MALLOC_WALK_H

#include "support/malloc_heap.h"
#include "support/owned.h"

struct malloc_walk {
    struct pht_glibc_roots roots;
    struct pht_snapshot *snapshot;
    struct pht_glibc *glibc;
    struct fake_target *fake;
    struct owned owned;
};

/* Copy the roots; the walk is left to the test. Its claims are checked whenever it is run. */
void malloc_walk_freeze(struct malloc_heap *heap, enum pht_stop_mode stop, struct malloc_walk *ret);
void malloc_walk_run(struct malloc_walk *walk, const struct pht_range *others, size_t other_count);
void malloc_walk_deinit(struct malloc_walk *walk);

/* Both of the above; nothing may be read that is not resident, private and readable. */
void malloc_walk_all(struct malloc_heap *heap, enum pht_stop_mode stop, struct malloc_walk *ret);

/* Every figure of every arena, thread, size and mmapped chunk as the heap has it. */
void malloc_heap_check(const struct malloc_heap *heap, const struct pht_glibc *glibc);

/* Those of one arena, at its place in the ring. */
void malloc_heap_check_arena(const struct malloc_heap *heap, uint32_t arena,
                             const struct pht_glibc *glibc);

/*
 * The same of an arena when not every tcache could be followed: chunks that no list leads to count
 * as live. At least `cached` were found.
 */
void malloc_heap_check_but_tcache(const struct malloc_heap *heap, uint32_t arena,
                                  const struct pht_glibc *glibc, uint64_t cached);

void malloc_heap_check_mmapped(const struct malloc_heap *heap, const struct pht_glibc *glibc);

/* The figures of an arena of the heap, wherever it is among those found. */
const struct pht_glibc_arena *malloc_heap_found(const struct malloc_heap *heap, uint32_t arena,
                                                const struct pht_glibc *glibc);

/* The parts add up to what the arenas have of the system: each by itself, and all together. */
void malloc_check_sums(const struct pht_glibc *glibc);

/* No sign of damage. */
void malloc_check_clean(const struct pht_glibc *glibc);

#endif
