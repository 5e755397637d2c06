/* Types of glibc's releases: as debug information of some of them says, for the others the source.
 */
#include "layout/libc_cache.h"
#include "layout/libc_declared.h"
#include "layout/libc_layout.h"
#include "layout/order.h"
#include "support/suite.h"

#define RELEASES (PHT_LIBC_MINOR_LAST - PHT_LIBC_MINOR_FIRST + 1)
#define NONE PHT_UNKNOWN

/* ---- offsets by release ------------------------------------------------------------------- */

static const struct state_row {
    unsigned first;
    unsigned last;
    uint64_t fastbins;
    uint64_t top;
    uint64_t bins;
    uint64_t next;
    uint64_t system_mem;
    uint64_t bytes;
} state_rows[] = {
    {17, 22, 8, 88, 104, 2152, 2168, 2184},
    {23, 26, 8, 88, 104, 2152, 2176, 2192},
    {27, 42, 16, 96, 112, 2160, 2184, 2200},
    {43, 44, NONE, 8, 24, 2072, 2096, 2112},
};

START_TEST(the_state_of_an_arena)
{
    const struct state_row *row = &state_rows[_i];

    for (unsigned minor = row->first; minor <= row->last; minor++) {
        struct pht_libc_layout layout;
        pht_libc_declared(minor, &layout);
        ck_assert_uint_eq(layout.state_mutex, 0);
        ck_assert_uint_eq(layout.state_flags, 4);
        ck_assert_uint_eq(layout.state_fastbins, row->fastbins);
        ck_assert_uint_eq(layout.state_fastbins_bytes, row->fastbins == NONE ? NONE : 80);
        ck_assert_uint_eq(layout.state_top, row->top);
        ck_assert_uint_eq(layout.state_bins, row->bins);
        ck_assert_uint_eq(layout.state_bins_bytes, 254 * 8);
        ck_assert_uint_eq(layout.state_next, row->next);
        ck_assert_uint_eq(layout.state_system_mem, row->system_mem);
        ck_assert_uint_eq(layout.state_max_system_mem, row->system_mem + 8);
        ck_assert_uint_eq(layout.state_bytes, row->bytes);
    }
}
END_TEST

static const struct params_row {
    unsigned first;
    unsigned last;
    uint64_t thp_pagesize;
    uint64_t n_mmaps;
    uint64_t mmapped_mem;
    uint64_t sbrk_base;
    uint64_t tcache_count;
    uint64_t bytes;
} params_rows[] = {
    {17, 23, NONE, 40, 56, 80, NONE, 88}, {24, 25, NONE, 40, 56, 72, NONE, 80},
    {26, 34, NONE, 40, 56, 72, 96, 112},  {35, 42, 40, 60, 80, 96, 120, 136},
    {43, 43, 48, 68, 88, 104, 128, 144},  {44, 44, 48, 68, 88, 104, 128, 136},
};

START_TEST(the_parameters)
{
    const struct params_row *row = &params_rows[_i];

    for (unsigned minor = row->first; minor <= row->last; minor++) {
        struct pht_libc_layout layout;
        pht_libc_declared(minor, &layout);
        ck_assert_uint_eq(layout.params_trim_threshold, 0);
        ck_assert_uint_eq(layout.params_top_pad, 8);
        ck_assert_uint_eq(layout.params_mmap_threshold, 16);
        ck_assert_uint_eq(layout.params_arena_max, 32);
        ck_assert_uint_eq(layout.params_thp_pagesize, row->thp_pagesize);
        ck_assert_uint_eq(layout.params_hp_pagesize,
                          row->thp_pagesize == NONE ? NONE : row->thp_pagesize + 8);
        ck_assert_uint_eq(layout.params_n_mmaps, row->n_mmaps);
        ck_assert_uint_eq(layout.params_max_n_mmaps, row->n_mmaps + 8);
        ck_assert_uint_eq(layout.params_no_dyn_threshold, row->n_mmaps + 12);
        ck_assert_uint_eq(layout.params_mmapped_mem, row->mmapped_mem);
        ck_assert_uint_eq(layout.params_max_mmapped_mem, row->mmapped_mem + 8);
        ck_assert_uint_eq(layout.params_sbrk_base, row->sbrk_base);
        ck_assert_uint_eq(layout.params_tcache_count, row->tcache_count);
        ck_assert_uint_eq(layout.params_tcache_max_bytes,
                          row->tcache_count == NONE ? NONE : row->tcache_count - 8);
        ck_assert_uint_eq(layout.params_bytes, row->bytes);
    }
}
END_TEST

