/* A walk that is watched tells how far it is, and ends soon when it is called off, at any place. */
#include "base/work.h"
#include "support/heap_walk.h"
#include "support/malloc_heap.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define ARENAS 40

static struct pht_work work;
static struct pht_progress last;
static unsigned told, answers_until;

static bool tell(void *context, const struct pht_progress *progress)
{
    (void)context;
    ck_assert_uint_ge(progress->done, last.done);
    last = *progress;
    return told++ != answers_until;
}

static const struct pht_watch watch = {.tell = tell};

static void begin(unsigned until)
{
    last = (struct pht_progress){0};
    told = 0;
    answers_until = until;
    pht_work_init(&work, &watch);
}

/* Nobody is asked again, so that as often as was told is how often it went on, and once more. */
static void check_called_off(void)
{
    struct pht_error *error = pht_work_check(&work);

    ck_assert_ptr_nonnull(error);
    ck_assert_uint_eq(told, answers_until + 1);
    pht_error_destroy(error);
}

static void walk_pymalloc(struct heap *heap, struct heap_walk *walk)
{
    heap_walk_freeze(heap, PHT_STOP_BRIEF, walk);
    pht_snapshot_set_work(walk->snapshot, &work);
    owned_begin(&walk->owned, walk->fake, walk->snapshot);
    walk->pymalloc = pht_pymalloc_walk(walk->snapshot, &walk->roots, walk->owned.owners);
    ck_assert_ptr_nonnull(walk->pymalloc);
}

START_TEST(pymalloc_tells_of_arenas)
{
    struct heap *heap = heap_create(&(struct heap_options){.arenas = ARENAS});
    struct heap_walk walk;

    begin(9999);
    walk_pymalloc(heap, &walk);
    ck_assert_uint_eq(walk.pymalloc->totals.arenas, ARENAS);
    ck_assert_uint_eq(last.total, ARENAS);
    ck_assert_uint_eq(last.done, ARENAS);
    ck_assert_str_eq(last.unit, "arenas");
    ck_assert_uint_gt(told, 2);
    unsigned whole = told;
    heap_walk_deinit(&walk);
    for (unsigned until = 0; until < whole; until++) {
        begin(until);
        walk_pymalloc(heap, &walk);
        ck_assert_uint_le(walk.pymalloc->totals.arenas, ARENAS);
        check_called_off();
        heap_walk_deinit(&walk);
    }
    heap_destroy(heap);
}
END_TEST

static struct malloc_heap *make_malloc_heap(void)
{
    struct malloc_heap *heap =
        malloc_heap_create(&(struct malloc_options){.version = MALLOC_2_36, .seed = 7});

    for (int i = 0; i < 3; i++) {
        uint32_t arena = i == 0 ? 0 : malloc_heap_add_arena(heap);
        for (int j = 0; j < 60; j++) {
            malloc_heap_live(heap, arena, 4096);
            malloc_heap_bin(heap, arena, 2048);
        }
        malloc_heap_live(heap, arena, 32);
    }
    malloc_heap_finish(heap);
    return heap;
}

static void walk_malloc(struct malloc_heap *heap, struct malloc_walk *walk)
{
    malloc_walk_freeze(heap, PHT_STOP_BRIEF, walk);
    pht_snapshot_set_work(walk->snapshot, &work);
    owned_begin(&walk->owned, walk->fake, walk->snapshot);
    walk->glibc = pht_glibc_walk(walk->snapshot, &walk->roots, NULL, 0, walk->owned.owners, NULL);
}

START_TEST(malloc_tells_of_bytes)
{
    struct malloc_heap *heap = make_malloc_heap();
    struct malloc_walk walk;

    begin(9999);
    walk_malloc(heap, &walk);
    ck_assert_ptr_nonnull(walk.glibc);
    ck_assert_uint_eq(last.total, walk.glibc->totals.system_bytes);
    ck_assert_uint_gt(last.done, last.total / 2);
    ck_assert_ptr_null(last.unit);
    ck_assert_uint_gt(told, 4);
    unsigned whole = told;
    malloc_walk_deinit(&walk);
    for (unsigned until = 0; until < whole; until++) {
        begin(until);
        walk_malloc(heap, &walk);
        check_called_off();
        malloc_walk_deinit(&walk);
    }
    malloc_heap_destroy(heap);
}
END_TEST

static Suite *watched_suite(void)
{
    Suite *suite = suite_create("walk/watched");
    TCase *tcase = tcase_create("watched");

    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, pymalloc_tells_of_arenas);
    tcase_add_test(tcase, malloc_tells_of_bytes);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(watched_suite)
