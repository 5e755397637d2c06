/*
 * The accounting of pymalloc against the least that any reader must do, which is to fetch the
 * pool headers:
 *
 *     bench_accounting ROUNDS PYHEAPTOP PYTHON HEAP.PY MIB
 *
 * Every round takes the three in turn: the plain gather, the library, the whole program. A ratio
 * is the median of the ratios of the rounds.
 */
#include <sys/uio.h>

#include "base/checked.h"
#include "bench.h"

#define RANGES 1024

struct subject {
    struct pht_target *target;
    struct pht_python *python;
    pid_t pid;
    /* Where the pool headers are. */
    struct iovec *headers;
    size_t count;
    uint64_t pool_bytes;
    uint64_t total_bytes;
};

struct times {
    struct bench_series plain;
    struct bench_series take;
    struct bench_series walk;
    struct bench_series both;
    struct bench_series program;
};

static struct pht_pymalloc *account(struct subject *subject, struct pht_pymalloc_roots *roots,
                                    struct pht_snapshot **snapshot, int64_t *taken_ns)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000};

    pht_pymalloc_roots_init(roots, subject->python);
    bench_check(pht_snapshot_take(subject->target, &options, pht_pymalloc_freeze, roots, snapshot));
    *taken_ns = bench_now_ns();
    struct pht_pymalloc *result = pht_pymalloc_walk(*snapshot, roots, NULL);
    if (result == NULL)
        bench_fail("out of memory");
    return result;
}

static size_t carved_pools(const struct pht_arena_root *arena, uint64_t pool_bytes)
{
    return (size_t)((arena->pool_address - pht_round_up(arena->address, pool_bytes)) / pool_bytes);
}

static void list_headers(struct subject *subject, const struct pht_pymalloc_roots *roots)
{
    size_t count = 0;

    for (size_t i = 0; i < roots->arenas.count; i++)
        count += carved_pools(&roots->arenas.items[i], subject->pool_bytes);
    subject->headers = bench_alloc(count, sizeof(*subject->headers));
    for (size_t i = 0; i < roots->arenas.count; i++) {
        const struct pht_arena_root *arena = &roots->arenas.items[i];
        pht_addr pool = pht_round_up(arena->address, subject->pool_bytes);
        for (; pool < arena->pool_address; pool += subject->pool_bytes) {
            subject->headers[subject->count++] = (struct iovec){
                .iov_base = (void *)(uintptr_t)pool, // NOLINT: a remote address
                .iov_len = subject->python->layout.pool_header_bytes,
            };
        }
    }
}

static void learn_headers(struct subject *subject)
{
    struct pht_pymalloc_roots roots;
    struct pht_snapshot *snapshot;
    int64_t taken_ns;

    struct pht_pymalloc *result = account(subject, &roots, &snapshot, &taken_ns);
    subject->pool_bytes = result->pool_bytes;
    subject->total_bytes = result->totals.total_bytes;
    list_headers(subject, &roots);
    pht_pymalloc_destroy(result);
    pht_snapshot_destroy(snapshot);
    pht_pymalloc_roots_deinit(&roots);
}

static double gather_plainly(const struct subject *subject)
{
    static char buffer[RANGES * 256];
    int64_t started = bench_now_ns();

    for (size_t done = 0; done < subject->count; done += RANGES) {
        size_t count = subject->count - done < RANGES ? subject->count - done : RANGES;
        struct iovec local = {.iov_base = buffer, .iov_len = sizeof(buffer)};
        ssize_t got = process_vm_readv(subject->pid, &local, 1, subject->headers + done, count, 0);
        if (got != (ssize_t)(count * subject->headers[0].iov_len))
            bench_fail("a plain read was short");
    }
    return (double)(bench_now_ns() - started);
}

