/* The census: objects in blocks of pymalloc. */
#include "walk/census.h"

#include <string.h>

#include "support/heap.h"
#include "support/object_heap.h"
#include "support/suite.h"

static const struct pht_census_options without_previews = {.previews = false};

static struct object_heap *heap;

static void setup(void)
{
    heap = object_heap_create();
}

static void teardown(void)
{
    object_heap_destroy(heap);
}

START_TEST(objects_count_by_type)
{
    pht_addr block = object_heap_add_pool(heap, 64, 5);

    for (int i = 0; i < 5; i++)
        object_heap_put_object(heap, block + (pht_addr)i * 64, 1 + (uint64_t)i, heap->class_type);
    object_heap_take(heap);
    object_heap_check(heap, "Item", 5, 5 * 64, 5 * 64);
    ck_assert_str_eq(object_heap_sum_of(heap, "Item")->module, "shop");
    ck_assert_uint_eq(object_heap_sum_of(heap, "Item")->gc_tracked, 0);
    ck_assert_uint_eq(heap->found->totals.objects, 5);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 0);
}
END_TEST

START_TEST(free_blocks_hold_no_objects)
{
    pht_addr block = object_heap_add_pool(heap, 64, 4);

    for (int i = 0; i < 4; i++)
        object_heap_put_object(heap, block + (pht_addr)i * 64, 1, heap->class_type);
    object_heap_free_block(heap, block);
    object_heap_free_block(heap, block + 128);
    object_heap_take(heap);
    object_heap_check(heap, "Item", 2, 2 * 64, 2 * 64);
}
END_TEST

START_TEST(blocks_without_references_are_dead)
{
    pht_addr block = object_heap_add_pool(heap, 64, 3);

    object_heap_put_object(heap, block, 0, heap->class_type);
    object_heap_put_object(heap, block + 64, (uint64_t)1 << 40, heap->class_type);
    object_heap_put_object(heap, block + 128, 1000000, heap->class_type);
    object_heap_take(heap);
    object_heap_check(heap, "Item", 1, 64, 64);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 2);
    ck_assert_uint_eq(heap->found->blocks.unowned.bytes, 128);
}
END_TEST

/* More than the process has room for pointers. */
/* An int of 3.14 that is free: a link, its type, its tag, and the number, an address of a type. */
START_TEST(what_is_left_of_a_freed_object_is_none)
{
    pht_addr block = object_heap_add_pool(heap, 64, 3);

    object_heap_put_object(heap, block, 1, heap->class_type);
    object_heap_put_object(heap, block + 64, block + 128, heap->class_type);
    object_heap_put_object(heap, block + 64 + 16, 8, heap->list_type);
    object_heap_put_list(heap, block + 128, 0, 0);
    object_heap_take(heap);
    object_heap_check(heap, "Item", 1, 64, 64);
    object_heap_check(heap, "list", 1, 56, 64);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
}
END_TEST

/* Up to 3.7 nobody clears a head: it may begin with what was left of another object. */
START_TEST(untracked_objects_keep_what_was_there_before)
{
    object_heap_destroy(heap);
    heap = object_heap_create_of(3, 7);
    pht_addr block = object_heap_add_pool(heap, 80, 2);

    object_heap_put_object(heap, block, 1, heap->class_type);
    object_heap_put_object(heap, block + 80, block, heap->class_type);
    fake_target_put_u64(heap->objects->fake, block + 80 + 16, (uint64_t)-2 * 2);
    object_heap_put_object(heap, block + 80 + 32, 1, heap->list_type);
    object_heap_take(heap);
    ck_assert_uint_eq(object_heap_sum_of(heap, "list")->objects, 1);
    ck_assert_uint_eq(object_heap_sum_of(heap, "Item")->objects, 1);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 0);
}
END_TEST