static const struct tcache_row {
    unsigned first;
    unsigned last;
    uint64_t counts_bytes;
    uint64_t slots_bytes;
    uint64_t entries;
    uint64_t bytes;
    uint64_t key;
} tcache_rows[] = {
    {17, 25, NONE, NONE, NONE, NONE, NONE}, {26, 28, 64, NONE, 64, 576, NONE},
    {29, 29, 64, NONE, 64, 576, 8},         {30, 41, 128, NONE, 128, 640, 8},
    {42, 44, NONE, 152, 152, 760, 8},
};

START_TEST(the_caches_of_threads)
{
    const struct tcache_row *row = &tcache_rows[_i];

    for (unsigned minor = row->first; minor <= row->last; minor++) {
        struct pht_libc_layout layout;
        pht_libc_declared(minor, &layout);
        ck_assert_uint_eq(layout.tcache_counts, row->counts_bytes == NONE ? NONE : 0);
        ck_assert_uint_eq(layout.tcache_counts_bytes, row->counts_bytes);
        ck_assert_uint_eq(layout.tcache_slots, row->slots_bytes == NONE ? NONE : 0);
        ck_assert_uint_eq(layout.tcache_slots_bytes, row->slots_bytes);
        ck_assert_uint_eq(layout.tcache_entries, row->entries);
        ck_assert_uint_eq(layout.tcache_entries_bytes,
                          row->bytes == NONE ? NONE : row->bytes - row->entries);
        ck_assert_uint_eq(layout.tcache_bytes, row->bytes);
        ck_assert_uint_eq(layout.tcache_entry_key, row->key);
    }
}
END_TEST

START_TEST(heaps_and_random_numbers)
{
    unsigned minor = PHT_LIBC_MINOR_FIRST + (unsigned)_i;
    struct pht_libc_layout layout;

    pht_libc_declared(minor, &layout);
    ck_assert_uint_eq(layout.heap_arena, 0);
    ck_assert_uint_eq(layout.heap_prev, 8);
    ck_assert_uint_eq(layout.heap_size, 16);
    ck_assert_uint_eq(layout.heap_bytes, minor >= 35 ? 48 : 32);
    ck_assert_uint_eq(layout.random_bytes, minor >= 41 ? 40 : NONE);
}
END_TEST

/* ---- proofs of all of it ------------------------------------------------------------------ */

START_TEST(offsets_prove_each_other)
{
    struct pht_libc_layout layout;

    pht_libc_declared(PHT_LIBC_MINOR_FIRST + (unsigned)_i, &layout);
    ck_assert(pht_libc_layout_is_as_declared(&layout));
}
END_TEST

START_TEST(no_address_is_known)
{
    struct pht_libc_layout layout;

    pht_libc_declared(PHT_LIBC_MINOR_FIRST + (unsigned)_i, &layout);
    for (size_t i = 0; i < pht_libc_layout_table.count; i++) {
        const struct pht_layout_field *field = &pht_libc_layout_table.fields[i];
        if (field->kind == PHT_FIELD_ADDRESS || field->kind == PHT_FIELD_TLS)
            ck_assert_msg(pht_layout_get(&layout, field) == PHT_UNKNOWN, "%s", field->name);
    }
}
END_TEST

START_TEST(debug_information_says_the_same)
{
    struct pht_libc libc;
    int compared = 0;

    for (size_t at = 0; pht_libc_tables_next(&at, &libc); compared++) {
        struct pht_libc_layout layout;
        unsigned minor;
        ck_assert_int_eq(sscanf(libc.version_text, "2.%u", &minor), 1);
        pht_libc_declared(minor, &layout);
        for (size_t i = 0; i < pht_libc_layout_table.count; i++) {
            const struct pht_layout_field *field = &pht_libc_layout_table.fields[i];
            if (pht_layout_is_of_type(field) || field->kind == PHT_FIELD_LENGTH)
                ck_assert_msg(pht_layout_get(&layout, field) == pht_layout_get(&libc.layout, field),
                              "%s of %s", field->name, libc.version_text);
        }
    }
    ck_assert_int_ge(compared, 4);
}
END_TEST

#define COUNT(rows) ((int)(sizeof(rows) / sizeof((rows)[0])))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("libc_declared");
    TCase *offsets = tcase_create("offsets");
    TCase *proofs = tcase_create("proofs");

    tcase_add_loop_test(offsets, the_state_of_an_arena, 0, COUNT(state_rows));
    tcase_add_loop_test(offsets, the_parameters, 0, COUNT(params_rows));
    tcase_add_loop_test(offsets, the_caches_of_threads, 0, COUNT(tcache_rows));
    tcase_add_loop_test(offsets, heaps_and_random_numbers, 0, RELEASES);
    suite_add_tcase(suite, offsets);
    tcase_add_loop_test(proofs, offsets_prove_each_other, 0, RELEASES);
    tcase_add_loop_test(proofs, no_address_is_known, 0, RELEASES);
    tcase_add_test(proofs, debug_information_says_the_same);
    suite_add_tcase(suite, proofs);
    return suite;
}

SUITE_MAIN(make_suite)
