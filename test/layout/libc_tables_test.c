/* Which release's types are taken, on heaps of every version whose libc.so.6 has no symbols. */
#include <string.h>

#include "layout/libc_layout.h"
#include "support/malloc_random.h"
#include "support/malloc_scan.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

static struct malloc_heap *heap;
static struct pht_libc_release releases[PHT_LIBC_RELEASES_MAX];

static void build(enum malloc_version version)
{
    heap =
        malloc_random_heap(&(struct malloc_options){.version = version, .seed = 7 + version}, 400);
}

static void teardown(void)
{
    malloc_heap_destroy(heap);
}

static uint64_t word(pht_addr addr)
{
    return malloc_scan_word(heap, addr);
}

static void put(pht_addr addr, uint64_t value)
{
    malloc_scan_put(heap, addr, value);
}

static pht_addr main_arena(void)
{
    return malloc_scan_main_arena(heap);
}

static pht_addr params(void)
{
    return malloc_scan_params(heap);
}

/* ---- the choice --------------------------------------------------------------------------- */

/* mp_ of 2.44 differs from that of 2.43 in nothing but its end, behind all that is read. */
static bool has_types_of_heap(const struct pht_libc_layout *types)
{
    const struct pht_layout_table *table = &pht_libc_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        bool is_free =
            !pht_layout_is_of_type(field) || strcmp(field->name, "tcache_entry_key") == 0 ||
            (strcmp(field->name, "params_bytes") == 0 && types->state_fastbins == PHT_UNKNOWN);
        if (!is_free && pht_layout_get(types, field) != pht_layout_get(&heap->libc.layout, field))
            return false;
    }
    return true;
}

/* Of all releases those fit whose types are the heap's own, and no others. */
static void check_releases(void)
{
    size_t count = pht_libc_releases("", releases), fitting = 0;

    for (size_t i = 0; i < count; i++) {
        struct pht_libc libc;
        enum pht_libc_fit fit = malloc_scan_try(heap, &releases[i].layout, &libc);
        if (has_types_of_heap(&releases[i].layout)) {
            ck_assert_msg(fit == malloc_scan_whole(heap), "2.%u: %d", releases[i].minor, fit);
            malloc_scan_check(heap, &libc.layout);
            fitting++;
        } else {
            /* Where threads' caches are of another form alone, their place is not found. */
            ck_assert_msg(fit == PHT_LIBC_FIT_NONE ||
                              (fit < malloc_scan_whole(heap) && libc.layout.tcache == PHT_UNKNOWN),
                          "2.%u: %d", releases[i].minor, fit);
        }
    }
    ck_assert_uint_gt(fitting, 0);
    ck_assert_uint_lt(fitting, count);
}

START_TEST(types_of_other_releases_do_not_fit)
{
    build((enum malloc_version)_i);
    check_releases();
}
END_TEST

/* So that hardly a counter tells where it is. */
START_TEST(nor_where_nothing_was_ever_mmapped)
{
    const struct pht_libc_layout *layout;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    malloc_heap_live(heap, MALLOC_MAIN, 4096);
    if (heap->traits->tcache_bins > 0)
        malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 32);
    malloc_heap_finish(heap);
    layout = &heap->libc.layout;
    fake_target_put_u32(heap->fake, params() + layout->params_max_n_mmaps, 0);
    put(params() + layout->params_max_mmapped_mem, 0);
    check_releases();
}
END_TEST

/* A large number, where later releases have the most that the arena ever had. */
START_TEST(nor_by_what_stands_behind_the_arena)
{
    build((enum malloc_version)_i);
    const struct pht_libc_layout *layout = &heap->libc.layout;
    put(main_arena() + layout->state_max_system_mem, word(main_arena() + layout->state_system_mem));
    put(main_arena() + layout->state_bytes, PHT_USER_ADDR_MAX);
    check_releases();
}
END_TEST

/* A release without tcaches, and what only others have. */
START_TEST(parameters_of_tcaches_are_of_another_release)
{
    build(MALLOC_2_17);
    pht_addr behind = params() + heap->libc.layout.params_bytes;
    put(behind, 64);
    put(behind + 8, 1032);
    put(behind + 16, PHT_USER_ADDR_MAX);
    malloc_scan_check_fits(heap);
    put(behind + 16, 7);
    put(behind, 0);
    malloc_scan_check_fits(heap);
    put(behind, 64);
    malloc_scan_check_does_not_fit(heap);
}
END_TEST

START_TEST(the_version_puts_the_nearest_first)
{
    static const struct {
        const char *version;
        unsigned first;
        unsigned last;
    } rows[] = {
        {"2.36", 36, 17}, {"2.17", 17, 44},     {"2.44", 44, 17},
        {"", 44, 17},     {"2.99", 44, 17},     {"2.38.9000", 38, 17},
        {"2.31", 31, 17}, {"nonsense", 44, 17}, {"2.4", 17, 44},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t count = pht_libc_releases(rows[i].version, releases);
        ck_assert_uint_eq(count, 28 + 4);
        ck_assert_uint_eq(releases[0].minor, rows[i].first);
        ck_assert_uint_eq(releases[count - 1].minor, rows[i].last);
    }
    /* What debug information told has its addresses too; they are of that build. */
    pht_libc_releases("2.36", releases);
    ck_assert_uint_ne(releases[0].layout.main_arena, PHT_UNKNOWN);
    ck_assert_uint_eq(releases[1].minor, 36);
    ck_assert_uint_eq(releases[1].layout.main_arena, PHT_UNKNOWN);
}
END_TEST