/* {next, prev}: in a list of the collector, or flags alone; what else stands there is no head. */
START_TEST(what_stands_before_an_object_is_a_head)
{
    static const struct {
        uint64_t next, previous;
        bool is_head;
    } rows[] = {
        {0, 0, true},
        {0, 3, true},
        {0x7f0000001000, 0x7f0000002001, true},
        {0x7f0000001003, 5 << 2, true},
        {0, 0x7f0000002000, false},
        {5, 0x7f0000002000, false},
        {(uint64_t)1 << 47, 0, false},
    };
    pht_addr block = object_heap_add_pool(heap, 64, 1);

    object_heap_put_list(heap, block, 0, 0);
    fake_target_put_u64(heap->objects->fake, block, rows[_i].next);
    fake_target_put_u64(heap->objects->fake, block + 8, rows[_i].previous);
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->totals.objects, rows[_i].is_head);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, !rows[_i].is_head);
}
END_TEST

START_TEST(no_object_has_references_without_end)
{
    pht_addr block = object_heap_add_pool(heap, 64, 2);

    object_heap_put_object(heap, block, UINT32_MAX, heap->class_type);
    object_heap_put_object(heap, block + 64, 2000000, heap->class_type);
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->totals.objects, 0);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 2);
}
END_TEST

START_TEST(objects_of_the_collector_begin_behind_its_head)
{
    pht_addr block = object_heap_add_pool(heap, 64, 3);

    object_heap_put_list(heap, block, 0, 0);
    object_heap_put_list(heap, block + 64, 0, 0);
    fake_target_put_u64(heap->objects->fake, block + 64, 0);
    /* Where no list begins. */
    object_heap_put_object(heap, block + 128, 1, heap->list_type);
    object_heap_take(heap);
    object_heap_check(heap, "list", 2, 2 * 56, 2 * 64);
    ck_assert_uint_eq(object_heap_sum_of(heap, "list")->gc_tracked, 1);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(buffers_are_their_owners)
{
    pht_addr lists = object_heap_add_pool(heap, 64, 2), items = object_heap_add_pool(heap, 96, 3);

    object_heap_put_list(heap, lists, 12, items + 96);
    object_heap_put_list(heap, lists + 64, 10, items);
    object_heap_take(heap);
    object_heap_check(heap, "list", 2, 2 * 56 + 22 * 8, 2 * 64 + 2 * 96);
    ck_assert_uint_eq(object_heap_sum_of(heap, "list")->max_bytes, 56 + 12 * 8);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
    ck_assert_uint_eq(heap->found->blocks.unowned.bytes, 96);
}
END_TEST

/* A dict of 3.11 behind its collector's head, and keys of 8 slots, of strings. */
static void put_dict(pht_addr block, pht_addr keys)
{
    struct fake_target *fake = heap->objects->fake;

    fake_target_put_u64(fake, block, block);
    object_heap_put_object(heap, block + 16, 1, heap->objects->dict_type);
    fake_target_put_u64(fake, block + 16 + 32, keys);
    fake_target_put_u64(fake, keys, 1);
    fake_target_put_u32(fake, keys + 8, 1 << 16 | 3 << 8 | 3);
    fake_target_put_u64(fake, keys + 16, 5);
}

/* So many reads for a dict whose keys lie `pools` pools behind it. */
static uint64_t reads_of_a_dict(unsigned pools)
{
    setup();
    pht_addr dict = object_heap_add_pool(heap, 64, 1), keys = 0;
    for (unsigned i = 0; i < pools; i++)
        keys = object_heap_add_pool(heap, 128, 1);
    put_dict(dict, keys);
    fake_target_reset_record(heap->objects->fake);
    object_heap_take(heap);
    object_heap_check(heap, "dict", 1, 64 + 32 + 8 + 5 * 16, 64 + 128);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, pools - 1);
    uint64_t reads = heap->objects->fake->read_count;
    teardown();
    return reads;
}

START_TEST(keys_that_lie_near_their_dict_are_not_read_again)
{
    uint64_t near = reads_of_a_dict(3), far = reads_of_a_dict(10);

    /* One for the keys, and one for another window. */
    ck_assert_uint_eq(far, near + 2);
}
END_TEST

