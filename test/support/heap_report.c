#include "support/heap_report.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/heap_findings.h"
#include "support/heap_glibc.h"
#include "support/heap_ledger.h"
#include "support/heap_objects.h"

#define MIB ((uint64_t)1 << 20)
#define POOL_BYTES 16384
#define HEADER_BYTES 48

/* 2026-11-22 14:03:07.041 UTC */
#define TAKEN_AT 1795356187

static void *copy(const void *bytes, size_t size)
{
    void *fresh = malloc(size + 1);

    ck_assert_ptr_nonnull(fresh);
    memcpy(fresh, bytes, size);
    return fresh;
}

void heap_report_set(char **field, const char *text)
{
    free(*field);
    *field = copy(text, strlen(text) + 1);
}

void heap_report_set_command(struct pht_report *report, const char *bytes, size_t size)
{
    free(report->process.command);
    report->process.command = copy(bytes, size);
    report->process.command_bytes = size;
}

static void describe_process(struct pht_report *report)
{
    static const char command[] = "/usr/bin/python3\0-m\0service\0--port\0"
                                  "8080";

    report->process = (struct pht_process){
        .pid = 4711,
        .start_time_ticks = 8812345,
        .uptime_seconds = 273060,
        .uid = 1000,
        .threads = 12,
        .processors = 8,
    };
    heap_report_set(&report->process.comm, "python3");
    heap_report_set(&report->process.exe, "/usr/bin/python3.11");
    heap_report_set_command(report, command, sizeof(command));
}

static void describe_python(struct pht_report *report)
{
    struct pht_python *python = calloc(1, sizeof(*python));

    ck_assert_ptr_nonnull(python);
    python->version = (struct pht_version){3, 11, 7};
    snprintf(python->version_text, sizeof(python->version_text), "3.11.7");
    snprintf(python->build_id, sizeof(python->build_id),
             "2dd439c6a0b1c2d3e4f5061728394a5b6c7d8e9f");
    heap_report_set(&python->image, "/usr/bin/python3.11");
    python->layout_source = PHT_LAYOUT_DWARF;
    python->symbol_source = PHT_SYMBOL_SYMTAB;
    report->python = python;
}

static void describe_kernel(struct pht_report *report)
{
    report->kernel = (struct pht_kernel_memory){
        .rss_bytes = 1740 * MIB,
        .anon_bytes = 1690 * MIB,
        .file_bytes = 48 * MIB,
        .shmem_bytes = 2 * MIB,
        .pss_bytes = 1701 * MIB,
        .uss_bytes = 1692 * MIB,
        .swap_bytes = 0,
        .virtual_bytes = 3100 * MIB,
        .peak_rss_bytes = 1950 * MIB,
        .minor_faults = 1234567,
        .major_faults = 42,
    };
    report->cgroup = (struct pht_cgroup_memory){
        .known = true,
        .limit_bytes = 2048 * MIB,
        .high_bytes = 1950 * MIB,
        .current_bytes = 1800 * MIB,
        .peak_bytes = 1990 * MIB,
        .oom_kills = 3,
    };
}

static void add_class(struct pht_pymalloc *pymalloc, uint64_t size, uint64_t pools, uint64_t live)
{
    uint64_t blocks = pools * ((POOL_BYTES - HEADER_BYTES) / size);
    struct pht_size_class *class = &pymalloc->classes[pymalloc->class_count++];

    *class = (struct pht_size_class){
        .block_bytes = size,
        .pools = pools,
        .live_blocks = live,
        .free_blocks = blocks - live,
        .live_bytes = live * size,
        .free_bytes = (blocks - live) * size,
        .live_percent = (uint32_t)((live * 100 + blocks / 2) / blocks),
    };
    pymalloc->totals.pools_used += pools;
    pymalloc->totals.live_blocks += live;
    pymalloc->totals.free_blocks += blocks - live;
    pymalloc->totals.live_bytes += live * size;
    pymalloc->totals.free_bytes += (blocks - live) * size;
    pymalloc->totals.pool_header_bytes += pools * HEADER_BYTES;
    pymalloc->totals.quantization_bytes += pools * ((POOL_BYTES - HEADER_BYTES) % size);
}

static void count_arenas(struct pht_pymalloc *pymalloc, uint64_t arenas)
{
    struct pht_pymalloc_totals *totals = &pymalloc->totals;

    /* The first does not begin at a multiple of the pool's size. */
    totals->arenas = arenas;
    totals->arena_alignment_bytes = POOL_BYTES;
    totals->pools_free = arenas * 64 - 1 - totals->pools_used;
    totals->unused_pool_bytes = totals->pools_free * POOL_BYTES;
    totals->total_bytes = arenas * MIB;
}

