/* The census in several threads: what they count is what one would. */
#include <stdlib.h>
#include <string.h>

#include "base/work.h"
#include "support/heap.h"
#include "support/heap_random.h"
#include "support/object_heap.h"
#include "support/suite.h"

#define TYPES 40
#define POOLS 100
#define BUFFER_POOLS 20
#define BLOCKS 200
#define CHUNK (OBJECT_HEAP_CHUNKS + 16)

static struct object_heap *heap;
static struct pht_objects *alone;

static pht_addr random_block(struct heap_random *random, const pht_addr *pools, size_t count)
{
    return pools[heap_random_below(random, (uint32_t)count)] +
           heap_random_below(random, BLOCKS) * 64;
}

/* Instances of many types, lists with items in pools for these, or in chunks, and nothing. */
static void put_random(struct heap_random *random, pht_addr block, const pht_addr *buffers,
                       const pht_addr *types)
{
    switch (heap_random_below(random, 5)) {
    case 0:
        object_heap_put_list(heap, block, 8, random_block(random, buffers, BUFFER_POOLS));
        break;
    case 1:
        object_heap_put_list(heap, block, 8, CHUNK + heap_random_below(random, 16) * 0x100);
        break;
    case 2:
        break;
    default:
        object_heap_put_object(heap, block, 1, types[heap_random_below(random, TYPES)]);
        break;
    }
}

static void fill(struct heap_random *random)
{
    pht_addr types[TYPES], pools[POOLS], *buffers = pools + POOLS - BUFFER_POOLS;
    char name[16];

    for (int i = 0; i < TYPES; i++) {
        snprintf(name, sizeof(name), "type%d", i);
        types[i] = objects_type(heap->objects, &(struct objects_type){
                                                   .name = name,
                                                   .basicsize = 16 + 8 * (i % 6),
                                               });
    }
    for (size_t i = 0; i < POOLS; i++)
        pools[i] = object_heap_add_pool(heap, 64, BLOCKS);
    for (size_t i = 0; i < POOLS - BUFFER_POOLS; i++) {
        for (int j = 0; j < BLOCKS; j++)
            put_random(random, pools[i] + j * 64, buffers, types);
    }
}

static struct pht_objects *take(unsigned threads)
{
    const struct pht_census_options options = {.threads = threads};
    bool out_of_memory;
    struct pht_census *census = pht_census_begin(heap->objects->snapshot, &heap->roots,
                                                 &heap->pymalloc, NULL, &options, &out_of_memory);
    const unsigned char *bytes =
        fake_target_bytes(heap->objects->fake, CHUNK, PHT_CENSUS_HEAD_BYTES);

    ck_assert_ptr_nonnull(census);
    for (pht_addr at = CHUNK; at < CHUNK + 0x1000; at += 0x100)
        ck_assert(pht_census_count_chunk(census, at, 0x100, bytes, PHT_CENSUS_HEAD_BYTES));
    struct pht_objects *found = pht_census_end(census, NULL);
    ck_assert_ptr_nonnull(found);
    return found;
}

static void setup(void)
{
    struct heap_random random = {.state = 7};

    heap = object_heap_create();
    fill(&random);
    alone = take(1);
    ck_assert_uint_gt(alone->type_count, TYPES);
    ck_assert_uint_gt(alone->blocks.buffers.count, 500);
}

static void teardown(void)
{
    pht_objects_destroy(alone);
    object_heap_destroy(heap);
}

