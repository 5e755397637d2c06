/* What is found of a report and what is not, for rules about memory that nobody uses. */
#include <stdlib.h>
#include <string.h>

#include "model/findings.h"
#include "support/judged.h"
#include "support/suite.h"

/* ---- the whole ---------------------------------------------------------------------------- */

START_TEST(a_process_in_order_has_no_findings)
{
    judged_judge();
    judged_none();
    ck_assert(!judged->findings.is_partial);
    ck_assert_uint_eq(judged->findings.live_bytes, 911 * MIB);
}
END_TEST

START_TEST(what_was_not_walked_is_no_part_of_it)
{
    if (_i == 0) {
        pht_pymalloc_destroy(judged->pymalloc);
        judged->pymalloc = NULL;
    } else if (_i == 1) {
        pht_glibc_destroy(judged->glibc);
        judged->glibc = NULL;
    } else {
        pht_objects_destroy(judged->objects);
        judged->objects = NULL;
    }
    judged_judge();
    judged_none();
    ck_assert(judged->findings.is_partial);
}
END_TEST

/* Nothing is known, and nothing said, of what was not walked. */
START_TEST(a_report_without_walks_has_no_findings)
{
    pht_pymalloc_destroy(judged->pymalloc);
    pht_glibc_destroy(judged->glibc);
    pht_objects_destroy(judged->objects);
    free(judged->gc);
    judged->pymalloc = NULL;
    judged->glibc = NULL;
    judged->objects = NULL;
    judged->gc = NULL;
    judged->has_family = false;
    for (int i = 0; i < PHT_CATEGORIES; i++)
        judged->categories[i].bytes = 400 * MIB;
    judged_judge();
    judged_none();
}
END_TEST

START_TEST(findings_that_nobody_asked_for_are_none)
{
    judged->categories[PHT_CATEGORY_PYMALLOC_SLACK].bytes = 900 * MIB;
    judged->sections &= ~(unsigned)PHT_SECTION_FINDINGS;
    judged_judge();
    ck_assert(!judged->findings.known);
    ck_assert_uint_eq(judged->findings.count, 0);
}
END_TEST

START_TEST(severities_have_names)
{
    ck_assert_str_eq(pht_severity_name(PHT_SEVERITY_HIGH), "high");
    ck_assert_str_eq(pht_severity_name(PHT_SEVERITY_MEDIUM), "medium");
    ck_assert_str_eq(pht_severity_name(PHT_SEVERITY_INFO), "info");
}
END_TEST

/* ---- how much is remarkable --------------------------------------------------------------- */

static void have_slack(uint64_t bytes)
{
    judged->categories[PHT_CATEGORY_PYMALLOC_SLACK].bytes = bytes;
    judged->categories[PHT_CATEGORY_PYTHON_SMALL].bytes = bytes;
}

static struct pht_glibc_arena *main_arena(void)
{
    return &judged->glibc->arenas[0];
}

static void add_idle(struct pht_glibc_arena *arena, uint64_t bytes)
{
    arena->free_bytes += bytes;
    arena->resident_bytes += bytes;
}

static void have_trimmable(uint64_t bytes)
{
    add_idle(main_arena(), bytes);
    main_arena()->trimmable_bytes = bytes;
}

static void add_size(uint64_t min, uint64_t max, uint64_t free_chunks, uint64_t free_bytes,
                     uint64_t live_chunks)
{
    judged->glibc->sizes[judged->glibc->size_count++] = (struct pht_chunk_size){
        .min_bytes = min,
        .max_bytes = max,
        .free_chunks = free_chunks,
        .free_bytes = free_bytes,
        .live_chunks = live_chunks,
        .live_bytes = live_chunks * min,
    };
}

static void have_drift(uint64_t bytes)
{
    have_trimmable(bytes);
    judged->glibc->params.mmap_threshold_bytes = MIB;
    add_size(917504, 1048560, 200, 200 * MIB, 0);
}

static void have_fragments(uint64_t bytes)
{
    add_idle(main_arena(), bytes);
    add_size(720, 720, 24000, bytes, 60007);
}

static void have_arenas(uint64_t bytes)
{
    for (size_t i = 1; i <= JUDGED_THREAD_ARENAS; i++)
        add_idle(&judged->glibc->arenas[i], bytes / JUDGED_THREAD_ARENAS);
    add_idle(&judged->glibc->arenas[1], bytes % JUDGED_THREAD_ARENAS);
}