/* Whatever is changed in a row: it is no declared layout, finds nothing, or gives the figures. */
START_TEST(a_wrong_value_is_noticed_or_harmless)
{
    static const int64_t steps[] = {8, -8, 16, 4, -4, 128, -128};
    const struct pht_layout_table *table = &pht_libc_layout_table;
    unsigned tried = 0;

    build((enum malloc_version)_i);
    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        struct pht_libc_layout types = heap->libc.layout;
        uint64_t value = pht_layout_get(&types, field);
        for (size_t j = 0; j < sizeof(steps) / sizeof(steps[0]); j++) {
            struct malloc_walk walk;
            struct pht_libc libc;
            if (!pht_layout_is_of_type(field) || value == PHT_UNKNOWN)
                continue;
            pht_layout_set(&types, field, value + (uint64_t)steps[j]);
            tried++;
            if (malloc_scan_try(heap, &types, &libc) == PHT_LIBC_FIT_NONE)
                continue;
            struct pht_libc own = heap->libc;
            heap->libc = libc;
            malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
            heap->libc = own;
            malloc_heap_check(heap, walk.glibc);
            malloc_walk_deinit(&walk);
        }
    }
    ck_assert_uint_gt(tried, 150);
}
END_TEST

static void move_behind_bins(struct pht_libc_layout *types, int64_t bytes)
{
    types->state_next += (uint64_t)bytes;
    types->state_system_mem += (uint64_t)bytes;
    types->state_max_system_mem += (uint64_t)bytes;
    types->state_bytes += (uint64_t)bytes;
}

/* In the order of a declaration, so that only memory tells. */
START_TEST(arrays_of_another_length_do_not_fit)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    for (int64_t bytes = -16; bytes <= 16; bytes += 32) {
        struct pht_libc_layout types = heap->libc.layout;
        types.state_bins_bytes += (uint64_t)bytes;
        move_behind_bins(&types, bytes);
        ck_assert(pht_libc_layout_table.is_as_declared(&types));
        ck_assert_int_eq(malloc_scan_try(heap, &types, &libc), PHT_LIBC_FIT_NONE);
        types = heap->libc.layout;
        if (types.state_fastbins == PHT_UNKNOWN)
            continue;
        types.state_fastbins_bytes += (uint64_t)bytes;
        types.state_top += (uint64_t)bytes;
        types.state_bins += (uint64_t)bytes;
        move_behind_bins(&types, bytes);
        ck_assert(pht_libc_layout_table.is_as_declared(&types));
        ck_assert_int_eq(malloc_scan_try(heap, &types, &libc), PHT_LIBC_FIT_NONE);
    }
}
END_TEST

START_TEST(tcaches_of_another_length_have_no_place)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache_bytes == PHT_UNKNOWN)
        return;
    for (uint64_t bins = 60; bins <= 80; bins += 4) {
        struct pht_libc_layout types = heap->libc.layout;
        uint64_t counters = bins * heap->traits->counter_bytes;
        if (bins == heap->traits->tcache_bins)
            continue;
        *(heap->traits->counts_free_slots ? &types.tcache_slots_bytes
                                          : &types.tcache_counts_bytes) = counters;
        types.tcache_entries = counters;
        types.tcache_entries_bytes = 8 * bins;
        types.tcache_bytes = counters + 8 * bins;
        ck_assert_int_eq(pht_libc_layout_table.is_as_declared(&types), counters % 8 == 0);
        ck_assert_int_lt(malloc_scan_try(heap, &types, &libc), PHT_LIBC_FIT_ALL);
        ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
    }
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("libc_tables");
    TCase *order = tcase_create("order");
    TCase *choice = tcase_create("choice");

    tcase_add_test(order, the_version_puts_the_nearest_first);
    suite_add_tcase(suite, order);
    tcase_add_checked_fixture(choice, NULL, teardown);
    tcase_add_loop_test(choice, types_of_other_releases_do_not_fit, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(choice, nor_where_nothing_was_ever_mmapped, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(choice, nor_by_what_stands_behind_the_arena, 0, MALLOC_VERSIONS);
    tcase_add_test(choice, parameters_of_tcaches_are_of_another_release);
    tcase_add_loop_test(choice, a_wrong_value_is_noticed_or_harmless, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(choice, arrays_of_another_length_do_not_fit, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(choice, tcaches_of_another_length_have_no_place, 0, MALLOC_VERSIONS);
    suite_add_tcase(suite, choice);
    return suite;
}

SUITE_MAIN(make_suite)
