/*
 * Statics of an interpreter that functions use, where no symbol tells them: interned strings, free
 * lists, the collector, numbers.
 */
#include "support/scan_fixture.h"
#include "support/suite.h"

static void setup(void)
{
    OPEN_SCANNED();
}

/* ---- statics ------------------------------------------------------------------------------ */

static const struct static_row {
    const char *name;
    size_t field;
    int64_t value;
    bool known;
} static_rows[] = {
    {"fixture_free_lists", FIELD(free_static_lists), 0, true},
    {"fixture_free_lists", FIELD(free_static_lists), 2000, true},
    {"fixture_free_lists", FIELD(free_static_lists), 2001, false},
    {"fixture_free_lists", FIELD(free_static_lists), -1, false},
    {"fixture_free_lists", FIELD(free_static_lists), INT32_MIN, false},
    {"fixture_enabled", FIELD(gc_static_enabled), 0, true},
    {"fixture_enabled", FIELD(gc_static_enabled), 2, false},
    {"fixture_enabled", FIELD(gc_static_enabled), -1, false},
};

START_TEST(counts_and_flags_have_values_of_their_own)
{
    const struct static_row *now = &static_rows[_i];

    run();
    *(int32_t *)variable_of(now->name) = (int32_t)now->value;
    scan_anew();
    if (now->known)
        ck_assert_uint_eq(*value_of(&layout, now->field), truth(now->name));
    else
        ck_assert_uint_ne(*value_of(&layout, now->field), truth(now->name));
}
END_TEST

static const struct object_row {
    const char *name;
    size_t field;
    bool may_be_nothing;
} object_rows[] = {
    {"fixture_interned", FIELD(interned), false},
    {"fixture_garbage", FIELD(gc_static_garbage), false},
    {"fixture_callbacks", FIELD(gc_static_callbacks), true},
    {"fixture_cached_slice", FIELD(cached_static_slice), true},
};

static const uintptr_t odd_objects[] = {1, 8, 4096, PHT_USER_ADDR_MAX - 8, UINT64_MAX - 7};

START_TEST(objects_are_of_their_type)
{
    const struct object_row *now = &object_rows[_i];

    run();
    void **variable = variable_of(now->name);
    void *garbage = *VARIABLE(void *, "garbage"), *interned = *VARIABLE(void *, "interned");
    *variable = _i == 0 ? garbage : interned;
    scan_anew();
    ck_assert_uint_ne(*value_of(&layout, now->field), truth(now->name));
    for (size_t i = 0; i < sizeof(odd_objects) / sizeof(odd_objects[0]); i++) {
        *variable = (void *)odd_objects[i];
        scan_anew();
        ck_assert_uint_ne(*value_of(&layout, now->field), truth(now->name));
    }
    *variable = NULL;
    scan_anew();
    ck_assert_uint_eq(*value_of(&layout, now->field),
                      now->may_be_nothing ? truth(now->name) : PHT_UNKNOWN);
}
END_TEST

START_TEST(a_slice_that_waits_is_one)
{
    nothing *function;

    run();
    *(void **)&function = dlsym(fixture.library, "PySlice_Fini");
    function();
    scan_anew();
    check_truth();
}
END_TEST

START_TEST(generations_are_variables)
{
    uintptr_t *first;

    run();
    first = dlsym(fixture.library, "_PyGC_generation0");
    ck_assert_ptr_nonnull(first);
    for (size_t i = 0; i < sizeof(odd_objects) / sizeof(odd_objects[0]); i++) {
        *first = odd_objects[i];
        scan_anew();
        ck_assert_unknown(gc_static_generations);
        ck_assert_unknown(gc_static_generations_bytes);
    }
}
END_TEST

/* ---- numbers of 2.7 ----------------------------------------------------------------------- */

#define PLACES 41 /* Objects/intobject.c: N_INTOBJECTS */

struct place {
    uint64_t references, type, value;
};

struct block {
    struct block *next;
    struct place places[PLACES];
};

static const struct numbers {
    const char *blocks, *free_list, *type;
    size_t field;
} kinds[] = {
    {"fixture_int_blocks", "fixture_int_free_list", "PyInt_Type", FIELD(int_blocks)},
    {"fixture_float_blocks", "fixture_float_free_list", "PyFloat_Type", FIELD(float_blocks)},
};