static const struct {
    const char *id;
    void (*have)(uint64_t bytes);
} weighed[] = {
    {"pymalloc-slack", have_slack},       {"glibc-trimmable", have_trimmable},
    {"mmap-threshold-drift", have_drift}, {"glibc-fragmented", have_fragments},
    {"glibc-arenas", have_arenas},
};

#define WEIGHED ((int)(sizeof(weighed) / sizeof(weighed[0])))

static const struct {
    uint64_t rss;
    uint64_t bytes;
    int severity; /* -1: no finding */
} weights[] = {
    {1000 * MIB, 50 * MIB - 1, -1},
    {1000 * MIB, 50 * MIB, PHT_SEVERITY_MEDIUM},
    {1000 * MIB, 150 * MIB - 1, PHT_SEVERITY_MEDIUM},
    {1000 * MIB, 150 * MIB, PHT_SEVERITY_HIGH},
    {100 * MIB, 16 * MIB - 1, -1},
    {100 * MIB, 16 * MIB, PHT_SEVERITY_MEDIUM},
    {100 * MIB, 32 * MIB - 1, PHT_SEVERITY_MEDIUM},
    {100 * MIB, 32 * MIB, PHT_SEVERITY_HIGH},
};

#define WEIGHTS ((int)(sizeof(weights) / sizeof(weights[0])))

START_TEST(what_is_large_beside_the_process_and_by_itself_is_told)
{
    uint64_t bytes = weights[_i % WEIGHTS].bytes;
    const char *id = weighed[_i / WEIGHTS].id;
    int severity = weights[_i % WEIGHTS].severity;

    /* That there is more in use than free would hide fragmentation. */
    for (size_t i = 0; i < judged->glibc->arena_count; i++)
        judged->glibc->arenas[i].resident_bytes = judged->glibc->arenas[i].live_bytes = MIB;
    judged->kernel.rss_bytes = weights[_i % WEIGHTS].rss;
    pht_objects_destroy(judged->objects);
    judged->objects = NULL;
    weighed[_i / WEIGHTS].have(bytes);
    judged_judge();
    if (severity < 0) {
        judged_none();
        return;
    }
    const struct pht_finding *finding = judged_only(id, (enum pht_severity)severity);
    ck_assert_uint_eq(finding->bytes, bytes);
}
END_TEST

START_TEST(the_most_severe_comes_first_and_then_the_most_bytes)
{
    have_slack(160 * MIB);
    have_trimmable(170 * MIB);
    have_arenas(60 * MIB);
    judged->gc->garbage = 5000;
    judged_judge();
    ck_assert_uint_eq(judged->findings.count, 4);
    ck_assert_str_eq(judged->findings.items[0].id, "glibc-trimmable");
    ck_assert_str_eq(judged->findings.items[1].id, "pymalloc-slack");
    ck_assert_str_eq(judged->findings.items[2].id, "glibc-arenas");
    ck_assert_str_eq(judged->findings.items[3].id, "uncollectable");
}
END_TEST

/* ---- pymalloc ----------------------------------------------------------------------------- */

/* A heap in motion has a fifth of it free. */
START_TEST(slack_beside_much_more_in_use_is_none)
{
    have_slack(200 * MIB);
    judged->categories[PHT_CATEGORY_PYTHON_SMALL].bytes = 600 * MIB + (_i == 0);
    judged_judge();
    if (_i == 0)
        judged_none();
    else
        judged_only("pymalloc-slack", PHT_SEVERITY_HIGH);
}
END_TEST

static void add_class(uint64_t block_bytes, uint64_t free_bytes)
{
    struct pht_pymalloc *pymalloc = judged->pymalloc;

    pymalloc->classes[pymalloc->class_count++] =
        (struct pht_size_class){.block_bytes = block_bytes, .free_bytes = free_bytes};
}

START_TEST(slack_names_the_sizes_that_have_it)
{
    have_slack(299 * MIB);
    add_class(32, 10 * MIB);
    add_class(64, 50 * MIB);
    add_class(80, 20 * MIB);
    add_class(96, 0);
    add_class(128, 43 * MIB);
    judged_judge();
    const struct pht_finding *finding = judged_only("pymalloc-slack", PHT_SEVERITY_HIGH);
    judged_says(finding, "299M (30% of RSS) is free memory inside pymalloc. Free blocks of size "
                         "classes 64, 128 and 80 hold 113M.");
    judged_advises(finding, "restart it after peaks");
    ck_assert_uint_eq(judged_figure(finding, "third_class_block_bytes"), 80);
    ck_assert_uint_eq(judged_figure(finding, "class_free_bytes"), 113 * MIB);
}
END_TEST

