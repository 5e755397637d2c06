/* The census: objects in chunks of malloc, and chunks that they own or do not. */
#include "walk/census.h"

#include <string.h>

#include "support/object_heap.h"
#include "support/owned.h"
#include "support/suite.h"

static struct object_heap *heap;

static void setup(void)
{
    heap = object_heap_create();
}

static void teardown(void)
{
    object_heap_destroy(heap);
}

static const unsigned char *head(pht_addr memory)
{
    return fake_target_bytes(heap->objects->fake, memory, PHT_CENSUS_HEAD_BYTES);
}

START_TEST(objects_in_chunks_count_as_others)
{
    struct pht_census *census;

    object_heap_put_object(heap, OBJECT_HEAP_CHUNKS + 16, 3, heap->class_type);
    census = object_heap_begin(heap);
    ck_assert(pht_census_wants(census, OBJECT_HEAP_CHUNKS + 16, head(OBJECT_HEAP_CHUNKS + 16),
                               PHT_CENSUS_HEAD_BYTES));
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 16, 1040,
                                     head(OBJECT_HEAP_CHUNKS + 16), PHT_CENSUS_HEAD_BYTES));
    ck_assert(
        !pht_census_wants(census, OBJECT_HEAP_CHUNKS + 4096, head(OBJECT_HEAP_CHUNKS + 4096), 64));
    ck_assert(!pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 4096, 1040,
                                      head(OBJECT_HEAP_CHUNKS + 4096), 64));
    heap->found = pht_census_end(census, NULL);
    object_heap_check(heap, "Item", 1, 64, 1040);
}
END_TEST

START_TEST(chunks_that_objects_own_are_theirs)
{
    pht_addr lists = object_heap_add_pool(heap, 64, 3);
    struct pht_census *census;

    object_heap_put_list(heap, lists, 100, OBJECT_HEAP_CHUNKS + 16);
    object_heap_put_list(heap, lists + 64, 200, OBJECT_HEAP_CHUNKS + 0x2010);
    object_heap_put_list(heap, lists + 128, 300, OBJECT_HEAP_CHUNKS + 0x1010);
    census = object_heap_begin(heap);
    /* By rising address, with an exception. */
    ck_assert(pht_census_wants(census, OBJECT_HEAP_CHUNKS + 16, head(OBJECT_HEAP_CHUNKS + 16), 16));
    ck_assert(pht_census_wants(census, OBJECT_HEAP_CHUNKS + 0x2010,
                               head(OBJECT_HEAP_CHUNKS + 0x2010), 16));
    ck_assert(!pht_census_wants(census, OBJECT_HEAP_CHUNKS + 0x3010,
                                head(OBJECT_HEAP_CHUNKS + 0x3010), 16));
    ck_assert(pht_census_wants(census, OBJECT_HEAP_CHUNKS + 0x1010,
                               head(OBJECT_HEAP_CHUNKS + 0x1010), 16));
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x1010, 2416,
                                     head(OBJECT_HEAP_CHUNKS + 0x1010), 16));
    heap->found = pht_census_end(census, NULL);
    object_heap_check(heap, "list", 3, 3 * 56 + 600 * 8, 3 * 64 + 2416);
}
END_TEST

static void glibc_with(struct pht_glibc *glibc, struct pht_chunk_size *sizes, size_t count)
{
    *glibc = (struct pht_glibc){.sizes = sizes, .size_count = count};
    for (size_t i = 0; i < count; i++) {
        glibc->totals.live_chunks += sizes[i].live_chunks;
        glibc->totals.live_bytes += sizes[i].live_bytes;
    }
}

