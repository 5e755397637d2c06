/* When the target is stopped, how often, and what becomes of a stop that does not go well. */
#include <string.h>

#include "pyheaptop/snapshot.h"
#include "support/fake_target.h"
#include "support/suite.h"

#define HEAP ((pht_addr)0x7f0000000000)
#define LATER ((pht_addr)0x7f1000000000)
#define MAX_STOP_US 1234

static struct fake_target *fake;
static struct pht_snapshot *snapshot;

/* Calls of the freeze, and what the target was doing in each. */
static struct {
    unsigned calls;
    unsigned failures; /* so many calls return false, not counting the one before the stop */
    bool rehearsed;    /* the first call is the one before the stop */
    bool stopped[8];
    uint64_t words[8];
    enum pht_read_result results[8];
} freezes;

static bool freeze(struct pht_snapshot *of, void *context)
{
    unsigned call = freezes.calls++;

    ck_assert_ptr_eq(context, &freezes);
    ck_assert_uint_lt(call, 8);
    freezes.stopped[call] = fake->stopped;
    freezes.results[call] =
        pht_snapshot_read(of, HEAP, &freezes.words[call], sizeof(freezes.words[call]));
    return call >= freezes.failures + freezes.rehearsed;
}

static struct pht_error *take(enum pht_stop_mode stop)
{
    const struct pht_snapshot_options options = {.stop = stop, .max_stop_us = MAX_STOP_US};

    freezes.rehearsed = stop != PHT_STOP_NONE;
    return pht_snapshot_take(fake->target, &options, freeze, &freezes, &snapshot);
}

static void setup(void)
{
    fake = fake_target_create();
    fake_target_map(fake, HEAP, HEAP + 0x10000, FAKE_PRIVATE);
    fake_target_set_pages(fake, HEAP, HEAP + 0x10000, FAKE_RESIDENT);
    fake_target_put_u64(fake, HEAP, 1);
    snapshot = NULL;
    memset(&freezes, 0, sizeof(freezes));
}

static void teardown(void)
{
    pht_snapshot_destroy(snapshot);
    ck_assert_msg(!fake->stopped, "left the target stopped");
    ck_assert_uint_eq(fake->forbidden_reads, 0);
    fake_target_destroy(fake);
}

START_TEST(no_stop_never_stops)
{
    ck_assert_ptr_null(take(PHT_STOP_NONE));
    struct pht_snapshot_stats stats = pht_snapshot_stats(snapshot);
    ck_assert_uint_eq(fake->stops, 0);
    ck_assert_uint_eq(fake->resumes, 0);
    ck_assert_uint_eq(freezes.calls, 1);
    ck_assert_int_eq(stats.stop, PHT_STOP_NONE);
    ck_assert_uint_eq(stats.stops, 0);
    ck_assert(stats.consistent);
    ck_assert(!stats.gave_up);
}
END_TEST

START_TEST(brief_stop_lasts_for_one_freeze)
{
    fake->stop_plan[0].stopped_us = 77;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    struct pht_snapshot_stats stats = pht_snapshot_stats(snapshot);
    ck_assert_uint_eq(fake->stops, 1);
    ck_assert_uint_eq(fake->resumes, 1);
    ck_assert_uint_eq(fake->max_stop_us, MAX_STOP_US);
    ck_assert_uint_eq(freezes.calls, 2);
    ck_assert(!freezes.stopped[0]);
    ck_assert(freezes.stopped[1]);
    ck_assert_int_eq(stats.stop, PHT_STOP_BRIEF);
    ck_assert_uint_eq(stats.stops, 1);
    ck_assert_uint_eq(stats.stopped_us, 77);
    ck_assert(stats.consistent);
}
END_TEST

START_TEST(full_stop_lasts_until_the_release)
{
    fake->stop_plan[0].stopped_us = 5000;
    ck_assert_ptr_null(take(PHT_STOP_FULL));
    ck_assert(fake->stopped);
    ck_assert_uint_eq(fake->resumes, 0);
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    ck_assert(!fake->stopped);
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    ck_assert_uint_eq(fake->resumes, 1);
    ck_assert_int_eq(pht_snapshot_stats(snapshot).stop, PHT_STOP_FULL);
    ck_assert_uint_eq(pht_snapshot_stats(snapshot).stopped_us, 5000);
}
END_TEST