START_TEST(slack_in_one_size_alone)
{
    have_slack(299 * MIB);
    add_class(64, 50 * MIB);
    judged_judge();
    judged_says(judged_only("pymalloc-slack", PHT_SEVERITY_HIGH), "size class 64 hold 50.0M.");
}
END_TEST

START_TEST(slack_of_free_pools_names_no_sizes)
{
    have_slack(200 * MIB);
    add_class(64, 5 * MIB);
    judged->pymalloc->totals.unused_pool_bytes = 100 * MIB - (_i == 0);
    judged_judge();
    const struct pht_finding *finding = judged_only("pymalloc-slack", PHT_SEVERITY_HIGH);
    judged_says(finding, _i == 0 ? "size class 64" : "Most is in free pools of arenas");
}
END_TEST

/* As in the walk, below a tenth of an arena; the sizes that are most of these name what keeps it.
 */
START_TEST(arenas_that_few_blocks_keep_are_told)
{
    struct pht_pymalloc *pymalloc = judged->pymalloc;

    have_slack(200 * MIB);
    pymalloc->sparse_arenas = 96;
    pymalloc->sparse_live_bytes = 3 * MIB;
    pymalloc->sparse_held_bytes = 100 * MIB - (_i == 0);
    pymalloc->arenas[3].live_bytes = MIB / 10 - 1;
    memset(pymalloc->pool_classes + 3 * 64, 3, 2);
    pymalloc->pool_classes[3 * 64 + 7] = 5;
    pymalloc->arenas[4].live_bytes = MIB / 10;
    memset(pymalloc->pool_classes + 4 * 64, 9, 60);
    judged_judge();
    const struct pht_finding *finding = judged_only("pymalloc-slack", PHT_SEVERITY_HIGH);
    judged_says(finding, "96 arenas are under 10% used: 3.00M in use keeps");
    judged_says(finding, "most of it of size class 64.");
    ck_assert((strstr(finding->remedy, "make what lives long") != NULL) == (_i == 1));
}
END_TEST

static const struct {
    const char *command;
    const char *advice;
} servers[] = {
    {"/usr/bin/celery", "--max-tasks-per-child"},
    {"gunicorn: worker", "--max-requests"},
    {"uwsgi", "--reload-on-rss"},
    {"uvicorn", "--limit-max-requests"},
    {"app.py", "restart it"},
};

START_TEST(the_remedy_knows_the_server)
{
    have_slack(200 * MIB);
    judged_set_command(servers[_i].command);
    judged_judge();
    judged_advises(judged_only("pymalloc-slack", PHT_SEVERITY_HIGH), servers[_i].advice);
}
END_TEST

/* ---- glibc -------------------------------------------------------------------------------- */

START_TEST(fewer_arenas_than_eight_are_trimmable_or_not)
{
    have_arenas(80 * MIB);
    judged->glibc->arena_count--;
    for (size_t i = 0; i < judged->glibc->arena_count; i++)
        judged->glibc->arenas[i].trimmable_bytes = judged->glibc->arenas[i].free_bytes;
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-trimmable", PHT_SEVERITY_MEDIUM);
    judged_says(finding, "all of it in arenas of threads.");
    judged_advises(finding, "MALLOC_ARENA_MAX=2");
    ck_assert_uint_eq(finding->bytes, 70 * MIB);
}
END_TEST

static const struct {
    struct pht_arena_limit limit;
    const char *text;
    const char *advice;
} limits[] = {
    {{16, "processors"}, "there may be 16, 8 for each processor.", "MALLOC_ARENA_MAX=2"},
    {{12, "MALLOC_ARENA_MAX"}, "there may be 12.", "MALLOC_ARENA_MAX says 12"},
    {{12, "GLIBC_TUNABLES"}, "there may be 12.", "GLIBC_TUNABLES says 12"},
    {{12, "mallopt"}, "there may be 12.", "mallopt(3)"},
    {{PHT_UNKNOWN, NULL}, "8 arenas of threads.", "MALLOC_ARENA_MAX=2"},
};

START_TEST(the_remedy_for_arenas_knows_the_limit)
{
    have_arenas(80 * MIB);
    judged->arena_limit = limits[_i].limit;
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-arenas", PHT_SEVERITY_MEDIUM);
    judged_says(finding, limits[_i].text);
    judged_advises(finding, limits[_i].advice);
    ck_assert_uint_eq(judged_figure(finding, "arena_limit"), limits[_i].limit.arenas);
    ck_assert_ptr_null(strstr(finding->remedy, "malloc_trim"));
}
END_TEST