/* Whatever of malloc no object is or owns, by size, and what some of it begins with. */
START_TEST(what_nobody_owns_is_listed_by_size)
{
    static const char *const texts[] = {"GET /index.html", "\x01\x02", ""};
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 48, .max_bytes = 48, .live_chunks = 1, .live_bytes = 48},
        {.min_bytes = 1024, .max_bytes = 1264, .live_chunks = 5, .live_bytes = 5200},
    };
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 2);
    object_heap_put_object(heap, OBJECT_HEAP_CHUNKS + 16, 3, heap->class_type);
    for (pht_addr i = 0; i < 3; i++)
        strcpy(fake_target_bytes(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x2010 + i * 1040, 32),
               texts[i]);
    census = object_heap_begin(heap);
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 16, 1040,
                                     head(OBJECT_HEAP_CHUNKS + 16), 64));
    /* Twice: a walk may go back. */
    for (pht_addr i = 0; i < 6; i++) {
        pht_addr memory = OBJECT_HEAP_CHUNKS + 0x2010 + i % 3 * 1040;
        pht_census_pass_chunk(census, memory, 1040, head(memory), 64);
    }
    heap->found = pht_census_end(census, &glibc);
    ck_assert_uint_eq(heap->found->chunks.objects.count, 1);
    ck_assert_uint_eq(heap->found->chunks.unowned.count, 5);
    ck_assert_uint_eq(heap->found->chunks.unowned.bytes, 5248 - 1040);
    ck_assert_uint_eq(heap->found->unowned_count, 2);
    ck_assert_uint_eq(heap->found->unowned[0].min_bytes, 1024);
    ck_assert_uint_eq(heap->found->unowned[0].chunks, 4);
    ck_assert_uint_eq(heap->found->unowned[0].bytes, 5200 - 1040);
    ck_assert_uint_eq(heap->found->unowned[0].sample_count, 3);
    ck_assert_int_eq(heap->found->unowned[0].samples[0].kind, PHT_SAMPLE_TEXT);
    ck_assert_uint_eq(heap->found->unowned[0].samples[0].text_bytes, 15);
    ck_assert_int_eq(memcmp(heap->found->unowned[0].samples[0].text, texts[0], 15), 0);
    ck_assert_int_eq(heap->found->unowned[0].samples[1].kind, PHT_SAMPLE_OTHER);
    ck_assert_int_eq(heap->found->unowned[0].samples[2].kind, PHT_SAMPLE_ZEROS);
    ck_assert_uint_eq(heap->found->unowned[1].chunks, 1);
}
END_TEST

START_TEST(chunk_that_points_into_a_file_shows_where)
{
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 1024, .max_bytes = 1264, .live_chunks = 1, .live_bytes = 1040},
    };
    pht_addr file = OBJECT_HEAP_CHUNKS + 0x100000, memory = OBJECT_HEAP_CHUNKS + 0x2010;
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 1);
    fake_target_map(heap->objects->fake, file, file + 0x4000, FAKE_FILE);
    fake_target_put_u64(heap->objects->fake, memory, 7);
    fake_target_put_u64(heap->objects->fake, memory + 16, file + 0x1238);
    census = object_heap_begin(heap);
    pht_census_pass_chunk(census, memory, 1040, head(memory), 64);
    heap->found = pht_census_end(census, &glibc);
    ck_assert_int_eq(heap->found->unowned[0].samples[0].kind, PHT_SAMPLE_POINTER);
    ck_assert_uint_eq(heap->found->unowned[0].samples[0].points_to, file + 0x1238);
}
END_TEST

/* It seemed to be nobody's when it went by. */
START_TEST(sample_that_turns_out_to_have_an_owner_is_none)
{
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 816, .max_bytes = 816, .live_chunks = 2, .live_bytes = 2 * 816},
    };
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 1);
    object_heap_put_list(heap, OBJECT_HEAP_CHUNKS + 0x4010, 100, OBJECT_HEAP_CHUNKS + 0x1010);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1008, 816 | 1);
    census = object_heap_begin(heap);
    pht_census_pass_chunk(census, OBJECT_HEAP_CHUNKS + 0x1010, 816,
                          head(OBJECT_HEAP_CHUNKS + 0x1010), 64);
    pht_census_pass_chunk(census, OBJECT_HEAP_CHUNKS + 0x2010, 816,
                          head(OBJECT_HEAP_CHUNKS + 0x2010), 64);
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x4010, 80,
                                     head(OBJECT_HEAP_CHUNKS + 0x4010), PHT_CENSUS_HEAD_BYTES));
    heap->found = pht_census_end(census, &glibc);
    ck_assert_uint_eq(heap->found->unowned_count, 1);
    ck_assert_uint_eq(heap->found->unowned[0].chunks, 1);
    ck_assert_uint_eq(heap->found->unowned[0].sample_count, 1);
    ck_assert_uint_eq(heap->found->unowned[0].samples[0].address, OBJECT_HEAP_CHUNKS + 0x2010);
}
END_TEST

