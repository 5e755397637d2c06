/*
 * Which release's types are taken, and where malloc's variables are found, on heaps of every
 * version whose libc.so.6 has no symbols: whole ones, warm ones, and damaged ones.
 */
#include <string.h>

#include "layout/libc_layout.h"
#include "layout/libc_scan.h"
#include "layout/libc_slots.h"
#include "layout/libc_tables.h"
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

/* As malloc_image.c maps the library. */
#define DATA_OFFSET 0x1d0000
#define DATA_BYTES 0x10000
#define SPARE_OFFSET 0x1d3800 /* nothing is here */
#define TLS_BYTES 0x90
#define UNUSED_SLOT 0x10

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define READS_MAX 60000

static struct malloc_heap *heap;
static struct pht_maps maps;
static struct pht_libc_release releases[PHT_LIBC_RELEASES_MAX];

static struct malloc_heap *random_heap(enum malloc_version version, uint64_t seed)
{
    return malloc_random_heap(&(struct malloc_options){.version = version, .seed = seed}, 400);
}

static void build(enum malloc_version version)
{
    heap = random_heap(version, 7 + version);
}

static void teardown(void)
{
    malloc_heap_destroy(heap);
}

static uint64_t word(pht_addr addr)
{
    return fake_target_u64(heap->fake, addr);
}

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->fake, addr, value);
}

static pht_addr main_arena(void)
{
    return heap->arenas[MALLOC_MAIN].address;
}

static pht_addr params(void)
{
    return heap->libc.bias + heap->libc.layout.params;
}

/* ---- trying ------------------------------------------------------------------------------- */

static void read_data(struct pht_module_data *data)
{
    ck_assert_ptr_null(pht_target_read_maps(heap->fake->target, &maps));
    *data = (struct pht_module_data){.target = heap->fake->target, .maps = &maps};
    ck_assert(pht_module_data_add(data, heap->libc.bias + DATA_OFFSET, DATA_BYTES));
}

/* What a library without any symbol is known by. */
static struct pht_libc stripped(void)
{
    struct pht_libc libc = heap->libc;

    pht_libc_layout_clear(&libc.layout);
    libc.layout.current_break = heap->libc.layout.current_break;
    return libc;
}

static enum pht_libc_fit try_from(const struct pht_libc_layout *types, const struct pht_libc *known,
                                  struct pht_libc *ret)
{
    struct pht_module_data data;

    *ret = *known;
    read_data(&data);
    enum pht_libc_fit fit = pht_libc_release_try(&data, TLS_BYTES, types, ret);
    pht_module_data_deinit(&data);
    pht_maps_deinit(&maps);
    ck_assert_msg(heap->fake->forbidden_reads == 0, "read of 0x%lx, which was not to be touched",
                  (unsigned long)heap->fake->first_forbidden);
    return fit;
}

static enum pht_libc_fit try_types(const struct pht_libc_layout *types, struct pht_libc *ret)
{
    struct pht_libc known = stripped();

    return try_from(types, &known, ret);
}

/* With the types that the heap has. */
static enum pht_libc_fit try_own(struct pht_libc *ret)
{
    return try_types(&heap->libc.layout, ret);
}

static void check_is_nothing(void)
{
    struct pht_libc libc;

    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_NONE);
    ck_assert_uint_le(heap->fake->read_count, READS_MAX);
}

static void check_is_something(void)
{
    struct pht_libc libc;

    ck_assert_int_ne(try_own(&libc), PHT_LIBC_FIT_NONE);
}

/* Up to 2.22 threads have their arena in another variable, which these images lack. */
static enum pht_libc_fit whole(void)
{
    return heap->options.version == MALLOC_2_17 ? PHT_LIBC_FIT_ARENAS : PHT_LIBC_FIT_ALL;
}

static bool has_chunks_in_tcaches(void)
{
    for (uint32_t i = 0; i < heap->arena_count; i++) {
        if (malloc_heap_count(heap, i, MALLOC_TCACHE) > 0)
            return true;
    }
    return false;
}