START_TEST(arenas_that_no_thread_uses_are_told)
{
    have_arenas(80 * MIB);
    judged->glibc->arenas[2].threads = judged->glibc->arenas[5].threads = 0;
    judged->glibc->threads_known = _i == 1;
    judged->glibc->arenas[3].trimmable_bytes = 40 * MIB;
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-arenas", PHT_SEVERITY_MEDIUM);
    ck_assert((strstr(finding->text, "2 of which no thread uses") != NULL) == (_i == 1));
    ck_assert_uint_eq(judged_figure(finding, "idle_arenas"), _i == 1 ? 2 : PHT_UNKNOWN);
    judged_advises(finding, "malloc_trim(0) gives back 40.0M now");
}
END_TEST

/* No byte counts twice. */
START_TEST(what_arenas_of_threads_have_is_told_once)
{
    have_arenas(80 * MIB);
    have_trimmable(60 * MIB);
    for (size_t i = 1; i <= JUDGED_THREAD_ARENAS; i++)
        judged->glibc->arenas[i].trimmable_bytes = 10 * MIB;
    judged_judge();
    ck_assert_uint_eq(judged->findings.count, 2);
    ck_assert_uint_eq(judged_find("glibc-arenas")->bytes, 80 * MIB);
    ck_assert_uint_eq(judged_find("glibc-trimmable")->bytes, 60 * MIB);
    judged_says(judged_find("glibc-trimmable"), "all of it in the main arena.");
}
END_TEST

START_TEST(trimmable_in_both_kinds_of_arenas)
{
    bool mostly_main = _i == 0;

    have_trimmable(60 * MIB);
    judged->glibc->arena_count = 2;
    add_idle(&judged->glibc->arenas[1], 70 * MIB);
    judged->glibc->arenas[1].trimmable_bytes = mostly_main ? 60 * MIB : 60 * MIB + 1;
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-trimmable", PHT_SEVERITY_MEDIUM);
    judged_says(finding, "60.0M of it is in the main arena.");
    judged_advises(finding, mostly_main ? "ctypes.CDLL" : "trims arenas of threads as well");
}
END_TEST

START_TEST(a_top_that_the_threshold_keeps)
{
    have_trimmable(60 * MIB);
    main_arena()->top_bytes = 30 * MIB - (_i == 0);
    judged->glibc->params.trim_threshold_bytes = (_i == 1 ? 128 : 65536) << 10;
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-trimmable", PHT_SEVERITY_MEDIUM);
    ck_assert((strstr(finding->remedy, "MALLOC_TRIM_THRESHOLD_") != NULL) == (_i == 2));
}
END_TEST

/* Each of these makes it free memory like any other. */
START_TEST(what_is_no_drift)
{
    struct pht_malloc_params *params = &judged->glibc->params;

    have_drift(60 * MIB);
    switch (_i) {
    case 0:
        params->mmap_threshold_bytes = MIB - 1;
        break;
    case 1:
        params->mmap_threshold_dynamic = false;
        break;
    case 2:
        params->mmap_threshold_bytes = PHT_UNKNOWN;
        break;
    case 3: /* too large on average: merged */
        judged->glibc->sizes[0].free_chunks = 199;
        break;
    case 4: /* less than half of it */
        judged->glibc->sizes[0] = (struct pht_chunk_size){
            .min_bytes = 917504, .free_chunks = 30, .free_bytes = 30 * MIB - 1};
        break;
    case 5: /* smaller */
        judged->glibc->sizes[0].min_bytes = 114688;
        break;
    }
    judged_judge();
    judged_only(_i == 6 ? "mmap-threshold-drift" : "glibc-trimmable", PHT_SEVERITY_MEDIUM);
}
END_TEST

START_TEST(drift_is_explained)
{
    have_drift(170 * MIB);
    judged_judge();
    const struct pht_finding *finding = judged_only("mmap-threshold-drift", PHT_SEVERITY_HIGH);
    judged_says(finding, "mmap threshold has risen to 1.00M");
    judged_says(finding, "200 chunks of 128K and more");
    judged_advises(finding, "MALLOC_MMAP_THRESHOLD_=131072");
    ck_assert_uint_eq(judged_figure(finding, "large_free_bytes"), 200 * MIB);
}
END_TEST

