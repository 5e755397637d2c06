/* A tcache whose content is known. */
#include "malloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* The largest request that the small bins serve. */
#define SMALL_MAX 1032

/* So many chunks one behind the other do not come from a tcache, nor from what refills one. */
static int64_t long_run(const struct plan *plan, size_t bytes)
{
    if (bytes <= SMALL_MAX)
        return 2 * plan->tcache_count + 64;
    return bytes < 200000 ? 20 : 2;
}

static int64_t chunk_bytes(void *chunk)
{
    return (int64_t)malloc_usable_size(chunk) + (int64_t)sizeof(size_t);
}

/* Take chunks of this size from malloc until they stand one behind the other. */
static void drain(const struct plan *plan, size_t bytes)
{
    char *last = NULL;

    for (int64_t run = 0; run < long_run(plan, bytes);) {
        char *chunk = malloc(bytes);
        run = last != NULL && chunk == last + chunk_bytes(last) ? run + 1 : 0;
        last = chunk;
    }
}

static void drain_all(const struct plan *plan)
{
    for (size_t bytes = 24; bytes <= SMALL_MAX; bytes += 16)
        drain(plan, bytes);
}

/* malloc may give a chunk that is larger than it needs to be: of another bin. */
static void *take_exactly(size_t bytes)
{
    void *chunk;

    do {
        chunk = malloc(bytes);
    } while (malloc_usable_size(chunk) != bytes);
    return chunk;
}

/*
 * Put `count` chunks, or as many as fit, into the tcache. Since it was drained, free chunks of this
 * size may have been split off others, and with the first of them malloc takes up more.
 */
static void put(struct plan *plan, size_t bytes, int64_t count)
{
    void *chunks[8];

    if (count > plan->tcache_count)
        count = plan->tcache_count;
    drain(plan, bytes);
    for (int64_t i = 0; i < count; i++) {
        chunks[i] = take_exactly(bytes);
        plan->tcache_chunks++;
        plan->tcache_bytes += chunk_bytes(chunks[i]);
    }
    for (int64_t i = 0; i < count; i++)
        free(chunks[i]);
}

void malloc_fill_tcache(struct plan *plan)
{
    plan->tcache_chunks = plan->tcache_bytes = 0;
    drain_all(plan);
    put(plan, 24, 3);
    put(plan, 104, 7);
    put(plan, 120, 1);
    put(plan, 504, 5);
    put(plan, SMALL_MAX, 7);
    if (plan->large_bins) {
        put(plan, 1112, 4);
        put(plan, 5000, 6);
        put(plan, 70008, 3);
        put(plan, 1000008, 2);
        put(plan, 3000008, 1);
    }
}

#define APART_MAX 16
#define APART_BYTES 1000
#define GUARD_BYTES 24

static void *apart[APART_MAX], *others[APART_MAX];
static int64_t apart_count;

/*
 * Two chunks that none of the bins keeps apart, and one of the tcache in between: none of the
 * three covers a page wherever it stands; together they do. Those of `others` have guards.
 */
static void take_three(void *chunks[3])
{
    static const size_t bytes[] = {4000, APART_BYTES, 4000};
    char *end;

    do {
        malloc(GUARD_BYTES);
        end = NULL;
        for (int i = 0; i < 3; i++) {
            chunks[i] = memset(malloc(bytes[i]), 1, bytes[i]);
            if (i > 0 && chunks[i] != end)
                break;
            end = (char *)chunks[i] + chunk_bytes(chunks[i]);
        }
    } while (malloc(GUARD_BYTES) != end);
}

void malloc_keep_apart(struct plan *plan)
{
    void *threes[APART_MAX][3];

    apart_count = plan->tcache_count;
    drain_all(plan);
    drain(plan, APART_BYTES);
    drain(plan, GUARD_BYTES);
    for (int64_t i = 0; i < apart_count; i++) {
        take_three(threes[i]);
        others[i] = malloc(APART_BYTES);
        malloc(GUARD_BYTES);
    }
    for (int64_t i = 0; i < apart_count; i++) {
        free(threes[i][0]);
        free(threes[i][1]);
        free(threes[i][2]);
    }
    plan->tcache_chunks = apart_count;
    plan->tcache_bytes = apart_count * (APART_BYTES + 8);
    plan->tcache_count = -1;
}

/*
 * A single list, of two chunks. Of the first one's address the bits that hide the link to the next
 * (safe-linking) are such that the link could be a plain one too: both are aligned.
 */
void malloc_one_list(struct plan *plan)
{
    void *first, *second;

    drain_all(plan);
    drain(plan, APART_BYTES);
    second = malloc(APART_BYTES);
    do {
        first = malloc(APART_BYTES);
    } while (((uintptr_t)first >> 12) % 16 != 0);
    plan->tcache_chunks = 2;
    plan->tcache_bytes = chunk_bytes(first) + chunk_bytes(second);
    free(second);
    free(first);
    plan->tcache_count = -1;
}

void malloc_swap(void)
{
    for (int64_t i = 0; i < apart_count; i++)
        apart[i] = malloc(APART_BYTES);
    for (int64_t i = 0; i < apart_count; i++)
        free(others[i]);
    for (int64_t i = 0; i < apart_count; i++)
        free(apart[i]);
}
