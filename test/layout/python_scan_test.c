/*
 * Pools, arenas and allocators of an interpreter that no symbol tells: a library that was stripped
 * is loaded into this process, and what the scan finds in it is compared with where they are.
 */
#include <stddef.h>
#include <string.h>

#include "layout/python_scan.h"
#include "support/elf_bytes.h"
#include "support/fake_target.h"
#include "support/scan_fixture.h"
#include "support/suite.h"

static void setup(void)
{
    OPEN_SCANNED();
}

/* Arena objects and pools have words of 8 and 4 bytes at the same places in all versions. */
static uint64_t *arena_word(unsigned i, uint64_t offset)
{
    char *array = *VARIABLE(char *, "arenas");

    return (uint64_t *)(void *)(array + i * row.arena_object_bytes + offset);
}

static unsigned char *first_pool(unsigned size_class)
{
    return VARIABLE(unsigned char *, "usedpools")[2 * size_class];
}

static void put_u32(unsigned char *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
}

static void put_u64(unsigned char *at, uint64_t value)
{
    memcpy(at, &value, sizeof(value));
}

/* ---- all of them -------------------------------------------------------------------------- */

static const struct build_row {
    const char *path;
    uint64_t usedpools_bytes;
} builds[] = {
    {ELF_FIXTURE("scanned"), 512},       {ELF_FIXTURE("scanned-size"), 512},
    {ELF_FIXTURE("scanned-clang"), 512}, {ELF_FIXTURE("scanned-lto"), 512},
    {ELF_FIXTURE("scanned-debug"), 512}, {ELF_FIXTURE("scanned-old"), 1024},
};

START_TEST(every_variable_is_where_it_is)
{
    if (!open_fixture(builds[_i].path))
        SKIP_TEST(builds[_i].path);
    run();
    ck_assert(scan_anew());
    check_truth();
    ck_assert_uint_eq(layout.usedpools_bytes, builds[_i].usedpools_bytes);
    ck_assert_uint_eq(layout.free_static_tuples_bytes, 80);
    ck_assert_uint_eq(layout.gc_static_generations_bytes, 72);
    ck_assert_unknown(debug_function);
    ck_assert_unknown(mimalloc_function);
    ck_assert_unknown(arena_map_root);
    ck_assert(pht_layout_is_sound(&pht_python_layout_table, &layout));
    ck_assert(pht_python_layout_table.is_as_declared(&layout));
    close_fixture();
}
END_TEST

/* ---- the table of used pools -------------------------------------------------------------- */

START_TEST(empty_lists_are_a_table_too)
{
    if (!open_fixture(builds[_i].path))
        SKIP_TEST(builds[_i].path);
    ck_assert(scan_anew());
    ck_assert_uint_eq(layout.usedpools, truth("fixture_usedpools"));
    ck_assert_uint_eq(layout.usedpools_bytes, builds[_i].usedpools_bytes);
    ck_assert_uint_eq(layout.arenas, truth("fixture_arenas"));
    ck_assert_uint_eq(layout.maxarenas, truth("fixture_maxarenas"));
    ck_assert_unknown(narenas); /* zeros prove nothing */
    ck_assert_unknown(ntimes_arena_allocated);
    ck_assert_unknown(narenas_highwater);
    ck_assert_unknown(arena_map_root);
    close_fixture();
}
END_TEST

static void check_no_pools(void)
{
    scan_anew();
    ck_assert_unknown(usedpools);
    ck_assert_unknown(usedpools_bytes);
    ck_assert_unknown(arenas);
    ck_assert_unknown(maxarenas);
    ck_assert_unknown(narenas);
    ck_assert_uint_eq(layout.interned, truth("fixture_interned")); /* needs no pools */
}

static const size_t bin_counts[] = {1, 31, 33, 63, 65, 96, 97, 127};

START_TEST(bins_of_malloc_are_no_table)
{
    CALL(void(size_t), "fill_bins", bin_counts[_i]);
    scan_anew();
    ck_assert_uint_eq(layout.usedpools, truth("fixture_usedpools"));
    run();
    scan_anew();
    check_truth();
}
END_TEST

