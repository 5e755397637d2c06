/* Each warning stands in the report exactly when it should, and with it what "complete" means. */
#include "model/caveats.h"

#include <string.h>

#include "support/fake_target.h"
#include "support/heap_report.h"
#include "support/suite.h"

static struct fake_target *fake;
static struct pht_report *report;

static void setup(void)
{
    fake = fake_target_create();
    report = heap_report_create();
    heap_report_drop_glibc(report);
    report->sections = report->walks = PHT_SECTION_PYMALLOC;
}

static void teardown(void)
{
    pht_report_destroy(report);
    fake_target_destroy(fake);
}

static const struct pht_warning *find(const char *id)
{
    for (size_t i = 0; i < report->warnings.count; i++) {
        if (strcmp(report->warnings.items[i].id, id) == 0)
            return &report->warnings.items[i];
    }
    return NULL;
}

static void gave_up(void)
{
    report->snapshot.gave_up = true;
}

static void not_tried(void)
{
    gave_up();
    report->snapshot.not_tried = true;
    report->process.threads = 2345;
}

static void expired(void)
{
    report->snapshot.expired = true;
}

static void inconsistent(void)
{
    report->snapshot.consistent = false;
}

static void torn(void)
{
    report->pymalloc->torn_pools = 2;
}

static void damaged(void)
{
    report->pymalloc->damaged_pools = 1;
    report->pymalloc->totals.unknown_pool_bytes = 16384;
}

static void swapped(void)
{
    report->pymalloc->swapped_pools = 1234;
    report->pymalloc->totals.unknown_pool_bytes = 1234 * 16384;
}

static void damaged_arenas(void)
{
    report->pymalloc->damaged_arenas = 1;
}

static void hides_zeros(void)
{
    fake->hides_zero_pages = true;
}

static void switched_off(void)
{
    memset(&report->pymalloc->totals, 0, sizeof(report->pymalloc->totals));
    report->pymalloc->class_count = 0;
    report->pymalloc->allocator = report->object_allocator = PHT_ALLOCATOR_MALLOC;
    report->pymalloc->is_off = true;
}

/* With malloc's part, which has no gaps either. */
static void everything(void)
{
    pht_report_destroy(report);
    report = heap_report_create();
}

static void ask_for_types(void)
{
    report->sections |= PHT_SECTION_TYPES;
    report->walks |= PHT_SECTION_TYPES;
}

static void unknown_objects(void)
{
    ask_for_types();
    heap_report_drop_objects(report);
}

static void damaged_objects(void)
{
    ask_for_types();
    report->objects->damaged_objects = report->objects->totals.objects / 1000 + 1;
}

static void torn_objects(void)
{
    ask_for_types();
    report->objects->torn_pools = 1;
}

static void swapped_objects(void)
{
    ask_for_types();
    report->objects->swapped_pools = 1234;
}

/* The lists of 2.7, each found and followed but for what was said of it. */
static struct pht_numbers *numbers(size_t i)
{
    struct pht_objects *objects = report->objects;

    for (size_t all = objects->numbers_count; all < PHT_NUMBERS_MAX; all++)
        objects->numbers[all] = (struct pht_numbers){
            .type = all == 0 ? "int" : "float", .bytes_each = 24, .is_known = true};
    objects->numbers_count = PHT_NUMBERS_MAX;
    return &objects->numbers[i];
}

static void torn_numbers(void)
{
    ask_for_types();
    numbers(0)->is_torn = true;
}

static void unknown_numbers(void)
{
    ask_for_types();
    numbers(1)->is_known = false;
}

static const struct {
    void (*cause)(void);
    const char *id;
    bool complete;
    const char *text; /* part of it, where it holds a figure */
} cases[] = {
    {gave_up, "stop-limit", true, "not every thread could be stopped in time"},
    {not_tried, "stop-limit", true, "2345 threads are too many"},
    {expired, "stop-expired", true, NULL},
    {inconsistent, "roots-torn", false, NULL},
    {torn, "torn-pools", false, "2 of 114 pools"},
    {damaged, "damaged-pools", false, "1 pool"},
    {swapped, "swapped-pools", false, "1,234 pools"},
    {damaged_arenas, "damaged-arenas", false, "1 arena"},
    {hides_zeros, "zero-pages", true, NULL},
    {switched_off, "pymalloc-off", true, "PYTHONMALLOC=malloc"},
    {unknown_objects, "objects-unknown", false, NULL},
    {damaged_objects, "damaged-objects", false, "like a Python object and contradict"},
    {torn_objects, "torn-objects", false, "1 pool could"},
    {swapped_objects, "swapped-objects", false, "1,234 pools are"},
    {unknown_numbers, "numbers-unknown", true, "the floats of 2.7 is not found"},
    {torn_numbers, "numbers-torn", false, "the ints of 2.7 changed"},
};