START_TEST(destroying_a_snapshot_lets_the_target_run)
{
    ck_assert_ptr_null(take(PHT_STOP_FULL));
    ck_assert(fake->stopped);
    pht_snapshot_destroy(snapshot);
    snapshot = NULL;
    ck_assert(!fake->stopped);
    ck_assert_uint_eq(fake->resumes, 1);
}
END_TEST

START_TEST(destroying_no_snapshot_is_fine)
{
    pht_snapshot_destroy(NULL);
}
END_TEST

/* ---- what does not go well ---------------------------------------------------------------- */

START_TEST(stop_that_cannot_be_had_is_read_without)
{
    fake->stop_plan[0].gives_up = true;
    ck_assert_ptr_null(take(_i == 0 ? PHT_STOP_BRIEF : PHT_STOP_FULL));
    struct pht_snapshot_stats stats = pht_snapshot_stats(snapshot);
    ck_assert(stats.gave_up);
    ck_assert(!stats.not_tried);
    ck_assert(stats.consistent);
    ck_assert_int_eq(stats.stop, PHT_STOP_NONE);
    ck_assert_uint_eq(stats.stops, 0);
    ck_assert_uint_eq(fake->resumes, 0);
    ck_assert_uint_eq(freezes.calls, 2);
    ck_assert(!freezes.stopped[1]);
}
END_TEST

START_TEST(stop_that_is_not_worth_a_try_is_read_without)
{
    fake->stop_plan[0].is_left_out = true;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    struct pht_snapshot_stats stats = pht_snapshot_stats(snapshot);
    ck_assert(stats.gave_up);
    ck_assert(stats.not_tried);
    ck_assert_int_eq(stats.stop, PHT_STOP_NONE);
    ck_assert_uint_eq(fake->resumes, 0);
}
END_TEST

START_TEST(stop_that_ran_out_is_said)
{
    enum pht_stop_mode mode = _i == 0 ? PHT_STOP_BRIEF : PHT_STOP_FULL;

    fake->stop_plan[0].expires = true;
    ck_assert_ptr_null(take(mode));
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    ck_assert(pht_snapshot_stats(snapshot).expired);
    ck_assert_int_eq(pht_snapshot_stats(snapshot).stop, mode);
}
END_TEST

START_TEST(stop_that_is_refused_is_an_error)
{
    struct pht_error *error;

    fake->stop_plan[0].stop_fails = true;
    error = take(_i == 0 ? PHT_STOP_BRIEF : PHT_STOP_FULL);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_EPERM_YAMA);
    ck_assert_ptr_null(snapshot);
    ck_assert_uint_eq(fake->resumes, 0);
    pht_error_destroy(error);
}
END_TEST

START_TEST(resume_that_fails_is_an_error)
{
    struct pht_error *error;

    fake->stop_plan[0].resume_fails = true;
    error = take(PHT_STOP_BRIEF);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_INTERNAL);
    ck_assert_ptr_null(snapshot);
    ck_assert_uint_eq(fake->resumes, 1);
    pht_error_destroy(error);
}
END_TEST

START_TEST(release_that_fails_is_an_error_once)
{
    struct pht_error *error;

    fake->stop_plan[0].resume_fails = true;
    ck_assert_ptr_null(take(PHT_STOP_FULL));
    error = pht_snapshot_release(snapshot);
    ck_assert_ptr_nonnull(error);
    pht_error_destroy(error);
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    ck_assert_uint_eq(fake->resumes, 1);
}
END_TEST

START_TEST(maps_that_cannot_be_read_are_an_error_before_any_stop)
{
    struct pht_error *error;

    fake->failing_maps_read = 1;
    error = take(PHT_STOP_BRIEF);
    ck_assert_ptr_nonnull(error);
    ck_assert_uint_eq(fake->stops, 0);
    ck_assert_uint_eq(freezes.calls, 0);
    pht_error_destroy(error);
}
END_TEST

/* ---- another try -------------------------------------------------------------------------- */