/* Of two owners the first has it; and what an object is in, no other one has. */
START_TEST(each_block_counts_once)
{
    pht_addr items = object_heap_add_pool(heap, 96, 1), lists = object_heap_add_pool(heap, 64, 4),
             late = object_heap_add_pool(heap, 96, 1);

    object_heap_put_list(heap, lists, 12, items);
    object_heap_put_list(heap, lists + 64, 12, items);
    object_heap_put_list(heap, lists + 128, 4, lists);
    object_heap_put_list(heap, lists + 192, 12, late);
    object_heap_put_object(
        heap, late, 1,
        objects_type(heap->objects, &(struct objects_type){.name = "wide.Item", .basicsize = 80}));
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->blocks.objects.count, 5);
    ck_assert_uint_eq(heap->found->blocks.objects.bytes, 4 * 64 + 96);
    ck_assert_uint_eq(heap->found->blocks.buffers.count, 1);
    ck_assert_uint_eq(heap->found->blocks.buffers.bytes, 96);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 0);
    ck_assert_uint_eq(heap->found->blocks.unowned.bytes, 0);
}
END_TEST

/* What free lists have is neither an object nor nobody's. */
START_TEST(blocks_of_free_lists_are_told_apart)
{
    struct pht_freelists lists = {.items = {{"tuple", 3, 144}, {"frame", 1, PHT_UNKNOWN}},
                                  .count = 2};

    object_heap_add_pool(heap, 48, 5);
    object_heap_take(heap);
    pht_freelists_own(&lists, heap->found);
    ck_assert_uint_eq(heap->found->blocks.free_listed.count, 3);
    ck_assert_uint_eq(heap->found->blocks.free_listed.bytes, 144);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 2);
    ck_assert_uint_eq(heap->found->blocks.unowned.bytes, 96);
    /* More than there is left is not believed. */
    pht_freelists_own(&lists, heap->found);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 2);
    lists.count = 0;
    pht_freelists_own(&lists, heap->found);
    ck_assert_uint_eq(heap->found->blocks.free_listed.count, PHT_UNKNOWN);
}
END_TEST

/* Bits 0 and 1 of the state of a str. */
START_TEST(interned_strings_are_counted)
{
    pht_addr block = object_heap_add_pool(heap, 64, 4);

    for (uint32_t i = 0; i < 4; i++) {
        object_heap_put_object(heap, block + i * 64, 1, heap->objects->str_type);
        fake_target_put_u64(heap->objects->fake, block + i * 64 + 16, 8);
        fake_target_put_u32(heap->objects->fake, block + i * 64 + 32, 0x64 | 0x80 | i);
    }
    object_heap_take(heap);
    ck_assert_uint_eq(object_heap_sum_of(heap, "str")->objects, 4);
    ck_assert_uint_eq(heap->found->interned.count, 3);
    ck_assert_uint_eq(heap->found->interned.bytes, 3 * 57);
}
END_TEST

START_TEST(largest_objects_come_first)
{
    pht_addr wide = objects_type(
        heap->objects, &(struct objects_type){.name = "wide", .basicsize = 24, .itemsize = 8});
    pht_addr blocks[4];

    /* 240 objects of 24 to 264 bytes; the largest are the last of each pool. */
    for (int i = 0; i < 4; i++) {
        blocks[i] = object_heap_add_pool(heap, 272, 60);
        for (uint64_t j = 0; j < 60; j++) {
            object_heap_put_object(heap, blocks[i] + j * 272, 1, wide);
            fake_target_put_u64(heap->objects->fake, blocks[i] + j * 272 + 16, j / 2);
        }
    }
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->largest_count, PHT_LARGE_OBJECTS_MAX);
    for (size_t i = 0; i < PHT_LARGE_OBJECTS_MAX; i++) {
        ck_assert_uint_eq(heap->found->largest[i].size_bytes, 24 + 8 * (29 - i / 8));
        ck_assert_str_eq(heap->found->types[heap->found->largest[i].type].name, "wide");
        ck_assert(!heap->found->largest[i].has_preview);
    }
    ck_assert_uint_eq(heap->found->largest[0].address, blocks[0] + 58 * 272);
    ck_assert_uint_eq(heap->found->largest[7].address, blocks[3] + 59 * 272);
}
END_TEST