#define CASES ((int)(sizeof(cases) / sizeof(cases[0])))

START_TEST(cause_has_its_warning_and_no_other)
{
    cases[_i].cause();
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, cases[_i].id);
    ck_assert_int_eq(report->complete, cases[_i].complete);
    if (cases[_i].text != NULL)
        ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, cases[_i].text));
}
END_TEST

/* Then nobody can tell Python's large objects from other chunks. */
START_TEST(census_that_was_not_wanted_is_told)
{
    report->without_types = true;
    report->has_ledger = true;
    report->walks &= ~(unsigned)PHT_SECTION_TYPES;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, "no-census");
    ck_assert(report->complete);
}
END_TEST

START_TEST(a_missing_sandbox_is_told_and_lacks_nothing)
{
    pht_caveats_collect(report, fake->target);
    pht_caveats_no_sandbox(report, "Function not implemented");
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, "no-sandbox");
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, "(Function not implemented)"));
    ck_assert(report->complete);
}
END_TEST

static void gc_torn(void)
{
    report->gc->torn_lists = 1;
}

static void gc_in_swap(void)
{
    gc_torn();
    report->kernel.swap_bytes = 4096;
}

static void gc_long(void)
{
    report->gc->long_lists = 2;
}

static void no_gc(void)
{
    free(report->gc);
    report->gc = NULL;
}

static void no_gc_in_swap(void)
{
    no_gc();
    report->kernel.swap_bytes = 4096;
}

static void unknown_gc(void)
{
    no_gc();
    report->python->layout.gc_garbage = PHT_UNKNOWN;
    report->python->layout.gc_static_garbage = PHT_UNKNOWN;
}

static void no_freelists(void)
{
    report->freelists.count = 0;
}

static const struct {
    void (*cause)(void);
    const char *id;
    bool complete;
    const char *text;
} gc_cases[] = {
    {gc_torn, "gc-torn", false, "1 list of the collector changed while it was read: not"},
    {gc_in_swap, "gc-torn", false,
     "1 list of the collector changed while it was read, or led into"},
    {gc_long, "gc-long", true, "2 lists of the collector are"},
    {no_gc, "gc-unproven", false, "where it should be: no gc figures"},
    {no_gc_in_swap, "gc-unproven", false, "or it is in swap: no gc figures"},
    {no_freelists, "freelists-unknown", true, "free lists of this interpreter are not found"},
    {unknown_gc, "gc-unknown", true, "CPython 3.11.7"},
};

#define GC_CASES ((int)(sizeof(gc_cases) / sizeof(gc_cases[0])))

START_TEST(gap_of_the_collector_is_told_if_it_was_asked_for)
{
    gc_cases[_i].cause();
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    report->sections |= PHT_SECTION_TYPES;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, gc_cases[_i].id);
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, gc_cases[_i].text));
    ck_assert_int_eq(report->complete, gc_cases[_i].complete);
}
END_TEST

/* What was torn in a process that stood still did not change while it was read. */
static const struct {
    bool is_stopped;
    enum pht_stop_mode stop;
    bool expired;
    bool stood_still;
} moments[] = {
    {false, PHT_STOP_BRIEF, false, false}, {false, PHT_STOP_NONE, false, false},
    {false, PHT_STOP_FULL, false, true},   {false, PHT_STOP_FULL, true, false},
    {true, PHT_STOP_BRIEF, false, true},   {true, PHT_STOP_NONE, false, true},
    {true, PHT_STOP_FULL, true, true},
};

#define MOMENTS ((int)(sizeof(moments) / sizeof(moments[0])))

static void check_torn(bool stood_still, const char *id, const char *changed,
                       const char *was_being_changed)
{
    const struct pht_warning *warning = find(id);

    ck_assert_ptr_nonnull(warning);
    ck_assert_ptr_nonnull(strstr(warning->text, stood_still ? was_being_changed : changed));
    if (stood_still)
        ck_assert_str_eq(warning->remedy, "again, once the process has run on");
}