START_TEST(freeze_is_tried_again_in_a_stop_of_its_own)
{
    freezes.failures = 1;
    fake->stop_plan[0].stopped_us = 10;
    fake->stop_plan[1].stopped_us = 7;
    ck_assert_ptr_null(take(_i == 0 ? PHT_STOP_BRIEF : PHT_STOP_FULL));
    ck_assert_ptr_null(pht_snapshot_release(snapshot));
    struct pht_snapshot_stats stats = pht_snapshot_stats(snapshot);
    ck_assert_uint_eq(freezes.calls, 3);
    ck_assert_uint_eq(fake->stops, 2);
    ck_assert_uint_eq(fake->resumes, 2);
    ck_assert_uint_eq(stats.stops, 2);
    ck_assert_uint_eq(stats.stopped_us, 17);
    ck_assert(stats.consistent);
    /* What was mapped since may be what the roots lead to. */
    ck_assert_uint_ge(fake->maps_reads, 2);
}
END_TEST

START_TEST(freeze_that_never_succeeds_is_given_up)
{
    unsigned rehearsals = _i == PHT_STOP_NONE ? 0 : 1;

    freezes.failures = 8;
    ck_assert_ptr_null(take((enum pht_stop_mode)_i));
    ck_assert(!pht_snapshot_stats(snapshot).consistent);
    ck_assert_uint_eq(freezes.calls, 3 + rehearsals);
    ck_assert_uint_eq(fake->stops, 3 * rehearsals);
    ck_assert_int_eq(fake->stopped, _i == PHT_STOP_FULL);
}
END_TEST

START_TEST(maps_that_fail_between_tries_end_the_stop)
{
    struct pht_error *error;

    freezes.failures = 8;
    fake->failing_maps_read = 2;
    error = take(PHT_STOP_FULL);
    ck_assert_ptr_nonnull(error);
    ck_assert(!fake->stopped);
    pht_error_destroy(error);
}
END_TEST

START_TEST(stop_that_is_had_in_the_end_was_not_given_up)
{
    freezes.failures = 1;
    fake->stop_plan[0].gives_up = true;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert(freezes.stopped[2]);
    ck_assert(!pht_snapshot_stats(snapshot).gave_up);
    ck_assert_int_eq(pht_snapshot_stats(snapshot).stop, PHT_STOP_BRIEF);
}
END_TEST

START_TEST(last_try_says_whether_the_roots_were_copied_in_a_stop)
{
    freezes.failures = 1;
    fake->stop_plan[1].gives_up = true;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert(!freezes.stopped[2]);
    ck_assert(pht_snapshot_stats(snapshot).gave_up);
    ck_assert_int_eq(pht_snapshot_stats(snapshot).stop, PHT_STOP_NONE);
}
END_TEST

/* ---- freshness ---------------------------------------------------------------------------- */

static void swap_out(struct fake_target *of, void *context)
{
    (void)context;
    fake_target_set_pages(of, HEAP, HEAP + 1, FAKE_SWAPPED);
}

static void write_two(struct fake_target *of, void *context)
{
    (void)context;
    fake_target_set_pages(of, HEAP, HEAP + 1, FAKE_RESIDENT);
    fake_target_put_u64(of, HEAP, 2);
}

START_TEST(page_swapped_out_just_before_the_stop_is_not_read_in_it)
{
    fake->on_stop = swap_out;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert_int_eq(freezes.results[0], PHT_READ_OK);
    ck_assert_int_eq(freezes.results[1], PHT_READ_SWAPPED);
}
END_TEST

START_TEST(page_touched_just_before_the_stop_is_read_in_it)
{
    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_ABSENT);
    fake->on_stop = write_two;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert_uint_eq(freezes.words[0], 0);
    ck_assert_uint_eq(freezes.words[1], 2);
}
END_TEST

/* What the freeze learned of pages is forgotten: the target has run since. */
START_TEST(walk_asks_anew_which_pages_are_resident)
{
    uint64_t word;

    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_ABSENT);
    fake->on_resume = write_two;
    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert_uint_eq(freezes.words[1], 0);
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_OK);
    ck_assert_uint_eq(word, 2);
}
END_TEST

static bool freeze_by_gather(struct pht_snapshot *of, void *context)
{
    const pht_addr addr = HEAP;
    uint8_t first, second;
    uint64_t word;

    (void)context;
    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_RESIDENT);
    pht_snapshot_gather(of, &addr, 1, sizeof(word), &word, &first);
    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_SWAPPED);
    pht_snapshot_gather(of, &addr, 1, sizeof(word), &word, &second);
    return first == PHT_READ_OK && second == PHT_READ_SWAPPED;
}

