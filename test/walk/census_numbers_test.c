/* The census: ints and floats of 2.7, in blocks of malloc with 41 places each. */
#include <string.h>

#include "support/object_heap.h"
#include "support/suite.h"
#include "walk/census.h"

#define PLACES 41
#define BLOCK_BYTES 992
#define CHUNK_BYTES 1008

#define VARIABLES (OBJECT_HEAP_CHUNKS + 0xf000) /* block_list of ints, and of floats */

#define GARBAGE UINT64_C(0xfefefefefefefefe)

static struct object_heap *heap;
static pht_addr int_type, float_type;

static pht_addr number_type(const char *name)
{
    return objects_type(heap->objects, &(struct objects_type){.name = name, .basicsize = 24});
}

static pht_addr block_at(unsigned i)
{
    return OBJECT_HEAP_CHUNKS + 16 + i * CHUNK_BYTES;
}

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->objects->fake, addr, value);
}

static pht_addr place_of(unsigned block, unsigned place)
{
    return block_at(block) + 8 + place * 24;
}

static void set_list(unsigned variable, pht_addr first)
{
    put(VARIABLES + 8 * variable, first);
}

/* As fill_free_list() leaves it: links only, and whatever malloc had there. */
static void put_block(unsigned i, pht_addr next)
{
    put(block_at(i), next);
    for (unsigned place = 0; place < PLACES; place++) {
        put(place_of(i, place), GARBAGE);
        put(place_of(i, place) + 8, place > 0 ? place_of(i, place - 1) : 0);
    }
}

static void put_number(unsigned block, unsigned place, pht_addr type)
{
    object_heap_put_object(heap, place_of(block, place), 1 + place, type);
}

/* As int_dealloc() leaves it. */
static void free_number(unsigned block, unsigned place, pht_addr link)
{
    object_heap_put_object(heap, place_of(block, place), 0, link);
}

/* Two blocks of ints, the youngest without any, and one of floats. */
static void setup(void)
{
    struct pht_python *python;

    heap = object_heap_create_of(2, 7);
    python = &heap->objects->python;
    python->layout.int_blocks = VARIABLES - python->bias;
    python->layout.float_blocks = VARIABLES + 8 - python->bias;
    int_type = number_type("int");
    float_type = number_type("float");
    set_list(0, block_at(1));
    put_block(1, block_at(0));
    put_block(0, 0);
    for (unsigned place = 0; place < 30; place++)
        put_number(0, place, int_type);
    free_number(0, 7, place_of(0, 40));
    set_list(1, block_at(2));
    put_block(2, 0);
    put_number(2, 40, float_type);
}

static void teardown(void)
{
    object_heap_destroy(heap);
}

/* The walk of chunks comes by the first three. */
static void take(void)
{
    struct pht_census *census = object_heap_begin(heap);

    for (unsigned i = 0; i < 3; i++)
        pht_census_count_chunk(
            census, block_at(i), CHUNK_BYTES,
            fake_target_bytes(heap->objects->fake, block_at(i), PHT_CENSUS_HEAD_BYTES),
            PHT_CENSUS_HEAD_BYTES);
    heap->found = pht_census_end(census, NULL);
    ck_assert_ptr_nonnull(heap->found);
}

static const struct pht_numbers *numbers(unsigned i, const char *type)
{
    ck_assert_uint_eq(heap->found->numbers_count, 2);
    ck_assert_str_eq(heap->found->numbers[i].type, type);
    return &heap->found->numbers[i];
}

START_TEST(places_in_use_count_as_objects)
{
    take();
    object_heap_check(heap, "int", 29, 29 * 24, 2 * CHUNK_BYTES);
    object_heap_check(heap, "float", 1, 24, CHUNK_BYTES);
    ck_assert_uint_eq(object_heap_sum_of(heap, "int")->max_bytes, 24);
    ck_assert_uint_eq(heap->found->chunks.buffers.count, 3);
    ck_assert_uint_eq(numbers(0, "int")->free_places, 12 + PLACES);
    ck_assert_uint_eq(numbers(1, "float")->free_places, 40);
    for (unsigned i = 0; i < 2; i++)
        ck_assert(heap->found->numbers[i].is_known && !heap->found->numbers[i].is_torn);
}
END_TEST

