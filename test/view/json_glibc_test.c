/* malloc's part of the JSON: every name of the schema, its value, and that the whole adds up. */
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/heap_glibc.h"
#include "support/json_report.h"
#include "support/suite.h"

/* ---- the library -------------------------------------------------------------------------- */

START_TEST(libc_is_the_library)
{
    write_report();
    heap_json_check_text(root, "libc.family", "glibc");
    heap_json_check_text(root, "libc.version", "2.36");
    heap_json_check_text(root, "libc.image", "/usr/lib/x86_64-linux-gnu/libc.so.6");
    heap_json_check_text(root, "libc.build_id", "0c4a11b2c3d4e5f60718293a4b5c6d7e8f901234");
    heap_json_check_text(root, "libc.layout_source", "dwarf");
    heap_json_check_text(root, "libc.symbol_source", "symtab");
    ck_assert(json_is_false(heap_json_get(root, "libc.layout_cached")));
}
END_TEST

START_TEST(what_is_not_known_of_the_library_is_null)
{
    report->libc->version_text[0] = report->libc->build_id[0] = '\0';
    report->libc->layout_source = PHT_LAYOUT_NONE;
    report->libc->family = (enum pht_libc_family)_i;
    write_report();
    heap_json_check_text(root, "libc.family", pht_libc_family_name((enum pht_libc_family)_i));
    heap_json_check_null(root, "libc.version");
    heap_json_check_null(root, "libc.build_id");
    heap_json_check_null(root, "libc.layout_source");
    heap_json_check_null(root, "libc.symbol_source");
}
END_TEST

START_TEST(library_that_was_not_looked_for_is_null)
{
    pht_libc_destroy(report->libc);
    report->libc = NULL;
    heap_report_drop_glibc(report);
    write_report();
    heap_json_check_null(root, "libc");
    heap_json_check_null(root, "glibc");
    heap_json_check_null(root, "snapshot.torn_chunks");
    heap_json_check_number(root, "snapshot.rereads", report->rereads);
}
END_TEST

/* ---- figures ------------------------------------------------------------------------------ */

static const struct {
    const char *name;
    size_t offset;
} figures[] = {
#define FIGURE(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct pht_glibc_arena, name)                                              \
    }
    FIGURE(heaps),          FIGURE(threads),
    FIGURE(system_bytes),   FIGURE(live_chunks),
    FIGURE(live_bytes),     FIGURE(free_chunks),
    FIGURE(free_bytes),     FIGURE(tcache_chunks),
    FIGURE(tcache_bytes),   FIGURE(fast_chunks),
    FIGURE(fast_bytes),     FIGURE(rest_chunks),
    FIGURE(rest_bytes),     FIGURE(top_bytes),
    FIGURE(overhead_bytes), FIGURE(foreign_bytes),
    FIGURE(unknown_bytes),  FIGURE(trimmable_bytes),
    FIGURE(resident_bytes), FIGURE(trimmable_flushed_bytes),
#undef FIGURE
};

#define FIGURES ((int)(sizeof(figures) / sizeof(figures[0])))

static uint64_t *figure(struct pht_glibc_arena *arena, int index)
{
    return (uint64_t *)((char *)arena + figures[index].offset);
}

START_TEST(every_figure_stands_under_its_name)
{
    char path[64];

    *figure(&report->glibc->arenas[1], _i) = 4711;
    *figure(&report->glibc->totals, _i) = 4712;
    write_report();
    snprintf(path, sizeof(path), "glibc.arenas.1.%s", figures[_i].name);
    heap_json_check_number(root, path, 4711);
    snprintf(path, sizeof(path), "glibc.totals.%s", figures[_i].name);
    heap_json_check_number(root, path, 4712);
}
END_TEST