/* Its chunk may have gone by before. */
START_TEST(buffer_of_an_object_in_a_chunk_is_found_at_last)
{
    struct pht_census *census;

    object_heap_put_list(heap, OBJECT_HEAP_CHUNKS + 0x4010, 100, OBJECT_HEAP_CHUNKS + 0x1010);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1008, 816 | 1);
    census = object_heap_begin(heap);
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x4010, 80,
                                     head(OBJECT_HEAP_CHUNKS + 0x4010), PHT_CENSUS_HEAD_BYTES));
    heap->found = pht_census_end(census, NULL);
    object_heap_check(heap, "list", 1, 56 + 800, 80 + 816);
}
END_TEST

/* Its owner is out of date: the chunk waits in a tcache, which marks it. */
START_TEST(late_buffer_that_is_free_is_nobodys)
{
    struct pht_census *census;

    object_heap_put_list(heap, OBJECT_HEAP_CHUNKS + 0x4010, 100, OBJECT_HEAP_CHUNKS + 0x1010);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1008, 816 | 1);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1018, 0x1234567890abcdef);
    census = object_heap_begin(heap);
    census->tcache_key = _i == 0 ? 0x1234567890abcdef : 0;
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x4010, 80,
                                     head(OBJECT_HEAP_CHUNKS + 0x4010), PHT_CENSUS_HEAD_BYTES));
    heap->found = pht_census_end(census, NULL);
    object_heap_check(heap, "list", 1, 56 + 800, _i == 0 ? 80 : 80 + 816);
    ck_assert_uint_eq(heap->found->chunks.buffers.count, (uint64_t)_i);
}
END_TEST

/* No chunk's memory begins there, whatever stands in front of it. */
START_TEST(late_buffer_between_chunks_is_nobodys)
{
    struct pht_census *census;

    object_heap_put_list(heap, OBJECT_HEAP_CHUNKS + 0x4010, 100, OBJECT_HEAP_CHUNKS + 0x1018);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1010, 816 | 1);
    census = object_heap_begin(heap);
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x4010, 80,
                                     head(OBJECT_HEAP_CHUNKS + 0x4010), PHT_CENSUS_HEAD_BYTES));
    heap->found = pht_census_end(census, NULL);
    object_heap_check(heap, "list", 1, 56 + 800, 80);
    ck_assert_uint_eq(heap->found->chunks.buffers.count, 0);
}
END_TEST

/* From 2.43 on the size in its header is 16 bytes short of its mapping's. */
START_TEST(late_buffer_with_a_mapping_has_all_of_it)
{
    struct pht_census *census;

    object_heap_put_list(heap, OBJECT_HEAP_CHUNKS + 0x4010, 100, OBJECT_HEAP_CHUNKS + 0x1010);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1008, 0x1ff0 | 2);
    census = object_heap_begin(heap);
    ck_assert(pht_census_count_chunk(census, OBJECT_HEAP_CHUNKS + 0x4010, 80,
                                     head(OBJECT_HEAP_CHUNKS + 0x4010), PHT_CENSUS_HEAD_BYTES));
    heap->found = pht_census_end(census, NULL);
    ck_assert_uint_eq(heap->found->chunks.buffers.bytes, 0x2000);
}
END_TEST

/* Through pymalloc's hooks to those of PyMem_RawMalloc(), through these alone, or none. */
START_TEST(raw_memory_has_fewer_hooks)
{
    const struct pht_object_buffer raw = {.address = OBJECT_HEAP_CHUNKS + 0x1010 + 16,
                                          .source = PHT_BUFFER_RAW},
                                   usual = {.address = OBJECT_HEAP_CHUNKS + 0x2010 + 32},
                                   libc = {.address = OBJECT_HEAP_CHUNKS + 0x3010,
                                           .source = PHT_BUFFER_LIBC};
    struct pht_census *census;

    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x1008, 816 | 1);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x2008, 416 | 1);
    fake_target_put_u64(heap->objects->fake, OBJECT_HEAP_CHUNKS + 0x3008, 96 | 1);
    heap->roots.allocator = PHT_ALLOCATOR_PYMALLOC_DEBUG;
    census = object_heap_begin(heap);
    const struct pht_type *type = pht_types_find(census->types, heap->list_type);
    pht_census_own(census, &raw, type, true);
    pht_census_own(census, &usual, type, true);
    pht_census_own(census, &libc, type, true);
    heap->found = pht_census_end(census, NULL);
    ck_assert_uint_eq(heap->found->chunks.buffers.count, 3);
    ck_assert_uint_eq(heap->found->chunks.buffers.bytes, 816 + 416 + 96);
}
END_TEST

