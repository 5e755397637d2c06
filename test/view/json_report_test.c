/* The JSON that is written, read back: every name of the schema, its type, and its value. */
#include <stdio.h>
#include <string.h>

#include "support/heap_findings.h"
#include "support/json_report.h"
#include "support/suite.h"

/* ---- parts -------------------------------------------------------------------------------- */

START_TEST(head_names_schema_tool_and_time)
{
    write_report();
    heap_json_check_text(root, "schema", "pyheaptop.report");
    heap_json_check_text(root, "schema_version", "1.0");
    heap_json_check_text(root, "tool.name", "pyheaptop");
    heap_json_check_text(root, "tool.version", "1.2.3");
    heap_json_check_text(root, "taken_at", "2026-11-22T14:03:07.041Z");
    heap_json_check_text(root, "allocators.0", "pymalloc");
    heap_json_check_text(root, "allocators.1", "glibc");
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "allocators")), 2);
}
END_TEST

START_TEST(target_is_the_process)
{
    write_report();
    heap_json_check_number(root, "target.pid", 4711);
    heap_json_check_number(root, "target.start_time_ticks", 8812345);
    heap_json_check_text(root, "target.comm", "python3");
    heap_json_check_text(root, "target.exe", "/usr/bin/python3.11");
    heap_json_check_number(root, "target.uid", 1000);
    heap_json_check_number(root, "target.threads", 12);
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "target.command")), 5);
    heap_json_check_text(root, "target.command.0", "/usr/bin/python3");
    heap_json_check_text(root, "target.command.4", "8080");
}
END_TEST

START_TEST(command_keeps_empty_arguments)
{
    static const char command[] = "python3\0\0-c\0";

    heap_report_set_command(report, command, sizeof(command));
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "target.command")), 4);
    heap_json_check_text(root, "target.command.1", "");
    heap_json_check_text(root, "target.command.3", "");
}
END_TEST

START_TEST(command_may_be_empty_or_unterminated)
{
    heap_report_set_command(report, "abc", _i == 0 ? 0 : 3);
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "target.command")), _i);
}
END_TEST

START_TEST(runtime_is_the_interpreter)
{
    write_report();
    heap_json_check_text(root, "runtime.implementation", "cpython");
    heap_json_check_text(root, "runtime.version", "3.11.7");
    ck_assert(json_is_false(heap_json_get(root, "runtime.free_threaded")));
    ck_assert(json_is_false(heap_json_get(root, "runtime.debug_build")));
    heap_json_check_text(root, "runtime.image", "/usr/bin/python3.11");
    heap_json_check_text(root, "runtime.build_id", "2dd439c6a0b1c2d3e4f5061728394a5b6c7d8e9f");
    heap_json_check_text(root, "runtime.layout_source", "dwarf");
    heap_json_check_text(root, "runtime.symbol_source", "symtab");
}
END_TEST

START_TEST(runtime_that_was_not_looked_for_is_null)
{
    pht_python_destroy(report->python);
    report->python = NULL;
    write_report();
    heap_json_check_null(root, "runtime");
}
END_TEST

START_TEST(what_is_not_known_of_the_runtime_is_null)
{
    report->python->version_text[0] = report->python->build_id[0] = '\0';
    report->python->layout_source = PHT_LAYOUT_NONE;
    report->python->free_threaded = true;
    write_report();
    heap_json_check_null(root, "runtime.version");
    heap_json_check_null(root, "runtime.build_id");
    heap_json_check_null(root, "runtime.layout_source");
    heap_json_check_null(root, "runtime.symbol_source");
    ck_assert(json_is_true(heap_json_get(root, "runtime.free_threaded")));
}
END_TEST

START_TEST(snapshot_says_how_it_was_taken)
{
    write_report();
    heap_json_check_number(root, "snapshot.number", 1);
    heap_json_check_text(root, "snapshot.stop", "brief");
    heap_json_check_number(root, "snapshot.stopped_us", 850);
    heap_json_check_number(root, "snapshot.stops", 1);
    heap_json_check_number(root, "snapshot.walk_ms", 12);
    heap_json_check_number(root, "snapshot.read_bytes", 51370);
    heap_json_check_number(root, "snapshot.rereads", 12);
    heap_json_check_number(root, "snapshot.torn_pools", 0);
    heap_json_check_number(root, "snapshot.torn_chunks", 0);
    ck_assert(json_is_true(heap_json_get(root, "snapshot.complete")));
}
END_TEST