static void check_addresses(const struct pht_libc_layout *found)
{
    const struct pht_libc_layout *layout = &heap->libc.layout;

    ck_assert_uint_eq(found->main_arena, layout->main_arena);
    ck_assert_uint_eq(found->params, layout->params);
    ck_assert_uint_eq(found->tcache, layout->tcache);
    ck_assert_uint_eq(found->thread_arena, layout->thread_arena);
    ck_assert_uint_eq(found->current_break, layout->current_break);
    ck_assert_uint_eq(found->tcache_key,
                      has_chunks_in_tcaches() ? layout->tcache_key : PHT_UNKNOWN);
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
        enum pht_libc_fit fit = try_types(&releases[i].layout, &libc);
        if (has_types_of_heap(&releases[i].layout)) {
            ck_assert_msg(fit == whole(), "2.%u: %d", releases[i].minor, fit);
            check_addresses(&libc.layout);
            fitting++;
        } else {
            /* Where threads' caches are of another form alone, their place is not found. */
            ck_assert_msg(fit == PHT_LIBC_FIT_NONE ||
                              (fit < whole() && libc.layout.tcache == PHT_UNKNOWN),
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
    check_is_something();
    put(behind + 16, 7);
    put(behind, 0);
    check_is_something();
    put(behind, 64);
    check_is_nothing();
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
            if (try_types(&types, &libc) == PHT_LIBC_FIT_NONE)
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
        ck_assert_int_eq(try_types(&types, &libc), PHT_LIBC_FIT_NONE);
        types = heap->libc.layout;
        if (types.state_fastbins == PHT_UNKNOWN)
            continue;
        types.state_fastbins_bytes += (uint64_t)bytes;
        types.state_top += (uint64_t)bytes;
        types.state_bins += (uint64_t)bytes;
        move_behind_bins(&types, bytes);
        ck_assert(pht_libc_layout_table.is_as_declared(&types));
        ck_assert_int_eq(try_types(&types, &libc), PHT_LIBC_FIT_NONE);
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
        ck_assert_int_lt(try_types(&types, &libc), PHT_LIBC_FIT_ALL);
        ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
    }
}
END_TEST

/* ---- what is found ------------------------------------------------------------------------ */

START_TEST(a_single_thread_is_enough)
{
    struct pht_libc libc;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    if (heap->traits->has_dummy_tcache)
        malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 32);
    malloc_random_chunks(heap, MALLOC_MAIN, 50);
    malloc_heap_finish(heap);
    ck_assert_int_eq(try_own(&libc), whole());
    check_addresses(&libc.layout);
}
END_TEST

/* A chunk in every bin, so that none points to itself. */
START_TEST(no_bin_needs_to_be_empty)
{
    struct pht_libc libc;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    if (heap->traits->has_dummy_tcache)
        malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 32);
    malloc_heap_unsorted(heap, MALLOC_MAIN, 64);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    for (uint64_t bytes = 32, last = 0; bytes <= (uint64_t)2 << 20; bytes += 16) {
        uint32_t bin = malloc_bin_index(bytes);
        if (bin == last)
            continue;
        last = bin;
        malloc_heap_bin(heap, MALLOC_MAIN, bytes);
        malloc_heap_live(heap, MALLOC_MAIN, 32);
    }
    malloc_heap_finish(heap);
    for (uint32_t bin = 1; bin < MALLOC_BINS - 1; bin++) {
        pht_addr head = malloc_bin_head(heap, MALLOC_MAIN, bin);
        ck_assert_uint_ne(word(head + 16), head);
    }
    ck_assert_int_eq(try_own(&libc), whole());
    ck_assert_uint_eq(libc.layout.main_arena, heap->libc.layout.main_arena);
}
END_TEST

/* Another allocator serves the process: all is as it was linked. */
START_TEST(malloc_that_was_never_used_is_found)
{
    struct pht_libc libc;

    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)_i, .idle = true});
    malloc_heap_finish(heap);
    put(params() + heap->libc.layout.params_sbrk_base, 0);
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.main_arena, heap->libc.layout.main_arena);
    ck_assert_uint_eq(libc.layout.params, heap->libc.layout.params);
    put(params() + heap->libc.layout.params_top_pad, 4096);
    check_is_nothing();
}
END_TEST

/* A part of the main arena is where brk could not go. */
START_TEST(a_main_arena_in_pieces_is_found)
{
    struct pht_libc libc;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    malloc_random_chunks(heap, MALLOC_MAIN, 50);
    malloc_heap_next_region(heap, MALLOC_MAIN);
    malloc_random_chunks(heap, MALLOC_MAIN, 50);
    malloc_heap_finish(heap);
    ck_assert_int_ne(try_own(&libc), PHT_LIBC_FIT_NONE);
    ck_assert_uint_eq(libc.layout.params, heap->libc.layout.params);
    put(params() + heap->libc.layout.params_sbrk_base, heap->libc.bias);
    check_is_nothing();
}
END_TEST