/* They are a list of their own, and no blocks of pymalloc. */
START_TEST(free_places_are_a_list)
{
    struct pht_freelists lists = {.items = {{"list", 2, 128}}, .count = 1};

    take();
    heap->found->blocks.unowned = (struct pht_tally){.count = 10, .bytes = 2000};
    pht_freelists_own(&lists, heap->found);
    pht_freelists_add_numbers(heap->found, &lists);
    ck_assert_uint_eq(lists.count, 3);
    ck_assert_str_eq(lists.items[0].type, "int");
    ck_assert_uint_eq(lists.items[0].objects, 12 + PLACES);
    ck_assert_uint_eq(lists.items[0].bytes, (12 + PLACES) * 24);
    ck_assert_str_eq(lists.items[1].type, "float");
    ck_assert_uint_eq(heap->found->blocks.free_listed.count, 2);
    ck_assert_uint_eq(heap->found->blocks.unowned.bytes, 2000 - 128);
}
END_TEST

static void no_variable(void)
{
    heap->objects->python.layout.int_blocks = PHT_UNKNOWN;
}

static void no_memory(void)
{
    heap->objects->python.layout.int_blocks = 0x7f7700000000;
}

static void no_number(void)
{
    for (unsigned place = 0; place < PLACES; place++)
        free_number(0, place, 0);
}

static void other_type(void)
{
    for (unsigned place = 0; place < PLACES; place++)
        free_number(0, place, 0);
    put_number(0, 3, heap->class_type);
}

static void (*const unknowns[])(void) = {no_variable, no_memory, no_number, other_type};

START_TEST(a_list_that_is_not_found_is_unknown)
{
    struct pht_freelists lists = {.items = {{"list", 2, 128}}, .count = 1};

    unknowns[_i]();
    take();
    ck_assert(!numbers(0, "int")->is_known);
    ck_assert_ptr_null(object_heap_sum_of(heap, "int"));
    object_heap_check(heap, "float", 1, 24, CHUNK_BYTES);
    pht_freelists_add_numbers(heap->found, &lists);
    ck_assert_str_eq(lists.items[0].type, "int");
    ck_assert_uint_eq(lists.items[0].objects, PHT_UNKNOWN);
    ck_assert_uint_eq(lists.items[0].bytes, PHT_UNKNOWN);
}
END_TEST

static void into_nowhere(void)
{
    put(block_at(0), 0x7f7700000000);
}

static void misaligned(void)
{
    put(block_at(0), block_at(1) + 4);
}

static void circle(void)
{
    put(block_at(0), block_at(0));
}

static void no_block(void)
{
    put(block_at(0), block_at(3));
    put_block(3, 0);
    put(place_of(3, 5) + 8, 3);
}

static void (*const tears[])(void) = {into_nowhere, misaligned, circle, no_block};

/* What was counted before remains. */
START_TEST(a_list_that_does_not_end_is_torn)
{
    tears[_i]();
    take();
    ck_assert(numbers(0, "int")->is_known);
    ck_assert(numbers(0, "int")->is_torn);
    ck_assert(!numbers(1, "float")->is_torn);
    object_heap_check(heap, "int", 29, 29 * 24, 2 * CHUNK_BYTES);
}
END_TEST

/* A number with more references than memory has room for is none. */
START_TEST(senseless_counts_are_no_numbers)
{
    put(place_of(0, 4), GARBAGE);
    take();
    object_heap_check(heap, "int", 28, 28 * 24, 2 * CHUNK_BYTES);
}
END_TEST

START_TEST(later_versions_have_no_such_blocks)
{
    teardown();
    heap = object_heap_create();
    take();
    ck_assert_uint_eq(heap->found->numbers_count, 0);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("census_numbers");
    TCase *tcase = tcase_create("numbers");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, places_in_use_count_as_objects);
    tcase_add_test(tcase, free_places_are_a_list);
    tcase_add_loop_test(tcase, a_list_that_is_not_found_is_unknown, 0, ROWS(unknowns));
    tcase_add_loop_test(tcase, a_list_that_does_not_end_is_torn, 0, ROWS(tears));
    tcase_add_test(tcase, senseless_counts_are_no_numbers);
    tcase_add_test(tcase, later_versions_have_no_such_blocks);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