static void check_same(const struct pht_objects *found)
{
    ck_assert_mem_eq(&found->blocks, &alone->blocks, sizeof(alone->blocks));
    ck_assert_mem_eq(&found->chunks, &alone->chunks, sizeof(alone->chunks));
    ck_assert_uint_eq(found->damaged_objects, alone->damaged_objects);
    ck_assert_uint_eq(found->type_count, alone->type_count);
    for (size_t i = 0; i < alone->type_count; i++) {
        const struct pht_type_sum *type = &found->types[i], *wanted = &alone->types[i];
        ck_assert_uint_eq(type->address, wanted->address);
        ck_assert_str_eq(type->name, wanted->name);
        ck_assert_uint_eq(type->objects, wanted->objects);
        ck_assert_uint_eq(type->size_bytes, wanted->size_bytes);
        ck_assert_uint_eq(type->allocated_bytes, wanted->allocated_bytes);
        ck_assert_uint_eq(type->gc_tracked, wanted->gc_tracked);
        ck_assert_uint_eq(type->max_bytes, wanted->max_bytes);
    }
    ck_assert_uint_eq(found->largest_count, alone->largest_count);
    for (size_t i = 0; i < alone->largest_count; i++)
        ck_assert_uint_eq(found->largest[i].size_bytes, alone->largest[i].size_bytes);
}

static const unsigned thread_rows[] = {0, 2, 3, 7, 64, UINT32_MAX};

START_TEST(several_threads_find_what_one_does)
{
    struct pht_objects *found = take(thread_rows[_i]);

    check_same(found);
    pht_objects_destroy(found);
}
END_TEST

START_TEST(what_threads_have_read_is_counted)
{
    uint64_t before = pht_snapshot_stats(heap->objects->snapshot).read_bytes;

    pht_objects_destroy(take(1));
    uint64_t one = pht_snapshot_stats(heap->objects->snapshot).read_bytes - before;
    pht_objects_destroy(take(4));
    uint64_t four = pht_snapshot_stats(heap->objects->snapshot).read_bytes - before - one;
    /* Each reads the types that it meets. */
    ck_assert_uint_ge(four, one);
}
END_TEST

/* A thread needs the mappings, which are read for it. */
START_TEST(what_cannot_be_had_in_threads_is_done_in_fewer)
{
    struct fake_target *fake = heap->objects->fake;

    fake->failing_maps_read = fake->maps_reads + 1 + (unsigned)_i;
    struct pht_objects *found = take(4);
    ck_assert_uint_eq(fake->maps_reads, fake->failing_maps_read);
    check_same(found);
    pht_objects_destroy(found);
}
END_TEST

START_TEST(torn_pools_of_all_threads_count)
{
    for (unsigned i = 0; i < 5; i++) {
        pht_addr block = OBJECT_HEAP_ARENA + 3 * i * OBJECT_HEAP_ARENA_BYTES + POOL_HEADER_BYTES;
        object_heap_free_block(heap, block);
        fake_target_put_u64(heap->objects->fake, block, block);
    }
    struct pht_objects *found = take(3);
    ck_assert_uint_eq(found->torn_pools, 5);
    pht_objects_destroy(found);
}
END_TEST

static bool never_goes_on(void *context, const struct pht_progress *progress)
{
    ck_assert_uint_eq(progress->done, 0);
    ck_assert_uint_eq(progress->total, heap->pymalloc.totals.arenas);
    ck_assert_str_eq(progress->unit, "arenas");
    ++*(int *)context;
    return false;
}

START_TEST(called_off_the_threads_end_too)
{
    int told = 0;
    const struct pht_watch watch = {.tell = never_goes_on, .context = &told};
    struct pht_work work;

    pht_work_init(&work, &watch);
    pht_snapshot_set_work(heap->objects->snapshot, &work);
    pht_objects_destroy(take((unsigned)_i));
    pht_snapshot_set_work(heap->objects->snapshot, NULL);
    ck_assert_int_eq(told, 1);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/census_parts");
    TCase *tcase = tcase_create("parts");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, several_threads_find_what_one_does, 0,
                        (int)(sizeof(thread_rows) / sizeof(thread_rows[0])));
    tcase_add_test(tcase, what_threads_have_read_is_counted);
    tcase_add_loop_test(tcase, what_cannot_be_had_in_threads_is_done_in_fewer, 0, 3);
    tcase_add_test(tcase, torn_pools_of_all_threads_count);
    tcase_add_loop_test(tcase, called_off_the_threads_end_too, 1, 4);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
