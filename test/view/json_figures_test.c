/* Figures that are read out of the JSON of a report, whoever has written it. */
#include <stdlib.h>
#include <string.h>

#include "pyheaptop/error.h"
#include "support/heap_objects.h"
#include "support/json_report.h"
#include "support/suite.h"

static struct pht_figures *figures;
static struct pht_error *error;

static void setup(void)
{
    json_report_setup();
    figures = NULL;
    error = NULL;
}

static void teardown(void)
{
    pht_figures_destroy(figures);
    pht_error_destroy(error);
    json_report_teardown();
}

static void read_text(const char *text)
{
    FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");

    ck_assert_ptr_nonnull(file);
    error = pht_json_figures_read(file, "dump\x1b.json", &figures);
    fclose(file);
}

static void check_refused(const char *why)
{
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(error->code, PHT_ERROR_FROM_FILE);
    ck_assert_ptr_nonnull(strstr(error->text, "dump\\x1b.json"));
    ck_assert_msg(strstr(error->why, why) != NULL, "%s", error->why);
    ck_assert_ptr_null(figures);
}

START_TEST(a_report_is_read_as_it_was_written)
{
    const struct pht_objects *objects = report->objects;

    write_report();
    read_text(written);
    ck_assert_ptr_null(error);
    ck_assert_int_eq(figures->pid, report->process.pid);
    ck_assert_int_eq(figures->rss_bytes, (int64_t)report->kernel.rss_bytes);
    ck_assert_str_eq(figures->comm, report->process.comm);
    ck_assert_uint_eq(figures->lists[PHT_FIGURE_CATEGORY].count, PHT_CATEGORIES);
    ck_assert_uint_eq(figures->lists[PHT_FIGURE_TYPE].count, objects->type_count);
    ck_assert_uint_eq(figures->lists[PHT_FIGURE_SIZE_CLASS].count, report->pymalloc->class_count);
    ck_assert_uint_eq(figures->lists[PHT_FIGURE_UNOWNED].count, objects->unowned_count);
    const struct pht_figure *type = &figures->lists[PHT_FIGURE_TYPE].items[0];
    ck_assert_str_eq(type->name, objects->types[0].name);
    ck_assert_str_eq(type->module, objects->types[0].module);
    ck_assert_uint_eq(type->number, objects->types[0].address);
    ck_assert_uint_eq(type->count, objects->types[0].objects);
    ck_assert_uint_eq(type->bytes, objects->types[0].size_bytes);
    const struct pht_figure *size = &figures->lists[PHT_FIGURE_SIZE_CLASS].items[0];
    ck_assert_uint_eq(size->number, report->pymalloc->classes[0].block_bytes);
    ck_assert_uint_eq(size->bytes, report->pymalloc->classes[0].live_bytes);
    const struct pht_figure *chunk = &figures->lists[PHT_FIGURE_UNOWNED].items[0];
    ck_assert_uint_eq(chunk->number, 4096);
    ck_assert_uint_eq(chunk->count, 41000);
}
END_TEST

static void check_figure(const struct pht_figure *got, const struct pht_figure *wanted)
{
    ck_assert_str_eq(got->name, wanted->name);
    ck_assert_str_eq(got->module, wanted->module);
    ck_assert_uint_eq(got->number, wanted->number);
    ck_assert_uint_eq(got->count, wanted->count);
    ck_assert_uint_eq(got->bytes, wanted->bytes);
}

static void check_list(const struct pht_figure_list *got, const struct pht_figure_list *wanted)
{
    ck_assert(got->known == wanted->known);
    ck_assert_uint_eq(got->count, wanted->count);
    for (size_t i = 0; i < got->count; i++)
        check_figure(&got->items[i], &wanted->items[i]);
}

/* With all there is; without objects; without what an allocator walk gives; without a ledger. */
START_TEST(a_report_in_memory_has_the_figures_of_its_json)
{
    if (_i == 0)
        heap_objects_rename(&report->objects->types[3], "mod\xff", "na\xc3me");
    if (_i == 1)
        heap_report_drop_objects(report);
    if (_i == 2)
        heap_report_drop_pymalloc(report);
    report->has_ledger = _i != 3;
    write_report();
    read_text(written);
    ck_assert_ptr_null(error);
    struct pht_figures *live = pht_figures_create(report);
    heap_report_set(&report->process.comm, "another");
    ck_assert_ptr_nonnull(live);
    ck_assert_str_eq(live->taken_at, figures->taken_at);
    ck_assert_str_eq(live->comm, figures->comm);
    ck_assert_int_eq(live->pid, figures->pid);
    ck_assert_int_eq(live->start_time_ticks, figures->start_time_ticks);
    ck_assert_int_eq(live->rss_bytes, figures->rss_bytes);
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++)
        check_list(&live->lists[kind], &figures->lists[kind]);
    pht_figures_destroy(live);
}
END_TEST

