/*
 * The walk of a malloc heap against the least that any reader must do, which is to copy its
 * resident pages:
 *
 *     bench_chunks ROUNDS PYHEAPTOP MIB
 *
 * The target is a child that has filled its heap and freed a part of it, here and there. Every
 * round takes the two in turn; a ratio is the median of the ratios of the rounds.
 */
#include <malloc.h>
#include <sys/uio.h>

#include "base/checked.h"
#include "bench.h"

#define BUFFER_BYTES ((size_t)128 << 10)

/* On average a chunk of 448 bytes; a quarter is freed again, and merges where it can. */
#define REQUEST_BYTES_MAX 880
#define CHUNKS_A_MIB 2400

struct subject {
    struct pht_target *target;
    struct pht_libc *libc;
    pid_t pid;
    pht_addr start;
    pht_addr end;
    uint64_t chunks;
    uint64_t bytes;
};

struct times {
    struct bench_series plain;
    struct bench_series take;
    struct bench_series walk;
};

/* ---- the target --------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill_heap(unsigned mib)
{
    size_t count = (size_t)mib * CHUNKS_A_MIB;
    char **blocks = malloc(count * sizeof(*blocks));
    uint32_t random = 2463534242;

    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    for (size_t i = 0; i < count; i++) {
        size_t bytes = next_random(&random) % REQUEST_BYTES_MAX + 1;
        blocks[i] = malloc(bytes);
        memset(blocks[i], 1, bytes);
    }
    for (size_t i = 0; i < count; i++) {
        if (next_random(&random) % 4 == 0)
            free(blocks[i]);
    }
}

static struct bench_target start_heap(unsigned mib)
{
    int ends[2];
    char byte;

    if (pipe(ends) < 0)
        bench_fail("cannot make a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fill_heap(mib);
        if (write(ends[1], "r", 1) == 1)
            for (;;)
                pause();
        _exit(1);
    }
    close(ends[1]);
    if (pid < 0 || read(ends[0], &byte, 1) != 1)
        bench_fail("the target did not start");
    return (struct bench_target){.pid = pid, .out = ends[0]};
}

/* ---- measuring ---------------------------------------------------------------------------- */

static struct pht_glibc *walk(struct subject *subject, int64_t *took_ns, int64_t *walk_ns,
                              struct pht_glibc_roots *roots, struct pht_snapshot **snapshot)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_BRIEF, .max_stop_us = 20000};
    int64_t started_ns = bench_now_ns();

    pht_glibc_roots_init(roots, subject->libc);
    bench_check(pht_snapshot_take(subject->target, &options, pht_glibc_freeze, roots, snapshot));
    int64_t taken_ns = bench_now_ns();
    struct pht_glibc *result = pht_glibc_walk(*snapshot, roots, NULL, 0, NULL, NULL);
    if (result == NULL)
        bench_fail("out of memory");
    *took_ns = taken_ns - started_ns;
    *walk_ns = bench_now_ns() - taken_ns;
    return result;
}

static void walk_once(struct subject *subject, struct times *times)
{
    struct pht_glibc_roots roots;
    struct pht_snapshot *snapshot;
    int64_t took_ns, walk_ns;

    struct pht_glibc *result = walk(subject, &took_ns, &walk_ns, &roots, &snapshot);
    const struct pht_glibc_arena *arena = &result->arenas[0];
    if (result->rereads + result->torn_chunks + arena->unknown_bytes > 0)
        bench_fail("a heap that holds still did not");
    subject->chunks = arena->live_chunks + arena->free_chunks + arena->tcache_chunks;
    subject->start = roots.heaps.items[0].address;
    subject->end = roots.heaps.items[0].end;
    bench_add(&times->take, (double)took_ns);
    bench_add(&times->walk, (double)walk_ns);
    pht_glibc_destroy(result);
    pht_snapshot_destroy(snapshot);
    pht_glibc_roots_deinit(&roots);
}

