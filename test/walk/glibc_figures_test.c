/* On a heap that holds still, every figure is the generator's own. */
#include "support/malloc_figures.h"
#include "support/malloc_image.h"
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

static struct malloc_heap *heap;
static struct malloc_walk walk;

static void create(int version)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)version, .seed = 11});
}

static void check(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert(walk.roots.proven);
    ck_assert(walk.roots.consistent);
    ck_assert(!walk.roots.unreadable);
    ck_assert(pht_snapshot_stats(walk.snapshot).consistent);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
    ck_assert_uint_eq(walk.glibc->rereads, 0);
}

static void finish_and_check(void)
{
    malloc_heap_finish(heap);
    check();
}

static void teardown(void)
{
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
    heap = NULL;
    walk = (struct malloc_walk){0};
}

/* One of each kind that the version has, twice. */
static void add_every_kind(uint32_t arena, uint32_t thread)
{
    for (uint64_t i = 0; i < 2; i++) {
        malloc_heap_live(heap, arena, 32 + 16 * i);
        malloc_heap_bin(heap, arena, 112 + 5000 * 16 * i);
        malloc_heap_live(heap, arena, 4096);
        malloc_heap_unsorted(heap, arena, 2048);
        if (heap->traits->has_fastbins)
            malloc_heap_fast(heap, arena, 48);
        if (heap->traits->tcache_bins > 0)
            malloc_heap_tcache(heap, arena, thread, 48);
        malloc_heap_live(heap, arena, 32);
    }
}

/* ---- one arena ----------------------------------------------------------------------------- */

START_TEST(process_that_did_not_allocate_has_nothing)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)_i, .idle = true});
    finish_and_check();
    ck_assert_uint_eq(walk.glibc->totals.system_bytes, 0);
    ck_assert_uint_eq(walk.glibc->size_count, 0);
}
END_TEST

/* malloc_state is as the file has it until the first malloc: all zeros, but for `next`. */
START_TEST(process_before_its_first_malloc_has_nothing)
{
    pht_addr arena;

    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)_i, .idle = true});
    malloc_heap_finish(heap);
    arena = heap->arenas[MALLOC_MAIN].address;
    for (uint64_t at = 0; at < heap->libc.layout.state_bytes; at += 8) {
        if (at != heap->libc.layout.state_next)
            fake_target_put_u64(heap->fake, arena + at, 0);
    }
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    ck_assert_uint_eq(walk.glibc->totals.system_bytes, 0);
    ck_assert_uint_eq(walk.glibc->totals.live_chunks, 0);
    ck_assert_uint_eq(walk.glibc->totals.top_bytes, 0);
}
END_TEST

START_TEST(single_chunk_and_top)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 32);
    finish_and_check();
}
END_TEST

START_TEST(every_kind_of_chunk)
{
    create(_i);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    finish_and_check();
}
END_TEST

/* Twice in each bin, so that every ring and chain has a middle. */
START_TEST(every_bin)
{
    create(_i);
    for (uint64_t bytes = 32; bytes < 6 << 20; bytes += bytes < 1024 ? 16 : bytes / 16 / 16 * 16) {
        malloc_heap_bin(heap, MALLOC_MAIN, bytes);
        malloc_heap_live(heap, MALLOC_MAIN, 32);
        if (bytes > 1 << 16)
            continue;
        malloc_heap_bin(heap, MALLOC_MAIN, bytes);
        if (bytes <= MALLOC_FAST_MAX && heap->traits->has_fastbins) {
            malloc_heap_fast(heap, MALLOC_MAIN, bytes);
            malloc_heap_fast(heap, MALLOC_MAIN, bytes);
        }
        malloc_heap_live(heap, MALLOC_MAIN, 32);
    }
    finish_and_check();
}
END_TEST

START_TEST(many_threads_of_one_arena)
{
    create(_i);
    for (uint32_t i = 1; i < 20; i++) {
        malloc_heap_add_thread(heap, MALLOC_MAIN);
        add_every_kind(MALLOC_MAIN, i);
    }
    finish_and_check();
    ck_assert_uint_eq(walk.glibc->arena_count, 1);
    if (heap->libc.layout.thread_arena != PHT_UNKNOWN)
        ck_assert_uint_eq(walk.glibc->arenas[0].threads, 20);
}
END_TEST

/* A large heap takes many windows, and its chunks lie across their ends. */
START_TEST(heap_of_many_chunks)
{
    create(_i);
    malloc_random_chunks(heap, MALLOC_MAIN, 12000);
    finish_and_check();
}
END_TEST