START_TEST(every_stop_mode_is_named)
{
    report->snapshot.stop = (enum pht_stop_mode)_i;
    report->complete = false;
    write_report();
    heap_json_check_text(root, "snapshot.stop", pht_stop_mode_name((enum pht_stop_mode)_i));
    ck_assert(json_is_false(heap_json_get(root, "snapshot.complete")));
}
END_TEST

static const struct {
    const char *path;
    size_t offset;
} kernel_fields[] = {
    {"kernel.rss_bytes", offsetof(struct pht_kernel_memory, rss_bytes)},
    {"kernel.anon_bytes", offsetof(struct pht_kernel_memory, anon_bytes)},
    {"kernel.file_bytes", offsetof(struct pht_kernel_memory, file_bytes)},
    {"kernel.shmem_bytes", offsetof(struct pht_kernel_memory, shmem_bytes)},
    {"kernel.pss_bytes", offsetof(struct pht_kernel_memory, pss_bytes)},
    {"kernel.uss_bytes", offsetof(struct pht_kernel_memory, uss_bytes)},
    {"kernel.swap_bytes", offsetof(struct pht_kernel_memory, swap_bytes)},
    {"kernel.virtual_bytes", offsetof(struct pht_kernel_memory, virtual_bytes)},
    {"kernel.huge_bytes", offsetof(struct pht_kernel_memory, huge_bytes)},
    {"kernel.peak_rss_bytes", offsetof(struct pht_kernel_memory, peak_rss_bytes)},
    {"kernel.minor_faults", offsetof(struct pht_kernel_memory, minor_faults)},
    {"kernel.major_faults", offsetof(struct pht_kernel_memory, major_faults)},
};

#define KERNEL_FIELDS ((int)(sizeof(kernel_fields) / sizeof(kernel_fields[0])))

START_TEST(kernel_figures_are_numbers_or_null)
{
    uint64_t *field = (uint64_t *)((char *)&report->kernel + kernel_fields[_i].offset);

    *field = 123456789;
    write_report();
    heap_json_check_number(root, kernel_fields[_i].path, 123456789);
    json_report_teardown();
    json_report_setup();
    field = (uint64_t *)((char *)&report->kernel + kernel_fields[_i].offset);
    *field = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, kernel_fields[_i].path);
}
END_TEST

START_TEST(cgroup_has_limits_and_use)
{
    write_report();
    heap_json_check_number(root, "kernel.cgroup.limit_bytes", (uint64_t)2048 << 20);
    heap_json_check_number(root, "kernel.cgroup.high_bytes", (uint64_t)1950 << 20);
    heap_json_check_number(root, "kernel.cgroup.current_bytes", (uint64_t)1800 << 20);
    heap_json_check_number(root, "kernel.cgroup.peak_bytes", (uint64_t)1990 << 20);
    heap_json_check_number(root, "kernel.cgroup.oom_kills", 3);
}
END_TEST

START_TEST(cgroup_without_limits_has_null_for_them)
{
    report->cgroup.limit_bytes = report->cgroup.high_bytes = PHT_UNKNOWN;
    report->cgroup.peak_bytes = report->cgroup.oom_kills = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, "kernel.cgroup.limit_bytes");
    heap_json_check_null(root, "kernel.cgroup.high_bytes");
    heap_json_check_null(root, "kernel.cgroup.peak_bytes");
    heap_json_check_null(root, "kernel.cgroup.oom_kills");
}
END_TEST

START_TEST(unknown_cgroup_is_null)
{
    report->cgroup.known = false;
    write_report();
    heap_json_check_null(root, "kernel.cgroup");
}
END_TEST