/* All of it is resident, as the target has written to it. */
static double copy_plainly(struct subject *subject)
{
    static char buffer[BUFFER_BYTES];
    int64_t started_ns = bench_now_ns();

    subject->bytes = 0;
    for (pht_addr at = subject->start; at < subject->end; at += BUFFER_BYTES) {
        struct iovec local = {.iov_base = buffer, .iov_len = BUFFER_BYTES};
        struct iovec remote = {
            .iov_base = (void *)(uintptr_t)at, // NOLINT: a remote address
            .iov_len = subject->end - at < BUFFER_BYTES ? subject->end - at : BUFFER_BYTES,
        };
        ssize_t got = process_vm_readv(subject->pid, &local, 1, &remote, 1, 0);
        if (got != (ssize_t)remote.iov_len)
            bench_fail("a plain read was short");
        subject->bytes += (uint64_t)got;
    }
    return (double)(bench_now_ns() - started_ns);
}

static void open_subject(struct subject *subject, pid_t pid)
{
    const struct pht_layout_options options = {.cache_directory = NULL};
    struct pht_maps maps;

    *subject = (struct subject){.pid = pid};
    bench_check(pht_target_open(pid, NULL, &subject->target));
    bench_check(pht_target_read_maps(subject->target, &maps));
    bench_check(pht_libc_find(subject->target, &maps, &options, &subject->libc));
    if (subject->libc == NULL || subject->libc->layout_source == PHT_LAYOUT_NONE)
        bench_fail("the C library has no debug information");
    pht_maps_deinit(&maps);
}

/* While we have no memory worth counting ourselves. */
static void measure_memory(const char *program, pid_t pid, unsigned mib)
{
    char cache[BENCH_PATH], what[128];

    bench_make_cache(cache);
    double cold = bench_run_report(program, "--section=glibc", pid).peak_mib;
    double warm = bench_run_report(program, "--section=glibc", pid).peak_mib;
    bench_remove_cache(cache);
    snprintf(what, sizeof(what), "own memory, %u MiB malloc heap", mib);
    bench_row(what, "48 MiB", "peak RSS of the program, with layout cache, without",
              "%.1f MiB, %.1f MiB", warm, cold);
}

static void print_rows(const struct subject *subject, unsigned mib, struct times *times)
{
    char what[128];

    snprintf(what, sizeof(what), "walk of a %u MiB malloc heap, %.1f million chunks", mib,
             (double)subject->chunks / 1e6);
    bench_row(what, "1.5", "walk, against a plain copy of the same pages by 128 KiB",
              "%.2f (%.0f ms; copy %.1f GiB/s)", bench_ratio(&times->walk, &times->plain),
              bench_median(&times->walk) / 1e6,
              (double)subject->bytes / bench_median(&times->plain) * 1e9 / (1 << 30));
}

int main(int argc, char **argv)
{
    if (argc != 4)
        bench_fail("bench_chunks ROUNDS PYHEAPTOP MIB");
    size_t rounds = strtoul(argv[1], NULL, 10);
    unsigned mib = (unsigned)strtoul(argv[3], NULL, 10);
    struct bench_target process = start_heap(mib);
    struct times times = {
        .plain = bench_series(rounds),
        .take = bench_series(rounds + 1),
        .walk = bench_series(rounds + 1),
    };
    struct subject subject;

    measure_memory(argv[2], process.pid, mib);
    open_subject(&subject, process.pid);
    walk_once(&subject, &times);
    times.take.count = times.walk.count = 0;
    for (size_t i = 0; i < rounds; i++) {
        bench_add(&times.plain, copy_plainly(&subject));
        walk_once(&subject, &times);
    }
    print_rows(&subject, mib, &times);
    pht_libc_destroy(subject.libc);
    pht_target_destroy(subject.target);
    bench_end(&process);
    return 0;
}
