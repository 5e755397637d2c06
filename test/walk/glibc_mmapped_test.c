/*
 * Chunks that have a mapping of their own. No list holds them: they are found by their headers,
 * and nothing else may be taken for one.
 */
#include "support/malloc_image.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define PAGE ((uint64_t)PHT_PAGE_BYTES)
#define ELSEWHERE ((pht_addr)0x7f6000000000)

static struct malloc_heap *heap;
static struct malloc_walk walk;

static void create(int version)
{
    heap = malloc_heap_create(
        &(struct malloc_options){.version = (enum malloc_version)version, .seed = 23});
    malloc_heap_live(heap, MALLOC_MAIN, 64);
}

static void check(void)
{
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
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

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(heap->fake, addr, value);
}

/* ---- chunks -------------------------------------------------------------------------------- */

START_TEST(chunk_that_fills_its_mapping)
{
    create(_i);
    malloc_heap_mmapped(heap, 0x101000, 0);
    finish_and_check();
}
END_TEST

START_TEST(process_without_mmapped_chunks)
{
    create(_i);
    finish_and_check();
    ck_assert_uint_eq(walk.glibc->mmapped_count, 0);
}
END_TEST

/* From memalign(3) and aligned_alloc(3): the header stands right before the aligned address. */
static const uint64_t alignments[] = {16,   32,   64,   128,   256,     512,    1024,
                                      2048, 4096, 8192, 65536, 1 << 18, 1 << 20};

#define ALIGNMENTS ((int)(sizeof(alignments) / sizeof(alignments[0])))

START_TEST(aligned_chunk)
{
    create(_i % MALLOC_VERSIONS);
    malloc_heap_mmapped_foreign(heap, PAGE);
    malloc_heap_mmapped(heap, 0x140000, alignments[_i / MALLOC_VERSIONS]);
    malloc_heap_mmapped(heap, 0x140000, alignments[_i / MALLOC_VERSIONS]);
    finish_and_check();
}
END_TEST

/* The kernel merges neighbours, so that headers stand in the middle of a mapping. */
START_TEST(chunks_that_share_a_mapping)
{
    create(_i);
    for (uint64_t i = 0; i < 12; i++) {
        malloc_heap_mmapped(heap, (40 + i) * PAGE, 0);
        malloc_heap_mmapped(heap, (40 + i) * PAGE, i % 2 ? 4096 : 16384);
        if (i % 5 == 4)
            malloc_heap_mmapped_gap(heap);
    }
    finish_and_check();
}
END_TEST

START_TEST(chunk_behind_pages_of_others)
{
    create(_i);
    malloc_heap_mmapped_foreign(heap, 5 * PAGE);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped_foreign(heap, PAGE);
    malloc_heap_mmapped(heap, 64 * PAGE, 4096);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    finish_and_check();
}
END_TEST

/* As madvise(MADV_HUGEPAGE) of what lies between large pages leaves it. */
START_TEST(chunk_whose_mapping_was_split)
{
    create(_i);
    malloc_heap_mmapped_foreign(heap, PAGE);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped(heap, 8 * PAGE, 4096);
    malloc_heap_finish(heap);
    pht_addr start = heap->mmapped.items[0].start;
    fake_target_split(heap->fake, start + 3 * PAGE);
    fake_target_split(heap->fake, start + 60 * PAGE);
    check();
}
END_TEST

START_TEST(small_mapping)
{
    create(_i);
    malloc_heap_mmapped(heap, PAGE, 0);
    malloc_heap_mmapped_gap(heap);
    malloc_heap_mmapped(heap, 2 * PAGE, 0);
    finish_and_check();
}
END_TEST

START_TEST(very_large_chunk)
{
    create(_i);
    malloc_heap_mmapped(heap, 100 << 20, 0);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    malloc_walk_freeze(heap, PHT_STOP_NONE, &walk);
    fake_target_reset_record(heap->fake);
    malloc_walk_run(&walk, NULL, 0);
    malloc_heap_check(heap, walk.glibc);
    /* It is hopped over. */
    ck_assert_uint_le(heap->fake->read_bytes, 1 << 20);
}
END_TEST

START_TEST(hundreds_of_chunks)
{
    create(_i);
    for (uint64_t i = 0; i < 400; i++) {
        malloc_heap_mmapped(heap, (1 + i % 9) * PAGE, i % 9 > 1 && i % 3 == 0 ? 4096 : 0);
        if (i % 50 == 49)
            malloc_heap_mmapped_gap(heap);
    }
    finish_and_check();
}
END_TEST

/* From 2.43 on, the lowest bit of the offset says that huge pages back the chunk. */
START_TEST(chunk_on_huge_pages)
{
    pht_addr chunk;

    create(MALLOC_2_43);
    chunk = malloc_heap_mmapped(heap, 4 << 20, _i ? 4096 : 0);
    malloc_heap_finish(heap);
    put(chunk, fake_target_u64(heap->fake, chunk) | 1);
    check();
}
END_TEST