/* Nothing tells them apart but their number. */
static const size_t table_counts[] = {32, 64};

START_TEST(two_empty_tables_are_none)
{
    CALL(void(size_t), "fill_bins", table_counts[_i]);
    run();
    scan_anew();
    check_truth();
    close_fixture();
    setup();
    CALL(void(size_t), "fill_bins", table_counts[_i]);
    scan_anew();
    ck_assert_unknown(usedpools);
    ck_assert_unknown(arenas);
}
END_TEST

/* A pool that closes the list of that class in the other table. */
static void begin_list(uint32_t size_class)
{
    unsigned char *pool = CALL(unsigned char *(size_t), "take", 2 * PHT_PAGE_BYTES);
    unsigned char **entry = VARIABLE(unsigned char *, "bins") + 2 * size_class;

    pool += -(uintptr_t)pool % PHT_PAGE_BYTES;
    put_u32(pool + row.pool_szidx, size_class);
    put_u64(pool + 16, (uintptr_t)entry - 16);
    put_u64(pool + 24, (uintptr_t)entry - 16);
    entry[0] = entry[1] = pool;
}

START_TEST(two_tables_are_none)
{
    run();
    CALL(void(size_t), "fill_bins", 32);
    begin_list(5);
    check_no_pools();
}
END_TEST

START_TEST(a_list_without_a_table_is_none)
{
    run();
    begin_list(5);
    scan_anew();
    check_truth();
}
END_TEST

/* Of the only pool of class 7; lists of others prove the table. */
static const struct pool_damage {
    unsigned offset;
    uint32_t value;
} pool_damages[] = {
    {16, 0},                    /* nextpool */
    {16, 8},          {24, 0},  /* prevpool */
    {28, 0xffffffff}, {36, 64}, /* szidx */
    {36, 0xffffffff},
};

START_TEST(a_damaged_list_is_passed_over)
{
    run();
    put_u32(first_pool(7) + pool_damages[_i].offset, pool_damages[_i].value);
    scan_anew();
    check_truth();
}
END_TEST

static void damage_all_lists(void)
{
    for (unsigned i = 0; i < 32; i++) {
        unsigned char **entry = VARIABLE(unsigned char *, "usedpools") + 2 * i;
        if ((uintptr_t)entry[0] % PHT_PAGE_BYTES == 0)
            put_u64(entry[0] + 24, 0);
    }
}

START_TEST(lists_that_are_all_damaged_prove_nothing)
{
    run();
    damage_all_lists();
    check_no_pools();
}
END_TEST

static const uint32_t other_classes[] = {0, 6, 8, 31, 63};

START_TEST(lists_that_contradict_each_other_are_no_table)
{
    run();
    put_u32(first_pool(7) + row.pool_szidx, other_classes[_i]);
    check_no_pools();
}
END_TEST

static const uintptr_t other_pools[] = {
    0,
    4095,
    4096,
    0x7000,
    0x123456789000,
    PHT_USER_ADDR_MAX + 1 - 4096,
    PHT_USER_ADDR_MAX + 1,
    UINT64_MAX - 4095,
    UINT64_MAX,
};

/* An entry that is none ends the table: it is too short then. */
START_TEST(pools_may_be_anywhere)
{
    run();
    VARIABLE(uintptr_t, "usedpools")[14] = other_pools[_i];
    scan_anew();
    bool may_be_pool = other_pools[_i] % PHT_PAGE_BYTES == 0 && other_pools[_i] > 0 &&
                       other_pools[_i] < PHT_USER_ADDR_MAX;
    if (may_be_pool)
        ck_assert_uint_eq(layout.usedpools, truth("fixture_usedpools"));
    else
        ck_assert_unknown(usedpools);
}
END_TEST

START_TEST(a_table_that_is_cut_short_is_none)
{
    run();
    VARIABLE(uintptr_t, "usedpools")[20] += 8;
    check_no_pools();
}
END_TEST