static void check_totals(const char *prefix, const struct pht_pymalloc_totals *totals)
{
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"arenas", totals->arenas},
        {"pools_used", totals->pools_used},
        {"pools_free", totals->pools_free},
        {"live_blocks", totals->live_blocks},
        {"free_blocks", totals->free_blocks},
        {"live_bytes", totals->live_bytes},
        {"free_bytes", totals->free_bytes},
        {"unused_pool_bytes", totals->unused_pool_bytes},
        {"pool_header_bytes", totals->pool_header_bytes},
        {"quantization_bytes", totals->quantization_bytes},
        {"arena_alignment_bytes", totals->arena_alignment_bytes},
        {"total_bytes", totals->total_bytes},
    };
    char path[64];

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        snprintf(path, sizeof(path), "%s.%s", prefix, fields[i].name);
        heap_json_check_number(root, path, fields[i].value);
    }
}

START_TEST(pymalloc_has_every_figure)
{
    write_report();
    heap_json_check_number(root, "pymalloc.arena_bytes", 1 << 20);
    heap_json_check_number(root, "pymalloc.pool_bytes", 16384);
    heap_json_check_number(root, "pymalloc.alignment_bytes", 16);
    heap_json_check_number(root, "pymalloc.arenas_peak", 5);
    heap_json_check_number(root, "pymalloc.arenas_allocated_total", 9);
    check_totals("pymalloc", &report->pymalloc->totals);
}
END_TEST

START_TEST(size_classes_rise_and_are_all_there)
{
    char path[64];

    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "pymalloc.size_classes")),
                      report->pymalloc->class_count);
    for (size_t i = 0; i < report->pymalloc->class_count; i++) {
        const struct pht_size_class *class = &report->pymalloc->classes[i];
        snprintf(path, sizeof(path), "pymalloc.size_classes.%zu.block_bytes", i);
        heap_json_check_number(root, path, class->block_bytes);
        snprintf(path, sizeof(path), "pymalloc.size_classes.%zu.pools", i);
        heap_json_check_number(root, path, class->pools);
        snprintf(path, sizeof(path), "pymalloc.size_classes.%zu.live_blocks", i);
        heap_json_check_number(root, path, class->live_blocks);
        snprintf(path, sizeof(path), "pymalloc.size_classes.%zu.free_blocks", i);
        heap_json_check_number(root, path, class->free_blocks);
    }
}
END_TEST

START_TEST(arenas_are_listed_with_addresses_as_strings)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "pymalloc.arena_list")), 3);
    heap_json_check_text(root, "pymalloc.arena_list.0.address", "0x7f2b9c001000");
    heap_json_check_number(root, "pymalloc.arena_list.0.pools_used", 60);
    heap_json_check_number(root, "pymalloc.arena_list.0.pools_free", 3);
    heap_json_check_number(root, "pymalloc.arena_list.2.live_bytes", 52000);
    heap_json_check_number(root, "pymalloc.arena_list.2.resident_bytes", 98304);
}
END_TEST

START_TEST(states_are_listed)
{
    heap_report_add_state(report);
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "pymalloc.states")), 2);
    heap_json_check_text(root, "pymalloc.states.1.address", "0x7f2b9d000010");
    heap_json_check_number(root, "pymalloc.states.0.interpreter", 0);
    heap_json_check_number(root, "pymalloc.states.1.interpreter", 1);
    heap_json_check_number(root, "pymalloc.states.1.interpreters", 3);
    check_totals("pymalloc.states.1", &report->pymalloc->states[1].totals);
    heap_json_check_null(root, "pymalloc.arenas_peak");
}
END_TEST

START_TEST(state_of_the_whole_process_has_no_interpreter)
{
    write_report();
    heap_json_check_null(root, "pymalloc.states.0.interpreter");
}
END_TEST

START_TEST(pymalloc_that_was_not_walked_is_null)
{
    heap_report_drop_pymalloc(report);
    heap_report_drop_glibc(report);
    write_report();
    heap_json_check_null(root, "pymalloc");
    heap_json_check_null(root, "snapshot.rereads");
    heap_json_check_null(root, "snapshot.torn_pools");
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "allocators")), 0);
}
END_TEST