static void account_once(struct subject *subject, struct times *times)
{
    struct pht_pymalloc_roots roots;
    struct pht_snapshot *snapshot;
    int64_t taken_ns, started_ns = bench_now_ns();

    struct pht_pymalloc *result = account(subject, &roots, &snapshot, &taken_ns);
    int64_t ended_ns = bench_now_ns();
    if (result->totals.total_bytes != subject->total_bytes || result->rereads > 0)
        bench_fail("a heap that holds still did not");
    bench_add(&times->take, (double)(taken_ns - started_ns));
    bench_add(&times->walk, (double)(ended_ns - taken_ns));
    bench_add(&times->both, (double)(ended_ns - started_ns));
    pht_pymalloc_destroy(result);
    pht_snapshot_destroy(snapshot);
    pht_pymalloc_roots_deinit(&roots);
}

static void measure(struct subject *subject, const char *program, size_t rounds,
                    struct times *times)
{
    for (size_t i = 0; i < rounds; i++) {
        bench_add(&times->plain, gather_plainly(subject));
        account_once(subject, times);
        bench_add(&times->program, bench_run_report(program, NULL, subject->pid).seconds * 1e9);
    }
}

static void print_rows(const struct subject *subject, unsigned mib, struct times *times)
{
    char heap[64], what[128];
    double walk = bench_ratio(&times->walk, &times->plain);
    double both = bench_ratio(&times->both, &times->plain);
    double program = bench_ratio(&times->program, &times->plain);

    snprintf(heap, sizeof(heap), "%u MiB heap, %zu pools of %u KiB", mib, subject->count,
             (unsigned)(subject->pool_bytes >> 10));
    snprintf(what, sizeof(what), "accounting, %s", heap);
    bench_row(what, "1.3", "stop, roots and walk, against a plain gather of the headers",
              "%.2f (walk %.2f; %.0f ns a pool, plain %.0f)", both, walk,
              bench_median(&times->both) / (double)subject->count,
              bench_median(&times->plain) / (double)subject->count);
    snprintf(what, sizeof(what), "whole program, %s", heap);
    bench_row(what, "-", "start to exit with --json, against the same", "%.2f (%.1f ms)", program,
              bench_median(&times->program) / 1e6);
}

static void open_subject(struct subject *subject, pid_t pid)
{
    const struct pht_layout_options options = {.cache_directory = NULL};
    struct pht_maps maps;

    *subject = (struct subject){.pid = pid};
    bench_check(pht_target_open(pid, NULL, &subject->target));
    bench_check(pht_target_read_maps(subject->target, &maps));
    bench_check(pht_python_find(subject->target, &maps, &options, &subject->python));
    if (subject->python->layout_source == PHT_LAYOUT_NONE)
        bench_fail("this interpreter has no debug information");
    pht_maps_deinit(&maps);
}

/* While we have no memory worth counting ourselves. */
static void measure_memory(const char *program, pid_t pid, unsigned mib)
{
    char cache[BENCH_PATH], what[128];

    bench_make_cache(cache);
    double cold = bench_run_report(program, NULL, pid).peak_mib;
    double warm = bench_run_report(program, NULL, pid).peak_mib;
    bench_remove_cache(cache);
    snprintf(what, sizeof(what), "own memory, %u MiB heap", mib);
    bench_row(what, "48 MiB", "peak RSS of the program, with layout cache, without",
              "%.1f MiB, %.1f MiB", warm, cold);
}

int main(int argc, char **argv)
{
    if (argc != 6)
        bench_fail("bench_accounting ROUNDS PYHEAPTOP PYTHON HEAP.PY MIB");
    size_t rounds = strtoul(argv[1], NULL, 10);
    unsigned mib = (unsigned)strtoul(argv[5], NULL, 10);
    struct bench_target process = bench_start(argv[3], argv[4], mib, 1, "wait");
    struct times times = {
        .plain = bench_series(rounds),
        .take = bench_series(rounds),
        .walk = bench_series(rounds),
        .both = bench_series(rounds),
        .program = bench_series(rounds),
    };
    char cache[BENCH_PATH];
    struct subject subject;

    measure_memory(argv[2], process.pid, mib);
    bench_make_cache(cache);
    open_subject(&subject, process.pid);
    learn_headers(&subject);
    measure(&subject, argv[2], rounds, &times);
    print_rows(&subject, mib, &times);
    bench_remove_cache(cache);
    pht_python_destroy(subject.python);
    pht_target_destroy(subject.target);
    bench_end(&process);
    free(subject.headers);
    return 0;
}