START_TEST(arenas_keep_their_order)
{
    char path[64], address[32];

    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "glibc.arenas")), 6);
    for (size_t i = 0; i < 6; i++) {
        snprintf(path, sizeof(path), "glibc.arenas.%zu.address", i);
        snprintf(address, sizeof(address), "0x%lx", report->glibc->arenas[i].address);
        heap_json_check_text(root, path, address);
        snprintf(path, sizeof(path), "glibc.arenas.%zu.kind", i);
        heap_json_check_text(root, path, i == 0 ? "main" : "thread");
        snprintf(path, sizeof(path), "glibc.arenas.%zu.peak_system_bytes", i);
        heap_json_check_number(root, path, report->glibc->arenas[i].peak_system_bytes);
    }
    heap_json_check_number(root, "glibc.totals.mmapped_bytes", (uint64_t)64 << 20);
}
END_TEST

START_TEST(resident_memory_is_split_by_where_it_came_from)
{
    write_report();
    heap_json_check_number(root, "glibc.resident.main_arena_bytes", (uint64_t)475 << 20);
    heap_json_check_number(root, "glibc.resident.thread_arenas_bytes",
                           report->malloc_resident.thread_arenas_bytes);
    heap_json_check_number(root, "glibc.resident.mmapped_bytes", (uint64_t)62 << 20);
    heap_json_check_number(root, "glibc.resident.total_bytes", report->malloc_resident.total_bytes);
}
END_TEST

START_TEST(mmapped_has_what_malloc_counts_and_what_was_found)
{
    report->glibc->params.mmapped_chunks = 4;
    report->glibc->params.mmapped_bytes = 71;
    write_report();
    heap_json_check_number(root, "glibc.mmapped.chunks", 4);
    heap_json_check_number(root, "glibc.mmapped.bytes", 71);
    heap_json_check_number(root, "glibc.mmapped.peak_chunks", 12);
    heap_json_check_number(root, "glibc.mmapped.peak_bytes", (uint64_t)128 << 20);
    heap_json_check_number(root, "glibc.mmapped.found_chunks", 3);
    heap_json_check_number(root, "glibc.mmapped.found_bytes", (uint64_t)64 << 20);
    heap_json_check_number(root, "glibc.mmapped.resident_bytes", (uint64_t)62 << 20);
}
END_TEST

START_TEST(params_are_those_in_force)
{
    write_report();
    heap_json_check_number(root, "glibc.params.mmap_threshold_bytes", 4 << 20);
    ck_assert(json_is_true(heap_json_get(root, "glibc.params.mmap_threshold_dynamic")));
    heap_json_check_number(root, "glibc.params.trim_threshold_bytes", 8 << 20);
    heap_json_check_number(root, "glibc.params.top_pad_bytes", 128 << 10);
    heap_json_check_number(root, "glibc.params.arena_max", 64);
    heap_json_check_text(root, "glibc.params.arena_max_source", "processors");
    heap_json_check_number(root, "glibc.params.thp_page_bytes", 0);
    heap_json_check_number(root, "glibc.params.huge_page_bytes", 0);
    heap_json_check_number(root, "glibc.params.tcache_max_bytes", 1032);
    heap_json_check_number(root, "glibc.params.tcache_count", 7);
}
END_TEST

START_TEST(params_that_are_not_known_are_null)
{
    static const char *const names[] = {"params.mmap_threshold_bytes",
                                        "params.trim_threshold_bytes",
                                        "params.top_pad_bytes",
                                        "params.arena_max",
                                        "params.arena_max_source",
                                        "params.thp_page_bytes",
                                        "params.huge_page_bytes",
                                        "params.tcache_max_bytes",
                                        "params.tcache_count",
                                        "mmapped.chunks",
                                        "mmapped.bytes",
                                        "mmapped.peak_chunks",
                                        "mmapped.peak_bytes"};
    char path[64];

    memset(&report->glibc->params, 0xff, sizeof(report->glibc->params));
    report->glibc->params.mmap_threshold_dynamic = false;
    report->arena_limit = (struct pht_arena_limit){.arenas = PHT_UNKNOWN};
    write_report();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "glibc.%s", names[i]);
        heap_json_check_null(root, path);
    }
}
END_TEST

