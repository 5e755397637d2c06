/* Heaps made at random: every figure is the generator's own, whatever stands next to what. */
#include "support/malloc_random.h"
#include "support/malloc_walk.h"
#include "support/suite.h"

#define HEAPS_PER_VERSION 40

START_TEST(figures_of_random_heaps)
{
    struct malloc_options options = {
        .version = (enum malloc_version)(_i % MALLOC_VERSIONS),
        .seed = 7000 + (uint64_t)_i,
        .flags_in_bins = _i % 5 == 0,
        .narrow_ends = _i % 7 == 0,
        .brk_after_top = _i % 4 == 0 ? 9000 : 0,
    };
    struct malloc_heap *heap = malloc_random_heap(&options, 60 + 10 * (uint32_t)_i);
    struct malloc_walk walk;

    malloc_walk_all(heap, _i % 2 ? PHT_STOP_BRIEF : PHT_STOP_NONE, &walk);
    ck_assert(walk.roots.proven);
    ck_assert(walk.roots.consistent);
    malloc_check_clean(walk.glibc);
    malloc_heap_check(heap, walk.glibc);
    malloc_walk_deinit(&walk);
    malloc_heap_destroy(heap);
}
END_TEST

static Suite *glibc_random_suite(void)
{
    Suite *suite = suite_create("glibc random");
    TCase *tcase = tcase_create("random");

    tcase_set_timeout(tcase, 10);
    tcase_add_loop_test(tcase, figures_of_random_heaps, 0, HEAPS_PER_VERSION * MALLOC_VERSIONS);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(glibc_random_suite)