static void describe_pymalloc(struct pht_report *report)
{
    static const struct pht_arena arenas[] = {
        {0x7f2b9c001000, 60, 3, 900000, MIB - 12288, NULL, 15000},
        {0x7f2b9c200000, 50, 14, 400000, 851968, NULL, 7900},
        {0x7f2b9c400000, 4, 60, 52000, 98304, NULL, 320},
    };
    struct pht_pymalloc *pymalloc = calloc(1, sizeof(*pymalloc));

    ck_assert_ptr_nonnull(pymalloc);
    pymalloc->allocator = PHT_ALLOCATOR_PYMALLOC;
    pymalloc->arena_bytes = MIB;
    pymalloc->pool_bytes = POOL_BYTES;
    pymalloc->alignment_bytes = 16;
    pymalloc->arenas_peak = 5;
    pymalloc->arenas_allocated_total = 9;
    add_class(pymalloc, 16, 2, 1900);
    add_class(pymalloc, 32, 12, 6000);
    add_class(pymalloc, 48, 30, 4400);
    add_class(pymalloc, 64, 40, 9900);
    add_class(pymalloc, 160, 10, 900);
    add_class(pymalloc, 512, 20, 120);
    count_arenas(pymalloc, 3);
    pymalloc->arenas = copy(arenas, sizeof(arenas));
    pymalloc->state_count = 1;
    pymalloc->states = calloc(1, sizeof(*pymalloc->states));
    ck_assert_ptr_nonnull(pymalloc->states);
    pymalloc->states[0] = (struct pht_pymalloc_state){
        .address = 0xa3f1c0,
        .interpreter = -1,
        .interpreters = 1,
        .arenas_peak = 5,
        .arenas_allocated_total = 9,
        .totals = pymalloc->totals,
    };
    pymalloc->sparse_arenas = 1;
    pymalloc->sparse_live_bytes = 52000;
    pymalloc->sparse_held_bytes = MIB;
    pymalloc->rereads = 7;
    report->pymalloc = pymalloc;
    report->object_allocator = PHT_ALLOCATOR_PYMALLOC;
    report->allocators[report->allocator_count++] = "pymalloc";
}

/* As pht_report_take() sums up what the walk found. */
static void describe_glibc(struct pht_report *report)
{
    struct pht_malloc_resident *resident = &report->malloc_resident;

    report->libc = heap_glibc_libc();
    report->glibc = heap_glibc_create();
    report->arena_limit = (struct pht_arena_limit){64, "processors"};
    resident->main_arena_bytes = report->glibc->arenas[0].resident_bytes;
    resident->thread_arenas_bytes =
        report->glibc->totals.resident_bytes - resident->main_arena_bytes;
    resident->mmapped_bytes = report->glibc->mmapped_resident_bytes;
    resident->total_bytes = report->glibc->totals.resident_bytes + resident->mmapped_bytes;
    report->allocators[report->allocator_count++] = "glibc";
}

static void describe_gc(struct pht_report *report)
{
    static const struct pht_gc gc = {
        .enabled = true,
        .frozen = 12,
        .garbage = 3,
        .callbacks = 2,
        .generations = {{700, 340, 1234, 90, 5000, 1},
                        {10, 2, 567, 8, 600, 0},
                        {10, 1, 89012, 2, 70, 0}},
    };

    report->gc = copy(&gc, sizeof(gc));
    report->freelists = (struct pht_freelists){
        .items = {{"tuple", 60, 4800}, {"list", 20, 1280}, {"float", 0, 0}}, .count = 3};
}

struct pht_report *heap_report_create(void)
{
    struct pht_report *report = calloc(1, sizeof(*report));

    ck_assert_ptr_nonnull(report);
    report->taken_at = (struct timespec){.tv_sec = TAKEN_AT, .tv_nsec = 41999999};
    report->sections = report->walks = PHT_SECTION_ALL;
    report->number = 1;
    report->has_snapshot = true;
    report->walk_us = 12345;
    report->complete = true;
    report->snapshot = (struct pht_snapshot_stats){
        .stop = PHT_STOP_BRIEF,
        .consistent = true,
        .stopped_us = 850,
        .stops = 1,
        .read_bytes = 51370,
    };
    describe_process(report);
    describe_python(report);
    describe_kernel(report);
    describe_pymalloc(report);
    describe_glibc(report);
    report->objects = heap_objects_create();
    describe_gc(report);
    heap_ledger_add(report);
    heap_family_add(report);
    heap_findings_add(report);
    report->rereads = report->pymalloc->rereads + report->glibc->rereads;
    return report;
}

void heap_report_add_state(struct pht_report *report)
{
    struct pht_pymalloc *pymalloc = report->pymalloc;

    pymalloc->states = reallocarray(pymalloc->states, 2, sizeof(*pymalloc->states));
    ck_assert_ptr_nonnull(pymalloc->states);
    pymalloc->states[0].interpreter = 0;
    pymalloc->states[1] = pymalloc->states[0];
    pymalloc->states[1].address = 0x7f2b9d000010;
    pymalloc->states[1].interpreter = 1;
    pymalloc->states[1].interpreters = 3;
    pymalloc->state_count = 2;
    pymalloc->arenas_peak = PHT_UNKNOWN;
}

static void drop_allocator(struct pht_report *report, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < report->allocator_count; i++) {
        if (strcmp(report->allocators[i], name) != 0)
            report->allocators[kept++] = report->allocators[i];
    }
    report->allocator_count = kept;
    if (kept == 0)
        report->rereads = PHT_UNKNOWN;
}

void heap_report_drop_pymalloc(struct pht_report *report)
{
    pht_pymalloc_destroy(report->pymalloc);
    report->pymalloc = NULL;
    drop_allocator(report, "pymalloc");
    report->object_allocator = PHT_ALLOCATOR_UNKNOWN;
    heap_report_drop_objects(report);
}

void heap_report_drop_objects(struct pht_report *report)
{
    pht_objects_destroy(report->objects);
    report->objects = NULL;
}

void heap_report_drop_glibc(struct pht_report *report)
{
    pht_glibc_destroy(report->glibc);
    report->glibc = NULL;
    report->malloc_resident = (struct pht_malloc_resident){0};
    report->arena_limit = (struct pht_arena_limit){.arenas = PHT_UNKNOWN};
    drop_allocator(report, "glibc");
}