START_TEST(chunk_of_many_megabytes)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 5 << 20);
    malloc_heap_bin(heap, MALLOC_MAIN, 7 << 20);
    malloc_heap_live(heap, MALLOC_MAIN, 48);
    heap->arenas[MALLOC_MAIN].top_bytes = 9 << 20;
    finish_and_check();
}
END_TEST

/* Pages inside of chunks are of no interest. */
START_TEST(large_chunks_are_not_read_through)
{
    create(_i);
    for (int i = 0; i < 8; i++)
        malloc_heap_live(heap, MALLOC_MAIN, 1 << 20);
    malloc_heap_finish(heap);
    malloc_walk_freeze(heap, PHT_STOP_NONE, &walk);
    fake_target_reset_record(heap->fake);
    malloc_walk_run(&walk, NULL, 0);
    ck_assert_uint_le(heap->fake->read_bytes, 4 << 20);
    malloc_heap_check(heap, walk.glibc);
}
END_TEST

/* ---- brk ----------------------------------------------------------------------------------- */

static const uint64_t gaps[] = {16, 24, 1000, 4096, 4096 + 8, 100000, 1 << 20};

#define GAPS ((int)(sizeof(gaps) / sizeof(gaps[0])))

START_TEST(brk_moved_by_others_is_foreign)
{
    create(_i % MALLOC_VERSIONS);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_gap(heap, gaps[_i / MALLOC_VERSIONS]);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    finish_and_check();
    ck_assert_uint_ge(walk.glibc->totals.foreign_bytes, gaps[_i / MALLOC_VERSIONS]);
}
END_TEST

/* Words that may be sizes of chunks, `count` of them in a row, and then none. */
static void fill_gap(uint64_t bytes, uint64_t count)
{
    const struct malloc_chunk *gap = malloc_heap_find(heap, MALLOC_MAIN, MALLOC_GAP, 0);

    fake_target_set_pages(heap->fake, gap->address, gap->address + gap->bytes, FAKE_RESIDENT);
    for (uint64_t at = 0; at < gap->bytes; at += 8)
        fake_target_put_u64(heap->fake, gap->address + at, 0);
    for (uint64_t i = 0; i < count; i++)
        fake_target_put_u64(heap->fake, gap->address + i * bytes + 8, bytes | 1);
}

START_TEST(content_of_foreign_memory_does_not_matter)
{
    static const struct {
        uint64_t bytes;
        uint64_t count;
    } contents[] = {{0, 0}, {48, 5}, {48, 31}, {48, 40}, {48, 300}, {4096, 4}};

    create(MALLOC_2_36);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_gap(heap, (16 << 10) + 64);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_finish(heap);
    fill_gap(contents[_i].bytes, contents[_i].count);
    check();
}
END_TEST

/* No bin leads there: live chunks only. */
START_TEST(live_chunks_behind_foreign_memory_are_found)
{
    create(_i);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_gap(heap, 8192);
    for (uint64_t i = 0; i < 50; i++)
        malloc_heap_live(heap, MALLOC_MAIN, 48 + 16 * i);
    finish_and_check();
}
END_TEST

START_TEST(top_right_behind_foreign_memory)
{
    create(_i);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_gap(heap, 8192);
    finish_and_check();
}
END_TEST

START_TEST(several_stretches_of_foreign_memory)
{
    create(_i);
    for (uint64_t i = 0; i < 5; i++) {
        add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
        malloc_heap_gap(heap, 3000 * (i + 1));
    }
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    finish_and_check();
}
END_TEST

/* sbrk_base is as the kernel chose; the first chunk begins at the next multiple of 16. */
START_TEST(brk_that_began_between_chunks)
{
    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .brk_start = 0x555555555558, .seed = 3});
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_finish(heap);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    ck_assert_uint_eq(walk.glibc->totals.overhead_bytes + walk.glibc->totals.foreign_bytes, 8);
}
END_TEST

/* brk cannot grow, so that a mapping takes its place. */
START_TEST(main_arena_that_goes_on_in_a_mapping)
{
    create(_i);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_next_region(heap, MALLOC_MAIN);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    heap->arenas[MALLOC_MAIN].top_bytes = 1 << 20;
    finish_and_check();
}
END_TEST

/* ---- arenas of threads --------------------------------------------------------------------- */

START_TEST(arena_of_a_thread)
{
    uint32_t arena;

    create(_i);
    arena = malloc_heap_add_arena(heap);
    add_every_kind(arena, malloc_heap_add_thread(heap, arena));
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    finish_and_check();
}
END_TEST

