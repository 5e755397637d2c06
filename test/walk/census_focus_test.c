/* What a census looks at closely: an arena, a size class, a type. */
#include "support/object_heap.h"
#include "support/suite.h"

static struct object_heap *heap;
static pht_addr small, large, second;

/* 64-byte blocks: five Items, a list whose array is a block of 128, two blocks of nothing. */
static void setup(void)
{
    heap = object_heap_create();
    small = object_heap_add_pool(heap, 64, 8);
    large = object_heap_add_pool(heap, 128, 3);
    for (uint64_t i = 0; i < 5; i++)
        object_heap_put_object(heap, small + i * 64, 1, heap->class_type);
    object_heap_put_list(heap, small + 5 * 64, 12, large);
    object_heap_put_object(heap, large + 128, 1, heap->class_type);
    while (heap->pools < OBJECT_HEAP_ARENA_POOLS)
        object_heap_add_pool(heap, 32, 1);
    second = object_heap_add_pool(heap, 64, 2);
    object_heap_put_object(heap, second, 1, heap->class_type);
}

static void teardown(void)
{
    object_heap_destroy(heap);
}

static const struct pht_focus *look(enum pht_focus_kind kind, uint64_t number, unsigned threads)
{
    const struct pht_census_options options = {.focus = {kind, number}, .threads = threads};
    bool out_of_memory;
    struct pht_census *census = pht_census_begin(heap->objects->snapshot, &heap->roots,
                                                 &heap->pymalloc, NULL, &options, &out_of_memory);

    ck_assert_ptr_nonnull(census);
    heap->found = pht_census_end(census, NULL);
    ck_assert_ptr_nonnull(heap->found);
    return heap->found->focus;
}

static const struct pht_focus_type *row(const struct pht_focus *focus, const char *name)
{
    for (size_t i = 0; i < focus->type_count; i++) {
        if (strcmp(heap->found->types[focus->types[i].type].name, name) == 0)
            return &focus->types[i];
    }
    ck_abort_msg("no row of %s", name);
    return NULL;
}

static void check(const struct pht_tally *tally, uint64_t count, uint64_t bytes)
{
    ck_assert_uint_eq(tally->count, count);
    ck_assert_uint_eq(tally->bytes, bytes);
}

static void check_sum(const struct pht_focus *focus)
{
    struct pht_tally sum = focus->unowned;

    for (size_t i = 0; i < focus->type_count; i++) {
        sum.count += focus->types[i].objects.count + focus->types[i].buffers.count;
        sum.bytes += focus->types[i].objects.bytes + focus->types[i].buffers.bytes;
    }
    check(&focus->blocks, sum.count, sum.bytes);
}

START_TEST(nothing_is_kept_unless_it_is_asked_for)
{
    ck_assert_ptr_null(look(PHT_FOCUS_NONE, 64, 1));
}
END_TEST

START_TEST(size_class_tells_its_types)
{
    const struct pht_focus *focus = look(PHT_FOCUS_SIZE_CLASS, 64, _i);

    ck_assert_uint_eq(focus->type_count, 2);
    check(&row(focus, "Item")->objects, 6, 6 * 64);
    check(&row(focus, "list")->objects, 1, 64);
    check(&row(focus, "list")->buffers, 0, 0);
    check(&focus->blocks, 10, 10 * 64);
    check(&focus->unowned, 3, 3 * 64);
    ck_assert_str_eq(heap->found->types[focus->types[0].type].name, "Item");
    check_sum(focus);
}
END_TEST

START_TEST(buffers_count_for_the_type_of_their_owner)
{
    const struct pht_focus *focus = look(PHT_FOCUS_SIZE_CLASS, 128, _i);

    check(&row(focus, "list")->buffers, 1, 128);
    check(&row(focus, "list")->objects, 0, 0);
    check(&row(focus, "Item")->objects, 1, 128);
    check(&focus->unowned, 1, 128);
    check_sum(focus);
}
END_TEST

START_TEST(arena_tells_the_types_that_pin_it)
{
    const struct pht_focus *focus = look(PHT_FOCUS_ARENA, heap->arenas[1].address, _i);

    ck_assert_uint_eq(focus->type_count, 1);
    check(&row(focus, "Item")->objects, 1, 64);
    check(&focus->blocks, 2, 128);
    check(&focus->unowned, 1, 64);
    check_sum(focus);
}
END_TEST

START_TEST(type_tells_its_sizes_and_where_it_lives)
{
    const struct pht_focus *focus;

    object_heap_put_list(heap, second + 64, 0, 0);
    focus = look(PHT_FOCUS_TYPE, heap->list_type, _i);
    ck_assert_uint_eq(focus->size_count, 2);
    ck_assert_uint_eq(focus->sizes[0].min_bytes, 32);
    ck_assert_uint_eq(focus->sizes[0].max_bytes, 63);
    check(&focus->sizes[0].objects, 1, 56);
    ck_assert_uint_eq(focus->sizes[1].min_bytes, 128);
    check(&focus->sizes[1].objects, 1, 56 + 12 * 8);
    check(&focus->in_blocks, 2, 2 * 64);
    check(&focus->in_chunks, 0, 0);
}
END_TEST

START_TEST(what_is_not_there_has_nothing)
{
    const struct pht_focus *focus = look(PHT_FOCUS_ARENA, 0x4711000, 1);

    ck_assert_uint_eq(focus->type_count, 0);
    check(&focus->blocks, 0, 0);
    check(&focus->unowned, 0, 0);
}
END_TEST

static Suite *census_focus_suite(void)
{
    Suite *suite = suite_create("census focus");
    TCase *tcase = tcase_create("focus");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, nothing_is_kept_unless_it_is_asked_for);
    /* In one thread and in three. */
    tcase_add_loop_test(tcase, size_class_tells_its_types, 1, 4);
    tcase_add_loop_test(tcase, buffers_count_for_the_type_of_their_owner, 1, 4);
    tcase_add_loop_test(tcase, arena_tells_the_types_that_pin_it, 1, 4);
    tcase_add_loop_test(tcase, type_tells_its_sizes_and_where_it_lives, 1, 4);
    tcase_add_test(tcase, what_is_not_there_has_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(census_focus_suite)
