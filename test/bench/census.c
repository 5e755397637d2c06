/*
 * The census of objects against the least that any reader must do, which is to copy the resident
 * pages of the heap:
 *
 *     bench_census ROUNDS PYHEAPTOP PYTHON HEAP.PY MIB
 *
 * Every round takes the plain copy, by 128 KiB, and whole reports in turn: without the census, with
 * it, and with it in two threads. What it costs is how much longer the report takes with it. A
 * ratio is the median of the ratios of the rounds.
 */
#include <sys/uio.h>

#include "base/vec.h"
#include "bench.h"

#define BUFFER_BYTES ((size_t)128 << 10)
#define SCAN_BYTES ((uint64_t)64 << 20)

struct run {
    pht_addr start;
    uint64_t bytes;
};

struct subject {
    struct pht_target *target;
    const char *cache;
    pid_t pid;
    PHT_VEC(struct run) runs; /* of resident pages */
    uint64_t bytes;
    uint64_t objects;
};

struct times {
    struct bench_series plain;
    struct bench_series without;
    struct bench_series one;
    struct bench_series two;
    struct bench_series census_one; /* what it takes longer than without */
    struct bench_series census_two;
    struct bench_series stop_without;
    struct bench_series stop_with;
};

/* ---- the plain copy ----------------------------------------------------------------------- */

static void add_page(struct subject *subject, pht_addr page)
{
    struct run *last = subject->runs.items + subject->runs.count;

    subject->bytes += PHT_PAGE_BYTES;
    if (subject->runs.count > 0 && last[-1].start + last[-1].bytes == page &&
        last[-1].bytes < BUFFER_BYTES) {
        last[-1].bytes += PHT_PAGE_BYTES;
        return;
    }
    const struct run run = {page, PHT_PAGE_BYTES};
    if (!pht_vec_push(&subject->runs, run))
        bench_fail("out of memory");
}

static void list_pages(struct subject *subject, pht_addr start, pht_addr end)
{
    static uint64_t resident[SCAN_BYTES / PHT_PAGE_BYTES / 64];
    static uint64_t swapped[SCAN_BYTES / PHT_PAGE_BYTES / 64];

    bench_check(pht_target_scan_pages(subject->target, start, end, resident, swapped));
    for (size_t i = 0; i < (end - start) / PHT_PAGE_BYTES; i++) {
        if (resident[i / 64] >> i % 64 & 1)
            add_page(subject, start + i * PHT_PAGE_BYTES);
    }
}

/* Private memory of no file. */
static void list_heap(struct subject *subject)
{
    struct pht_maps maps;

    bench_check(pht_target_read_maps(subject->target, &maps));
    for (size_t i = 0; i < maps.count; i++) {
        const struct pht_mapping *mapping = &maps.items[i];
        if (mapping->shared || mapping->inode != 0 || !mapping->writable)
            continue;
        for (pht_addr at = mapping->start; at < mapping->end; at += SCAN_BYTES)
            list_pages(subject, at,
                       mapping->end - at < SCAN_BYTES ? mapping->end : at + SCAN_BYTES);
    }
    pht_maps_deinit(&maps);
}

static double copy_plainly(const struct subject *subject)
{
    static char buffer[BUFFER_BYTES];
    int64_t started_ns = bench_now_ns();

    for (size_t i = 0; i < subject->runs.count; i++) {
        const struct run *run = &subject->runs.items[i];
        struct iovec local = {.iov_base = buffer, .iov_len = run->bytes};
        struct iovec remote = {
            .iov_base = (void *)(uintptr_t)run->start, // NOLINT: a remote address
            .iov_len = run->bytes,
        };
        if (process_vm_readv(subject->pid, &local, 1, &remote, 1, 0) != (ssize_t)run->bytes)
            bench_fail("a plain read was short");
    }
    return (double)(bench_now_ns() - started_ns);
}

/* ---- reports ------------------------------------------------------------------------------ */

static double report(struct subject *subject, bool without_types, unsigned threads,
                     uint64_t *stopped_us)
{
    const struct pht_report_options options = {
        .sections = PHT_SECTION_ALL & ~(unsigned)PHT_SECTION_FAMILY,
        .layout = {.cache_directory = subject->cache},
        .snapshot = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000},
        .without_types = without_types,
        .census = {.threads = threads},
    };
    struct pht_report *result;
    int64_t started_ns = bench_now_ns();

    bench_check(pht_report_take(subject->target, &options, &result));
    double took_ns = (double)(bench_now_ns() - started_ns);
    if (!without_types) {
        if (result->objects == NULL || result->objects->torn_pools > 0)
            bench_fail("a heap that holds still did not");
        subject->objects = result->objects->totals.objects;
    }
    *stopped_us = result->snapshot.stopped_us;
    pht_report_destroy(result);
    return took_ns;
}

