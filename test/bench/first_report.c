/*
 * The time of the first report of a small process, from fork to exit of the program:
 *
 *     bench_first_report RUNS PYHEAPTOP HEAP.PY PYTHON...
 *
 * Three kinds of runs take turns: with layouts in a cache; with a cache directory of its own that
 * is empty; and without debug information or a cache (--no-dwarf).
 */
#include "bench.h"

struct times {
    struct bench_series warm;
    struct bench_series cold;
    struct bench_series bare;
};

static double run_ms(const char *program, const char *option, pid_t pid)
{
    return bench_run_report(program, option, pid).seconds * 1e3;
}

static void measure(const char *program, pid_t pid, size_t runs, struct times *times)
{
    char warm[BENCH_PATH], cold[BENCH_PATH];

    bench_make_cache(warm);
    run_ms(program, NULL, pid);
    for (size_t i = 0; i < runs; i++) {
        bench_use_cache(warm);
        bench_add(&times->warm, run_ms(program, NULL, pid));
        bench_make_cache(cold);
        bench_add(&times->cold, run_ms(program, NULL, pid));
        bench_remove_cache(cold);
        bench_add(&times->bare, run_ms(program, "--no-dwarf", pid));
    }
    bench_remove_cache(warm);
}

/* "Python 3.11.7" or, for 2.7, which says it on its standard error, the path. */
static void name_python(const char *python, char *name, size_t size)
{
    char command[4096];

    snprintf(command, sizeof(command), "'%s' --version 2>&1", python);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL || fgets(name, (int)size, pipe) == NULL)
        snprintf(name, size, "%s", python);
    if (pipe != NULL)
        pclose(pipe);
    name[strcspn(name, "\n")] = '\0';
}

static void measure_python(const char *program, const char *script, const char *python, size_t runs)
{
    struct times times = {
        .warm = bench_series(runs), .cold = bench_series(runs), .bare = bench_series(runs)};
    char name[64], what[128];
    const char *system = strncmp(python, "/usr/", 5) == 0 ? " of the distribution" : "";

    struct bench_target target = bench_start(python, script, 1, 1, "wait");
    measure(program, target.pid, runs, &times);
    bench_end(&target);
    name_python(python, name, sizeof(name));
    snprintf(what, sizeof(what), "first report, %s%s", name, system);
    bench_row(what, "50 ms, 500 ms, 100 ms",
              "whole process, with layout cache, without, --no-dwarf; median (worst)",
              "%.1f (%.1f) ms, %.0f (%.0f) ms, %.1f (%.1f) ms", bench_median(&times.warm),
              bench_percentile(&times.warm, 100), bench_median(&times.cold),
              bench_percentile(&times.cold, 100), bench_median(&times.bare),
              bench_percentile(&times.bare, 100));
    free(times.warm.values);
    free(times.cold.values);
    free(times.bare.values);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        bench_fail("bench_first_report RUNS PYHEAPTOP HEAP.PY PYTHON...");
    size_t runs = strtoul(argv[1], NULL, 10);
    for (int i = 4; i < argc; i++)
        measure_python(argv[2], argv[3], argv[i], runs);
    return 0;
}
