/* What speaks against a layout, and what is no reason to doubt it. */
#include "model/doubts.h"
#include "support/suite.h"

/* ---- roots of pymalloc -------------------------------------------------------------------- */

static struct pht_python python;
static struct pht_pymalloc_root state;
static struct pht_arena_root arenas[3];
static struct pht_pymalloc_roots pymalloc_roots;

static void setup_pymalloc(void)
{
    python = (struct pht_python){.version = {3, 8, 18}};
    state = (struct pht_pymalloc_root){
        .maxarenas = 16,
        .narenas = 3,
        .arenas_peak = 5,
        .arenas_allocated_total = 17,
        .arenas = 3,
    };
    pymalloc_roots = (struct pht_pymalloc_roots){
        .python = &python,
        .allocator = PHT_ALLOCATOR_PYMALLOC,
        .consistent = true,
        .proven = true,
        .initialised = true,
        .states = {.items = &state, .count = 1},
        .arenas = {.items = arenas, .count = 3},
    };
}

START_TEST(sane_roots_of_pymalloc_are_believed)
{
    ck_assert(!pht_doubts_pymalloc_roots(&pymalloc_roots));
}
END_TEST

static const struct counters_row {
    uint64_t peak;
    uint64_t total;
    unsigned major;
    bool doubted;
} counters_rows[] = {
    {3, 3, 3, false},
    {16, 16, 3, false},
    {16, (uint64_t)1 << 40, 3, false},
    {2, 17, 3, true},  /* fewer at once than there are */
    {17, 17, 3, true}, /* more than there is room for */
    {5, 4, 3, true},   /* fewer in all than at once */
    {5, ((uint64_t)1 << 40) + 1, 3, true},
    {PHT_UNKNOWN, 17, 3, true},
    {5, PHT_UNKNOWN, 3, true},
    {PHT_UNKNOWN, PHT_UNKNOWN, 3, true},
    {PHT_UNKNOWN, PHT_UNKNOWN, 2, false},
};

START_TEST(counters_of_arenas_must_agree)
{
    const struct counters_row *row = &counters_rows[_i];

    state.arenas_peak = row->peak;
    state.arenas_allocated_total = row->total;
    python.version.major = row->major;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots) == row->doubted);
}
END_TEST

static const struct allocator_row {
    enum pht_object_allocator allocator;
    unsigned major;
    bool doubted;
} allocator_rows[] = {
    {PHT_ALLOCATOR_PYMALLOC_DEBUG, 3, false}, {PHT_ALLOCATOR_MALLOC, 3, false},
    {PHT_ALLOCATOR_CUSTOM, 3, true},          {PHT_ALLOCATOR_UNKNOWN, 3, true},
    {PHT_ALLOCATOR_UNKNOWN, 2, false},
};

START_TEST(an_allocator_must_be_one_of_cpythons)
{
    pymalloc_roots.allocator = allocator_rows[_i].allocator;
    python.version.major = allocator_rows[_i].major;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots) == allocator_rows[_i].doubted);
}
END_TEST

START_TEST(arenas_must_be_counted)
{
    state.narenas = PHT_UNKNOWN;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots));
}
END_TEST

START_TEST(roots_of_pymalloc_must_hold_together)
{
    pymalloc_roots.consistent = false;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots));
    pymalloc_roots.consistent = true;
    pymalloc_roots.proven = false;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots));
    pymalloc_roots.proven = true;
    pymalloc_roots.states.count = pymalloc_roots.arenas.count = 0;
    ck_assert(pht_doubts_pymalloc_roots(&pymalloc_roots)); /* pymalloc without an arena */
    pymalloc_roots.allocator = PHT_ALLOCATOR_MALLOC;
    ck_assert(!pht_doubts_pymalloc_roots(&pymalloc_roots));
}
END_TEST

/* ---- roots of glibc ----------------------------------------------------------------------- */

#define ARENA 0x7f0000000030
#define HEAP 0x555500000000
#define MIB 0x100000