/* What symbols tell is proved like all else. */
START_TEST(known_addresses_are_proved)
{
    struct pht_libc known, libc;

    build((enum malloc_version)_i);
    known = heap->libc;
    ck_assert_int_eq(try_from(&heap->libc.layout, &known, &libc), whole());
    known.layout.main_arena += 8;
    ck_assert_int_eq(try_from(&heap->libc.layout, &known, &libc), PHT_LIBC_FIT_NONE);
    known = heap->libc;
    known.layout.params -= 8;
    ck_assert_int_eq(try_from(&heap->libc.layout, &known, &libc), PHT_LIBC_FIT_NONE);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    known = heap->libc;
    known.layout.tcache += 8;
    ck_assert_int_eq(try_from(&heap->libc.layout, &known, &libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
}
END_TEST

/* ---- what passes for them ----------------------------------------------------------------- */

/* Heads of empty pools point to themselves as empty bins do. */
START_TEST(a_table_of_used_pools_is_no_arena)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    for (uint64_t at = 0; at < 64; at++) {
        pht_addr pair = heap->libc.bias + SPARE_OFFSET + 16 * at;
        put(pair, pair - 16);
        put(pair + 8, pair - 16);
    }
    ck_assert_int_eq(try_own(&libc), whole());
    check_addresses(&libc.layout);
}
END_TEST

/* As it stands in another place, and with all that points to itself moved. */
START_TEST(two_main_arenas_are_none)
{
    struct pht_libc libc;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    malloc_heap_live(heap, MALLOC_MAIN, 4096);
    malloc_heap_finish(heap);
    const struct pht_libc_layout *layout = &heap->libc.layout;
    pht_addr copy = heap->libc.bias + SPARE_OFFSET;
    for (uint64_t at = 0; at < layout->state_bytes; at += 8)
        put(copy + at, word(main_arena() + at));
    ck_assert_int_ne(try_own(&libc), PHT_LIBC_FIT_NONE);
    put(copy + layout->state_next, copy);
    for (uint64_t at = 0; at < layout->state_bins_bytes; at += 8)
        put(copy + layout->state_bins + at,
            word(main_arena() + layout->state_bins + at) - main_arena() + copy);
    check_is_nothing();
}
END_TEST

START_TEST(two_sets_of_parameters_are_none)
{
    build((enum malloc_version)_i);
    for (uint64_t at = 0; at < heap->libc.layout.params_bytes; at += 8)
        put(params() + 0x200 + at, word(params() + at));
    check_is_nothing();
}
END_TEST

START_TEST(two_places_in_threads_are_none)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    for (uint32_t i = 0; i < heap->thread_count; i++) {
        pht_addr block = malloc_image_tcache(heap, i) - heap->libc.layout.tcache;
        put(block + UNUSED_SLOT, word(malloc_image_tcache(heap, i)));
        put(block + UNUSED_SLOT + 8, word(malloc_image_thread_arena(heap, i)));
    }
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
    ck_assert_uint_eq(libc.layout.thread_arena, PHT_UNKNOWN);
}
END_TEST

START_TEST(two_places_of_the_key_are_none)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache_key == PHT_UNKNOWN)
        return;
    ck_assert(has_chunks_in_tcaches());
    put(heap->libc.bias + SPARE_OFFSET, word(heap->libc.bias + heap->libc.layout.tcache_key));
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ALL);
    ck_assert_uint_eq(libc.layout.tcache_key, PHT_UNKNOWN);
}
END_TEST

/* Up to 2.33 chunks are marked with the tcache's own address, which may stand anywhere. */
START_TEST(the_address_of_a_tcache_is_no_key)
{
    struct pht_libc libc;

    build(MALLOC_2_31);
    for (uint32_t i = 0; i < heap->thread_count; i++)
        put(heap->libc.bias + SPARE_OFFSET + 8 * i, heap->threads[i].tcache);
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ALL);
    ck_assert_uint_eq(libc.layout.tcache_key, PHT_UNKNOWN);
}
END_TEST

/* ---- damage ------------------------------------------------------------------------------- */

/* By the offset of a member of malloc_state, and what stands there instead. */
START_TEST(a_damaged_main_arena_is_none)
{
    build((enum malloc_version)_i);
    const struct pht_libc_layout *layout = &heap->libc.layout;
    const struct {
        uint64_t offset;
        uint64_t value;
    } rows[] = {
        {layout->state_next, 0},
        {layout->state_next, main_arena() + 16},
        {layout->state_next, heap->brk_start},
        {layout->state_top, 0},
        {layout->state_top, word(main_arena() + layout->state_top) + 16},
        {layout->state_top, word(main_arena() + layout->state_top) + 8},
        {layout->state_bins, 0},
        {layout->state_bins + 16 * 40 + 8, 0x7001},
        {layout->state_system_mem, PHT_USER_ADDR_MAX + 1},
        {layout->state_max_system_mem, 0},
        {0, word(main_arena()) | 8ULL << 32},
        {0, word(main_arena()) | 3},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = word(main_arena() + rows[i].offset);
        put(main_arena() + rows[i].offset, rows[i].value);
        check_is_nothing();
        put(main_arena() + rows[i].offset, before);
    }
}
END_TEST