static bool freeze_by_read(struct pht_snapshot *of, void *context)
{
    enum pht_read_result first, second;
    uint64_t word;

    (void)context;
    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_RESIDENT);
    first = pht_snapshot_read(of, HEAP, &word, sizeof(word));
    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_SWAPPED);
    second = pht_snapshot_read(of, HEAP, &word, sizeof(word));
    return first == PHT_READ_OK && second == PHT_READ_SWAPPED;
}

START_TEST(every_read_of_a_freeze_asks_anew)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_by_read, NULL, &snapshot));
    ck_assert(pht_snapshot_stats(snapshot).consistent);
}
END_TEST

static bool gather_one(struct pht_snapshot *of, void *context)
{
    const pht_addr addr = HEAP;
    uint8_t result;
    uint64_t word;

    (void)context;
    pht_snapshot_gather(of, &addr, 1, sizeof(word), &word, &result);
    return result == PHT_READ_OK;
}

START_TEST(what_a_gather_learned_in_the_freeze_is_forgotten)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_BRIEF};
    uint64_t word;

    fake_target_set_pages(fake, HEAP, HEAP + 1, FAKE_ABSENT);
    fake->on_resume = write_two;
    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, gather_one, NULL, &snapshot));
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_OK);
    ck_assert_uint_eq(word, 2);
}
END_TEST

START_TEST(gather_in_a_freeze_asks_anew_too)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    ck_assert_ptr_null(
        pht_snapshot_take(fake->target, &options, freeze_by_gather, NULL, &snapshot));
    ck_assert(pht_snapshot_stats(snapshot).consistent);
}
END_TEST

/* ---- maps --------------------------------------------------------------------------------- */

START_TEST(maps_are_read_again_on_a_miss)
{
    uint64_t word;

    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    fake_target_reset_record(fake);
    fake_target_map(fake, LATER, LATER + 0x1000, FAKE_PRIVATE);
    fake_target_set_pages(fake, LATER, LATER + 1, FAKE_RESIDENT);
    fake_target_put_u64(fake, LATER, 3);
    ck_assert_int_eq(pht_snapshot_read(snapshot, LATER, &word, sizeof(word)), PHT_READ_OK);
    ck_assert_uint_eq(word, 3);
    ck_assert_uint_eq(fake->maps_reads, 1);
}
END_TEST

/* The new mapping lies where the page cache has looked before, and found nothing. */
START_TEST(new_mapping_near_an_old_one_is_read_as_it_is)
{
    pht_addr near = HEAP + 0x20000;
    uint64_t word;

    ck_assert_ptr_null(take(PHT_STOP_BRIEF));
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_OK);
    fake_target_map(fake, near, near + 0x1000, FAKE_PRIVATE);
    fake_target_set_pages(fake, near, near + 1, FAKE_RESIDENT);
    fake_target_put_u64(fake, near, 3);
    ck_assert_int_eq(pht_snapshot_read(snapshot, near, &word, sizeof(word)), PHT_READ_OK);
    ck_assert_uint_eq(word, 3);
}
END_TEST

START_TEST(misses_do_not_read_the_maps_for_ever)
{
    uint64_t word;

    ck_assert_ptr_null(take(PHT_STOP_NONE));
    fake_target_reset_record(fake);
    for (pht_addr i = 0; i < 100; i++)
        ck_assert_int_eq(pht_snapshot_read(snapshot, LATER + i * 0x1000, &word, sizeof(word)),
                         PHT_READ_UNMAPPED);
    ck_assert_uint_ge(fake->maps_reads, 1);
    ck_assert_uint_le(fake->maps_reads, 16);
}
END_TEST

static bool freeze_astray(struct pht_snapshot *of, void *context)
{
    uint64_t word;

    (void)context;
    return pht_snapshot_read(of, LATER, &word, sizeof(word)) == PHT_READ_UNMAPPED;
}

START_TEST(maps_are_not_read_during_a_stop)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_BRIEF};

    ck_assert_ptr_null(pht_snapshot_take(fake->target, &options, freeze_astray, NULL, &snapshot));
    ck_assert_uint_eq(fake->maps_reads, 1);
}
END_TEST

