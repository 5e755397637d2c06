/*
 * A library for latency.py: threads that do what servers do to their memory, and time themselves.
 *
 *     load_start(path, threads)    path: of a struct load
 */
#include "load.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BLOCKS 64
#define LARGE_BYTES ((size_t)256 << 10)
#define MAP_BYTES ((size_t)64 << 10)
#define SLEEP_NS 1000000

/* All threads together leave most of a processor free: so much sleep for each, and some sleeps
 * more. */
#define SLEEPS_A_THREAD 4

int load_start(const char *path, unsigned threads);

struct worker {
    struct load *load;
    unsigned number;
    unsigned sleeps;
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void note(struct load *load, enum load_kind kind, uint64_t ns)
{
    struct load_times *times = &load->times[load->phase % LOAD_PHASES][kind];

    atomic_fetch_add_explicit(&times->counts[load_bucket(ns)], 1, memory_order_relaxed);
    uint64_t worst = times->worst_ns;
    while (ns > worst && !atomic_compare_exchange_weak(&times->worst_ns, &worst, ns))
        ;
}

static void use_small(unsigned number)
{
    void *blocks[BLOCKS];

    for (unsigned i = 0; i < BLOCKS; i++)
        blocks[i] = malloc(16 + (number + i * 31) % 1985);
    for (unsigned i = 0; i < BLOCKS; i++)
        free(blocks[i]);
}

static void touch(char *bytes, size_t size)
{
    for (size_t at = 0; bytes != NULL && at < size; at += 4096)
        ((volatile char *)bytes)[at] = 1;
}

static void use_large(unsigned number)
{
    char *block = malloc(LARGE_BYTES + number);

    touch(block, LARGE_BYTES);
    free(block);
}

static void use_map(unsigned number)
{
    (void)number;
    char *map = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        return;
    touch(map, MAP_BYTES);
    munmap(map, MAP_BYTES);
}

static void *work(void *argument)
{
    static void (*const uses[])(unsigned) = {use_small, use_large, use_map};
    struct worker *self = argument;

    for (unsigned round = self->number;; round++) {
        for (int kind = LOAD_MALLOC; kind <= LOAD_MAP; kind++) {
            uint64_t started = now_ns();
            uses[kind](round);
            note(self->load, (enum load_kind)kind, now_ns() - started);
        }
        for (unsigned i = 0; i < self->sleeps; i++) {
            const struct timespec time = {.tv_nsec = SLEEP_NS};
            uint64_t started = now_ns();
            nanosleep(&time, NULL);
            note(self->load, LOAD_SLEEP, now_ns() - started - SLEEP_NS);
        }
    }
    return NULL;
}

int load_start(const char *path, unsigned threads)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    struct load *load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd < 0 || load == MAP_FAILED)
        return -1;
    for (unsigned i = 0; i < threads; i++) {
        struct worker *worker = malloc(sizeof(*worker));
        pthread_t thread;
        if (worker == NULL)
            return -1;
        *worker =
            (struct worker){.load = load, .number = i, .sleeps = 1 + threads / SLEEPS_A_THREAD};
        if (pthread_create(&thread, NULL, work, worker) != 0)
            return -1;
        pthread_detach(thread);
    }
    return 0;
}