START_TEST(many_arenas_of_many_heaps)
{
    create(_i);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    for (int i = 0; i < 30; i++) {
        uint32_t arena = malloc_heap_add_arena(heap);
        uint32_t thread = malloc_heap_add_thread(heap, arena);
        for (int k = 0; k < 4; k++) {
            if (k > 0)
                malloc_heap_next_region(heap, arena);
            add_every_kind(arena, thread);
        }
    }
    finish_and_check();
}
END_TEST

START_TEST(heap_of_full_size)
{
    uint32_t arena;

    create(_i);
    arena = malloc_heap_add_arena(heap);
    malloc_heap_add_thread(heap, arena);
    for (int i = 0; i < 4; i++)
        malloc_heap_live(heap, arena, 15 << 20);
    malloc_heap_live(heap, arena, (4 << 20) - 0x4000);
    malloc_heap_next_region(heap, arena);
    malloc_heap_live(heap, arena, 64);
    finish_and_check();
}
END_TEST

/* Their threads have ended. */
START_TEST(arenas_that_no_thread_uses)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    for (int i = 0; i < 3; i++) {
        uint32_t arena = malloc_heap_add_arena(heap);
        malloc_heap_live(heap, arena, 64);
        malloc_heap_bin(heap, arena, 70000);
        malloc_heap_live(heap, arena, 64);
    }
    finish_and_check();
}
END_TEST

START_TEST(arena_of_nothing_but_top)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_add_arena(heap);
    finish_and_check();
}
END_TEST

START_TEST(heaps_whose_end_does_not_fit_their_fenceposts)
{
    uint32_t arena;

    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .narrow_ends = true, .seed = 5});
    arena = malloc_heap_add_arena(heap);
    malloc_heap_add_thread(heap, arena);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    malloc_heap_gap(heap, 4096);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    add_every_kind(arena, MALLOC_MAIN);
    malloc_heap_next_region(heap, arena);
    add_every_kind(arena, MALLOC_MAIN);
    finish_and_check();
}
END_TEST

/* malloc_info(3) adds up size words with their flags, and so does `rest`. */
START_TEST(flags_of_free_chunks_count_as_malloc_info_does)
{
    uint32_t arena;

    heap = malloc_heap_create(&(struct malloc_options){
        .version = (enum malloc_version)_i, .flags_in_bins = true, .seed = 5});
    arena = malloc_heap_add_arena(heap);
    malloc_heap_add_thread(heap, arena);
    add_every_kind(MALLOC_MAIN, MALLOC_MAIN);
    add_every_kind(arena, MALLOC_MAIN);
    finish_and_check();
    const struct pht_glibc_arena *found = malloc_heap_found(heap, arena, walk.glibc);
    ck_assert_uint_eq(found->rest_bytes - found->top_bytes - found->free_bytes + found->fast_bytes,
                      5 * (found->rest_chunks - 1));
}
END_TEST

/* ---- what is not chunks -------------------------------------------------------------------- */

static uint64_t param(uint64_t offset, bool is_u32)
{
    pht_addr address = heap->libc.bias + heap->libc.layout.params + offset;

    if (offset == PHT_UNKNOWN)
        return PHT_UNKNOWN;
    return is_u32 ? fake_target_u32(heap->fake, address) : fake_target_u64(heap->fake, address);
}

static void put_param(uint64_t offset, uint64_t value)
{
    if (offset != PHT_UNKNOWN)
        fake_target_put_u64(heap->fake, heap->libc.bias + heap->libc.layout.params + offset, value);
}

