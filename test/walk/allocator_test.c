/* Which allocator serves objects, told by the functions that the interpreter calls. */
#include "support/heap_walk.h"
#include "support/suite.h"

static const struct {
    enum heap_function object;
    enum heap_function debug;
    enum pht_object_allocator expected;
    const char *name;
} cases[] = {
    {HEAP_FUNCTION_PYMALLOC, HEAP_FUNCTION_NONE, PHT_ALLOCATOR_PYMALLOC, "pymalloc"},
    {HEAP_FUNCTION_MALLOC, HEAP_FUNCTION_PYMALLOC, PHT_ALLOCATOR_MALLOC, "malloc"},
    {HEAP_FUNCTION_MIMALLOC, HEAP_FUNCTION_NONE, PHT_ALLOCATOR_MIMALLOC, "mimalloc"},
    {HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_PYMALLOC, PHT_ALLOCATOR_PYMALLOC_DEBUG, "pymalloc_debug"},
    {HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_MALLOC, PHT_ALLOCATOR_MALLOC_DEBUG, "malloc_debug"},
    {HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_MIMALLOC, PHT_ALLOCATOR_MIMALLOC_DEBUG, "mimalloc_debug"},
    {HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_FOREIGN, PHT_ALLOCATOR_CUSTOM, "custom"},
    {HEAP_FUNCTION_FOREIGN, HEAP_FUNCTION_PYMALLOC, PHT_ALLOCATOR_CUSTOM, "custom"},
    {HEAP_FUNCTION_NONE, HEAP_FUNCTION_PYMALLOC, PHT_ALLOCATOR_UNKNOWN, NULL},
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

static void check_allocator(struct heap *heap, enum pht_object_allocator expected)
{
    struct heap_walk walk;

    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_int_eq(walk.roots.allocator, expected);
    ck_assert_int_eq(walk.pymalloc->allocator, expected);
    heap_walk_deinit(&walk);
}

START_TEST(function_pointers_tell_the_allocator)
{
    for (enum heap_place place = HEAP_STATICS; place <= HEAP_POINTED; place++) {
        struct heap *heap = heap_create(&(struct heap_options){.place = place});
        heap_set_functions(heap, cases[_i].object, cases[_i].debug);
        check_allocator(heap, cases[_i].expected);
        heap_destroy(heap);
    }
}
END_TEST

START_TEST(allocators_are_named_as_pythonmalloc_spells_them)
{
    const char *name = pht_object_allocator_name(cases[_i].expected);

    ck_assert_pstr_eq(name, cases[_i].name);
}
END_TEST

START_TEST(malloc_without_arenas_is_proven_by_the_table_of_pools)
{
    struct heap *heap =
        heap_create(&(struct heap_options){.place = HEAP_STATICS, .fill = HEAP_FRESH});
    struct heap_walk walk;

    heap_set_functions(heap, HEAP_FUNCTION_MALLOC, HEAP_FUNCTION_NONE);
    heap_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.roots.proven);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, 0);
    ck_assert_int_eq(walk.pymalloc->allocator, PHT_ALLOCATOR_MALLOC);
    heap_walk_deinit(&walk);
    heap_destroy(heap);
}
END_TEST

/* A function that this build does not have must not be equal to one at "unknown plus bias". */
START_TEST(unknown_functions_match_nothing)
{
    struct heap *heap = heap_create(&(struct heap_options){.place = HEAP_POINTED});

    heap->python.layout.mimalloc_function = PHT_UNKNOWN;
    heap_set_functions(heap, HEAP_FUNCTION_MIMALLOC, HEAP_FUNCTION_NONE);
    check_allocator(heap, PHT_ALLOCATOR_CUSTOM);
    heap->python.layout.debug_function = PHT_UNKNOWN;
    heap_set_functions(heap, HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_PYMALLOC);
    check_allocator(heap, PHT_ALLOCATOR_CUSTOM);
    heap_destroy(heap);
}
END_TEST

START_TEST(allocator_is_unknown_where_its_table_is)
{
    struct heap *heap = heap_create(&(struct heap_options){.place = HEAP_STATICS});

    heap_set_functions(heap, HEAP_FUNCTION_DEBUG, HEAP_FUNCTION_PYMALLOC);
    heap->python.layout.debug_api_bytes = PHT_UNKNOWN;
    check_allocator(heap, PHT_ALLOCATOR_UNKNOWN);
    heap->python.layout.object_allocator = PHT_UNKNOWN;
    check_allocator(heap, PHT_ALLOCATOR_UNKNOWN);
    heap_destroy(heap);
}
END_TEST

static Suite *allocator_suite(void)
{
    Suite *suite = suite_create("allocator");
    TCase *tcase = tcase_create("allocator");

    tcase_add_loop_test(tcase, function_pointers_tell_the_allocator, 0, CASES);
    tcase_add_loop_test(tcase, allocators_are_named_as_pythonmalloc_spells_them, 0, CASES);
    tcase_add_test(tcase, malloc_without_arenas_is_proven_by_the_table_of_pools);
    tcase_add_test(tcase, unknown_functions_match_nothing);
    tcase_add_test(tcase, allocator_is_unknown_where_its_table_is);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(allocator_suite)
