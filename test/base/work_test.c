#include <string.h>

#include "base/work.h"
#include "support/suite.h"

static struct pht_progress told[8];
static size_t told_count;
static size_t answers_until; /* how often the answer is to go on */

static bool tell(void *context, const struct pht_progress *progress)
{
    ck_assert_ptr_eq(context, told);
    told[told_count++] = *progress;
    return told_count <= answers_until;
}

static const struct pht_watch watch = {.tell = tell, .context = told};

static void setup(void)
{
    told_count = 0;
    answers_until = 99;
}

START_TEST(a_stage_is_told_from_its_beginning)
{
    struct pht_work work;

    pht_work_init(&work, &watch);
    ck_assert_ptr_null(pht_work_begin(&work, PHT_STAGE_PYMALLOC));
    ck_assert(pht_work_measure(&work, 12, "arenas"));
    ck_assert(pht_work_advance(&work, 5));
    ck_assert(pht_work_advance(&work, 2));
    ck_assert_ptr_null(pht_work_begin(&work, PHT_STAGE_MALLOC));
    ck_assert_uint_eq(told_count, 5);
    ck_assert_int_eq(told[0].stage, PHT_STAGE_PYMALLOC);
    ck_assert_uint_eq(told[0].total, 0);
    ck_assert_uint_eq(told[1].total, 12);
    ck_assert_uint_eq(told[1].done, 0);
    ck_assert_str_eq(told[1].unit, "arenas");
    ck_assert_uint_eq(told[3].done, 7);
    ck_assert_int_eq(told[4].stage, PHT_STAGE_MALLOC);
    ck_assert_uint_eq(told[4].done, 0);
    ck_assert_uint_eq(told[4].total, 0);
    ck_assert_ptr_null(told[4].unit);
}
END_TEST

START_TEST(what_is_reached_never_goes_back)
{
    struct pht_work work;

    pht_work_init(&work, &watch);
    pht_work_reach(&work, 9);
    pht_work_reach(&work, 4);
    pht_work_reach(&work, 10);
    ck_assert_uint_eq(told[0].done, 9);
    ck_assert_uint_eq(told[1].done, 9);
    ck_assert_uint_eq(told[2].done, 10);
}
END_TEST

static void check_cancelled(struct pht_error *error)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_CANCELLED);
    ck_assert_str_eq(pht_error_id(error->code), "cancelled");
    pht_error_destroy(error);
}

START_TEST(what_was_called_off_stays_so_and_nobody_is_asked_again)
{
    struct pht_work work;

    answers_until = 1;
    pht_work_init(&work, &watch);
    ck_assert_ptr_null(pht_work_begin(&work, PHT_STAGE_PYMALLOC));
    ck_assert_ptr_null(pht_work_check(&work));
    ck_assert(!pht_work_advance(&work, 1));
    ck_assert(!pht_work_advance(&work, 1));
    ck_assert(!pht_work_reach(&work, 5));
    ck_assert(!pht_work_measure(&work, 5, NULL));
    check_cancelled(pht_work_check(&work));
    check_cancelled(pht_work_begin(&work, PHT_STAGE_MALLOC));
    ck_assert_uint_eq(told_count, 2);
}
END_TEST

static void *advance(void *work)
{
    return pht_work_advance(work, 3) ? work : NULL;
}

static bool goes_on_in_a_thread(struct pht_work *work)
{
    pthread_t thread;
    void *answer;

    ck_assert_int_eq(pthread_create(&thread, NULL, advance, work), 0);
    ck_assert_int_eq(pthread_join(thread, &answer), 0);
    return answer != NULL;
}

START_TEST(other_threads_count_and_obey_but_do_not_tell)
{
    struct pht_work work;

    answers_until = 1;
    pht_work_init(&work, &watch);
    ck_assert(goes_on_in_a_thread(&work));
    ck_assert_uint_eq(told_count, 0);
    ck_assert(pht_work_advance(&work, 1));
    ck_assert_uint_eq(told[0].done, 4);
    ck_assert(!pht_work_advance(&work, 1));
    ck_assert(!goes_on_in_a_thread(&work));
}
END_TEST

START_TEST(nobody_needs_to_watch)
{
    struct pht_work work;

    pht_work_init(&work, NULL);
    ck_assert_ptr_null(pht_work_begin(&work, PHT_STAGE_PYMALLOC));
    ck_assert(pht_work_advance(&work, 1));
    ck_assert_ptr_null(pht_work_begin(NULL, PHT_STAGE_PYMALLOC));
    ck_assert(pht_work_measure(NULL, 1, NULL) && pht_work_advance(NULL, 1));
    ck_assert(pht_work_reach(NULL, 1));
    ck_assert_ptr_null(pht_work_check(NULL));
}
END_TEST

START_TEST(every_stage_has_a_name)
{
    for (int i = 0; i < PHT_STAGES; i++) {
        ck_assert_ptr_nonnull(pht_stage_name((enum pht_stage)i));
        for (int j = 0; j < i; j++)
            ck_assert_str_ne(pht_stage_name((enum pht_stage)i), pht_stage_name((enum pht_stage)j));
    }
}
END_TEST

static Suite *work_suite(void)
{
    Suite *suite = suite_create("base/work");
    TCase *tcase = tcase_create("work");

    tcase_add_checked_fixture(tcase, setup, NULL);
    tcase_add_test(tcase, a_stage_is_told_from_its_beginning);
    tcase_add_test(tcase, what_is_reached_never_goes_back);
    tcase_add_test(tcase, what_was_called_off_stays_so_and_nobody_is_asked_again);
    tcase_add_test(tcase, other_threads_count_and_obey_but_do_not_tell);
    tcase_add_test(tcase, nobody_needs_to_watch);
    tcase_add_test(tcase, every_stage_has_a_name);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(work_suite)