START_TEST(tunables_are_those_of_the_process)
{
    const struct pht_libc_layout *layout;
    const struct pht_malloc_params *params;

    create(_i);
    layout = &heap->libc.layout;
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_mmapped(heap, 0x101000, 0);
    malloc_heap_finish(heap);
    put_param(layout->params_mmap_threshold, 1 << 22);
    put_param(layout->params_trim_threshold, 1 << 23);
    put_param(layout->params_top_pad, 4711 << 4);
    put_param(layout->params_arena_max, 3);
    put_param(layout->params_hp_pagesize, 2 << 20);
    check();
    params = &walk.glibc->params;
    ck_assert_uint_eq(params->mmap_threshold_bytes, 1 << 22);
    ck_assert_uint_eq(params->trim_threshold_bytes, 1 << 23);
    ck_assert_uint_eq(params->top_pad_bytes, 4711 << 4);
    ck_assert_uint_eq(params->arena_max, 3);
    ck_assert(params->mmap_threshold_dynamic);
    ck_assert_uint_eq(params->thp_page_bytes, param(layout->params_thp_pagesize, false));
    ck_assert_uint_eq(params->huge_page_bytes, param(layout->params_hp_pagesize, false));
    ck_assert_uint_eq(params->tcache_max_bytes, param(layout->params_tcache_max_bytes, false));
    ck_assert_uint_eq(params->tcache_count, param(layout->params_tcache_count, false));
    ck_assert_uint_eq(params->mmapped_chunks, 1);
    ck_assert_uint_eq(params->mmapped_bytes, 0x101000);
    ck_assert_uint_eq(params->mmapped_peak_chunks, param(layout->params_max_n_mmaps, true));
    ck_assert_uint_eq(params->mmapped_peak_bytes, param(layout->params_max_mmapped_mem, false));
    ck_assert_uint_eq(params->sbrk_base, heap->brk_start);
}
END_TEST

START_TEST(threshold_that_was_set_is_not_dynamic)
{
    create(_i);
    malloc_heap_live(heap, MALLOC_MAIN, 64);
    malloc_heap_finish(heap);
    fake_target_put_u32(
        heap->fake,
        heap->libc.bias + heap->libc.layout.params + heap->libc.layout.params_no_dyn_threshold, 1);
    check();
    ck_assert(!walk.glibc->params.mmap_threshold_dynamic);
}
END_TEST

START_TEST(stop_mode_does_not_change_the_figures)
{
    static const enum pht_stop_mode modes[] = {PHT_STOP_NONE, PHT_STOP_BRIEF, PHT_STOP_FULL};

    heap = malloc_random_heap(&(struct malloc_options){.version = MALLOC_2_41, .seed = 8}, 500);
    malloc_walk_all(heap, modes[_i], &walk);
    malloc_heap_check(heap, walk.glibc);
    ck_assert_int_eq(heap->fake->stopped, modes[_i] == PHT_STOP_FULL);
}
END_TEST

/* While the target is stopped only roots are read, however large the heap. */
START_TEST(freeze_does_not_walk_the_heap)
{
    create(_i);
    malloc_random_chunks(heap, MALLOC_MAIN, 5000);
    malloc_heap_finish(heap);
    malloc_walk_freeze(heap, PHT_STOP_NONE, &walk);
    ck_assert_uint_le(heap->fake->read_bytes, 64 << 10);
    malloc_walk_run(&walk, NULL, 0);
    malloc_heap_check(heap, walk.glibc);
}
END_TEST

static void add_main_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, process_that_did_not_allocate_has_nothing, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, process_before_its_first_malloc_has_nothing, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, single_chunk_and_top, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, every_kind_of_chunk, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, every_bin, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, many_threads_of_one_arena, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, heap_of_many_chunks, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_of_many_megabytes, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, large_chunks_are_not_read_through, 0, MALLOC_VERSIONS);
}

static void add_brk_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, brk_moved_by_others_is_foreign, 0, GAPS * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, content_of_foreign_memory_does_not_matter, 0, 6);
    tcase_add_loop_test(tcase, live_chunks_behind_foreign_memory_are_found, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, top_right_behind_foreign_memory, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, several_stretches_of_foreign_memory, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, brk_that_began_between_chunks, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, main_arena_that_goes_on_in_a_mapping, 0, MALLOC_VERSIONS);
}

static void add_arena_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, arena_of_a_thread, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, many_arenas_of_many_heaps, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, heap_of_full_size, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, arenas_that_no_thread_uses, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, arena_of_nothing_but_top, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, heaps_whose_end_does_not_fit_their_fenceposts, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, flags_of_free_chunks_count_as_malloc_info_does, 0, MALLOC_VERSIONS);
}

static void add_other_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, tunables_are_those_of_the_process, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, threshold_that_was_set_is_not_dynamic, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, stop_mode_does_not_change_the_figures, 0, 3);
    tcase_add_loop_test(tcase, freeze_does_not_walk_the_heap, 0, MALLOC_VERSIONS);
}

static Suite *glibc_figures_suite(void)
{
    static void (*const parts[])(TCase *) = {add_main_tests, add_brk_tests, add_arena_tests,
                                             add_other_tests};
    static const char *const names[] = {"main arena", "brk", "arenas", "other"};
    Suite *suite = suite_create("glibc figures");

    for (size_t i = 0; i < 4; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 10);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(glibc_figures_suite)