#define LOW_DATA 0x800000 /* where a program is that is not relocated */
#define LOW_TABLE (LOW_DATA + PHT_PAGE_BYTES - 0x30)
#define LOW_POOL 0x10000000

/* The third entry points at a page, as one with a pool does, and what stands there says class 0. */
START_TEST(an_empty_list_may_point_at_a_page)
{
    const struct elf_bytes_segment segment = {
        .flags = PF_R | PF_W, .address = LOW_DATA, .size = 2 * PHT_PAGE_BYTES};
    const struct elf_bytes file = {.type = ET_EXEC, .segments = &segment, .segment_count = 1};
    struct fake_target *fake = fake_target_create();
    struct pht_module_data data;
    struct pht_elf_image image;
    struct pht_maps maps;

    make_row();
    fake_target_map(fake, LOW_DATA, LOW_DATA + 2 * PHT_PAGE_BYTES, FAKE_PRIVATE);
    fake_target_map(fake, LOW_POOL, LOW_POOL + PHT_PAGE_BYTES, FAKE_PRIVATE);
    fake_target_set_pages(fake, LOW_DATA, LOW_DATA + 2 * PHT_PAGE_BYTES, FAKE_RESIDENT);
    fake_target_set_pages(fake, LOW_POOL, LOW_POOL + PHT_PAGE_BYTES, FAKE_RESIDENT);
    for (pht_addr at = LOW_TABLE; at < LOW_TABLE + 512; at += 16) {
        fake_target_put_u64(fake, at, at - 16);
        fake_target_put_u64(fake, at + 8, at - 16);
    }
    fake_target_put_u64(fake, LOW_TABLE + 16 * 9, LOW_POOL);
    fake_target_put_u64(fake, LOW_TABLE + 16 * 9 + 8, LOW_POOL);
    fake_target_put_u64(fake, LOW_POOL + 16, LOW_TABLE + 16 * 8);
    fake_target_put_u64(fake, LOW_POOL + 24, LOW_TABLE + 16 * 8);
    fake_target_put_u32(fake, LOW_POOL + row.pool_szidx, 9);
    elf_bytes_open(&file, &image);
    ck_assert_ptr_null(pht_target_read_maps(fake->target, &maps));
    ck_assert(pht_module_data_read(fake->target, &maps, &image, &data));
    pht_python_layout_clear(&layout);
    layout.pool_szidx = row.pool_szidx;
    layout.pool_arenaindex = row.pool_arenaindex;
    ck_assert(pht_python_scan(&data, &image, &row, &layout));
    ck_assert_uint_eq(layout.usedpools, LOW_TABLE);
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    pht_module_data_deinit(&data);
    pht_maps_deinit(&maps);
    pht_elf_image_close(&image);
    fake_target_destroy(fake);
}
END_TEST

/* ---- arenas ------------------------------------------------------------------------------- */

static void check_no_arenas(void)
{
    scan_anew();
    ck_assert_uint_eq(layout.usedpools, truth("fixture_usedpools"));
    ck_assert_unknown(arenas);
    ck_assert_unknown(maxarenas);
    ck_assert_unknown(narenas);
    ck_assert_unknown(ntimes_arena_allocated);
    ck_assert_unknown(narenas_highwater);
    ck_assert_unknown(arena_map_root);
}

/* Of the arena with pools of class 7. */
static const struct arena_damage {
    int64_t address; /* added */
    uint32_t index;  /* said by the pool */
    bool known;
} arena_damages[] = {
    {0, 4, true},
    {0, 16, false}, /* as many as there are */
    {0, 17, false},
    {0, 0x7fffffff, false},
    {0, 0xffffffff, false},
    {0, 6, false}, /* not in use */
    {1, 4, false},
    {8, 4, false},
    {PHT_PAGE_BYTES, 4, false}, /* behind the pool */
    {-PHT_PAGE_BYTES, 4, true}, /* pools of it that nothing tells of */
    {-8, 4, false},             /* arenas begin with a page */
    {-(1 << 21), 4, false},
};