START_TEST(torn_tells_whether_the_process_ran)
{
    everything();
    report->pymalloc->torn_pools = 2;
    report->glibc->torn_chunks = 1;
    report->gc->torn_lists = 1;
    report->kernel.is_stopped = moments[_i].is_stopped;
    report->snapshot.stop = moments[_i].stop;
    report->snapshot.expired = moments[_i].expired;
    pht_caveats_collect(report, fake->target);
    check_torn(moments[_i].stood_still, "torn-pools", "2 of 114 pools changed while they were read",
               "2 of 114 pools were being changed when it stopped");
    check_torn(moments[_i].stood_still, "torn-chunks",
               "1 chunk of malloc changed while it was read",
               "1 chunk of malloc was being changed when it stopped");
    check_torn(moments[_i].stood_still, "gc-torn",
               "1 list of the collector changed while it was read: not",
               "1 list of the collector was being changed when it stopped: not");
    ck_assert(!report->complete);
}
END_TEST

START_TEST(report_without_gaps_has_no_warning)
{
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

/* Memory that was an object once. */
START_TEST(few_damaged_objects_are_no_damage)
{
    ask_for_types();
    report->objects->damaged_objects = report->objects->totals.objects / 1000;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

START_TEST(all_causes_together_are_all_told)
{
    everything();
    for (int i = 0; i < CASES; i++) {
        if (cases[i].cause != switched_off && cases[i].cause != unknown_objects &&
            cases[i].cause != not_tried)
            cases[i].cause();
    }
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, CASES - 3);
    ck_assert(!report->complete);
}
END_TEST

START_TEST(report_of_the_kernels_figures_alone_is_complete)
{
    heap_report_drop_pymalloc(report);
    report->sections = report->walks = PHT_SECTION_KERNEL;
    report->has_snapshot = false;
    report->snapshot = (struct pht_snapshot_stats){0};
    fake->hides_zero_pages = true;
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

START_TEST(report_that_lacks_pymalloc_is_not_complete)
{
    heap_report_drop_pymalloc(report);
    pht_caveats_collect(report, fake->target);
    ck_assert(!report->complete);
}
END_TEST

START_TEST(objects_are_complete_without_gaps_and_missed_only_if_asked_for)
{
    if (_i == 0)
        ask_for_types();
    else
        heap_report_drop_objects(report);
    pht_caveats_collect(report, fake->target);
    ck_assert_uint_eq(report->warnings.count, 0);
    ck_assert(report->complete);
}
END_TEST

/* Why there is no pymalloc is told elsewhere, and is why there are no objects. */
START_TEST(objects_that_nobody_could_look_for_are_missing_without_a_warning)
{
    ask_for_types();
    heap_report_drop_pymalloc(report);
    pht_caveats_collect(report, fake->target);
    ck_assert_ptr_null(find("objects-unknown"));
    ck_assert(!report->complete);
}
END_TEST

/* Arenas that were left out are no sign that pymalloc is off. */
START_TEST(heap_whose_arenas_were_all_left_out_is_not_called_off)
{
    switched_off();
    report->pymalloc->allocator = report->object_allocator = PHT_ALLOCATOR_PYMALLOC;
    report->pymalloc->damaged_arenas = 3;
    report->pymalloc->is_off = false;
    pht_caveats_collect(report, fake->target);
    ck_assert_ptr_null(find("pymalloc-off"));
    ck_assert_ptr_nonnull(find("damaged-arenas"));
    ck_assert(!report->complete);
}
END_TEST

START_TEST(heap_without_an_arena_that_could_be_walked_says_why)
{
    report->pymalloc->damaged_arenas = 3;
    pht_caveats_no_arena(report);
    report->pymalloc->swapped_arenas = 4;
    pht_caveats_no_arena(report);
    ck_assert_str_eq(report->warnings.items[0].id, "damaged-arenas");
    ck_assert_str_eq(report->warnings.items[1].id, "swapped-arenas");
}
END_TEST

/* ---- no layout ---------------------------------------------------------------------------- */

START_TEST(free_threaded_build_says_so)
{
    report->python->free_threaded = true;
    pht_caveats_no_layout(report);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, "free-threaded");
    ck_assert_ptr_nonnull(strstr(report->warnings.items[0].text, "3.11t"));
}
END_TEST

START_TEST(debug_file_of_another_build_is_named_with_the_right_one)
{
    strcpy(report->python->build_id, "0123456789abcdef0123");
    strcpy(report->python->lent_build_id, "fedcba98765432100123");
    pht_caveats_collect(report, fake->target);
    const struct pht_warning *warning = find("layout-mismatched-debug");
    ck_assert_ptr_nonnull(warning);
    ck_assert_ptr_nonnull(strstr(warning->text, report->python->image));
    ck_assert_ptr_nonnull(strstr(warning->text, "(build-id fedcba987654, not 0123456789ab)"));
    ck_assert(report->complete);
}
END_TEST

START_TEST(missing_layout_hands_on_cause_and_remedy)
{
    report->python->layout_source = PHT_LAYOUT_NONE;
    report->python->layout_error = pht_error_try(
        pht_error_create(PHT_ERROR_NO_LAYOUT, "no debug information"), "apt install python3-dbg");
    pht_caveats_no_layout(report);
    ck_assert_uint_eq(report->warnings.count, 1);
    const struct pht_warning *warning = find(pht_error_id(PHT_ERROR_NO_LAYOUT));
    ck_assert_ptr_nonnull(warning);
    ck_assert_ptr_nonnull(strstr(warning->text, "no debug information"));
    ck_assert_str_eq(warning->remedy, "apt install python3-dbg");
}
END_TEST

START_TEST(missing_layout_without_a_cause_still_warns)
{
    report->python->layout_source = PHT_LAYOUT_NONE;
    pht_caveats_no_layout(report);
    ck_assert_ptr_nonnull(find("no-layout"));
}
END_TEST

START_TEST(roots_that_cannot_be_read_are_told_from_a_layout_that_does_not_fit)
{
    struct pht_pymalloc_roots roots = {.unreadable = _i};

    pht_caveats_pymalloc_unproven(report, &roots);
    ck_assert_uint_eq(report->warnings.count, 1);
    ck_assert_str_eq(report->warnings.items[0].id, _i ? "roots-unreadable" : "layout-rejected");
}
END_TEST

/* ---- warnings themselves ------------------------------------------------------------------ */

START_TEST(warnings_keep_copies_in_order)
{
    char remedy[] = "remedy", name[] = "name";

    ck_assert(pht_report_warn(report, "first", remedy, "%s has %d", name, 3));
    ck_assert(pht_report_warn(report, "second", NULL, "plain"));
    remedy[0] = name[0] = 'X';
    ck_assert_uint_eq(report->warnings.count, 2);
    ck_assert_str_eq(report->warnings.items[0].text, "name has 3");
    ck_assert_str_eq(report->warnings.items[0].remedy, "remedy");
    ck_assert_str_eq(report->warnings.items[1].id, "second");
    ck_assert_ptr_null(report->warnings.items[1].remedy);
}
END_TEST

START_TEST(many_warnings_are_all_kept)
{
    for (int i = 0; i < 100; i++)
        ck_assert(pht_report_warn(report, "id", NULL, "number %d", i));
    ck_assert_uint_eq(report->warnings.count, 100);
    ck_assert_str_eq(report->warnings.items[99].text, "number 99");
}
END_TEST

static Suite *caveats_suite(void)
{
    Suite *suite = suite_create("caveats");
    TCase *tcase = tcase_create("caveats");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, cause_has_its_warning_and_no_other, 0, CASES);
    tcase_add_test(tcase, census_that_was_not_wanted_is_told);
    tcase_add_test(tcase, a_missing_sandbox_is_told_and_lacks_nothing);
    tcase_add_loop_test(tcase, gap_of_the_collector_is_told_if_it_was_asked_for, 0, GC_CASES);
    tcase_add_loop_test(tcase, torn_tells_whether_the_process_ran, 0, MOMENTS);
    tcase_add_test(tcase, report_without_gaps_has_no_warning);
    tcase_add_test(tcase, few_damaged_objects_are_no_damage);
    tcase_add_test(tcase, all_causes_together_are_all_told);
    tcase_add_test(tcase, report_of_the_kernels_figures_alone_is_complete);
    tcase_add_test(tcase, report_that_lacks_pymalloc_is_not_complete);
    tcase_add_loop_test(tcase, objects_are_complete_without_gaps_and_missed_only_if_asked_for, 0,
                        2);
    tcase_add_test(tcase, objects_that_nobody_could_look_for_are_missing_without_a_warning);
    tcase_add_test(tcase, heap_whose_arenas_were_all_left_out_is_not_called_off);
    tcase_add_test(tcase, heap_without_an_arena_that_could_be_walked_says_why);
    tcase_add_test(tcase, free_threaded_build_says_so);
    tcase_add_test(tcase, debug_file_of_another_build_is_named_with_the_right_one);
    tcase_add_test(tcase, missing_layout_hands_on_cause_and_remedy);
    tcase_add_test(tcase, missing_layout_without_a_cause_still_warns);
    tcase_add_loop_test(tcase, roots_that_cannot_be_read_are_told_from_a_layout_that_does_not_fit,
                        0, 2);
    tcase_add_test(tcase, warnings_keep_copies_in_order);
    tcase_add_test(tcase, many_warnings_are_all_kept);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(caveats_suite)