START_TEST(fragments_are_beside_chunks_in_use)
{
    add_size(32, 32, 10, 320, 5);
    have_fragments(150 * MIB);
    judged_judge();
    const struct pht_finding *finding = judged_only("glibc-fragmented", PHT_SEVERITY_HIGH);
    judged_says(finding, "malloc_trim(0) cannot give it back. Most is in 24,000 chunks of 720B, "
                         "beside 60,007 of that size in use.");
    ck_assert_uint_eq(judged_figure(finding, "chunk_min_bytes"), 720);
}
END_TEST

/* What is resident is 180 MiB without them. */
START_TEST(a_fifth_of_malloc_is_fragmented)
{
    uint64_t in_use = 9 * 20 * MIB;

    judged->kernel.rss_bytes = 400 * MIB;
    pht_objects_destroy(judged->objects);
    judged->objects = NULL;
    have_fragments(in_use / 4 - (_i == 0 ? MIB : 0));
    judged_judge();
    if (_i == 0)
        judged_none();
    else
        judged_only("glibc-fragmented", PHT_SEVERITY_MEDIUM);
}
END_TEST

/* Chunks in use that are not resident leave free ones that are not either. */
START_TEST(free_memory_that_is_not_resident_is_none)
{
    main_arena()->free_bytes = main_arena()->top_bytes = 500 * MIB;
    judged->glibc->arenas[1].free_bytes = 500 * MIB;
    judged->glibc->arenas[2].resident_bytes = 0;
    judged->glibc->arenas[2].free_bytes = 500 * MIB;
    judged_judge();
    judged_none();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("model/findings");
    TCase *whole = tcase_create("whole"), *pymalloc = tcase_create("pymalloc"),
          *glibc = tcase_create("glibc");

    tcase_add_checked_fixture(whole, judged_setup, judged_teardown);
    tcase_add_test(whole, a_process_in_order_has_no_findings);
    tcase_add_loop_test(whole, what_was_not_walked_is_no_part_of_it, 0, 3);
    tcase_add_test(whole, a_report_without_walks_has_no_findings);
    tcase_add_test(whole, findings_that_nobody_asked_for_are_none);
    tcase_add_test(whole, severities_have_names);
    tcase_add_loop_test(whole, what_is_large_beside_the_process_and_by_itself_is_told, 0,
                        WEIGHED * WEIGHTS);
    tcase_add_test(whole, the_most_severe_comes_first_and_then_the_most_bytes);
    suite_add_tcase(suite, whole);
    tcase_add_checked_fixture(pymalloc, judged_setup, judged_teardown);
    tcase_add_loop_test(pymalloc, slack_beside_much_more_in_use_is_none, 0, 2);
    tcase_add_test(pymalloc, slack_names_the_sizes_that_have_it);
    tcase_add_test(pymalloc, slack_in_one_size_alone);
    tcase_add_loop_test(pymalloc, slack_of_free_pools_names_no_sizes, 0, 2);
    tcase_add_loop_test(pymalloc, arenas_that_few_blocks_keep_are_told, 0, 2);
    tcase_add_loop_test(pymalloc, the_remedy_knows_the_server, 0,
                        (int)(sizeof(servers) / sizeof(servers[0])));
    suite_add_tcase(suite, pymalloc);
    tcase_add_checked_fixture(glibc, judged_setup, judged_teardown);
    tcase_add_test(glibc, fewer_arenas_than_eight_are_trimmable_or_not);
    tcase_add_loop_test(glibc, the_remedy_for_arenas_knows_the_limit, 0,
                        (int)(sizeof(limits) / sizeof(limits[0])));
    tcase_add_loop_test(glibc, arenas_that_no_thread_uses_are_told, 0, 2);
    tcase_add_test(glibc, what_arenas_of_threads_have_is_told_once);
    tcase_add_loop_test(glibc, trimmable_in_both_kinds_of_arenas, 0, 2);
    tcase_add_loop_test(glibc, a_top_that_the_threshold_keeps, 0, 3);
    tcase_add_loop_test(glibc, what_is_no_drift, 0, 7);
    tcase_add_test(glibc, drift_is_explained);
    tcase_add_test(glibc, fragments_are_beside_chunks_in_use);
    tcase_add_loop_test(glibc, a_fifth_of_malloc_is_fragmented, 0, 2);
    tcase_add_test(glibc, free_memory_that_is_not_resident_is_none);
    suite_add_tcase(suite, glibc);
    return suite;
}

SUITE_MAIN(make_suite)
