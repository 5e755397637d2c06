/* What the measuring programs share: clock, order statistics, targets, programs that are run. */
#ifndef PHT_TEST_BENCH_H
#define PHT_TEST_BENCH_H

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pyheaptop/model.h"

static inline void bench_fail(const char *what) __attribute__((noreturn));

static inline void bench_fail(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static inline void bench_check(struct pht_error *error)
{
    if (error != NULL)
        bench_fail(error->text);
}

static inline void *bench_alloc(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);

    if (memory == NULL)
        bench_fail("out of memory");
    return memory;
}

static inline int64_t bench_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- order statistics --------------------------------------------------------------------- */

struct bench_series {
    double *values;
    size_t count;
};

static inline struct bench_series bench_series(size_t capacity)
{
    return (struct bench_series){.values = bench_alloc(capacity, sizeof(double))};
}

static inline void bench_add(struct bench_series *series, double value)
{
    series->values[series->count++] = value;
}

static inline int bench_compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* The nearest rank: 50 is the median, 100 the largest. Sorts the series. */
static inline double bench_percentile(struct bench_series *series, unsigned percent)
{
    if (series->count == 0)
        return 0;
    qsort(series->values, series->count, sizeof(double), bench_compare);
    size_t rank = (series->count * percent + 99) / 100;
    return series->values[rank > 0 ? rank - 1 : 0];
}

static inline double bench_median(struct bench_series *series)
{
    return bench_percentile(series, 50);
}

/* The median of the ratios of two series that were measured in turn. Before either is sorted. */
static inline double bench_ratio(const struct bench_series *a, const struct bench_series *b)
{
    struct bench_series ratios = bench_series(a->count);

    for (size_t i = 0; i < a->count; i++)
        bench_add(&ratios, a->values[i] / b->values[i]);
    double ratio = bench_median(&ratios);
    free(ratios.values);
    return ratio;
}

/* ---- processes ---------------------------------------------------------------------------- */

/* A target that says "ready\n" on its standard output; `out` reads what it says after that. */
struct bench_target {
    pid_t pid;
    int out;
};

static inline struct bench_target bench_start_command(char *const command[])
{
    char line[6] = "";
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        bench_fail("cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(ends[1], STDOUT_FILENO);
        execv(command[0], command);
        _exit(127);
    }
    close(ends[1]);
    if (pid < 0 || read(ends[0], line, sizeof(line)) != sizeof(line) || memcmp(line, "ready\n", 6))
        bench_fail("a target did not start");
    return (struct bench_target){.pid = pid, .out = ends[0]};
}

static inline struct bench_target bench_start(const char *python, const char *script, unsigned mib,
                                              unsigned threads, const char *mode)
{
    char mib_text[16], threads_text[16];

    snprintf(mib_text, sizeof(mib_text), "%u", mib);
    snprintf(threads_text, sizeof(threads_text), "%u", threads);
    return bench_start_command((char *const[]){(char *)(uintptr_t)python, (char *)(uintptr_t)script,
                                               mib_text, threads_text, (char *)(uintptr_t)mode,
                                               NULL});
}

static inline void bench_end(struct bench_target *target)
{
    kill(target->pid, SIGKILL);
    waitpid(target->pid, NULL, 0);
    close(target->out);
}

struct bench_run {
    double seconds;
    double peak_mib; /* at least our own: the kernel counts what was there before exec, too */
};

/* `PROGRAM --json [OPTION] PID`, its output thrown away. */
static inline struct bench_run bench_run_report(const char *program, const char *option, pid_t pid)
{
    struct rusage usage;
    char pid_text[16];
    int status;

    snprintf(pid_text, sizeof(pid_text), "%d", pid);
    int64_t started = bench_now_ns();
    pid_t child = fork();
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(null, STDOUT_FILENO);
        if (option != NULL)
            execl(program, program, "--json", option, pid_text, (char *)NULL);
        else
            execl(program, program, "--json", pid_text, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || status != 0)
        bench_fail("a report failed");
    return (struct bench_run){
        .seconds = (double)(bench_now_ns() - started) / 1e9,
        .peak_mib = (double)usage.ru_maxrss / 1024,
    };
}

/* ---- layout caches ------------------------------------------------------------------------ */

#define BENCH_PATH 64

static inline void bench_use_cache(const char *path)
{
    setenv("XDG_CACHE_HOME", path, 1);
}

/* A fresh one, in use from now on; its path is BENCH_PATH bytes at most. */
static inline void bench_make_cache(char *path)
{
    snprintf(path, BENCH_PATH, "/tmp/pyheaptop-bench-XXXXXX");
    if (mkdtemp(path) == NULL)
        bench_fail("cannot make a directory");
    bench_use_cache(path);
}

static inline int bench_remove_entry(const char *path, const struct stat *status, int type,
                                     struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static inline void bench_remove_cache(const char *path)
{
    nftw(path, bench_remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* ---- results ------------------------------------------------------------------------------ */

/* A row of the table; `measured` is a format. */
static inline void bench_row(const char *what, const char *budget, const char *how,
                             const char *measured, ...) __attribute__((format(printf, 4, 5)));

static inline void bench_row(const char *what, const char *budget, const char *how,
                             const char *measured, ...)
{
    va_list arguments;

    printf("| %s | ", what);
    va_start(arguments, measured);
    vprintf(measured, arguments);
    va_end(arguments);
    printf(" | %s | %s |\n", budget, how);
    fflush(stdout);
}

#endif