START_TEST(maps_that_cannot_be_read_anew_leave_the_old_ones)
{
    uint64_t word;

    ck_assert_ptr_null(take(PHT_STOP_NONE));
    fake->failing_maps_read = fake->maps_reads + 1;
    ck_assert_int_eq(pht_snapshot_read(snapshot, LATER, &word, sizeof(word)), PHT_READ_UNMAPPED);
    ck_assert_int_eq(pht_snapshot_read(snapshot, HEAP, &word, sizeof(word)), PHT_READ_OK);
    ck_assert_uint_eq(word, 1);
}
END_TEST

START_TEST(stop_modes_have_the_names_of_the_option)
{
    ck_assert_str_eq(pht_stop_mode_name(PHT_STOP_NONE), "none");
    ck_assert_str_eq(pht_stop_mode_name(PHT_STOP_BRIEF), "brief");
    ck_assert_str_eq(pht_stop_mode_name(PHT_STOP_FULL), "full");
}
END_TEST

static void add_stop_tests(TCase *tcase)
{
    tcase_add_test(tcase, no_stop_never_stops);
    tcase_add_test(tcase, brief_stop_lasts_for_one_freeze);
    tcase_add_test(tcase, full_stop_lasts_until_the_release);
    tcase_add_test(tcase, destroying_a_snapshot_lets_the_target_run);
    tcase_add_test(tcase, destroying_no_snapshot_is_fine);
    tcase_add_loop_test(tcase, stop_that_cannot_be_had_is_read_without, 0, 2);
    tcase_add_test(tcase, stop_that_is_not_worth_a_try_is_read_without);
    tcase_add_loop_test(tcase, stop_that_ran_out_is_said, 0, 2);
    tcase_add_loop_test(tcase, stop_that_is_refused_is_an_error, 0, 2);
    tcase_add_test(tcase, resume_that_fails_is_an_error);
    tcase_add_test(tcase, release_that_fails_is_an_error_once);
    tcase_add_test(tcase, maps_that_cannot_be_read_are_an_error_before_any_stop);
    tcase_add_loop_test(tcase, freeze_is_tried_again_in_a_stop_of_its_own, 0, 2);
    tcase_add_loop_test(tcase, freeze_that_never_succeeds_is_given_up, 0, 3);
    tcase_add_test(tcase, maps_that_fail_between_tries_end_the_stop);
    tcase_add_test(tcase, stop_that_is_had_in_the_end_was_not_given_up);
    tcase_add_test(tcase, last_try_says_whether_the_roots_were_copied_in_a_stop);
    tcase_add_test(tcase, stop_modes_have_the_names_of_the_option);
}

static void add_freshness_tests(TCase *tcase)
{
    tcase_add_test(tcase, page_swapped_out_just_before_the_stop_is_not_read_in_it);
    tcase_add_test(tcase, page_touched_just_before_the_stop_is_read_in_it);
    tcase_add_test(tcase, walk_asks_anew_which_pages_are_resident);
    tcase_add_test(tcase, every_read_of_a_freeze_asks_anew);
    tcase_add_test(tcase, gather_in_a_freeze_asks_anew_too);
    tcase_add_test(tcase, what_a_gather_learned_in_the_freeze_is_forgotten);
    tcase_add_test(tcase, maps_are_read_again_on_a_miss);
    tcase_add_test(tcase, new_mapping_near_an_old_one_is_read_as_it_is);
    tcase_add_test(tcase, misses_do_not_read_the_maps_for_ever);
    tcase_add_test(tcase, maps_are_not_read_during_a_stop);
    tcase_add_test(tcase, maps_that_cannot_be_read_anew_leave_the_old_ones);
}

static Suite *freeze_suite(void)
{
    Suite *suite = suite_create("freeze");
    TCase *stops = tcase_create("stops"), *freshness = tcase_create("freshness");

    tcase_add_checked_fixture(stops, setup, teardown);
    tcase_add_checked_fixture(freshness, setup, teardown);
    add_stop_tests(stops);
    add_freshness_tests(freshness);
    suite_add_tcase(suite, stops);
    suite_add_tcase(suite, freshness);
    return suite;
}

SUITE_MAIN(freeze_suite)