static const struct numbers *numbers;
static struct block **blocks; /* the variable */

static void run_with(int kind)
{
    run();
    numbers = &kinds[kind];
    blocks = variable_of(numbers->blocks);
}

static void check_blocks(bool known)
{
    scan_anew();
    ck_assert_msg(
        *value_of(&layout, numbers->field) == (known ? truth(numbers->blocks) : PHT_UNKNOWN),
        "%s: %llx", numbers->blocks, (unsigned long long)*value_of(&layout, numbers->field));
}

static uint64_t type_of(const struct numbers *of)
{
    void *type = dlsym(fixture.library, of->type);

    ck_assert_ptr_nonnull(type);
    return (uintptr_t)type;
}

/* In front of the others. What a place held before remains in it, but for its type. */
static struct block *add_free_block(void)
{
    struct block *block = CALL(void *(size_t), "take_chunk", sizeof(*block));
    uint64_t link = 0;

    block->next = *blocks;
    for (unsigned i = 0; i < PLACES; i++) {
        block->places[i] = (struct place){0x1234567890abcdef + i, link, UINT64_MAX - i};
        link = (uintptr_t)&block->places[i];
    }
    *blocks = block;
    return block;
}

static void fill_places(uint64_t references, uint64_t type)
{
    for (struct block *block = *blocks; block != NULL; block = block->next) {
        for (unsigned i = 0; i < PLACES; i++) {
            block->places[i].references = references;
            block->places[i].type = type;
        }
    }
}

START_TEST(numbers_prove_their_blocks)
{
    run_with(_i);
    check_blocks(true);
    *blocks = NULL;
    check_blocks(false);
    for (size_t i = 0; i < sizeof(odd_objects) / sizeof(odd_objects[0]); i++) {
        *blocks = (struct block *)odd_objects[i];
        check_blocks(false);
    }
}
END_TEST

START_TEST(younger_blocks_may_be_free)
{
    run_with(_i);
    for (unsigned i = 0; i < 100; i++)
        add_free_block();
    check_blocks(true);
    (*blocks)->next->next->next = NULL;
    check_blocks(false);
}
END_TEST

/* They may be in swap. */
START_TEST(older_blocks_prove_nothing_more)
{
    run_with(_i);
    for (size_t i = 0; i < sizeof(odd_objects) / sizeof(odd_objects[0]); i++) {
        (*blocks)->next = (struct block *)odd_objects[i];
        check_blocks(true);
    }
}
END_TEST

START_TEST(blocks_without_a_number_are_none)
{
    run_with(_i);
    struct block *oldest = (*blocks)->next;
    while (oldest->next != NULL)
        oldest = oldest->next;
    fill_places(0, type_of(numbers)); /* all were freed */
    check_blocks(false);
    fill_places(1, type_of(&kinds[!_i]));
    check_blocks(false);
    fill_places(1, 0);
    check_blocks(false);
    oldest->places[PLACES - 1].type = type_of(numbers);
    check_blocks(true);
}
END_TEST

static const struct type_row {
    uint64_t type;
    bool may_be;
} type_rows[] = {
    {0, true},     {PHT_PAGE_BYTES, true},      {1, false},          {8, false},
    {4088, false}, {PHT_PAGE_BYTES + 4, false}, {UINT64_MAX, false},
};

static const unsigned damaged_places[] = {0, 20, PLACES - 1};

/* In one with numbers, and in a free one in front. */
START_TEST(a_place_has_a_type_or_a_link)
{
    const struct type_row *type = &type_rows[_i / 2];

    run_with(_i % 2);
    struct block *damaged[] = {*blocks, add_free_block()};
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < sizeof(damaged_places) / sizeof(damaged_places[0]); j++) {
            struct place *place = &damaged[i]->places[damaged_places[j]], before = *place;
            place->type = type->type;
            check_blocks(type->may_be);
            *place = before;
        }
    }
    check_blocks(true);
}
END_TEST

