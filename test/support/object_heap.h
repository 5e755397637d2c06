/*
 * Arenas of pymalloc with objects of Python 3.11 in them, as a test lays them out, and a part of
 * memory for chunks of malloc.
 */
#ifndef PHT_TEST_SUPPORT_OBJECT_HEAP_H
#define PHT_TEST_SUPPORT_OBJECT_HEAP_H

#include "support/objects.h"
#include "walk/census.h"

#define OBJECT_HEAP_ARENA ((pht_addr)0x7f5500000000) /* the first */
#define OBJECT_HEAP_ARENA_BYTES ((uint64_t)256 << 10)
#define OBJECT_HEAP_POOL_BYTES ((uint64_t)16 << 10)
#define OBJECT_HEAP_ARENA_POOLS (OBJECT_HEAP_ARENA_BYTES / OBJECT_HEAP_POOL_BYTES)
#define OBJECT_HEAP_ARENAS 8
#define OBJECT_HEAP_CHUNKS ((pht_addr)0x7f6600000000)

struct object_heap {
    struct objects *objects;
    struct pht_pymalloc_roots roots;
    struct pht_pymalloc pymalloc;
    struct pht_arena arenas[OBJECT_HEAP_ARENAS];
    uint8_t pool_classes[OBJECT_HEAP_ARENAS][OBJECT_HEAP_ARENA_POOLS];
    uint32_t pools;
    pht_addr list_type;
    pht_addr class_type; /* shop.Item of 64 bytes, without a collector's head */
    struct pht_objects *found;
};

/* With previews, in one thread. */
extern const struct pht_census_options object_heap_options;

struct object_heap *object_heap_create(void);

/* The same of another version. */
struct object_heap *object_heap_create_of(unsigned major, unsigned minor);

/* Checks that nothing was read that may not be. */
void object_heap_destroy(struct object_heap *heap);

/* A pool of `blocks` blocks in use, of zeros. Returns the first of them. */
pht_addr object_heap_add_pool(struct object_heap *heap, uint32_t block_bytes, uint32_t blocks);

/* The last of the blocks so far is free again. */
void object_heap_free_block(struct object_heap *heap, pht_addr block);

void object_heap_put_object(struct object_heap *heap, pht_addr object, uint64_t references,
                            pht_addr type);

/* A list of `count` items, whose array has room for as many. The block begins with the gc head. */
void object_heap_put_list(struct object_heap *heap, pht_addr block, uint64_t count, pht_addr items);

struct pht_census *object_heap_begin(struct object_heap *heap);

/* A census without chunks: heap->found. */
void object_heap_take(struct object_heap *heap);

/* NULL if there is no object of a type of that name. */
const struct pht_type_sum *object_heap_sum_of(const struct object_heap *heap, const char *name);
void object_heap_check(const struct object_heap *heap, const char *name, uint64_t count,
                       uint64_t size, uint64_t allocated);

#endif