static struct pht_libc libc;
static struct pht_malloc_arena_root malloc_arenas[2];
static struct pht_malloc_heap heaps[1];
static struct pht_malloc_thread_root threads[2];
static struct pht_glibc_roots glibc_roots;

static void setup_glibc(void)
{
    libc = (struct pht_libc){.threads.known = true};
    malloc_arenas[0] = (struct pht_malloc_arena_root){
        .address = ARENA, .system_bytes = MIB, .is_contiguous = true, .heaps = 1};
    malloc_arenas[1] = (struct pht_malloc_arena_root){.address = 2 * (pht_addr)ARENA};
    heaps[0] = (struct pht_malloc_heap){.address = HEAP, .start = HEAP, .end = HEAP + MIB};
    threads[0] = (struct pht_malloc_thread_root){.tid = 1, .arena = ARENA, .tcache = HEAP + 16};
    threads[1] = (struct pht_malloc_thread_root){.tid = 2};
    glibc_roots = (struct pht_glibc_roots){
        .libc = &libc,
        .consistent = true,
        .proven = true,
        .threads_known = true,
        .current_break = HEAP + MIB,
        .params = {.sbrk_base = HEAP, .tcache_count = 7},
        .arenas = {.items = malloc_arenas, .count = 2},
        .heaps = {.items = heaps, .count = 1},
        .threads = {.items = threads, .count = 2},
    };
}