static void put_texts(pht_addr block)
{
    pht_addr bytes_type =
        objects_type(heap->objects,
                     &(struct objects_type){
                         .name = "bytes", .flags = OBJECTS_BYTES, .basicsize = 33, .itemsize = 1});
    pht_addr text = objects_str(heap->objects, "forty-two");

    memcpy(fake_target_bytes(heap->objects->fake, block, 64),
           fake_target_bytes(heap->objects->fake, text, 64), 64);
    object_heap_put_object(heap, block, 1, heap->objects->str_type);
    object_heap_put_object(heap, block + 64, 1, bytes_type);
    fake_target_put_u64(heap->objects->fake, block + 64 + 16, 4);
    memcpy(fake_target_bytes(heap->objects->fake, block + 64 + 32, 4), "a\0b\xff", 4);
}

START_TEST(text_shows_what_it_begins_with)
{
    put_texts(object_heap_add_pool(heap, 64, 2));
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->largest_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct pht_large_object *one = &heap->found->largest[i];
        bool is_str = strcmp(heap->found->types[one->type].name, "str") == 0;
        ck_assert(one->has_preview);
        ck_assert_uint_eq(one->preview_bytes, is_str ? 9 : 4);
        ck_assert_int_eq(
            memcmp(one->preview, is_str ? "forty-two" : "a\0b\xff", one->preview_bytes), 0);
    }
}
END_TEST