/* Private memory from mmap(2), and what an object says of memory that is a file's. */
START_TEST(mapped_memory_is_its_objects)
{
    pht_addr mmap_type =
        objects_type(heap->objects, &(struct objects_type){.name = "mmap.mmap", .basicsize = 64});
    pht_addr block = object_heap_add_pool(heap, 64, 3), file = OBJECT_HEAP_CHUNKS + 0x100000;
    struct owned owned;
    bool out_of_memory;

    fake_target_map(heap->objects->fake, file, file + 0x4000, FAKE_FILE);
    fake_target_set_pages(heap->objects->fake, file, file + 0x4000, FAKE_RESIDENT);
    for (int i = 0; i < 3; i++)
        object_heap_put_object(heap, block + (pht_addr)i * 64, 1, mmap_type);
    fake_target_put_u64(heap->objects->fake, block + 16, OBJECT_HEAP_CHUNKS);
    fake_target_put_u64(heap->objects->fake, block + 24, 0x3000);
    fake_target_put_u64(heap->objects->fake, block + 64 + 16, file);
    fake_target_put_u64(heap->objects->fake, block + 64 + 24, 0x4000);
    fake_target_put_u64(heap->objects->fake, block + 128 + 16, OBJECT_HEAP_CHUNKS + 0x8000);
    fake_target_put_u64(heap->objects->fake, block + 128 + 24, (uint64_t)1 << 40);
    owned_begin(&owned, heap->objects->fake, heap->objects->snapshot);
    heap->found =
        pht_census_end(pht_census_begin(heap->objects->snapshot, &heap->roots, &heap->pymalloc,
                                        owned.owners, &object_heap_options, &out_of_memory),
                       NULL);
    ck_assert_ptr_nonnull(heap->found);
    object_heap_check(heap, "mmap", 3, 3 * 64, 3 * 64 + 0x3000);
    ck_assert_uint_eq(owned_resident(&owned, PHT_CATEGORY_PYTHON_LARGE), 0x3000);
    owned_end(&owned);
}
END_TEST

START_TEST(build_whose_objects_are_not_known_has_no_census)
{
    bool out_of_memory = true;

    heap->objects->python.free_threaded = true;
    ck_assert_ptr_null(pht_census_begin(heap->objects->snapshot, &heap->roots, &heap->pymalloc,
                                        NULL, &object_heap_options, &out_of_memory));
    ck_assert(!out_of_memory);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("walk/census_chunks");
    TCase *tcase = tcase_create("chunks");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, objects_in_chunks_count_as_others);
    tcase_add_test(tcase, chunks_that_objects_own_are_theirs);
    tcase_add_test(tcase, buffer_of_an_object_in_a_chunk_is_found_at_last);
    tcase_add_loop_test(tcase, late_buffer_that_is_free_is_nobodys, 0, 2);
    tcase_add_test(tcase, late_buffer_between_chunks_is_nobodys);
    tcase_add_test(tcase, late_buffer_with_a_mapping_has_all_of_it);
    tcase_add_test(tcase, what_nobody_owns_is_listed_by_size);
    tcase_add_test(tcase, chunk_that_points_into_a_file_shows_where);
    tcase_add_test(tcase, sample_that_turns_out_to_have_an_owner_is_none);
    tcase_add_test(tcase, raw_memory_has_fewer_hooks);
    tcase_add_test(tcase, mapped_memory_is_its_objects);
    tcase_add_test(tcase, build_whose_objects_are_not_known_has_no_census);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