/* Every chunk at the end of a bin's list leads elsewhere: these are no lists. */
START_TEST(open_lists_are_none)
{
    build((enum malloc_version)_i);
    for (uint32_t bin = 1; bin < MALLOC_BINS; bin++) {
        pht_addr head = malloc_bin_head(heap, MALLOC_MAIN, bin);
        if (word(head + 24) != head)
            put(word(head + 24) + 16, heap->brk_start);
    }
    check_is_nothing();
}
END_TEST

START_TEST(damaged_parameters_are_none)
{
    build((enum malloc_version)_i);
    const struct pht_libc_layout *layout = &heap->libc.layout;
    const struct {
        uint64_t offset;
        uint64_t value;
    } rows[] = {
        {layout->params_sbrk_base, heap->brk_start + 16},
        {layout->params_arena_max - 8, 0},
        {layout->params_arena_max, UINT64_MAX},
        {layout->params_mmapped_mem, word(params() + layout->params_max_mmapped_mem) + PAGE},
        {layout->params_mmapped_mem, 8},
        {layout->params_mmap_threshold, UINT64_MAX},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = word(params() + rows[i].offset);
        put(params() + rows[i].offset, rows[i].value);
        check_is_nothing();
        put(params() + rows[i].offset, before);
    }
}
END_TEST

START_TEST(a_thread_with_another_word_votes_against)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    put(malloc_image_tcache(heap, 0), heap->brk_start + 0x20);
    put(malloc_image_thread_arena(heap, 0), main_arena() + 16);
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
    ck_assert_uint_eq(libc.layout.thread_arena, PHT_UNKNOWN);
}
END_TEST

/* A bin's chunk of another size. */
START_TEST(a_tcache_whose_entries_make_no_sense_is_none)
{
    struct pht_libc libc;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    for (uint32_t i = 0; i < heap->arena_count; i++) {
        for (uint32_t n = 0; n < malloc_heap_count(heap, i, MALLOC_TCACHE); n++)
            put(malloc_heap_find(heap, i, MALLOC_TCACHE, n)->address + 8, 0x5001);
    }
    ck_assert(has_chunks_in_tcaches());
    ck_assert_int_eq(try_own(&libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.tcache, PHT_UNKNOWN);
}
END_TEST

/* Then the walk does not take what waits in tcaches for memory in use without saying so. */
START_TEST(tcaches_without_a_place_leave_the_threads_unknown)
{
    struct malloc_walk walk;

    build((enum malloc_version)_i);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    heap->libc.layout.tcache = PHT_UNKNOWN;
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(!walk.glibc->threads_known);
    malloc_walk_deinit(&walk);
    /* A tunable has turned them off. */
    put(params() + heap->libc.layout.params_tcache_count, 0);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.glibc->threads_known);
    malloc_walk_deinit(&walk);
}
END_TEST

START_TEST(pages_that_are_not_there_hide_it)
{
    build((enum malloc_version)_i);
    fake_target_set_pages(heap->fake, main_arena(), main_arena() + 1, FAKE_SWAPPED);
    check_is_nothing();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("libc_tables");
    TCase *order = tcase_create("order");
    TCase *choice = tcase_create("choice");
    TCase *found = tcase_create("found");
    TCase *others = tcase_create("others");
    TCase *damage = tcase_create("damage");

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
    tcase_add_checked_fixture(found, NULL, teardown);
    tcase_add_loop_test(found, a_single_thread_is_enough, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(found, no_bin_needs_to_be_empty, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(found, malloc_that_was_never_used_is_found, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(found, a_main_arena_in_pieces_is_found, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(found, known_addresses_are_proved, 0, MALLOC_VERSIONS);
    suite_add_tcase(suite, found);
    tcase_add_checked_fixture(others, NULL, teardown);
    tcase_add_loop_test(others, a_table_of_used_pools_is_no_arena, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(others, two_main_arenas_are_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(others, two_sets_of_parameters_are_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(others, two_places_in_threads_are_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(others, two_places_of_the_key_are_none, 0, MALLOC_VERSIONS);
    tcase_add_test(others, the_address_of_a_tcache_is_no_key);
    suite_add_tcase(suite, others);
    tcase_add_checked_fixture(damage, NULL, teardown);
    tcase_add_loop_test(damage, a_damaged_main_arena_is_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(damage, open_lists_are_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(damage, damaged_parameters_are_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(damage, a_thread_with_another_word_votes_against, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(damage, a_tcache_whose_entries_make_no_sense_is_none, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(damage, tcaches_without_a_place_leave_the_threads_unknown, 0,
                        MALLOC_VERSIONS);
    tcase_add_loop_test(damage, pages_that_are_not_there_hide_it, 0, MALLOC_VERSIONS);
    suite_add_tcase(suite, damage);
    return suite;
}

SUITE_MAIN(make_suite)
