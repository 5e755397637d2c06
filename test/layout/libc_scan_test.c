/*
 * Where malloc's variables are found, on heaps of every version whose libc.so.6 has no symbols:
 * whole ones, warm ones, and damaged ones.
 */
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_scan.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)

static struct malloc_heap *heap;

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

/* ---- what is found ------------------------------------------------------------------------ */

START_TEST(a_single_thread_is_enough)
{
    struct pht_libc libc;

    heap = malloc_heap_create(&(struct malloc_options){.version = (enum malloc_version)_i});
    if (heap->traits->has_dummy_tcache)
        malloc_heap_tcache(heap, MALLOC_MAIN, MALLOC_MAIN, 32);
    malloc_random_chunks(heap, MALLOC_MAIN, 50);
    malloc_heap_finish(heap);
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), malloc_scan_whole(heap));
    malloc_scan_check(heap, &libc.layout);
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
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), malloc_scan_whole(heap));
    ck_assert_uint_eq(libc.layout.main_arena, heap->libc.layout.main_arena);
}
END_TEST

/* No thread has anything, so it does not matter where. */
static void check_threads_are_known(const struct pht_libc *libc)
{
    struct pht_libc own = heap->libc;
    struct malloc_walk walk;

    ck_assert_uint_eq(libc->layout.thread_arena, PHT_UNKNOWN);
    heap->libc = *libc;
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    heap->libc = own;
    ck_assert(walk.glibc->threads_known);
    ck_assert_uint_eq(walk.glibc->thread_count, heap->thread_count);
    malloc_walk_deinit(&walk);
}

/* Another allocator serves the process: all is as it was linked. */
START_TEST(malloc_that_was_never_used_is_found)
{
    struct pht_libc libc;

    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)_i, .idle = true});
    malloc_heap_finish(heap);
    put(params() + heap->libc.layout.params_sbrk_base, 0);
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ARENAS);
    ck_assert_uint_eq(libc.layout.main_arena, heap->libc.layout.main_arena);
    ck_assert_uint_eq(libc.layout.params, heap->libc.layout.params);
    check_threads_are_known(&libc);
    put(params() + heap->libc.layout.params_top_pad, 4096);
    malloc_scan_check_does_not_fit(heap);
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
    ck_assert_int_ne(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_NONE);
    ck_assert_uint_eq(libc.layout.params, heap->libc.layout.params);
    put(params() + heap->libc.layout.params_sbrk_base, heap->libc.bias);
    malloc_scan_check_does_not_fit(heap);
}
END_TEST

/* What symbols tell is proved like all else. */
START_TEST(known_addresses_are_proved)
{
    struct pht_libc known, libc;

    build((enum malloc_version)_i);
    known = heap->libc;
    ck_assert_int_eq(malloc_scan_try_from(heap, &heap->libc.layout, &known, &libc),
                     malloc_scan_whole(heap));
    known.layout.main_arena += 8;
    ck_assert_int_eq(malloc_scan_try_from(heap, &heap->libc.layout, &known, &libc),
                     PHT_LIBC_FIT_NONE);
    known = heap->libc;
    known.layout.params -= 8;
    ck_assert_int_eq(malloc_scan_try_from(heap, &heap->libc.layout, &known, &libc),
                     PHT_LIBC_FIT_NONE);
    if (heap->libc.layout.tcache == PHT_UNKNOWN)
        return;
    known = heap->libc;
    known.layout.tcache += 8;
    ck_assert_int_eq(malloc_scan_try_from(heap, &heap->libc.layout, &known, &libc),
                     PHT_LIBC_FIT_ARENAS);
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
        pht_addr pair = heap->libc.bias + MALLOC_SCAN_SPARE + 16 * at;
        put(pair, pair - 16);
        put(pair + 8, pair - 16);
    }
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), malloc_scan_whole(heap));
    malloc_scan_check(heap, &libc.layout);
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
    pht_addr copy = heap->libc.bias + MALLOC_SCAN_SPARE;
    for (uint64_t at = 0; at < layout->state_bytes; at += 8)
        put(copy + at, word(main_arena() + at));
    ck_assert_int_ne(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_NONE);
    put(copy + layout->state_next, copy);
    for (uint64_t at = 0; at < layout->state_bins_bytes; at += 8)
        put(copy + layout->state_bins + at,
            word(main_arena() + layout->state_bins + at) - main_arena() + copy);
    malloc_scan_check_does_not_fit(heap);
}
END_TEST

START_TEST(two_sets_of_parameters_are_none)
{
    build((enum malloc_version)_i);
    for (uint64_t at = 0; at < heap->libc.layout.params_bytes; at += 8)
        put(params() + 0x200 + at, word(params() + at));
    malloc_scan_check_does_not_fit(heap);
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
        put(block + MALLOC_SCAN_SPARE_SLOT, word(malloc_image_tcache(heap, i)));
        put(block + MALLOC_SCAN_SPARE_SLOT + 8, word(malloc_image_thread_arena(heap, i)));
    }
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ARENAS);
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
    ck_assert(malloc_scan_has_tcached(heap));
    put(heap->libc.bias + MALLOC_SCAN_SPARE, word(heap->libc.bias + heap->libc.layout.tcache_key));
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ALL);
    ck_assert_uint_eq(libc.layout.tcache_key, PHT_UNKNOWN);
}
END_TEST