START_TEST(what_a_target_lies_about_is_limited)
{
    report->objects->types[0].size_bytes = UINT64_MAX;
    report->objects->types[0].objects = (uint64_t)INT64_MAX + 1;
    struct pht_figures *live = pht_figures_create(report);

    ck_assert_ptr_nonnull(live);
    ck_assert_uint_eq(live->lists[PHT_FIGURE_TYPE].items[0].bytes, INT64_MAX);
    ck_assert_uint_eq(live->lists[PHT_FIGURE_TYPE].items[0].count, INT64_MAX);
    pht_figures_destroy(live);
}
END_TEST

START_TEST(sections_that_were_left_out_are_not_known)
{
    heap_report_drop_objects(report);
    write_report();
    read_text(written);
    ck_assert_ptr_null(error);
    ck_assert(!figures->lists[PHT_FIGURE_TYPE].known);
    ck_assert(!figures->lists[PHT_FIGURE_UNOWNED].known);
    ck_assert(figures->lists[PHT_FIGURE_CATEGORY].known);
}
END_TEST

static const struct {
    const char *text;
    const char *why;
} no_reports[] = {
    {"", "line 1"},
    {"{", "line 1"},
    {"[]", "schema"},
    {"42", "line 1"},
    {"{}", "schema"},
    {"{\"schema\":\"pyheaptop.error\",\"schema_version\":\"1.0\"}", "schema"},
    {"{\"schema\":\"pyheaptop.report\",\"schema_version\":\"2.0\"}", "schema"},
    {"{\"schema\":\"pyheaptop.report\",\"schema_version\":\"1.0\"}", "taken_at"},
};

START_TEST(what_is_no_report_is_refused)
{
    read_text(no_reports[_i].text);
    check_refused(no_reports[_i].why);
}
END_TEST

#define REPORT(target, rest)                                                                       \
    "{\"schema\":\"pyheaptop.report\",\"schema_version\":\"1.0\",\"taken_at\":\"now\","            \
    "\"target\":" target ",\"kernel\":{\"rss_bytes\":4096}" rest "}"
#define TARGET "{\"pid\":1,\"start_time_ticks\":2,\"comm\":\"x\"}"

static const struct {
    const char *text;
    const char *why;
} damaged[] = {
    {REPORT("null", ""), "comm"},
    {REPORT("{\"pid\":\"1\",\"start_time_ticks\":2,\"comm\":\"x\"}", ""), "pid"},
    {REPORT("{\"pid\":-1,\"start_time_ticks\":2,\"comm\":\"x\"}", ""), "pid"},
    {REPORT("{\"pid\":1,\"start_time_ticks\":2.5,\"comm\":\"x\"}", ""), "start_time_ticks"},
    {REPORT(TARGET, ",\"categories\":[1]"), "id"},
    {REPORT(TARGET, ",\"categories\":[{\"id\":\"files\",\"bytes\":-4}]"), "bytes"},
    {REPORT(TARGET, ",\"types\":[{\"name\":\"x\",\"module\":\"y\",\"address\":1}]"), "address"},
    {REPORT(TARGET, ",\"types\":[null]"), "name"},
    {REPORT(TARGET, ",\"pymalloc\":{\"size_classes\":[{\"block_bytes\":9223372036854775807,"
                    "\"live_blocks\":9223372036854775807}]}"),
     "live_blocks"},
    {REPORT(TARGET, ",\"unowned\":[{}]"), "min_bytes"},
};

START_TEST(what_contradicts_the_schema_is_refused)
{
    read_text(damaged[_i].text);
    check_refused(damaged[_i].why);
}
END_TEST

START_TEST(the_least_that_is_a_report)
{
    read_text(REPORT(TARGET, ",\"types\":null,\"pymalloc\":7,\"unowned\":{}"));
    ck_assert_ptr_null(error);
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++)
        ck_assert(!figures->lists[kind].known);
}
END_TEST

#define ROWS(array) (sizeof(array) / sizeof((array)[0]))

static Suite *make_suite(void)
{
    Suite *suite = suite_create("view/json_figures");
    TCase *tcase = tcase_create("figures");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_report_is_read_as_it_was_written);
    tcase_add_loop_test(tcase, a_report_in_memory_has_the_figures_of_its_json, 0, 4);
    tcase_add_test(tcase, what_a_target_lies_about_is_limited);
    tcase_add_test(tcase, sections_that_were_left_out_are_not_known);
    tcase_add_loop_test(tcase, what_is_no_report_is_refused, 0, ROWS(no_reports));
    tcase_add_loop_test(tcase, what_contradicts_the_schema_is_refused, 0, ROWS(damaged));
    tcase_add_test(tcase, the_least_that_is_a_report);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