START_TEST(pools_are_in_their_arenas)
{
    const struct arena_damage *damage = &arena_damages[_i];

    run();
    CALL(void(int, uintptr_t), "map_arena", 0, *arena_word(1, 0));
    *arena_word(4, 0) += (uint64_t)damage->address;
    put_u32(first_pool(7) + row.pool_arenaindex, damage->index);
    if (!damage->known) {
        check_no_arenas();
        return;
    }
    scan_anew();
    check_truth();
}
END_TEST

static const struct length_row {
    uint32_t length;
    uint64_t chunk; /* the word in front */
    bool known;
} length_rows[] = {
    {16, 784 | 1, true},
    {16, 784, true},      /* the chunk before is free */
    {16, 784 | 5, true},  /* of another arena of malloc's */
    {16, 800 | 1, true},  /* a rest that was too small to be split off */
    {16, 4096 | 2, true}, /* a mapping of its own */
    /* another malloc, whose word in front is something else: 16 is what an array begins with */
    {16, 768 | 1, true},
    {16, 832 | 1, true},
    {16, 16384 | 2, true},
    {16, 0, true},
    {16, UINT64_MAX, true},
    {16, UINT64_MAX - 7, true},
    {8, 0, false},
    {48, 0, false},
    {15, 784 | 1, false},
    {17, 784 | 1, false},
    {5, 784 | 1, false},
    {5, 256 | 1, false}, /* fewer than a pool says there are */
    {6, 304 | 1, true},
    {0, 16 | 1, false},
    {0xffffffff, 784 | 1, false},
};

START_TEST(the_array_ends_with_its_chunk)
{
    run();
    *VARIABLE(uint32_t, "maxarenas") = length_rows[_i].length;
    arena_word(0, 0)[-1] = length_rows[_i].chunk;
    if (!length_rows[_i].known) {
        check_no_arenas();
        return;
    }
    scan_anew();
    ck_assert_uint_eq(layout.arenas, truth("fixture_arenas"));
    ck_assert_uint_eq(layout.maxarenas, truth("fixture_maxarenas"));
}
END_TEST

/* Lengths and chunks that agree, and no target has memory for. */
static const uint32_t vast_lengths[] = {0xffffffff, 1 << 26, 1 << 18, (1 << 18) + 1};

START_TEST(a_vast_array_costs_no_time)
{
    uint32_t length = vast_lengths[_i];

    run();
    *VARIABLE(uint32_t, "maxarenas") = length;
    arena_word(0, 0)[-1] = length * row.arena_object_bytes + 16;
    scan_anew();
    ck_assert_uint_eq(layout.arenas, truth("fixture_arenas"));
    ck_assert_uint_eq(layout.maxarenas, truth("fixture_maxarenas"));
    ck_assert_unknown(narenas);
    ck_assert_unknown(arena_map_root);
}
END_TEST

/* Where symbols told of the array nothing has proved it. */
START_TEST(an_array_that_is_known_may_be_vast)
{
    CALL(void(unsigned), "new_array", 16);
    *VARIABLE(uint32_t, "maxarenas") = vast_lengths[_i];
    scan_anew();
    layout.arenas = truth("fixture_arenas");
    layout.maxarenas = truth("fixture_maxarenas");
    ck_assert(!scan());
}
END_TEST