/* Read as a block, it has links in place of references, and values in place of types. */
START_TEST(a_free_place_is_no_block)
{
    run_with(_i);
    struct block *youngest = *blocks;
    struct place **free_list = variable_of(numbers->free_list);
    for (unsigned i = 0; i < PLACES; i++)
        youngest->places[i].value = 0;
    for (unsigned i = 0; i < PLACES; i++) {
        *free_list = &youngest->places[i];
        *blocks = youngest;
        check_blocks(true);
        *blocks = NULL;
        check_blocks(false);
    }
}
END_TEST

START_TEST(blocks_in_a_circle_come_to_an_end)
{
    run_with(_i);
    struct block *second = add_free_block(), *first = add_free_block();
    first->next = first;
    check_blocks(false);
    first->next = second;
    second->next = first;
    check_blocks(false);
    second->places[3].type = type_of(numbers);
    check_blocks(true);
}
END_TEST

/* ---- what is known already ---------------------------------------------------------------- */

START_TEST(what_a_symbol_told_stays)
{
    run();
    for (size_t i = 0; i < truth_count; i++) {
        scan_anew();
        *value_of(&layout, truths[i].field) = 0x40 + i * 0x40;
        struct pht_python_layout before = layout;
        ck_assert(!scan());
        ck_assert_mem_eq(&before, &layout, sizeof(before));
    }
}
END_TEST

/* The row says what such a release has: what it has not is not looked for. */
START_TEST(what_a_release_has_not_is_not_looked_for)
{
    run();
    for (size_t i = 6; i < truth_count; i++) {
        make_row();
        *value_of(&row, truths[i].field) = PHT_UNKNOWN;
        scan_anew();
        if (truths[i].field != FIELD(pymalloc_function) &&
            truths[i].field != FIELD(malloc_function))
            ck_assert_msg(*value_of(&layout, truths[i].field) == PHT_UNKNOWN, "%s",
                          truths[i].function);
    }
}
END_TEST

/* From 3.12 on they are no statics. */
START_TEST(a_release_with_states_has_no_statics)
{
    run();
    pht_python_layout_clear(&layout);
    layout.obmalloc_bytes = 1000;
    row.object_allocator = row.debug_allocators = row.arena_map_root = PHT_UNKNOWN;
    ck_assert(!scan());
    ck_assert_unknown(usedpools);
    ck_assert_unknown(interned);
    ck_assert_unknown(gc_static_enabled);
}
END_TEST

static Suite *python_scan_statics_suite(void)
{
    Suite *suite = suite_create("layout/python_scan_statics");
    TCase *statics = tcase_create("statics");
    TCase *blocks_of_numbers = tcase_create("numbers");

    if (!READS_CODE)
        return suite;
    tcase_add_checked_fixture(statics, setup, close_fixture);
    tcase_add_loop_test(statics, counts_and_flags_have_values_of_their_own, 0, ROWS(static_rows));
    tcase_add_loop_test(statics, objects_are_of_their_type, 0, ROWS(object_rows));
    tcase_add_test(statics, a_slice_that_waits_is_one);
    tcase_add_test(statics, generations_are_variables);
    tcase_add_test(statics, what_a_symbol_told_stays);
    tcase_add_test(statics, what_a_release_has_not_is_not_looked_for);
    tcase_add_test(statics, a_release_with_states_has_no_statics);
    suite_add_tcase(suite, statics);
    tcase_add_checked_fixture(blocks_of_numbers, setup, close_fixture);
    tcase_add_loop_test(blocks_of_numbers, numbers_prove_their_blocks, 0, ROWS(kinds));
    tcase_add_loop_test(blocks_of_numbers, younger_blocks_may_be_free, 0, ROWS(kinds));
    tcase_add_loop_test(blocks_of_numbers, older_blocks_prove_nothing_more, 0, ROWS(kinds));
    tcase_add_loop_test(blocks_of_numbers, blocks_without_a_number_are_none, 0, ROWS(kinds));
    tcase_add_loop_test(blocks_of_numbers, a_place_has_a_type_or_a_link, 0,
                        ROWS(kinds) * ROWS(type_rows));
    tcase_add_loop_test(blocks_of_numbers, a_free_place_is_no_block, 0, ROWS(kinds));
    tcase_add_loop_test(blocks_of_numbers, blocks_in_a_circle_come_to_an_end, 0, ROWS(kinds));
    suite_add_tcase(suite, blocks_of_numbers);
    return suite;
}

SUITE_MAIN(python_scan_statics_suite)