START_TEST(no_text_is_kept_unless_it_was_asked_for)
{
    bool out_of_memory;

    put_texts(object_heap_add_pool(heap, 64, 2));
    heap->found =
        pht_census_end(pht_census_begin(heap->objects->snapshot, &heap->roots, &heap->pymalloc,
                                        NULL, &without_previews, &out_of_memory),
                       NULL);
    ck_assert_uint_eq(heap->found->largest_count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert(!heap->found->largest[i].has_preview &&
                  heap->found->largest[i].preview_bytes == 0);
}
END_TEST

START_TEST(address_inside_of_a_block_is_no_buffer)
{
    pht_addr lists = object_heap_add_pool(heap, 64, 1), items = object_heap_add_pool(heap, 96, 1);

    object_heap_put_list(heap, lists, 4, items + 8);
    object_heap_take(heap);
    object_heap_check(heap, "list", 1, 56 + 4 * 8, 64);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(object_that_is_larger_than_its_block_is_none)
{
    pht_addr wide = objects_type(
        heap->objects, &(struct objects_type){.name = "wide", .basicsize = 24, .itemsize = 8});
    pht_addr block = object_heap_add_pool(heap, 64, 2);

    object_heap_put_object(heap, block, 1, wide);
    fake_target_put_u64(heap->objects->fake, block + 16, 5);
    object_heap_put_object(heap, block + 64, 1, wide);
    fake_target_put_u64(heap->objects->fake, block + 64 + 16, 7);
    object_heap_take(heap);
    object_heap_check(heap, "wide", 1, 64, 64);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
}
END_TEST

/* {u8 counts[8], values, order}: 8 + 5 * 8 + 8 bytes for five attributes. */
START_TEST(values_behind_an_instance_need_room)
{
    object_heap_destroy(heap);
    heap = object_heap_create_of(3, 13);
    pht_addr class =
        objects_type(heap->objects, &(struct objects_type){
                                        .name = "Made",
                                        .flags = OBJECTS_HEAPTYPE | OBJECTS_GC |
                                                 OBJECTS_MANAGED_DICT | OBJECTS_INLINE_VALUES,
                                        .basicsize = 16,
                                        .qualname = objects_str(heap->objects, "Made"),
                                        .attributes = 5,
                                    });
    pht_addr fitting = object_heap_add_pool(heap, 112, 1);
    pht_addr small = object_heap_add_pool(heap, 96, 1);

    object_heap_put_object(heap, fitting + 32, 1, class);
    object_heap_put_object(heap, small + 32, 1, class);
    object_heap_take(heap);
    object_heap_check(heap, "Made", 1, 48, 112);
    ck_assert_uint_eq(heap->found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(pool_whose_list_is_damaged_is_torn)
{
    pht_addr block = object_heap_add_pool(heap, 64, 4);

    for (int i = 0; i < 4; i++)
        object_heap_put_object(heap, block + (pht_addr)i * 64, 1, heap->class_type);
    object_heap_free_block(heap, block);
    fake_target_put_u64(heap->objects->fake, block, _i == 0 ? block : block + 63);
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->torn_pools, 1);
    ck_assert_uint_eq(heap->found->totals.objects, 0);
}
END_TEST

/* The last eight bytes that are read at once: a list must not lead to where a link ends behind. */
START_TEST(list_that_leads_between_blocks_is_torn)
{
    pht_addr block = 0;

    for (int i = 0; i < 8; i++)
        block = object_heap_add_pool(heap, 64, 255);
    pht_addr pool = block - POOL_HEADER_BYTES;
    object_heap_free_block(heap, block);
    fake_target_put_u64(heap->objects->fake, pool + POOL_FREEBLOCK,
                        block + 255 * 64 - 1 - (pht_addr)_i);
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->torn_pools, 1);
}
END_TEST

START_TEST(pool_in_swap_stays_there)
{
    pht_addr block = object_heap_add_pool(heap, 64, 4);

    fake_target_set_pages(heap->objects->fake, block + 2 * PHT_PAGE_BYTES,
                          block + 2 * PHT_PAGE_BYTES + 1, FAKE_SWAPPED);
    object_heap_take(heap);
    ck_assert_uint_eq(heap->found->swapped_pools, 1);
    ck_assert_uint_eq(heap->found->totals.objects, 0);
}
END_TEST

START_TEST(hooks_stand_in_front_of_blocks)
{
    pht_addr block = object_heap_add_pool(heap, 96, 1);

    heap->roots.allocator = PHT_ALLOCATOR_PYMALLOC_DEBUG;
    object_heap_put_object(heap, block + 16, 1, heap->class_type);
    object_heap_take(heap);
    object_heap_check(heap, "Item", 1, 64, 96);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/census_pools");
    TCase *tcase = tcase_create("blocks");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, objects_count_by_type);
    tcase_add_test(tcase, free_blocks_hold_no_objects);
    tcase_add_test(tcase, blocks_without_references_are_dead);
    tcase_add_test(tcase, what_is_left_of_a_freed_object_is_none);
    tcase_add_test(tcase, untracked_objects_keep_what_was_there_before);
    tcase_add_loop_test(tcase, what_stands_before_an_object_is_a_head, 0, 7);
    tcase_add_test(tcase, no_object_has_references_without_end);
    tcase_add_test(tcase, objects_of_the_collector_begin_behind_its_head);
    tcase_add_test(tcase, buffers_are_their_owners);
    tcase_add_test(tcase, each_block_counts_once);
    tcase_add_test(tcase, blocks_of_free_lists_are_told_apart);
    tcase_add_test(tcase, interned_strings_are_counted);
    tcase_add_test(tcase, largest_objects_come_first);
    tcase_add_test(tcase, text_shows_what_it_begins_with);
    tcase_add_test(tcase, no_text_is_kept_unless_it_was_asked_for);
    tcase_add_test(tcase, address_inside_of_a_block_is_no_buffer);
    tcase_add_test(tcase, object_that_is_larger_than_its_block_is_none);
    tcase_add_test(tcase, values_behind_an_instance_need_room);
    tcase_add_loop_test(tcase, pool_whose_list_is_damaged_is_torn, 0, 2);
    tcase_add_loop_test(tcase, list_that_leads_between_blocks_is_torn, 0, 63);
    tcase_add_test(tcase, pool_in_swap_stays_there);
    tcase_add_test(tcase, hooks_stand_in_front_of_blocks);
    suite_add_tcase(suite, tcase);
    TCase *reads = tcase_create("reads");
    tcase_add_test(reads, keys_that_lie_near_their_dict_are_not_read_again);
    suite_add_tcase(suite, reads);
    return suite;
}

SUITE_MAIN(make_suite)
