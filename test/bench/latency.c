/*
 * What being watched costs a target that is at work:
 *
 *     bench_latency SECONDS PYHEAPTOP PYTHON LATENCY.PY LIBRARY MIB THREADS
 *
 * Its threads time what they do: malloc and free, large blocks, mmap and munmap, sleeps. Windows in
 * which a report is made every 2 s take turns with windows in which it is left alone, SECONDS each
 * in all.
 */
#include <errno.h>
#include <sys/mman.h>

#include "bench.h"
#include "load.h"

#define WINDOW_SECONDS 6
#define PERIOD_NS 2000000000

static struct load *load;

static void sleep_until(int64_t ns)
{
    const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
        ;
}

static void leave_alone(int64_t until)
{
    load->phase = LOAD_UNWATCHED;
    sleep_until(until);
}

static void watch(const char *program, pid_t pid, int64_t until, struct bench_series *reports)
{
    for (int64_t next = bench_now_ns(); next < until; next += PERIOD_NS) {
        load->phase = LOAD_BETWEEN;
        sleep_until(next);
        load->phase = LOAD_REPORT;
        bench_add(reports, bench_run_report(program, NULL, pid).seconds);
        load->phase = LOAD_BETWEEN;
    }
    sleep_until(until);
}

/* ---- percentiles -------------------------------------------------------------------------- */

static uint64_t count_of(enum load_phase phase, enum load_kind kind, unsigned bucket)
{
    uint64_t count = load->times[phase][kind].counts[bucket];

    /* Watched is both: with and without a report under way. */
    if (phase == LOAD_BETWEEN)
        count += load->times[LOAD_REPORT][kind].counts[bucket];
    return count;
}

static double percentile_ms(enum load_phase phase, enum load_kind kind, double percent)
{
    uint64_t total = 0, seen = 0;
    unsigned bucket = 0;

    for (unsigned i = 0; i < LOAD_BUCKETS; i++)
        total += count_of(phase, kind, i);
    uint64_t rank = (uint64_t)((double)total * percent / 100);
    while (bucket < LOAD_BUCKETS - 1 && (seen += count_of(phase, kind, bucket)) <= rank)
        bucket++;
    return (double)load_bucket_ns(bucket) / 1e6;
}

static double worst_ms(enum load_phase phase, enum load_kind kind)
{
    uint64_t worst = load->times[phase][kind].worst_ns;

    if (phase == LOAD_BETWEEN && load->times[LOAD_REPORT][kind].worst_ns > worst)
        worst = load->times[LOAD_REPORT][kind].worst_ns;
    return (double)worst / 1e6;
}

static void write_phase(char *text, size_t size, enum load_phase phase, enum load_kind kind)
{
    snprintf(text, size, "%.3f, %.3f, %.3f, %.2f", percentile_ms(phase, kind, 50),
             percentile_ms(phase, kind, 99), percentile_ms(phase, kind, 99.9),
             worst_ms(phase, kind));
}

static void print_kind(const char *mib, const char *threads, enum load_kind kind)
{
    static const char *const names[] = {"malloc and free", "large blocks", "mmap and munmap",
                                        "sleep, late by"};
    char what[128], watched[64], alone[64], report[64];

    write_phase(watched, sizeof(watched), LOAD_BETWEEN, kind);
    write_phase(alone, sizeof(alone), LOAD_UNWATCHED, kind);
    write_phase(report, sizeof(report), LOAD_REPORT, kind);
    snprintf(what, sizeof(what), "latency, %s MiB heap, %s thread%s: %s", mib, threads,
             strcmp(threads, "1") == 0 ? "" : "s", names[kind]);
    bench_row(what, "p99 2 ms more",
              "ms, p50, p99, p99.9, worst: watched every 2 s; not; while a report is made",
              "%s; %s; %s (p99 %+.3f)", watched, alone, report,
              percentile_ms(LOAD_BETWEEN, kind, 99) - percentile_ms(LOAD_UNWATCHED, kind, 99));
}

/* ---- the target --------------------------------------------------------------------------- */

static char file[] = "/tmp/pyheaptop-bench-load-XXXXXX";

static void make_file(void)
{
    int fd = mkostemp(file, O_CLOEXEC);

    if (fd < 0 || ftruncate(fd, sizeof(*load)) < 0)
        bench_fail("cannot make a file");
    load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (load == MAP_FAILED)
        bench_fail("cannot map a file");
}

int main(int argc, char **argv)
{
    if (argc != 8)
        bench_fail("bench_latency SECONDS PYHEAPTOP PYTHON LATENCY.PY LIBRARY MIB THREADS");
    int64_t seconds = strtol(argv[1], NULL, 10);
    struct bench_series reports = bench_series((size_t)seconds + WINDOW_SECONDS);
    char cache[BENCH_PATH];

    make_file();
    bench_make_cache(cache);
    char *const command[] = {argv[3], argv[4], argv[6], argv[7], argv[5], file, NULL};
    struct bench_target target = bench_start_command(command);
    unlink(file);
    bench_run_report(argv[2], NULL, target.pid);
    for (int64_t done = 0; done < seconds; done += WINDOW_SECONDS) {
        leave_alone(bench_now_ns() + (int64_t)WINDOW_SECONDS * 1000000000);
        watch(argv[2], target.pid, bench_now_ns() + (int64_t)WINDOW_SECONDS * 1000000000, &reports);
    }
    for (int kind = 0; kind < LOAD_KINDS; kind++)
        print_kind(argv[6], argv[7], (enum load_kind)kind);
    bench_end(&target);
    bench_remove_cache(cache);
    free(reports.values);
    return 0;
}