/* Up to 2.33 chunks are marked with the tcache's own address, which may stand anywhere. */
START_TEST(the_address_of_a_tcache_is_no_key)
{
    struct pht_libc libc;

    build(MALLOC_2_31);
    for (uint32_t i = 0; i < heap->thread_count; i++)
        put(heap->libc.bias + MALLOC_SCAN_SPARE + 8 * i, heap->threads[i].tcache);
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ALL);
    ck_assert_uint_eq(libc.layout.tcache_key, PHT_UNKNOWN);
}
END_TEST

/* ---- states of random numbers ------------------------------------------------------------- */

#define STATES ((pht_addr)0x7f5000000000)
#define RANDOM_BYTES 40

/* Where one list of states is told to be in the library: 3 of 4 are free, and there is room for 8.
 */
static pht_addr put_random(pht_addr offset)
{
    const uint64_t words[] = {0, STATES, 3, 4, 8};
    pht_addr at = heap->libc.bias + offset;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        put(at + 8 * i, words[i]);
    return at;
}

static void build_random(void)
{
    build(MALLOC_2_41);
    fake_target_map(heap->fake, STATES, STATES + 2 * PAGE, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, STATES, STATES + 2 * PAGE, FAKE_RESIDENT);
    for (int i = 0; i < 4; i++)
        put(STATES + 8 * i, STATES + PAGE + 256 * i);
}

static uint64_t find_random(uint64_t bytes)
{
    struct pht_libc_layout types = heap->libc.layout;
    struct pht_libc libc;

    types.random_bytes = bytes;
    ck_assert_int_eq(malloc_scan_try(heap, &types, &libc), PHT_LIBC_FIT_ALL);
    ck_assert_uint_eq(libc.layout.random_bytes,
                      libc.layout.random != PHT_UNKNOWN ? bytes : PHT_UNKNOWN);
    return libc.layout.random;
}

START_TEST(states_of_random_numbers_are_found)
{
    build_random();
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
    put_random(MALLOC_SCAN_SPARE);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), MALLOC_SCAN_SPARE);
    ck_assert_uint_eq(find_random(PHT_UNKNOWN), PHT_UNKNOWN);
    put_random(MALLOC_SCAN_SPARE + 0x100);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
}
END_TEST

static const struct random_row {
    int word;
    uint64_t value;
} random_rows[] = {
    {0, 3}, {1, 0}, {1, STATES + 8}, {1, STATES - PAGE}, {2, 5}, {3, 0}, {3, 9}, {4, 65537},
};

START_TEST(what_makes_no_sense_is_no_list_of_states)
{
    build_random();
    pht_addr at = put_random(MALLOC_SCAN_SPARE);
    put(at + 8 * random_rows[_i].word, random_rows[_i].value);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
}
END_TEST

START_TEST(a_list_without_states_is_none)
{
    build_random();
    pht_addr at = put_random(MALLOC_SCAN_SPARE);
    put(at + 16, 0);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), MALLOC_SCAN_SPARE);
    put(at + 24, 0);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
}
END_TEST

START_TEST(a_state_is_in_memory_of_its_own)
{
    build_random();
    put_random(MALLOC_SCAN_SPARE);
    put(STATES, heap->libc.bias);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
    put(STATES, STATES + PAGE + 1);
    ck_assert_uint_eq(find_random(RANDOM_BYTES), PHT_UNKNOWN);
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
        malloc_scan_check_does_not_fit(heap);
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
    malloc_scan_check_does_not_fit(heap);
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
        malloc_scan_check_does_not_fit(heap);
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
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ARENAS);
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
    ck_assert(malloc_scan_has_tcached(heap));
    ck_assert_int_eq(malloc_scan_try_own(heap, &libc), PHT_LIBC_FIT_ARENAS);
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
    malloc_scan_check_does_not_fit(heap);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("libc_scan");
    TCase *found = tcase_create("found");
    TCase *others = tcase_create("others");
    TCase *random = tcase_create("random");
    TCase *damage = tcase_create("damage");

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
    tcase_add_checked_fixture(random, NULL, teardown);
    tcase_add_test(random, states_of_random_numbers_are_found);
    tcase_add_loop_test(random, what_makes_no_sense_is_no_list_of_states, 0,
                        (int)(sizeof(random_rows) / sizeof(random_rows[0])));
    tcase_add_test(random, a_list_without_states_is_none);
    tcase_add_test(random, a_state_is_in_memory_of_its_own);
    suite_add_tcase(suite, random);
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
