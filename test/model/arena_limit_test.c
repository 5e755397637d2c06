/* Who said how many arenas there may be; an environment may hold anything. */
#include "model/arena_limit.h"

#include <string.h>

#include "support/suite.h"

static struct pht_arena_limit limit_of(uint64_t arena_max, const char *environment, size_t bytes)
{
    const struct pht_malloc_params params = {.arena_max = arena_max};
    /* A copy of exactly that size, so that a sanitizer sees what is read beyond it. */
    char *copy = malloc(bytes + (bytes == 0));

    ck_assert_ptr_nonnull(copy);
    memcpy(copy, environment, bytes);
    struct pht_arena_limit limit = pht_arena_limit(&params, 8, copy, bytes);
    free(copy);
    return limit;
}

#define ENVIRONMENT(text) text, sizeof(text) - 1

static const struct {
    const char *environment;
    size_t bytes;
    uint64_t arena_max;
    const char *source;
} cases[] = {
    {ENVIRONMENT("HOME=/\0MALLOC_ARENA_MAX=2\0"), 2, "MALLOC_ARENA_MAX"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=2"), 2, "MALLOC_ARENA_MAX"}, /* no NUL at the end */
    {ENVIRONMENT("MALLOC_ARENA_MAX= 2\0"), 2, "MALLOC_ARENA_MAX"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=0x10\0"), 16, "MALLOC_ARENA_MAX"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=2 or so\0"), 2, "MALLOC_ARENA_MAX"},
    /* The first of several wins, and what others say does not count. */
    {ENVIRONMENT("MALLOC_ARENA_MAX=2\0MALLOC_ARENA_MAX=3\0"), 2, "MALLOC_ARENA_MAX"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=2\0MALLOC_ARENA_MAX=3\0"), 3, "mallopt"},
    /* Names of which the wanted one is a part, and the other way round. */
    {ENVIRONMENT("MALLOC_ARENA_MAX_=2\0"), 2, "mallopt"},
    {ENVIRONMENT("XMALLOC_ARENA_MAX=2\0"), 2, "mallopt"},
    {ENVIRONMENT("MALLOC_ARENA=2\0"), 2, "mallopt"},
    {ENVIRONMENT("A=MALLOC_ARENA_MAX=2\0"), 2, "mallopt"},
    {ENVIRONMENT("A=\nMALLOC_ARENA_MAX=2\0"), 2, "mallopt"},
    {ENVIRONMENT("A=B\0MALLOC_ARENA_MAX\0"), 2, "mallopt"},
    {ENVIRONMENT("A=B\0MALLOC_ARENA_MAX"), 2, "mallopt"},
    /* What is no number, or not the one in force. */
    {ENVIRONMENT("MALLOC_ARENA_MAX=\0"), 2, "mallopt"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=two\0"), 2, "mallopt"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=4\0"), 2, "mallopt"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=00000000000000000000000000000000000002\0"), 2, "mallopt"},
    {ENVIRONMENT("MALLOC_ARENA_MAX=99999999999999999999\0"), 2, "mallopt"},
    /* Tunables. */
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max=2\0"), 2, "GLIBC_TUNABLES"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.arena_max=2\0"), 2,
     "GLIBC_TUNABLES"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.arena_test=9"), 2,
     "GLIBC_TUNABLES"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max2=2\0"), 2, "mallopt"},
    {ENVIRONMENT("GLIBC_TUNABLES=xglibc.malloc.arena_max=2\0"), 2, "mallopt"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max\0"), 2, "mallopt"},
    {ENVIRONMENT("GLIBC_TUNABLES=:::\0"), 2, "mallopt"},
    {ENVIRONMENT("GLIBC_TUNABLES=\0"), 2, "mallopt"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max=2\0MALLOC_ARENA_MAX=2\0"), 2,
     "MALLOC_ARENA_MAX"},
    {ENVIRONMENT("GLIBC_TUNABLES=glibc.malloc.arena_max=2\0MALLOC_ARENA_MAX=4\0"), 2,
     "GLIBC_TUNABLES"},
    {ENVIRONMENT("HOME=/\0"), 2, "mallopt"},
    /* Written over by a title, or empty: nothing can be told. */
    {ENVIRONMENT(""), 2, NULL},
    {ENVIRONMENT("\0"), 2, NULL},
    {ENVIRONMENT("\0\0\0\0\0\0\0\0"), 2, NULL},
    {ENVIRONMENT("service: worker 3\0\0\0\0"), 2, NULL},
    {ENVIRONMENT("=\0=x\0"), 2, NULL},
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(limit_that_was_set_has_a_source)
{
    struct pht_arena_limit limit =
        limit_of(cases[_i].arena_max, cases[_i].environment, cases[_i].bytes);

    ck_assert_uint_eq(limit.arenas, cases[_i].arena_max);
    ck_assert_pstr_eq(limit.source, cases[_i].source);
}
END_TEST

START_TEST(any_bytes_will_do)
{
    char bytes[300];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)((i * (2 * (size_t)_i + 1)) >> (_i % 3));
    ck_assert_uint_eq(limit_of(3, bytes, sizeof(bytes)).arenas, 3);
}
END_TEST

START_TEST(limit_whose_environment_is_secret_has_no_source)
{
    const struct pht_malloc_params params = {.arena_max = 2};
    struct pht_arena_limit limit = pht_arena_limit(&params, 8, NULL, 0);

    ck_assert_uint_eq(limit.arenas, 2);
    ck_assert_ptr_null(limit.source);
}
END_TEST

/* What the environment says was not heeded, or it would be in force. */
START_TEST(limit_that_nobody_set_follows_from_the_processors)
{
    struct pht_arena_limit limit = limit_of(0, ENVIRONMENT("MALLOC_ARENA_MAX=0\0"));

    ck_assert_uint_eq(limit.arenas, 64);
    ck_assert_str_eq(limit.source, "processors");
}
END_TEST

START_TEST(limit_without_processors_is_not_known)
{
    const struct pht_malloc_params params = {.arena_max = 0};
    struct pht_arena_limit limit = pht_arena_limit(&params, 0, NULL, 0);

    ck_assert_uint_eq(limit.arenas, PHT_UNKNOWN);
    ck_assert_ptr_null(limit.source);
}
END_TEST

START_TEST(limit_that_glibc_does_not_have_is_not_known)
{
    struct pht_arena_limit limit = limit_of(PHT_UNKNOWN, ENVIRONMENT("MALLOC_ARENA_MAX=2\0"));

    ck_assert_uint_eq(limit.arenas, PHT_UNKNOWN);
    ck_assert_ptr_null(limit.source);
}
END_TEST

static Suite *arena_limit_suite(void)
{
    Suite *suite = suite_create("arena_limit");
    TCase *tcase = tcase_create("arena_limit");

    tcase_add_loop_test(tcase, limit_that_was_set_has_a_source, 0, CASES);
    tcase_add_loop_test(tcase, any_bytes_will_do, 0, 24);
    tcase_add_test(tcase, limit_whose_environment_is_secret_has_no_source);
    tcase_add_test(tcase, limit_that_nobody_set_follows_from_the_processors);
    tcase_add_test(tcase, limit_without_processors_is_not_known);
    tcase_add_test(tcase, limit_that_glibc_does_not_have_is_not_known);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(arena_limit_suite)
