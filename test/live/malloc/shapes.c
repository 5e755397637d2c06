/* Heaps of every shape. */
#include "malloc.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Below the mmap threshold, and above what a top chunk holds for long. */
#define CHUNK_BYTES 100000

#define GUARD_BYTES 24

void *malloc_told_chunks[TOLD_MAX];
int malloc_told_count;

static bool is_mmapped(const void *chunk)
{
    return (*(const volatile size_t *)((uintptr_t)chunk - sizeof(size_t)) & 2) != 0;
}

bool malloc_told(void *chunk)
{
    if (!is_mmapped(chunk))
        return false;
    if (malloc_told_count < TOLD_MAX)
        malloc_told_chunks[malloc_told_count++] = chunk;
    return true;
}

/* `count` chunks with chunks in use between them, so that they stay apart when they are free. */
static void take_apart(void **pieces, size_t count, size_t (*size)(size_t))
{
    for (size_t i = 0; i < count; i++) {
        pieces[i] = malloc(size(i));
        memset(pieces[i], 1, size(i));
        malloc(GUARD_BYTES);
    }
}

static void give_back(void **pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(pieces[i]);
}

static size_t any_size(size_t i)
{
    if (i % 4 == 0)
        return 248 + i % 3 * 96;
    return i % 40 == 39 ? 20000 + i * 16 : 200 + i * 1021 % 9000;
}

static size_t fast_size(size_t i)
{
    return 24 + i % 7 * 16;
}

static size_t medium_size(size_t i)
{
    return 600 + i % 5 * 608;
}

#define SORTED 900
#define FAST 400
#define UNSORTED 200

/* Every kind of bin. A large request sorts what is free by then. */
static void bins(struct plan *plan)
{
    void *sorted[SORTED], *fast[FAST], *unsorted[UNSORTED];

    (void)plan;
    take_apart(sorted, SORTED, any_size);
    take_apart(fast, FAST, fast_size);
    take_apart(unsorted, UNSORTED, medium_size);
    give_back(sorted, SORTED);
    malloc(CHUNK_BYTES + 20000);
    give_back(fast, FAST);
    give_back(unsorted, UNSORTED);
}

#define HEAPS_CHUNKS_MAX 2500

/* Chunks for more than a heap of a thread's arena; each second is resident, each third free. */
static void heaps(struct plan *plan)
{
    char *chunks[HEAPS_CHUNKS_MAX];
    size_t count = (size_t)plan->bytes / CHUNK_BYTES;

    if (count > HEAPS_CHUNKS_MAX)
        abort();
    for (size_t i = 0; i < count; i++) {
        chunks[i] = malloc(CHUNK_BYTES);
        if (i % 2 == 0)
            memset(chunks[i], 1, CHUNK_BYTES);
    }
    for (size_t i = 1; i < count; i += 3)
        free(chunks[i]);
}

/* Small ones and mmapped ones, some of the small ones free again. */
static void aligned(struct plan *plan)
{
    static const size_t alignments[] = {32, 64, 4096, 1 << 20};
    static const size_t sizes[] = {100, 5000, 300000, 3 << 20};

    (void)plan;
    for (size_t i = 0; i < 16; i++) {
        for (int j = 0; j < 3; j++) {
            char *chunk = memalign(alignments[i / 4], sizes[i % 4]);
            memset(chunk, 1, sizes[i % 4]);
            if (!malloc_told(chunk) && j == 1)
                free(chunk);
        }
    }
}

/* mmapped chunks that grew, shrank, and were given back, so that the threshold has risen. */
static void remapped(struct plan *plan)
{
    (void)plan;
    for (size_t i = 1; i <= 3; i++) {
        char *grown = malloc(i << 20), *shrunk = malloc(i << 23), *gone = malloc(200000 * i);
        memset(grown, 1, i << 20);
        malloc_told(realloc(grown, (i << 22) + 5000));
        malloc_told(realloc(shrunk, i << 19));
        free(gone);
        malloc_told(calloc(3, 1 << 20));
    }
}

/* Three times something else takes memory by sbrk(2) before the main arena grows. */
static void gaps(struct plan *plan)
{
    for (int i = 0; i < 3; i++) {
        sbrk(0x3210);
        for (int j = 0; j < 4; j++)
            free(malloc(CHUNK_BYTES) == NULL ? NULL : malloc(3000));
    }
    bins(plan);
}

/* brk(2) fails, as a mapping is in its way: the main arena gets regions from mmap(2). */
static void blocked(struct plan *plan)
{
    const size_t page = (size_t)getpagesize();
    char *end = (char *)(((uintptr_t)sbrk(0) + page - 1) & ~(page - 1));

    if (mmap(end, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != end)
        abort();
    plan->bytes = 8000000;
    heaps(plan);
    bins(plan);
}

static void gaps_and_blocked(struct plan *plan)
{
    gaps(plan);
    blocked(plan);
}

/* Free chunks whose pages malloc_trim() gives back, some never touched; a top that it shortens. */
static void trimmable(struct plan *plan)
{
    char *pieces[60];

    bins(plan);
    for (size_t i = 0; i < 60; i++) {
        pieces[i] = malloc(30000 + i * 1000);
        memset(pieces[i], 1, i % 3 == 0 ? 9000 : 30000 + i * 1000);
        malloc(GUARD_BYTES);
    }
    for (size_t i = 0; i < 60; i++)
        if (i % 7 != 0)
            free(pieces[i]);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    free(memset(malloc(CHUNK_BYTES), 1, CHUNK_BYTES));
}

static void arena_max_two(struct plan *plan)
{
    (void)plan;
    mallopt(M_ARENA_MAX, 2);
}

static void nothing(struct plan *plan)
{
    (void)plan;
}

static void (*const shapes[])(struct plan *plan) = {
    nothing,          bins,      heaps,         aligned,         remapped,          gaps, blocked,
    gaps_and_blocked, trimmable, arena_max_two, malloc_one_list, malloc_keep_apart,
};

void malloc_shape(struct plan *plan)
{
    plan->tcache_chunks = plan->tcache_bytes = -1;
    shapes[plan->shape](plan);
    if (plan->tcache_count >= 0)
        malloc_fill_tcache(plan);
}