START_TEST(pymalloc_without_arenas_has_unknown_sizes)
{
    struct pht_pymalloc *pymalloc = report->pymalloc;

    memset(&pymalloc->totals, 0, sizeof(pymalloc->totals));
    pymalloc->class_count = pymalloc->state_count = 0;
    pymalloc->arena_bytes = pymalloc->pool_bytes = pymalloc->alignment_bytes = PHT_UNKNOWN;
    pymalloc->arenas_peak = pymalloc->arenas_allocated_total = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, "pymalloc.arena_bytes");
    heap_json_check_null(root, "pymalloc.pool_bytes");
    heap_json_check_null(root, "pymalloc.alignment_bytes");
    heap_json_check_null(root, "pymalloc.arenas_peak");
    heap_json_check_null(root, "pymalloc.arenas_allocated_total");
    heap_json_check_number(root, "pymalloc.arenas", 0);
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "pymalloc.arena_list")), 0);
}
END_TEST

START_TEST(findings_that_nobody_asked_for_are_null)
{
    report->findings.known = false;
    write_report();
    heap_json_check_null(root, "findings");
}
END_TEST

START_TEST(findings_have_what_they_rest_on)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "findings")), 3);
    heap_json_check_text(root, "findings.0.id", "pymalloc-slack");
    heap_json_check_text(root, "findings.0.severity", "high");
    heap_json_check_text(root, "findings.1.severity", "medium");
    heap_json_check_text(root, "findings.2.severity", "info");
    heap_json_check_number(root, "findings.0.bytes", 299 << 20);
    heap_json_check_null(root, "findings.2.bytes");
    heap_json_check_number(root, "findings.0.evidence.sparse_arenas", 96);
    heap_json_check_null(root, "findings.1.evidence.trim_threshold_bytes");
    heap_json_check_text(root, "findings.2.evidence.type", "shop.orders.Order.Line");
    heap_json_check_text(root, "findings.2.remedy", "look whether gc.DEBUG_SAVEALL is set");
    json_report_teardown();
    json_report_setup();
    heap_findings_drop(report);
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "findings")), 0);
    ck_assert(json_is_array(heap_json_get(root, "findings")));
}
END_TEST

START_TEST(the_collector_is_null_as_is_what_is_not_known_of_it)
{
    write_report();
    heap_json_check_number(root, "gc.frozen", 12);
    heap_json_check_number(root, "gc.generations.2.objects", 89012);
    json_report_teardown();
    json_report_setup();
    report->gc->frozen = report->gc->garbage = PHT_UNKNOWN;
    report->gc->generations[0].objects = PHT_UNKNOWN;
    report->gc->generations[1].collections = PHT_UNKNOWN;
    report->gc->generations[2].threshold = -1;
    write_report();
    heap_json_check_null(root, "gc.frozen");
    heap_json_check_null(root, "gc.garbage");
    heap_json_check_null(root, "gc.generations.0.objects");
    heap_json_check_null(root, "gc.generations.1.collections");
    ck_assert_int_eq(json_integer_value(heap_json_get(root, "gc.generations.2.threshold")), -1);
    json_report_teardown();
    json_report_setup();
    free(report->gc);
    report->gc = NULL;
    write_report();
    heap_json_check_null(root, "gc");
}
END_TEST

START_TEST(free_lists_are_null_if_none_is_known)
{
    report->freelists.items[1].bytes = PHT_UNKNOWN;
    report->freelists.items[2].objects = report->freelists.items[2].bytes = PHT_UNKNOWN;
    write_report();
    heap_json_check_text(root, "freelists.0.type", "tuple");
    heap_json_check_number(root, "freelists.0.objects", 60);
    heap_json_check_number(root, "freelists.0.bytes", 4800);
    heap_json_check_null(root, "freelists.1.bytes");
    heap_json_check_null(root, "freelists.2.objects");
    heap_json_check_null(root, "freelists.2.bytes");
    json_report_teardown();
    json_report_setup();
    report->freelists.count = 0;
    write_report();
    heap_json_check_null(root, "freelists");
}
END_TEST

