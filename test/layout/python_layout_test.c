#include <string.h>

#include "layout/python_layout.h"
#include "support/elf_layout.h"
#include "support/suite.h"

static const struct pht_layout_table *table = &pht_python_layout_table;

static bool is_sound(struct pht_python_layout layout)
{
    return pht_layout_is_sound(table, &layout);
}

static bool is_sound_with(struct pht_python_layout layout, const char *name, uint64_t value)
{
    pht_layout_set(&layout, elf_layout_field(table, name), value);
    return is_sound(layout);
}

START_TEST(layouts_of_both_generations_are_sound)
{
    ck_assert(is_sound(elf_layout_of_statics()));
    ck_assert(is_sound(elf_layout_of_states()));
}
END_TEST

START_TEST(a_cleared_layout_is_not_sound)
{
    struct pht_python_layout layout;

    memset(&layout, 0, sizeof(layout));
    pht_python_layout_clear(&layout);
    for (size_t i = 0; i < table->count; i++)
        ck_assert_uint_eq(pht_layout_get(&layout, &table->fields[i]), PHT_UNKNOWN);
    ck_assert(!is_sound(layout));
}
END_TEST

START_TEST(every_field_has_a_place_and_a_name_of_its_own)
{
    elf_layout_check_table(table, sizeof(struct pht_python_layout));
}
END_TEST

/* Needed by 's'tatics, by 'S'tates, by 'b'oth; by 'n'either, so that a build may lack it. */
static const struct required_row {
    const char *name;
    char by;
} required_rows[] = {
    {"pool_header_bytes", 'b'},
    {"pool_count", 'b'},
    {"pool_freeblock", 'b'},
    {"pool_arenaindex", 'b'},
    {"pool_szidx", 'b'},
    {"pool_nextoffset", 'b'},
    {"pool_maxnextoffset", 'b'},
    {"arena_object_bytes", 'b'},
    {"arena_address", 'b'},
    {"arena_pool_address", 'b'},
    {"arena_nfreepools", 'b'},
    {"arena_ntotalpools", 'b'},
    {"usedpools", 's'},
    {"usedpools_bytes", 's'},
    {"arenas", 's'},
    {"maxarenas", 's'},
    {"obmalloc_usedpools", 'S'},
    {"obmalloc_usedpools_bytes", 'S'},
    {"obmalloc_arenas", 'S'},
    {"obmalloc_maxarenas", 'S'},
    {"interp_bytes", 'S'},
    {"interp_next", 'S'},
    {"interp_obmalloc", 'S'},
    {"interp_obmalloc_bytes", 'S'},
    {"runtime_bytes", 'S'},
    {"runtime_interpreters_head", 'S'},
    {"runtime", 'S'},
    {"narenas", 'n'},
    {"narenas_highwater", 'n'},
    {"obmalloc_narenas_highwater", 'n'},
    {"interp_id", 'n'},
    {"runtime_object_malloc", 'n'},
    {"object_allocator", 'n'},
    {"mimalloc_function", 'n'},
    {"type_type", 'n'},
    {"narrow_unicode", 'n'},
};

START_TEST(what_a_walk_needs_must_be_known)
{
    const struct required_row *row = &required_rows[_i];
    bool statics_need = row->by == 'b' || row->by == 's';
    bool states_need = row->by == 'b' || row->by == 'S';

    ck_assert(is_sound_with(elf_layout_of_statics(), row->name, PHT_UNKNOWN) != statics_need);
    ck_assert(is_sound_with(elf_layout_of_states(), row->name, PHT_UNKNOWN) != states_need);
}
END_TEST

/* In this layout pool_header and arena_object are as large as may be, other structs 4096 bytes. */
static const struct bound_row {
    const char *name;
    uint64_t value;
    bool sound;
} bound_rows[] = {
    {"pool_szidx", PHT_COPIED_STRUCT_MAX - 4, true},
    {"pool_szidx", PHT_COPIED_STRUCT_MAX - 3, false},
    {"pool_szidx", PHT_COPIED_STRUCT_MAX, false},
    {"pool_szidx", UINT64_MAX - 1, false},
    {"pool_freeblock", PHT_COPIED_STRUCT_MAX - 8, true},
    {"pool_freeblock", PHT_COPIED_STRUCT_MAX - 7, false},
    {"pool_maxnextoffset", PHT_COPIED_STRUCT_MAX - 3, false},
    {"arena_address", PHT_COPIED_STRUCT_MAX - 8, true},
    {"arena_address", PHT_COPIED_STRUCT_MAX - 7, false},
    {"arena_ntotalpools", PHT_COPIED_STRUCT_MAX - 4, true},
    {"arena_ntotalpools", PHT_COPIED_STRUCT_MAX - 3, false},
    {"pool_header_bytes", PHT_COPIED_STRUCT_MAX + 1, false},
    {"arena_object_bytes", PHT_COPIED_STRUCT_MAX + 1, false},
    {"pool_header_bytes", 8, false}, /* its members lie outside then */
    {"pool_header_bytes", 0, false},
    {"arena_object_bytes", 3, false},
    {"interp_obmalloc", 4097, false},
    {"runtime_interpreters_head", 4097, false},
    {"interp_obmalloc_bytes", 4096, true},
    {"interp_obmalloc_bytes", 4097, false},
    {"obmalloc_usedpools_bytes", 4097, false},
    {"interp_bytes", UINT64_C(4) << 20, true},
    {"interp_bytes", (UINT64_C(4) << 20) + 1, false},
    {"runtime_bytes", UINT64_MAX - 1, false},
    {"allocator_malloc", (UINT64_C(4) << 20) - 8, true}, /* its struct has no size here */
    {"allocator_malloc", (UINT64_C(4) << 20) + 1, false},
    {"usedpools", UINT64_MAX - 1, true}, /* an address has no bound */
};

START_TEST(members_lie_inside_their_structs)
{
    const struct bound_row *row = &bound_rows[_i];

    ck_assert_msg(is_sound_with(elf_layout_of_states(), row->name, row->value) == row->sound,
                  "%s = %llu", row->name, (unsigned long long)row->value);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *python_layout_suite(void)
{
    Suite *suite = suite_create("layout/python_layout");
    TCase *tcase = tcase_create("python_layout");

    tcase_add_test(tcase, layouts_of_both_generations_are_sound);
    tcase_add_test(tcase, a_cleared_layout_is_not_sound);
    tcase_add_test(tcase, every_field_has_a_place_and_a_name_of_its_own);
    tcase_add_loop_test(tcase, what_a_walk_needs_must_be_known, 0, ROWS(required_rows));
    tcase_add_loop_test(tcase, members_lie_inside_their_structs, 0, ROWS(bound_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(python_layout_suite)