START_TEST(sane_roots_of_glibc_are_believed)
{
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
    threads[1].arena = malloc_arenas[1].address;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

START_TEST(roots_of_glibc_must_hold_together)
{
    glibc_roots.consistent = false;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
    glibc_roots.consistent = true;
    glibc_roots.proven = false;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

START_TEST(threads_must_have_arenas_of_the_ring)
{
    threads[1].arena = ARENA + 16;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
    threads[0].arena = threads[1].arena = 0;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

START_TEST(a_thread_must_have_a_tcache_where_there_are_any)
{
    threads[0].tcache = 0;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
    glibc_roots.params.tcache_count = 0;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
    glibc_roots.params.tcache_count = PHT_UNKNOWN;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

START_TEST(threads_must_be_listed_where_that_is_possible)
{
    glibc_roots.threads_known = false;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
    libc.layout.thread_arena = libc.layout.tcache_bytes = PHT_UNKNOWN;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
    libc.layout.tcache_bytes = 640;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots));
    libc.threads.known = false;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

static const struct break_row {
    pht_addr address;
    bool contiguous;
    bool doubted;
} break_rows[] = {
    {HEAP + 2 * MIB, true, false},  {HEAP + MIB - 1, true, true}, {0, true, true},
    {HEAP + MIB - 1, false, false}, {HEAP - 1, false, true},      {0x00010102464c457f, true, true},
};

START_TEST(the_break_must_be_behind_the_heap)
{
    glibc_roots.current_break = break_rows[_i].address;
    malloc_arenas[0].is_contiguous = break_rows[_i].contiguous;
    ck_assert(pht_doubts_glibc_roots(&glibc_roots) == break_rows[_i].doubted);
}
END_TEST

START_TEST(malloc_that_is_not_used_tells_nothing)
{
    malloc_arenas[0].system_bytes = 0;
    threads[0] = threads[1] = (struct pht_malloc_thread_root){0};
    glibc_roots.current_break = 0;
    ck_assert(!pht_doubts_glibc_roots(&glibc_roots));
}
END_TEST

/* ---- walks -------------------------------------------------------------------------------- */

static const struct pools_row {
    uint64_t used;
    uint64_t torn;
    uint64_t damaged;
    uint64_t damaged_arenas;
    bool doubted;
} pools_rows[] = {
    {0, 0, 0, 0, false},      {100, 0, 0, 0, false}, {100, 5, 0, 0, false}, {100, 6, 0, 0, true},
    {100000, 1, 0, 0, false}, {95, 0, 5, 0, false},  {94, 0, 6, 0, true},   {100, 3, 3, 0, true},
    {0, 0, 1, 0, true},       {100, 0, 0, 1, true},
};

START_TEST(a_large_share_of_bad_pools_raises_doubts)
{
    const struct pools_row *row = &pools_rows[_i];
    const struct pht_pymalloc pymalloc = {
        .totals.pools_used = row->used,
        .torn_pools = row->torn,
        .damaged_pools = row->damaged,
        .damaged_arenas = row->damaged_arenas,
    };

    ck_assert(pht_doubts_pymalloc(&pymalloc) == row->doubted);
}
END_TEST

static const struct chunks_row {
    uint64_t live;
    uint64_t torn;
    uint64_t damaged;
    uint64_t unknown_bytes; /* of 1 MiB */
    uint64_t damaged_arenas;
    bool doubted;
} chunks_rows[] = {
    {0, 0, 0, 0, 0, false},
    {100, 0, 0, 0, 0, false},
    {100, 3, 3, 0, 0, false},
    {100, 4, 3, 0, 0, true},
    {100, 0, 7, 0, 0, true},
    {100, 0, 0, MIB / 20, 0, false},
    {100, 0, 0, MIB / 20 + 1, 0, true},
    {100, 0, 0, 0, 1, true},
};

START_TEST(a_large_share_of_bad_chunks_raises_doubts)
{
    const struct chunks_row *row = &chunks_rows[_i];
    const struct pht_glibc glibc = {
        .totals = {.live_chunks = row->live,
                   .free_chunks = 20,
                   .tcache_chunks = 10,
                   .system_bytes = MIB,
                   .unknown_bytes = row->unknown_bytes},
        .torn_chunks = row->torn,
        .damaged_chunks = row->damaged,
        .damaged_arenas = row->damaged_arenas,
    };

    ck_assert(pht_doubts_glibc(&glibc) == row->doubted);
}
END_TEST

#define ROWS(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *doubts_suite(void)
{
    Suite *suite = suite_create("model/doubts");
    TCase *pymalloc = tcase_create("pymalloc"), *glibc = tcase_create("glibc");
    TCase *walks = tcase_create("walks");

    tcase_add_checked_fixture(pymalloc, setup_pymalloc, NULL);
    tcase_add_test(pymalloc, sane_roots_of_pymalloc_are_believed);
    tcase_add_loop_test(pymalloc, counters_of_arenas_must_agree, 0, ROWS(counters_rows));
    tcase_add_test(pymalloc, arenas_must_be_counted);
    tcase_add_loop_test(pymalloc, an_allocator_must_be_one_of_cpythons, 0, ROWS(allocator_rows));
    tcase_add_test(pymalloc, roots_of_pymalloc_must_hold_together);
    suite_add_tcase(suite, pymalloc);
    tcase_add_checked_fixture(glibc, setup_glibc, NULL);
    tcase_add_test(glibc, sane_roots_of_glibc_are_believed);
    tcase_add_test(glibc, roots_of_glibc_must_hold_together);
    tcase_add_test(glibc, threads_must_have_arenas_of_the_ring);
    tcase_add_test(glibc, a_thread_must_have_a_tcache_where_there_are_any);
    tcase_add_test(glibc, threads_must_be_listed_where_that_is_possible);
    tcase_add_loop_test(glibc, the_break_must_be_behind_the_heap, 0, ROWS(break_rows));
    tcase_add_test(glibc, malloc_that_is_not_used_tells_nothing);
    suite_add_tcase(suite, glibc);
    tcase_add_loop_test(walks, a_large_share_of_bad_pools_raises_doubts, 0, ROWS(pools_rows));
    tcase_add_loop_test(walks, a_large_share_of_bad_chunks_raises_doubts, 0, ROWS(chunks_rows));
    suite_add_tcase(suite, walks);
    return suite;
}

SUITE_MAIN(doubts_suite)