START_TEST(warnings_have_id_text_and_remedy)
{
    write_report();
    ck_assert(json_is_array(heap_json_get(root, "warnings")));
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "warnings")), 0);
    json_report_teardown();
    json_report_setup();
    pht_report_warn(report, "first", "do this", "text %d", 1);
    pht_report_warn(report, "second", NULL, "text %d", 2);
    write_report();
    heap_json_check_text(root, "warnings.0.id", "first");
    heap_json_check_text(root, "warnings.0.text", "text 1");
    heap_json_check_text(root, "warnings.0.remedy", "do this");
    heap_json_check_text(root, "warnings.1.id", "second");
    heap_json_check_null(root, "warnings.1.remedy");
}
END_TEST

START_TEST(output_is_one_object_and_a_newline)
{
    write_report();
    ck_assert_int_eq(written[0], '{');
    ck_assert_str_eq(written + strlen(written) - 3, "\n}\n");
}
END_TEST

START_TEST(numbers_beyond_a_signed_one_are_null)
{
    report->kernel.rss_bytes = (uint64_t)INT64_MAX;
    report->kernel.pss_bytes = (uint64_t)INT64_MAX + 1;
    write_report();
    heap_json_check_number(root, "kernel.rss_bytes", INT64_MAX);
    heap_json_check_null(root, "kernel.pss_bytes");
}
END_TEST

static void add_part_tests(TCase *tcase)
{
    tcase_add_test(tcase, head_names_schema_tool_and_time);
    tcase_add_test(tcase, target_is_the_process);
    tcase_add_test(tcase, command_keeps_empty_arguments);
    tcase_add_loop_test(tcase, command_may_be_empty_or_unterminated, 0, 2);
    tcase_add_test(tcase, runtime_is_the_interpreter);
    tcase_add_test(tcase, runtime_that_was_not_looked_for_is_null);
    tcase_add_test(tcase, what_is_not_known_of_the_runtime_is_null);
    tcase_add_test(tcase, snapshot_says_how_it_was_taken);
    tcase_add_loop_test(tcase, every_stop_mode_is_named, 0, 3);
    tcase_add_loop_test(tcase, kernel_figures_are_numbers_or_null, 0, KERNEL_FIELDS);
    tcase_add_test(tcase, cgroup_has_limits_and_use);
    tcase_add_test(tcase, cgroup_without_limits_has_null_for_them);
    tcase_add_test(tcase, unknown_cgroup_is_null);
    tcase_add_test(tcase, findings_that_nobody_asked_for_are_null);
    tcase_add_test(tcase, findings_have_what_they_rest_on);
    tcase_add_test(tcase, the_collector_is_null_as_is_what_is_not_known_of_it);
    tcase_add_test(tcase, free_lists_are_null_if_none_is_known);
    tcase_add_test(tcase, warnings_have_id_text_and_remedy);
    tcase_add_test(tcase, the_collector_is_null_as_is_what_is_not_known_of_it);
    tcase_add_test(tcase, output_is_one_object_and_a_newline);
    tcase_add_test(tcase, numbers_beyond_a_signed_one_are_null);
}

static void add_pymalloc_tests(TCase *tcase)
{
    tcase_add_test(tcase, pymalloc_has_every_figure);
    tcase_add_test(tcase, size_classes_rise_and_are_all_there);
    tcase_add_test(tcase, arenas_are_listed_with_addresses_as_strings);
    tcase_add_test(tcase, states_are_listed);
    tcase_add_test(tcase, state_of_the_whole_process_has_no_interpreter);
    tcase_add_test(tcase, pymalloc_that_was_not_walked_is_null);
    tcase_add_test(tcase, pymalloc_without_arenas_has_unknown_sizes);
}

static Suite *json_report_suite(void)
{
    Suite *suite = suite_create("json_report");
    TCase *parts = tcase_create("parts"), *pymalloc = tcase_create("pymalloc");

    tcase_add_checked_fixture(parts, json_report_setup, json_report_teardown);
    tcase_add_checked_fixture(pymalloc, json_report_setup, json_report_teardown);
    add_part_tests(parts);
    add_pymalloc_tests(pymalloc);
    suite_add_tcase(suite, parts);
    suite_add_tcase(suite, pymalloc);
    return suite;
}

SUITE_MAIN(json_report_suite)
