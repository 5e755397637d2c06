/*
 * What the ledger costs, over the walks of the allocators alone:
 *
 *     bench_ledger ROUNDS PYTHON HEAP.PY MIB ...
 *
 * Every round of each size takes both reports in turn, the second with categories, mappings and
 * regions. What it takes longer is divided by the resident pages: it should stay the same.
 */
#include "bench.h"

struct times {
    struct bench_series walks;
    struct bench_series ledger;
    struct bench_series extra;
};

static struct pht_report *take(struct pht_target *target, unsigned sections, const char *cache,
                               double *ns)
{
    const struct pht_report_options options = {
        .sections = sections,
        .layout = {.cache_directory = cache},
        .snapshot = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000},
    };
    struct pht_report *report;
    int64_t started = bench_now_ns();

    bench_check(pht_report_take(target, &options, &report));
    *ns = (double)(bench_now_ns() - started);
    return report;
}

static uint64_t sum_of_categories(const struct pht_report *report)
{
    uint64_t sum = 0;

    for (int i = 0; i < PHT_CATEGORIES; i++)
        sum += report->categories[i].bytes;
    return sum;
}

/* Returns the resident pages. */
static uint64_t measure_once(struct pht_target *target, const char *cache, struct times *times)
{
    const unsigned walks = PHT_SECTION_KERNEL | PHT_SECTION_PYMALLOC | PHT_SECTION_GLIBC;
    double without, with;

    pht_report_destroy(take(target, walks, cache, &without));
    struct pht_report *report =
        take(target, walks | PHT_SECTION_CATEGORIES | PHT_SECTION_MAPS, cache, &with);
    uint64_t rss = report->kernel.rss_bytes;
    if (sum_of_categories(report) != rss)
        bench_fail("the categories do not add up");
    pht_report_destroy(report);
    bench_add(&times->walks, without);
    bench_add(&times->ledger, with);
    bench_add(&times->extra, (with - without) / (double)(rss / PHT_PAGE_BYTES));
    return rss / PHT_PAGE_BYTES;
}

static void measure(const char *python, const char *heap, unsigned mib, size_t rounds,
                    const char *cache)
{
    struct bench_target process = bench_start(python, heap, mib, 1, "wait");
    struct times times = {
        .walks = bench_series(rounds),
        .ledger = bench_series(rounds),
        .extra = bench_series(rounds),
    };
    struct pht_target *target;
    uint64_t pages = 0;
    char what[128];

    bench_check(pht_target_open(process.pid, NULL, &target));
    for (size_t i = 0; i < rounds; i++)
        pages = measure_once(target, cache, &times);
    snprintf(what, sizeof(what), "ledger, %u MiB heap, %.2f million pages", mib,
             (double)pages / 1e6);
    double ratio = bench_ratio(&times.ledger, &times.walks);
    bench_row(what, "linear", "a report with categories and mappings, against the walks alone",
              "%.2f (%.0f ns a page)", ratio, bench_median(&times.extra));
    pht_target_destroy(target);
    bench_end(&process);
}

int main(int argc, char **argv)
{
    char cache[BENCH_PATH];

    if (argc < 5)
        bench_fail("bench_ledger ROUNDS PYTHON HEAP.PY MIB ...");
    bench_make_cache(cache);
    for (int i = 4; i < argc; i++)
        measure(argv[2], argv[3], (unsigned)strtoul(argv[i], NULL, 10), strtoul(argv[1], NULL, 10),
                cache);
    bench_remove_cache(cache);
    return 0;
}