static void measure_once(struct subject *subject, struct times *times)
{
    uint64_t stopped_us, ignored_us;

    bench_add(&times->plain, copy_plainly(subject));
    double without = report(subject, true, 1, &stopped_us);
    bench_add(&times->stop_without, (double)stopped_us);
    double one = report(subject, false, 1, &stopped_us);
    bench_add(&times->stop_with, (double)stopped_us);
    double two = report(subject, false, 2, &ignored_us);
    bench_add(&times->without, without);
    bench_add(&times->one, one);
    bench_add(&times->two, two);
    bench_add(&times->census_one, one - without);
    bench_add(&times->census_two, two - without);
}

/* While we have no memory worth counting ourselves. */
static void measure_memory(const char *program, pid_t pid, unsigned mib, const char *cache)
{
    char what[128];

    bench_use_cache(cache);
    bench_run_report(program, NULL, pid);
    double one = bench_run_report(program, NULL, pid).peak_mib;
    double two = bench_run_report(program, "--threads=2", pid).peak_mib;
    snprintf(what, sizeof(what), "own memory, census of %u MiB", mib);
    bench_row(what, "48 MiB and 4 %", "peak RSS of the program, one thread, two",
              "%.1f MiB, %.1f MiB", one, two);
}

static void print_rows(const struct subject *subject, struct times *times)
{
    char heap[64], what[128];

    snprintf(heap, sizeof(heap), "%.2f GiB with %.1f million objects",
             (double)subject->bytes / (1 << 30), (double)subject->objects / 1e6);
    double census_one = bench_ratio(&times->census_one, &times->plain);
    double census_two = bench_ratio(&times->census_two, &times->plain);
    double one = bench_ratio(&times->one, &times->plain);
    double two = bench_ratio(&times->two, &times->plain);
    snprintf(what, sizeof(what), "census of %s", heap);
    bench_row(what, "2, 1.2", "one thread, two, against a plain copy by 128 KiB",
              "%.2f, %.2f (%.0f ms, %.0f ms; copy %.1f GiB/s)", census_one, census_two,
              bench_median(&times->census_one) / 1e6, bench_median(&times->census_two) / 1e6,
              (double)subject->bytes / bench_median(&times->plain) * 1e9 / (1 << 30));
    snprintf(what, sizeof(what), "whole report of %s", heap);
    bench_row(what, "-", "one thread, two, without the census, against the same",
              "%.2f, %.2f, %.2f (%.0f ms, %.0f ms, %.0f ms)", one, two,
              bench_ratio(&times->without, &times->plain), bench_median(&times->one) / 1e6,
              bench_median(&times->two) / 1e6, bench_median(&times->without) / 1e6);
    snprintf(what, sizeof(what), "stop, %s", heap);
    bench_row(what, "the same", "median with the census, without", "%.2f ms, %.2f ms",
              bench_median(&times->stop_with) / 1e3, bench_median(&times->stop_without) / 1e3);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        bench_fail("bench_census ROUNDS PYHEAPTOP PYTHON HEAP.PY MIB");
    size_t rounds = strtoul(argv[1], NULL, 10);
    unsigned mib = (unsigned)strtoul(argv[5], NULL, 10);
    struct bench_target process = bench_start(argv[3], argv[4], mib, 1, "mix");
    struct times times = {
        .plain = bench_series(rounds),
        .without = bench_series(rounds),
        .one = bench_series(rounds),
        .two = bench_series(rounds),
        .census_one = bench_series(rounds),
        .census_two = bench_series(rounds),
        .stop_without = bench_series(rounds),
        .stop_with = bench_series(rounds),
    };
    char cache[BENCH_PATH];
    struct subject subject = {.pid = process.pid, .cache = cache};

    bench_make_cache(cache);
    measure_memory(argv[2], process.pid, mib, cache);
    bench_check(pht_target_open(process.pid, NULL, &subject.target));
    list_heap(&subject);
    for (size_t i = 0; i < rounds; i++)
        measure_once(&subject, &times);
    print_rows(&subject, &times);
    bench_remove_cache(cache);
    pht_target_destroy(subject.target);
    bench_end(&process);
    free(subject.runs.items);
    return 0;
}