/* ---- lists -------------------------------------------------------------------------------- */

START_TEST(chunk_sizes_rise_and_are_all_there)
{
    char path[64];

    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "glibc.chunk_sizes")),
                      report->glibc->size_count);
    for (size_t i = 0; i < report->glibc->size_count; i++) {
        const struct pht_chunk_size *size = &report->glibc->sizes[i];
        const struct {
            const char *name;
            uint64_t value;
        } fields[] = {
            {"min_bytes", size->min_bytes},     {"max_bytes", size->max_bytes},
            {"live_chunks", size->live_chunks}, {"live_bytes", size->live_bytes},
            {"free_chunks", size->free_chunks}, {"free_bytes", size->free_bytes},
        };
        for (size_t j = 0; j < sizeof(fields) / sizeof(fields[0]); j++) {
            snprintf(path, sizeof(path), "glibc.chunk_sizes.%zu.%s", i, fields[j].name);
            heap_json_check_number(root, path, fields[j].value);
        }
    }
}
END_TEST

START_TEST(largest_free_chunks_name_their_arena)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "glibc.largest_free")), 3);
    heap_json_check_text(root, "glibc.largest_free.1.address", "0x7f2b75004010");
    heap_json_check_text(root, "glibc.largest_free.1.arena", "0x7f2b74000030");
    heap_json_check_number(root, "glibc.largest_free.1.bytes", 4194304);
    heap_json_check_number(root, "glibc.largest_free.1.resident_bytes", 4190208);
}
END_TEST

START_TEST(mmapped_chunks_are_listed)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "glibc.mmapped_list")), 3);
    heap_json_check_text(root, "glibc.mmapped_list.2.address", "0x7f2ae0000ff0");
    heap_json_check_text(root, "glibc.mmapped_list.2.start", "0x7f2ae0000000");
    heap_json_check_number(root, "glibc.mmapped_list.2.bytes", 8 << 20);
    heap_json_check_number(root, "glibc.mmapped_list.2.resident_bytes", 6 << 20);
}
END_TEST

START_TEST(threads_are_listed)
{
    write_report();
    ck_assert_uint_eq(json_array_size(heap_json_get(root, "glibc.threads")), 10);
    heap_json_check_number(root, "glibc.threads.0.tid", 4723);
    heap_json_check_text(root, "glibc.threads.0.arena", "0x7f2b74000030");
    heap_json_check_number(root, "glibc.threads.0.tcache_chunks", 380);
    heap_json_check_number(root, "glibc.threads.0.tcache_bytes", 90 << 10);
    heap_json_check_null(root, "glibc.threads.9.arena");
}
END_TEST

START_TEST(threads_that_are_not_known_are_null)
{
    report->glibc->threads_known = false;
    report->glibc->arenas[0].threads = report->glibc->totals.threads = PHT_UNKNOWN;
    write_report();
    heap_json_check_null(root, "glibc.threads");
    heap_json_check_null(root, "glibc.arenas.0.threads");
    heap_json_check_null(root, "glibc.totals.threads");
}
END_TEST

START_TEST(what_could_not_be_counted_is_counted)
{
    report->glibc->torn_chunks = 1;
    report->glibc->damaged_chunks = 2;
    report->glibc->swapped_pages = 3;
    report->glibc->damaged_arenas = 4;
    write_report();
    heap_json_check_number(root, "snapshot.torn_chunks", 1);
    heap_json_check_number(root, "glibc.damaged_chunks", 2);
    heap_json_check_number(root, "glibc.swapped_pages", 3);
    heap_json_check_number(root, "glibc.damaged_arenas", 4);
}
END_TEST

/* ---- sums --------------------------------------------------------------------------------- */

