#include "support/object_heap.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "support/heap.h"

const struct pht_census_options object_heap_options = {.previews = true};

static void describe(struct pht_python_layout *layout)
{
    layout->pool_header_bytes = POOL_HEADER_BYTES;
    layout->pool_count = POOL_COUNT;
    layout->pool_freeblock = POOL_FREEBLOCK;
    layout->pool_arenaindex = POOL_ARENAINDEX;
    layout->pool_szidx = POOL_SZIDX;
    layout->pool_nextoffset = POOL_NEXTOFFSET;
    layout->pool_maxnextoffset = POOL_MAXNEXTOFFSET;
}

/* With gaps between them. */
static pht_addr arena_address(size_t i)
{
    return OBJECT_HEAP_ARENA + 3 * i * OBJECT_HEAP_ARENA_BYTES;
}

static void add_arena(struct object_heap *heap)
{
    size_t i = heap->pymalloc.totals.arenas++;
    pht_addr address = arena_address(i);

    ck_assert_uint_lt(i, OBJECT_HEAP_ARENAS);
    fake_target_map(heap->objects->fake, address, address + OBJECT_HEAP_ARENA_BYTES, FAKE_PRIVATE);
    memset(heap->pool_classes[i], PHT_NO_SIZE_CLASS, sizeof(heap->pool_classes[i]));
    heap->arenas[i] = (struct pht_arena){.address = address, .pool_classes = heap->pool_classes[i]};
}

struct object_heap *object_heap_create(void)
{
    return object_heap_create_of(3, 11);
}

struct object_heap *object_heap_create_of(unsigned major, unsigned minor)
{
    struct object_heap *heap = calloc(1, sizeof(*heap));

    ck_assert_ptr_nonnull(heap);
    heap->objects = objects_create(major, minor);
    heap->list_type = objects_type(heap->objects, &(struct objects_type){
                                                      .name = "list",
                                                      .flags = OBJECTS_GC | OBJECTS_LIST,
                                                      .basicsize = 40,
                                                  });
    heap->class_type =
        objects_type(heap->objects, &(struct objects_type){.name = "shop.Item", .basicsize = 64});
    describe(&heap->objects->python.layout);
    fake_target_map(heap->objects->fake, OBJECT_HEAP_CHUNKS, OBJECT_HEAP_CHUNKS + 0x10000,
                    FAKE_PRIVATE);
    fake_target_set_pages(heap->objects->fake, OBJECT_HEAP_CHUNKS, OBJECT_HEAP_CHUNKS + 0x10000,
                          FAKE_RESIDENT);
    heap->pymalloc = (struct pht_pymalloc){
        .arena_bytes = OBJECT_HEAP_ARENA_BYTES,
        .pool_bytes = OBJECT_HEAP_POOL_BYTES,
        .alignment_bytes = 16,
        .arenas = heap->arenas,
    };
    heap->roots = (struct pht_pymalloc_roots){
        .python = &heap->objects->python,
        .allocator = PHT_ALLOCATOR_PYMALLOC,
    };
    add_arena(heap);
    return heap;
}

void object_heap_destroy(struct object_heap *heap)
{
    ck_assert_uint_eq(heap->objects->fake->forbidden_reads, 0);
    pht_objects_destroy(heap->found);
    objects_destroy(heap->objects);
    free(heap);
}

pht_addr object_heap_add_pool(struct object_heap *heap, uint32_t block_bytes, uint32_t blocks)
{
    struct fake_target *fake = heap->objects->fake;
    size_t arena = heap->pools / OBJECT_HEAP_ARENA_POOLS;
    size_t i = heap->pools++ % OBJECT_HEAP_ARENA_POOLS;
    pht_addr pool = arena_address(arena) + i * OBJECT_HEAP_POOL_BYTES;

    if (arena == heap->pymalloc.totals.arenas)
        add_arena(heap);
    heap->pool_classes[arena][i] = (uint8_t)(block_bytes / 16 - 1);
    fake_target_set_pages(fake, pool, pool + OBJECT_HEAP_POOL_BYTES, FAKE_RESIDENT);
    fake_target_put_u32(fake, pool + POOL_COUNT, blocks);
    fake_target_put_u64(fake, pool + POOL_FREEBLOCK, 0);
    fake_target_put_u32(fake, pool + POOL_ARENAINDEX, (uint32_t)arena);
    fake_target_put_u32(fake, pool + POOL_SZIDX, block_bytes / 16 - 1);
    fake_target_put_u32(fake, pool + POOL_NEXTOFFSET, POOL_HEADER_BYTES + blocks * block_bytes);
    fake_target_put_u32(fake, pool + POOL_MAXNEXTOFFSET,
                        (uint32_t)OBJECT_HEAP_POOL_BYTES - block_bytes);
    return pool + POOL_HEADER_BYTES;
}

void object_heap_free_block(struct object_heap *heap, pht_addr block)
{
    struct fake_target *fake = heap->objects->fake;
    pht_addr pool = block - block % OBJECT_HEAP_POOL_BYTES;

    fake_target_put_u64(fake, block, fake_target_u64(fake, pool + POOL_FREEBLOCK));
    fake_target_put_u64(fake, pool + POOL_FREEBLOCK, block);
    fake_target_put_u32(fake, pool + POOL_COUNT, fake_target_u32(fake, pool + POOL_COUNT) - 1);
}

void object_heap_put_object(struct object_heap *heap, pht_addr object, uint64_t references,
                            pht_addr type)
{
    fake_target_put_u64(heap->objects->fake, object, references);
    fake_target_put_u64(heap->objects->fake, object + 8, type);
}

void object_heap_put_list(struct object_heap *heap, pht_addr block, uint64_t count, pht_addr items)
{
    fake_target_put_u64(heap->objects->fake, block, 0x7f0000001000);
    object_heap_put_object(heap, block + 16, 1, heap->list_type);
    fake_target_put_u64(heap->objects->fake, block + 32, count);
    fake_target_put_u64(heap->objects->fake, block + 40, items);
    fake_target_put_u64(heap->objects->fake, block + 48, count);
}

struct pht_census *object_heap_begin(struct object_heap *heap)
{
    bool out_of_memory;
    struct pht_census *census =
        pht_census_begin(heap->objects->snapshot, &heap->roots, &heap->pymalloc, NULL,
                         &object_heap_options, &out_of_memory);

    ck_assert(!out_of_memory);
    return census;
}

void object_heap_take(struct object_heap *heap)
{
    heap->found = pht_census_end(object_heap_begin(heap), NULL);
    ck_assert_ptr_nonnull(heap->found);
}

const struct pht_type_sum *object_heap_sum_of(const struct object_heap *heap, const char *name)
{
    for (size_t i = 0; i < heap->found->type_count; i++) {
        if (strcmp(heap->found->types[i].name, name) == 0)
            return &heap->found->types[i];
    }
    return NULL;
}

void object_heap_check(const struct object_heap *heap, const char *name, uint64_t count,
                       uint64_t size, uint64_t allocated)
{
    const struct pht_type_sum *sum = object_heap_sum_of(heap, name);

    ck_assert_ptr_nonnull(sum);
    ck_assert_uint_eq(sum->objects, count);
    ck_assert_uint_eq(sum->size_bytes, size);
    ck_assert_uint_eq(sum->allocated_bytes, allocated);
}
