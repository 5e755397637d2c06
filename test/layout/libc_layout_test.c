#include <string.h>

#include "layout/libc_layout.h"
#include "support/elf_layout.h"
#include "support/suite.h"

static const struct pht_layout_table *table = &pht_libc_layout_table;

static bool is_sound(struct pht_libc_layout layout)
{
    return pht_layout_is_sound(table, &layout);
}

static bool is_sound_with(struct pht_libc_layout layout, const char *name, uint64_t value)
{
    pht_layout_set(&layout, elf_layout_field(table, name), value);
    return is_sound(layout);
}

/* Those that a release may lack, by the beginnings of their names. */
static struct pht_libc_layout layout_without(const char *const *prefixes, size_t count)
{
    struct pht_libc_layout layout = elf_layout_of_libc();

    for (size_t i = 0; i < table->count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (strncmp(table->fields[i].name, prefixes[j], strlen(prefixes[j])) == 0)
                pht_layout_set(&layout, &table->fields[i], PHT_UNKNOWN);
        }
    }
    return layout;
}

START_TEST(a_layout_in_which_everything_is_known_is_sound)
{
    ck_assert(is_sound(elf_layout_of_libc()));
}
END_TEST

START_TEST(what_came_late_or_went_may_be_missing)
{
    static const char *const before_2_26[] = {"tcache", "params_tcache", "params_thp",
                                              "params_hp_pagesize", "thread_arena"};
    static const char *const since_2_43[] = {"state_fastbins", "tcache_counts"};

    ck_assert(is_sound(layout_without(before_2_26, 5)));
    ck_assert(is_sound(layout_without(since_2_43, 2)));
}
END_TEST

START_TEST(a_cleared_layout_is_not_sound)
{
    struct pht_libc_layout layout;

    memset(&layout, 0, sizeof(layout));
    pht_libc_layout_clear(&layout);
    for (size_t i = 0; i < table->count; i++)
        ck_assert_uint_eq(pht_layout_get(&layout, &table->fields[i]), PHT_UNKNOWN);
    ck_assert(!is_sound(layout));
}
END_TEST

START_TEST(every_field_has_a_place_and_a_name_of_its_own)
{
    elf_layout_check_table(table, sizeof(struct pht_libc_layout));
}
END_TEST

static const struct required_row {
    const char *name;
    bool required;
} required_rows[] = {
    {"state_bytes", true},
    {"state_flags", true},
    {"state_top", true},
    {"state_bins", true},
    {"state_bins_bytes", true},
    {"state_next", true},
    {"state_system_mem", true},
    {"state_max_system_mem", true},
    {"heap_bytes", true},
    {"heap_arena", true},
    {"heap_prev", true},
    {"heap_size", true},
    {"params_bytes", true},
    {"params_trim_threshold", true},
    {"params_top_pad", true},
    {"params_mmap_threshold", true},
    {"params_n_mmaps", true},
    {"params_mmapped_mem", true},
    {"params_sbrk_base", true},
    {"main_arena", true},
    {"params", true},
    /* where there are threads' caches */
    {"tcache_entries", true},
    {"tcache_entries_bytes", true},
    {"params_tcache_count", true},
    {"tcache_entry_key", false},
    {"tcache_key", false},
    {"tcache", false},
    {"thread_arena", false},
    {"state_fastbins", false},
    {"params_arena_max", false},
    {"params_max_n_mmaps", false},
};

START_TEST(what_a_walk_needs_must_be_known)
{
    const struct required_row *row = &required_rows[_i];

    ck_assert(is_sound_with(elf_layout_of_libc(), row->name, PHT_UNKNOWN) != row->required);
}
END_TEST

/* In this layout every struct has 4096 bytes; a size of a member is 8 times its line. */
static const struct bound_row {
    const char *name;
    uint64_t value;
    bool sound;
} bound_rows[] = {
    {"state_bytes", 64 << 10, true},
    {"state_bytes", (64 << 10) + 1, false},
    {"state_bytes", UINT64_MAX - 1, false},
    {"state_bytes", 8, false}, /* its members lie outside then */
    {"state_flags", 4092, true},
    {"state_flags", 4093, false},
    {"state_top", 4088, true},
    {"state_top", 4089, false},
    {"state_next", UINT64_MAX - 1, false},
    {"state_system_mem", 4089, false},
    {"state_bins", 4096, false},
    {"state_bins_bytes", 4096, false},
    {"state_bins_bytes", UINT64_MAX - 1, false},
    {"state_fastbins_bytes", 4096, false},
    {"heap_size", 4088, true},
    {"heap_size", 4089, false},
    {"heap_bytes", 0, false},
    {"params_n_mmaps", 4092, true},
    {"params_n_mmaps", 4093, false},
    {"params_sbrk_base", 4089, false},
    {"params_tcache_count", 4089, false},
    {"tcache_entries", 4096, false},
    {"tcache_entries_bytes", 4096, false},
    {"tcache_counts_bytes", 4096, false},
    {"tcache_slots_bytes", 4096, false},
    {"tcache_entry_key", 64 << 10, true}, /* its struct has no size here */
    {"tcache_entry_key", (64 << 10) + 1, false},
    {"main_arena", UINT64_MAX - 1, true}, /* an address has no bound */
    {"tcache", UINT64_MAX - 1, true},
};

START_TEST(members_lie_inside_their_structs)
{
    const struct bound_row *row = &bound_rows[_i];

    ck_assert_msg(is_sound_with(elf_layout_of_libc(), row->name, row->value) == row->sound,
                  "%s = %llu", row->name, (unsigned long long)row->value);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *libc_layout_suite(void)
{
    Suite *suite = suite_create("layout/libc_layout");
    TCase *tcase = tcase_create("libc_layout");

    tcase_add_test(tcase, a_layout_in_which_everything_is_known_is_sound);
    tcase_add_test(tcase, what_came_late_or_went_may_be_missing);
    tcase_add_test(tcase, a_cleared_layout_is_not_sound);
    tcase_add_test(tcase, every_field_has_a_place_and_a_name_of_its_own);
    tcase_add_loop_test(tcase, what_a_walk_needs_must_be_known, 0, ROWS(required_rows));
    tcase_add_loop_test(tcase, members_lie_inside_their_structs, 0, ROWS(bound_rows));
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(libc_layout_suite)