static const struct hook_row {
    uint64_t bytes;
    const char *behind; /* id of the domain and pattern */
    bool known;
} hook_rows[] = {
    {288, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfd", true},
    {288, "r\xfb\xfb\xfb\xfb\xfb\xfb\xfb", true},
    {288, "m\xfd\xfd\xfd\xfd\xfd\xfd\xfd", false},
    {288, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfb", false},
    {288, "r\xfd\xfd\xfd\xfb\xfd\xfd\xfd", false},
    {288, "r\xfa\xfa\xfa\xfa\xfa\xfa\xfa", false},
    {240, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfd", false},
    {624, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfd", false},
    {0, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfd", false},
    {UINT64_MAX, "r\xfd\xfd\xfd\xfd\xfd\xfd\xfd", false},
};

START_TEST(debug_hooks_may_stand_in_front_of_the_array)
{
    const struct hook_row *hook = &hook_rows[_i];
    uint64_t bytes = __builtin_bswap64(hook->bytes);

    run();
    unsigned char *moved = CALL(unsigned char *(size_t), "take_chunk", 32 + 768 + 8) + 16;
    memcpy(moved, arena_word(0, 0), 768);
    memcpy(moved - 16, &bytes, sizeof(bytes));
    memcpy(moved - 8, hook->behind, 8);
    *VARIABLE(unsigned char *, "arenas") = moved;
    *VARIABLE(uint32_t, "maxarenas") = 6; /* which only a hook can tell */
    if (!hook->known) {
        check_no_arenas();
        return;
    }
    scan_anew();
    check_truth();
}
END_TEST

static const uintptr_t odd_arrays[] = {
    0, 1, 8, 4096, PHT_USER_ADDR_MAX - 7, UINT64_MAX, UINT64_MAX - 7, UINT64_MAX - 47,
};

START_TEST(an_array_elsewhere_is_none)
{
    run();
    *VARIABLE(uintptr_t, "arenas") = odd_arrays[_i];
    *VARIABLE(uintptr_t, "usable_arenas") = odd_arrays[_i];
    *VARIABLE(uintptr_t, "unused_arena_objects") = odd_arrays[_i];
    check_no_arenas();
}
END_TEST

/* Objects of arenas whose pools are all full: nothing proves which array is theirs. */
START_TEST(an_array_without_used_pools_is_not_guessed)
{
    CALL(void(unsigned), "new_array", 16);
    check_no_arenas();
}
END_TEST

/* Each word of .data and .bss, one after the other: nothing may come of it but an answer. */
static const uint64_t anything[] = {0, 1, UINT64_MAX, UINT64_MAX - 15, (uint64_t)1 << 63};

START_TEST(pools_and_arenas_may_hold_anything)
{
    run();
    for (unsigned at = 0; at < 48; at += 4) {
        unsigned char before[8];
        memcpy(before, first_pool(7) + at, 8);
        for (size_t i = 0; i < sizeof(anything) / sizeof(anything[0]); i++) {
            put_u64(first_pool(7) + at, anything[i]);
            scan_anew();
            ck_assert(layout.usedpools == PHT_UNKNOWN ||
                      layout.usedpools == truth("fixture_usedpools"));
            ck_assert(layout.arenas == PHT_UNKNOWN || layout.arenas == truth("fixture_arenas"));
        }
        memcpy(first_pool(7) + at, before, 8);
    }
    scan_anew();
    check_truth();
}
END_TEST

/* ---- counters ----------------------------------------------------------------------------- */

static const struct counter_row {
    const char *name;
    uint64_t value;
    bool known;
} counter_rows[] = {
    {"narenas", 3, true},
    {"narenas", 2, false},
    {"narenas", 4, false},
    {"narenas", 0, false},
    {"narenas", UINT64_MAX, false},
    {"narenas_highwater", 5, false}, /* more than were ever made */
    {"narenas_highwater", 2, false},
    {"narenas_highwater", 0, false},
    {"ntimes_arena_allocated", 2, false},
    {"ntimes_arena_allocated", 1000, true},
    {"ntimes_arena_allocated", UINT64_MAX, true},
};

START_TEST(counters_add_up)
{
    char name[64];

    run();
    snprintf(name, sizeof(name), "fixture_%s", counter_rows[_i].name);
    *(uint64_t *)variable_of(name) = counter_rows[_i].value;
    scan_anew();
    ck_assert_uint_eq(layout.arenas, truth("fixture_arenas"));
    if (counter_rows[_i].known) {
        check_truth();
        return;
    }
    ck_assert_unknown(narenas);
    ck_assert_unknown(ntimes_arena_allocated);
    ck_assert_unknown(narenas_highwater);
}
END_TEST

/* ---- the tree of arenas ------------------------------------------------------------------- */

static void check_map(bool is_64)
{
    ck_assert_uint_eq(layout.arena_map_root,
                      truth(is_64 ? "fixture_arena_map_root_64" : "fixture_arena_map_root_48"));
    ck_assert_uint_eq(layout.arena_map_root_bytes, is_64 ? 262144 : 8192);
    ck_assert_uint_eq(layout.arena_map_mid_bytes, is_64 ? 262144 : 8192);
    ck_assert_uint_eq(layout.arena_map_bot_bytes, is_64 ? 131072 : 2048);
}

START_TEST(the_tree_has_one_of_two_forms)
{
    run();
    CALL(void(int, uintptr_t), "map_arena", _i, *arena_word(1, 0));
    scan_anew();
    check_map(_i);
    check_truth();
}
END_TEST

START_TEST(an_arena_may_begin_where_its_part_of_the_tree_does)
{
    run();
    *arena_word(1, 0) -= 0x40000;
    CALL(void(int, uintptr_t), "map_arena", _i, *arena_word(1, 0));
    scan_anew();
    check_map(_i);
}
END_TEST

START_TEST(a_tree_of_other_arenas_is_none)
{
    run();
    CALL(void(int, uintptr_t), "map_arena", _i, *arena_word(1, 0) + 0x1000);
    scan_anew();
    ck_assert_unknown(arena_map_root);
    ck_assert_unknown(arena_map_root_bytes);
    ck_assert_uint_eq(layout.arenas, truth("fixture_arenas"));
}
END_TEST

START_TEST(a_release_without_a_tree_gets_none)
{
    run();
    CALL(void(int, uintptr_t), "map_arena", _i, *arena_word(1, 0));
    row.arena_map_root = PHT_UNKNOWN;
    scan_anew();
    check_truth();
    ck_assert_unknown(arena_map_root);
}
END_TEST

/* ---- allocators --------------------------------------------------------------------------- */

static void set_up_hooks(void)
{
    nothing *function;

    *(void **)&function = dlsym(fixture.library, "PyMem_SetupDebugHooks");
    function();
}

START_TEST(debug_hooks_tell_their_function)
{
    run();
    set_up_hooks();
    scan_anew();
    check_truth();
    ck_assert_uint_eq(layout.debug_function, truth("fixture_debug_function"));
}
END_TEST

START_TEST(an_allocator_of_another_library_is_no_debug_hook)
{
    run();
    VARIABLE(void *, "object_allocator")[0] = &fixture;
    VARIABLE(void *, "object_allocator")[1] = dlsym(RTLD_DEFAULT, "getpid");
    scan_anew();
    check_truth();
    ck_assert_unknown(debug_function);
}
END_TEST

/* Its functions are code, each of them. */
START_TEST(an_allocator_has_four_functions)
{
    run();
    VARIABLE(void *, "object_allocator")[1 + _i] = VARIABLE(void *, "object_allocator");
    scan_anew();
    ck_assert_unknown(object_allocator);
    ck_assert_unknown(pymalloc_function);
    ck_assert_unknown(malloc_function);
}
END_TEST

/* {id, padding; context, malloc, calloc, realloc, free} of raw memory, memory and objects. */
static const struct hooked_damage {
    unsigned word;
    uint64_t value;
} hooked_damages[] = {
    {0, 'o'}, {0, 'r' | 1 << 8}, {6, 'o'}, {12, 'r'}, {2, 0}, {5, 1}, {8, UINT64_MAX}, {17, 0},
};

START_TEST(hooks_are_of_three_domains)
{
    run();
    VARIABLE(uint64_t, "debug_allocators")[hooked_damages[_i].word] = hooked_damages[_i].value;
    scan_anew();
    ck_assert_unknown(debug_allocators);
    ck_assert_unknown(pymalloc_function);
    ck_assert_uint_eq(layout.object_allocator, truth("fixture_object_allocator"));
}
END_TEST

START_TEST(hooks_that_are_there_twice_are_none)
{
    run();
    memcpy(VARIABLE(char, "bins"), VARIABLE(char, "debug_allocators"), 144);
    scan_anew();
    ck_assert_unknown(debug_allocators);
}
END_TEST

static void add_pools(Suite *suite)
{
    TCase *pools = tcase_create("pools");
    TCase *arenas = tcase_create("arenas");

    tcase_add_checked_fixture(pools, setup, close_fixture);
    tcase_add_loop_test(pools, bins_of_malloc_are_no_table, 0, ROWS(bin_counts));
    tcase_add_loop_test(pools, two_empty_tables_are_none, 0, ROWS(table_counts));
    tcase_add_test(pools, two_tables_are_none);
    tcase_add_test(pools, a_list_without_a_table_is_none);
    tcase_add_loop_test(pools, a_damaged_list_is_passed_over, 0, ROWS(pool_damages));
    tcase_add_test(pools, lists_that_are_all_damaged_prove_nothing);
    tcase_add_loop_test(pools, lists_that_contradict_each_other_are_no_table, 0,
                        ROWS(other_classes));
    tcase_add_loop_test(pools, pools_may_be_anywhere, 0, ROWS(other_pools));
    tcase_add_test(pools, a_table_that_is_cut_short_is_none);
    suite_add_tcase(suite, pools);
    tcase_add_checked_fixture(arenas, setup, close_fixture);
    tcase_add_loop_test(arenas, pools_are_in_their_arenas, 0, ROWS(arena_damages));
    tcase_add_loop_test(arenas, the_array_ends_with_its_chunk, 0, ROWS(length_rows));
    tcase_add_loop_test(arenas, a_vast_array_costs_no_time, 0, ROWS(vast_lengths));
    tcase_add_loop_test(arenas, an_array_that_is_known_may_be_vast, 0, ROWS(vast_lengths));
    tcase_add_loop_test(arenas, debug_hooks_may_stand_in_front_of_the_array, 0, ROWS(hook_rows));
    tcase_add_loop_test(arenas, an_array_elsewhere_is_none, 0, ROWS(odd_arrays));
    tcase_add_test(arenas, an_array_without_used_pools_is_not_guessed);
    tcase_add_test(arenas, pools_and_arenas_may_hold_anything);
    tcase_add_loop_test(arenas, counters_add_up, 0, ROWS(counter_rows));
    tcase_add_loop_test(arenas, the_tree_has_one_of_two_forms, 0, 2);
    tcase_add_loop_test(arenas, an_arena_may_begin_where_its_part_of_the_tree_does, 0, 2);
    tcase_add_loop_test(arenas, a_tree_of_other_arenas_is_none, 0, 2);
    tcase_add_loop_test(arenas, a_release_without_a_tree_gets_none, 0, 2);
    suite_add_tcase(suite, arenas);
}

static Suite *python_scan_suite(void)
{
    Suite *suite = suite_create("layout/python_scan");
    TCase *all = tcase_create("all");
    TCase *allocators = tcase_create("allocators");

    if (!READS_CODE)
        return suite;
    tcase_add_loop_test(all, every_variable_is_where_it_is, 0, ROWS(builds));
    tcase_add_loop_test(all, empty_lists_are_a_table_too, 0, ROWS(builds));
    tcase_add_test(all, an_empty_list_may_point_at_a_page);
    suite_add_tcase(suite, all);
    add_pools(suite);
    tcase_add_checked_fixture(allocators, setup, close_fixture);
    tcase_add_test(allocators, debug_hooks_tell_their_function);
    tcase_add_test(allocators, an_allocator_of_another_library_is_no_debug_hook);
    tcase_add_loop_test(allocators, an_allocator_has_four_functions, 0, 4);
    tcase_add_loop_test(allocators, hooks_are_of_three_domains, 0, ROWS(hooked_damages));
    tcase_add_test(allocators, hooks_that_are_there_twice_are_none);
    suite_add_tcase(suite, allocators);
    return suite;
}

SUITE_MAIN(python_scan_suite)
