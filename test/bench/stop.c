/*
 * For how long a target stands still:
 *
 *     bench_stop REPORTS PYTHON HEAP.PY SMALL_MIB LARGE_MIB CACHE [THREADS MODE]
 *
 * Reports of a process with a small heap and of one with a large heap take turns; the one whose
 * turn it is not is held by SIGSTOP, so that it takes no time from the other. Besides what the
 * reports say themselves, the target's own clock is asked (mode beat of heap.py): its worst gap
 * that began in a report, against its worst gap in a pause as long as the report.
 */
#include <errno.h>

#include "bench.h"

/* A pause is as long as a report; so many reports go by for each. */
#define REPORTS_A_PAUSE 4

/* So long after SIGCONT a target is at work again, and a gap that has ended is written down. */
#define SETTLE_NS 1000000

struct gap {
    int64_t begin;
    int64_t end;
};

struct subject {
    struct bench_target process;
    struct pht_target *target;
    struct bench_series stops;   /* us */
    struct bench_series watched; /* worst gap of each report, us */
    struct bench_series alone;   /* worst gap of each pause, us */
    unsigned gave_up;
};

static const char *cache_directory;

static void hold(const struct subject *subject)
{
    /* A busy thread must get the processor before it can stop. */
    kill(subject->process.pid, SIGSTOP);
    waitpid(subject->process.pid, NULL, WUNTRACED);
}

static void open_subject(struct subject *subject, const char *python, const char *script,
                         unsigned mib, unsigned threads, const char *mode, size_t reports)
{
    *subject = (struct subject){
        .process = bench_start(python, script, mib, threads, mode),
        .stops = bench_series(reports),
        .watched = bench_series(reports),
        .alone = bench_series(reports),
    };
    fcntl(subject->process.out, F_SETFL, O_NONBLOCK);
    bench_check(pht_target_open(subject->process.pid, NULL, &subject->target));
    hold(subject);
}

static void close_subject(struct subject *subject)
{
    pht_target_destroy(subject->target);
    bench_end(&subject->process);
    free(subject->stops.values);
    free(subject->watched.values);
    free(subject->alone.values);
}

/*
 * The longest gap that began in [from, to], of those since the last call; 0 if none was written
 * down. One that began earlier has another cause: SIGSTOP, or the processor's other users.
 */
static double worst_gap_us(struct subject *subject, int64_t from, int64_t to)
{
    struct gap gap;
    int64_t worst = 0;

    while (read(subject->process.out, &gap, sizeof(gap)) == sizeof(gap)) {
        if (gap.begin >= from && gap.begin <= to && gap.end - gap.begin > worst)
            worst = gap.end - gap.begin;
    }
    return (double)worst / 1e3;
}

static void pause_ns(int64_t ns)
{
    struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    while (nanosleep(&time, &time) < 0 && errno == EINTR)
        ;
}

static void watch_pause(struct subject *subject, int64_t ns)
{
    int64_t started = bench_now_ns();

    pause_ns(ns);
    bench_add(&subject->alone, worst_gap_us(subject, started, INT64_MAX));
}

/* Returns how long it took. */
static int64_t take_report(struct subject *subject)
{
    const struct pht_report_options options = {
        .sections = PHT_SECTION_ALL,
        .layout = {.cache_directory = cache_directory},
        .snapshot = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000},
    };
    struct pht_report *report;
    int64_t started = bench_now_ns();

    struct pht_courtesy *courtesy = pht_courtesy_begin();
    bench_check(pht_report_take(subject->target, &options, &report));
    pht_courtesy_end(courtesy);
    int64_t ended = bench_now_ns();
    if (report->snapshot.gave_up)
        subject->gave_up++;
    else
        bench_add(&subject->stops, (double)report->snapshot.stopped_us);
    pht_report_destroy(report);
    pause_ns(SETTLE_NS);
    bench_add(&subject->watched, worst_gap_us(subject, started, ended));
    return ended - started;
}

static void report_once(struct subject *subject, bool with_pause)
{
    kill(subject->process.pid, SIGCONT);
    pause_ns(SETTLE_NS);
    int64_t took_ns = take_report(subject);
    if (with_pause)
        watch_pause(subject, took_ns);
    hold(subject);
}

static void print_stops(struct subject *subject, unsigned mib, unsigned threads, const char *mode)
{
    char what[128];

    snprintf(what, sizeof(what), "stop, %u MiB heap, %u thread%s (%s)", mib, threads,
             threads > 1 ? "s" : "", mode);
    bench_row(what, threads <= 8 ? "p99 1 ms" : "-", "as reported: p50, p99, worst",
              "%.2f, %.2f, %.2f ms%s", bench_percentile(&subject->stops, 50) / 1e3,
              bench_percentile(&subject->stops, 99) / 1e3,
              bench_percentile(&subject->stops, 100) / 1e3,
              subject->gave_up > 0 ? " (some could not be had)" : "");
}

static void print_gaps(struct subject *subject, unsigned mib, unsigned threads)
{
    char what[128];

    snprintf(what, sizeof(what), "heartbeat, %u MiB heap, %u thread%s", mib, threads,
             threads > 1 ? "s" : "");
    bench_row(
        what, "p99 2 ms", "the target's own worst gap: p50, p99, worst; in pauses",
        "%.2f, %.2f, %.2f ms; %.2f, %.2f, %.2f ms", bench_percentile(&subject->watched, 50) / 1e3,
        bench_percentile(&subject->watched, 99) / 1e3,
        bench_percentile(&subject->watched, 100) / 1e3, bench_percentile(&subject->alone, 50) / 1e3,
        bench_percentile(&subject->alone, 99) / 1e3, bench_percentile(&subject->alone, 100) / 1e3);
}

static void measure(char **argv, unsigned threads, const char *mode)
{
    size_t reports = strtoul(argv[1], NULL, 10);
    unsigned mib[2] = {(unsigned)strtoul(argv[4], NULL, 10), (unsigned)strtoul(argv[5], NULL, 10)};
    struct subject subjects[2];

    for (int i = 0; i < 2; i++)
        open_subject(&subjects[i], argv[2], argv[3], mib[i], threads, mode, reports);
    for (size_t done = 0; done < reports; done++) {
        report_once(&subjects[0], done % REPORTS_A_PAUSE == 0);
        report_once(&subjects[1], done % REPORTS_A_PAUSE == 0);
    }
    for (int i = 0; i < 2; i++) {
        print_stops(&subjects[i], mib[i], threads, mode);
        if (strcmp(mode, "beat") == 0)
            print_gaps(&subjects[i], mib[i], threads);
        close_subject(&subjects[i]);
    }
}

static void measure_all(char **argv)
{
    const unsigned threads[] = {1, 2, 4, 8, 64};

    for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
        measure(argv, threads[i], "beat");
    measure(argv, 8, "busy");
    measure(argv, 8, "native");
}

int main(int argc, char **argv)
{
    if (argc != 7 && argc != 9)
        bench_fail("bench_stop REPORTS PYTHON HEAP.PY SMALL_MIB LARGE_MIB CACHE [THREADS MODE]");
    cache_directory = argv[6];
    if (argc == 9)
        measure(argv, (unsigned)strtoul(argv[7], NULL, 10), argv[8]);
    else
        measure_all(argv);
    return 0;
}