static uint64_t sum(const char *list, const char *name)
{
    const json_t *rows = heap_json_get(root, list);
    uint64_t total = 0;

    for (size_t i = 0; i < json_array_size(rows); i++)
        total += (uint64_t)json_integer_value(json_object_get(json_array_get(rows, i), name));
    return total;
}

START_TEST(totals_are_sums_of_the_arenas)
{
    char path[64];

    write_report();
    snprintf(path, sizeof(path), "glibc.totals.%s", figures[_i].name);
    heap_json_check_number(root, path, sum("glibc.arenas", figures[_i].name));
}
END_TEST

START_TEST(parts_add_up)
{
    const struct pht_glibc_arena *totals = &report->glibc->totals;

    write_report();
    ck_assert_uint_eq(totals->live_bytes + totals->free_bytes + totals->tcache_bytes +
                          totals->top_bytes + totals->overhead_bytes + totals->foreign_bytes +
                          totals->unknown_bytes,
                      totals->system_bytes);
    ck_assert_uint_eq(sum("glibc.chunk_sizes", "live_bytes"), totals->live_bytes);
    ck_assert_uint_eq(sum("glibc.chunk_sizes", "live_chunks"), totals->live_chunks);
    ck_assert_uint_eq(sum("glibc.chunk_sizes", "free_bytes"),
                      totals->free_bytes + totals->tcache_bytes);
    ck_assert_uint_eq(sum("glibc.threads", "tcache_bytes"), totals->tcache_bytes);
    ck_assert_uint_eq(sum("glibc.threads", "tcache_chunks"), totals->tcache_chunks);
    ck_assert_uint_eq(sum("glibc.mmapped_list", "bytes"), report->glibc->mmapped_bytes);
    ck_assert_uint_eq(sum("glibc.mmapped_list", "resident_bytes"),
                      report->glibc->mmapped_resident_bytes);
}
END_TEST

/* The file is also what test/report_schema.py holds to the schema and the manual page. */
START_TEST(whole_report_reads_as_it_did)
{
    pht_report_warn(report, "id", "remedy", "text");
    write_report();
    golden_check(written, "report.json");
}
END_TEST

static void add_list_tests(TCase *tcase)
{
    tcase_add_test(tcase, chunk_sizes_rise_and_are_all_there);
    tcase_add_test(tcase, largest_free_chunks_name_their_arena);
    tcase_add_test(tcase, mmapped_chunks_are_listed);
    tcase_add_test(tcase, threads_are_listed);
    tcase_add_test(tcase, threads_that_are_not_known_are_null);
    tcase_add_test(tcase, what_could_not_be_counted_is_counted);
    tcase_add_loop_test(tcase, totals_are_sums_of_the_arenas, 0, FIGURES);
    tcase_add_test(tcase, parts_add_up);
    tcase_add_test(tcase, whole_report_reads_as_it_did);
}

static Suite *json_glibc_suite(void)
{
    Suite *suite = suite_create("json_glibc");
    TCase *tcase = tcase_create("json_glibc");

    tcase_add_checked_fixture(tcase, json_report_setup, json_report_teardown);
    tcase_add_test(tcase, libc_is_the_library);
    tcase_add_loop_test(tcase, what_is_not_known_of_the_library_is_null, 0, 3);
    tcase_add_test(tcase, library_that_was_not_looked_for_is_null);
    tcase_add_loop_test(tcase, every_figure_stands_under_its_name, 0, FIGURES);
    tcase_add_test(tcase, arenas_keep_their_order);
    tcase_add_test(tcase, resident_memory_is_split_by_where_it_came_from);
    tcase_add_test(tcase, mmapped_has_what_malloc_counts_and_what_was_found);
    tcase_add_test(tcase, params_are_those_in_force);
    tcase_add_test(tcase, params_that_are_not_known_are_null);
    add_list_tests(tcase);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(json_glibc_suite)