/* ---- what is none -------------------------------------------------------------------------- */

/* Content that has a header on each of its pages. */
START_TEST(headers_inside_of_a_chunk_are_its_content)
{
    pht_addr chunk;
    uint64_t footer;

    create(_i);
    footer = heap->traits->maps_footer ? 16 : 0;
    chunk = malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    for (uint64_t i = 1; i < 64; i++) {
        fake_target_set_pages(heap->fake, chunk + i * PAGE, chunk + i * PAGE + 1, FAKE_RESIDENT);
        put(chunk + i * PAGE, 0);
        put(chunk + i * PAGE + 8, (PAGE - footer) | 2);
    }
    check();
}
END_TEST

/* A header that makes sense, in memory that no malloc made. */
static void put_elsewhere(unsigned kind, uint64_t bytes)
{
    uint64_t footer = heap->traits->maps_footer ? 16 : 0;

    fake_target_map(heap->fake, ELSEWHERE, ELSEWHERE + bytes, kind);
    fake_target_set_pages(heap->fake, ELSEWHERE, ELSEWHERE + bytes, FAKE_RESIDENT);
    put(ELSEWHERE + 8, (bytes - footer) | 2);
}

START_TEST(mappings_of_others_are_left_out)
{
    struct pht_range others[] = {{ELSEWHERE - PAGE, ELSEWHERE}, {ELSEWHERE, ELSEWHERE + 64 * PAGE}};

    create(_i);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    put_elsewhere(FAKE_PRIVATE, 64 * PAGE);
    malloc_walk_freeze(heap, PHT_STOP_BRIEF, &walk);
    malloc_walk_run(&walk, others, 2);
    malloc_heap_check(heap, walk.glibc);
}
END_TEST

/* An arena of pymalloc in the middle of a mapping, with chunks on both sides. */
START_TEST(others_may_begin_and_end_in_a_mapping)
{
    struct pht_range other;
    pht_addr chunk;

    create(_i);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped_foreign(heap, 32 * PAGE);
    chunk = malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    other = (struct pht_range){chunk - 32 * PAGE, chunk};
    put(other.start, 0);
    put(other.start + 8, (32 * PAGE - (heap->traits->maps_footer ? 16 : 0)) | 2);
    malloc_walk_freeze(heap, PHT_STOP_BRIEF, &walk);
    malloc_walk_run(&walk, &other, 1);
    malloc_heap_check(heap, walk.glibc);
}
END_TEST

START_TEST(only_private_anonymous_memory_is_looked_at)
{
    static const unsigned kinds[] = {FAKE_SHARED, FAKE_UNREADABLE, FAKE_FILE,
                                     FAKE_SHARED | FAKE_FILE};

    create(_i % MALLOC_VERSIONS);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    put_elsewhere(kinds[_i / MALLOC_VERSIONS], 64 * PAGE);
    check();
}
END_TEST

static const struct {
    uint64_t prev_size;
    uint64_t add; /* to the size word */
    const char *what;
} bad_headers[] = {
    {0, (uint64_t)-2, "not mmapped"},    {0, 1, "previous in use"},
    {0, 4, "of a thread's arena"},       {0, PAGE, "ends behind the mapping"},
    {0, 16, "does not end with a page"}, {0, (uint64_t)1 << 62, "larger than memory"},
    {0, (uint64_t)1 << 63, "negative"},  {PAGE, 0, "starts before the mapping"},
    {48, 0, "starts before a page"},     {(uint64_t)-4096, 0, "offset beyond measure"},
};

#define BAD_HEADERS ((int)(sizeof(bad_headers) / sizeof(bad_headers[0])))

START_TEST(headers_that_make_no_sense_are_none)
{
    create(_i % MALLOC_VERSIONS);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    put_elsewhere(FAKE_PRIVATE, 64 * PAGE);
    put(ELSEWHERE, bad_headers[_i / MALLOC_VERSIONS].prev_size);
    put(ELSEWHERE + 8,
        fake_target_u64(heap->fake, ELSEWHERE + 8) + bad_headers[_i / MALLOC_VERSIONS].add);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_msg(walk.glibc->mmapped_count == 1, "%s", bad_headers[_i / MALLOC_VERSIONS].what);
    malloc_heap_check(heap, walk.glibc);
}
END_TEST

START_TEST(mapping_of_zeros_holds_no_chunk)
{
    create(_i);
    malloc_heap_finish(heap);
    fake_target_map(heap->fake, ELSEWHERE, ELSEWHERE + 64 * PAGE, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, ELSEWHERE, ELSEWHERE + 64 * PAGE, FAKE_RESIDENT);
    check();
}
END_TEST

