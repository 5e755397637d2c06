/* Adding chunks to the list of a heap: what malloc_heap.c needs of malloc_chunks.c. */
#ifndef PHT_TEST_SUPPORT_MALLOC_CHUNKS_H
#define PHT_TEST_SUPPORT_MALLOC_CHUNKS_H

#include "base/checked.h"
#include "support/malloc_heap.h"

static inline uint64_t malloc_chunks_round(uint64_t bytes)
{
    return pht_round_up(bytes, 16);
}

/* The region that an arena's next chunk goes to; there must be one. */
struct malloc_region *malloc_chunks_region(struct malloc_heap *heap, uint32_t arena);

/* `region` becomes the arena's last, with no chunk yet. */
void malloc_chunks_begin(struct malloc_heap *heap, uint32_t arena, struct malloc_region region);

/* The chunk added to a region last, or NULL. */
const struct malloc_chunk *malloc_chunks_last(const struct malloc_heap *heap, uint32_t region);

/* Any size goes, a fencepost's too. Valid until the next is added. */
struct malloc_chunk *malloc_chunks_push(struct malloc_heap *heap, uint32_t arena,
                                        enum malloc_kind kind, uint64_t bytes);

/* The chunk that holds a thread's tcache. */
void malloc_chunks_give_tcache(struct malloc_heap *heap, struct malloc_thread *thread);

#endif
