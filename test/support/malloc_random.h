/* Heaps of malloc_heap.h made at random; the same seed makes the same heap. */
#ifndef PHT_TEST_SUPPORT_MALLOC_RANDOM_H
#define PHT_TEST_SUPPORT_MALLOC_RANDOM_H

#include "support/malloc_heap.h"

/* Chunks of all kinds that the version has, the last one live. */
void malloc_random_chunks(struct malloc_heap *heap, uint32_t arena, uint32_t count);

/* A few arenas, threads and mmapped chunks, of about `count` chunks in all; finished. */
struct malloc_heap *malloc_random_heap(const struct malloc_options *options, uint32_t count);

#endif