/* The heaps have chunks enough of their own. */
START_TEST(heaps_are_not_searched)
{
    uint32_t arena;
    pht_addr at;

    create(_i);
    malloc_heap_align(heap, MALLOC_MAIN, PAGE - 16);
    malloc_heap_live(heap, MALLOC_MAIN, 20 * PAGE);
    arena = malloc_heap_add_arena(heap);
    malloc_heap_align(heap, arena, PAGE - 16);
    malloc_heap_live(heap, arena, 20 * PAGE);
    malloc_heap_finish(heap);
    for (uint32_t i = 0; i < 2; i++) {
        const struct malloc_chunk *chunk =
            malloc_heap_find(heap, i, MALLOC_LIVE, malloc_heap_count(heap, i, MALLOC_LIVE) - 1);
        at = chunk->address + 16 + PAGE;
        fake_target_set_pages(heap->fake, at, at + 1, FAKE_RESIDENT);
        put(at, 0);
        put(at + 8, (4 * PAGE - (heap->traits->maps_footer ? 16 : 0)) | 2);
    }
    check();
}
END_TEST

/* ---- what cannot be known ------------------------------------------------------------------ */

START_TEST(header_in_swap_stays_there)
{
    pht_addr chunk;

    create(_i);
    chunk = malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_finish(heap);
    fake_target_set_pages(heap->fake, chunk, chunk + 1, FAKE_SWAPPED);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    ck_assert_uint_eq(walk.glibc->mmapped_count, 0);
    ck_assert_uint_eq(walk.glibc->params.mmapped_chunks, 1);
    ck_assert_uint_eq(walk.glibc->totals.unknown_bytes, 0);
}
END_TEST

/* They are updated without a lock, and the search may miss one: both are told. */
START_TEST(counters_are_told_as_they_are)
{
    create(_i);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped(heap, 65 * PAGE, 0);
    malloc_heap_finish(heap);
    fake_target_put_u32(
        heap->fake, heap->libc.bias + heap->libc.layout.params + heap->libc.layout.params_n_mmaps,
        7);
    malloc_walk_all(heap, PHT_STOP_BRIEF, &walk);
    malloc_check_clean(walk.glibc);
    ck_assert_uint_eq(walk.glibc->params.mmapped_chunks, 7);
    ck_assert_uint_eq(walk.glibc->params.mmapped_bytes, 129 * PAGE);
    ck_assert_uint_eq(walk.glibc->mmapped_count, 2);
    ck_assert_uint_eq(walk.glibc->mmapped_bytes, 129 * PAGE);
}
END_TEST

static void unmap_at_read(struct fake_target *fake, uint64_t number, pht_addr addr, void *context)
{
    (void)number;
    (void)context;
    if (addr <= heap->mmapped.items[0].chunk + 8 && addr + PAGE > heap->mmapped.items[0].chunk)
        fake_target_unmap(fake, heap->mmapped.items[0].start);
}

START_TEST(chunk_unmapped_while_it_is_read)
{
    create(_i);
    malloc_heap_mmapped(heap, 64 * PAGE, 0);
    malloc_heap_mmapped_gap(heap);
    malloc_heap_mmapped(heap, 65 * PAGE, 0);
    malloc_heap_finish(heap);
    malloc_walk_freeze(heap, PHT_STOP_BRIEF, &walk);
    heap->fake->on_read = unmap_at_read;
    malloc_walk_run(&walk, NULL, 0);
    malloc_check_sums(walk.glibc);
    ck_assert_uint_eq(walk.glibc->mmapped_count, 1);
    ck_assert_uint_eq(walk.glibc->mmapped[0].bytes, 65 * PAGE);
    ck_assert_uint_eq(heap->fake->forbidden_reads, 0);
}
END_TEST

static void add_chunk_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, chunk_that_fills_its_mapping, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, process_without_mmapped_chunks, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, aligned_chunk, 0, ALIGNMENTS * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunks_that_share_a_mapping, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_behind_pages_of_others, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_whose_mapping_was_split, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, small_mapping, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, very_large_chunk, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, hundreds_of_chunks, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_on_huge_pages, 0, 2);
}

static void add_other_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, headers_inside_of_a_chunk_are_its_content, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, mappings_of_others_are_left_out, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, others_may_begin_and_end_in_a_mapping, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, only_private_anonymous_memory_is_looked_at, 0, 4 * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, headers_that_make_no_sense_are_none, 0,
                        BAD_HEADERS * MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, mapping_of_zeros_holds_no_chunk, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, heaps_are_not_searched, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, header_in_swap_stays_there, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, counters_are_told_as_they_are, 0, MALLOC_VERSIONS);
    tcase_add_loop_test(tcase, chunk_unmapped_while_it_is_read, 0, MALLOC_VERSIONS);
}

static Suite *glibc_mmapped_suite(void)
{
    static void (*const parts[])(TCase *) = {add_chunk_tests, add_other_tests};
    static const char *const names[] = {"chunks", "others"};
    Suite *suite = suite_create("glibc mmapped");

    for (size_t i = 0; i < 2; i++) {
        TCase *tcase = tcase_create(names[i]);
        tcase_set_timeout(tcase, 10);
        tcase_add_checked_fixture(tcase, NULL, teardown);
        parts[i](tcase);
        suite_add_tcase(suite, tcase);
    }
    return suite;
}

SUITE_MAIN(glibc_mmapped_suite)
