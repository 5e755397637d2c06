/* Writing a heap of malloc_heap.h into its fake target. */
#ifndef PHT_TEST_SUPPORT_MALLOC_IMAGE_H
#define PHT_TEST_SUPPORT_MALLOC_IMAGE_H

#include "support/malloc_heap.h"

/* What the libc of the heap's version is: `heap->libc`. Writes nothing yet. */
void malloc_image_libc(struct malloc_heap *heap);

/* All of it: libc, the loader, threads, arenas and mmapped chunks. */
void malloc_image_write(struct malloc_heap *heap);

/* Parts of the above. */
void malloc_image_arenas(struct malloc_heap *heap);
void malloc_image_threads(struct malloc_heap *heap);

/* The static tcache that nothing is put into, from 2.43 on. */
pht_addr malloc_image_dummy(const struct malloc_heap *heap);

/* Thread-local variables of a thread. */
pht_addr malloc_image_tcache(const struct malloc_heap *heap, uint32_t thread);
pht_addr malloc_image_thread_arena(const struct malloc_heap *heap, uint32_t thread);

/* A pointer as the chain of a fastbin or tcache stores it at `field`. */
uint64_t malloc_image_link(const struct malloc_heap *heap, pht_addr field, pht_addr to);

/* Where the head of a fastbin stands, and the entry of a tcache's bin, and its counter. */
pht_addr malloc_image_fastbin(const struct malloc_heap *heap, uint32_t arena, uint64_t bytes);
pht_addr malloc_image_entry(const struct malloc_heap *heap, uint32_t thread, uint64_t bytes);
pht_addr malloc_image_counter(const struct malloc_heap *heap, uint32_t thread, uint64_t bytes);
uint32_t malloc_image_count(const struct malloc_heap *heap, pht_addr counter);
void malloc_image_set_count(struct malloc_heap *heap, pht_addr counter, uint32_t value);

#endif
