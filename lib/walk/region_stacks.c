/*
 * Stacks of threads. glibc puts struct pthread at the top of the block that becomes a thread's
 * stack (nptl/allocatestack.c, 2.17 to 2.43), and keeps three lists of them: of threads whose
 * block it made, of others, and of blocks that wait for the next thread.
 *
 *     block ->  guard (a mapping without access; from 2.42 on a part of the same mapping)
 *               stack
 *               thread-local variables
 *     pthread-> struct pthread: its address is its first word and its third (tcbhead_t)
 *               less than a page, since it is aligned
 *     end
 *
 * Where the struct keeps its block is in no record for debuggers. But the block says so itself:
 * only one pair of words in it can be the start and the size of memory that ends right behind it.
 */
#include <string.h>

#include "base/checked.h"
#include "base/sorted.h"
#include "walk/field.h"
#include "walk/regions.h"

/* A list that is longer is damaged, or a circle that misses its head. */
#define NODES_MAX 65536

/* struct pthread has 2,304 bytes in 2.31 and 2,368 in 2.43. */
#define PTHREAD_BYTES_MAX 16384

/* tcbhead_t of x86-64 (sysdeps/x86_64/nptl/tls.h): tcb, dtv, self. */
#define TCB_SELF 16
#define TCB_BYTES 24

/* Behind struct pthread there is less than its alignment. */
#define SLACK_MAX PHT_PAGE_BYTES

struct thread {
    pht_addr pthread;
    pid_t tid;      /* 0: it has ended */
    bool is_others; /* glibc did not make its stack */
};

struct stacks {
    struct pht_region_walk *walk;
    const struct pht_thread_layout *layout;
    uint64_t tls_bytes;
    struct {
        struct thread *items;
        size_t count;
        size_t capacity;
    } threads;
    pid_t first_tid; /* of the thread that has the stack that the kernel made */
};

/* ---- threads ------------------------------------------------------------------------------ */

static bool add_thread(struct stacks *stacks, pht_addr pthread, pid_t tid, bool is_others)
{
    const struct thread thread = {pthread, tid > 0 ? tid : 0, is_others};

    return pht_vec_push(&stacks->threads, thread);
}

/* The list may change meanwhile: then the rest of it is not found. */
static bool add_list(struct stacks *stacks, pht_addr head)
{
    struct pht_snapshot *snapshot = stacks->walk->snapshot;
    const struct pht_thread_layout *layout = stacks->layout;
    bool have_ended = head == layout->stack_cache, are_others = head == layout->stack_lists[1];
    pht_addr at, prev = head;

    if (pht_snapshot_read(snapshot, head, &at, sizeof(at)) != PHT_READ_OK)
        return true;
    for (int i = 0; i < NODES_MAX && at != head; i++) {
        pht_addr links[2], pthread = at - layout->pthread_list;
        uint32_t tid = 0;
        if (at % sizeof(at) != 0 || at < PHT_PAGE_BYTES || at > PHT_USER_ADDR_MAX ||
            pht_snapshot_read(snapshot, at, links, sizeof(links)) != PHT_READ_OK ||
            links[1] != prev ||
            (!have_ended && pht_snapshot_read(snapshot, pthread + layout->pthread_tid, &tid,
                                              sizeof(tid)) != PHT_READ_OK))
            break;
        if (!add_thread(stacks, pthread, (pid_t)tid, are_others))
            return false;
        prev = at;
        at = links[0];
    }
    return true;
}

/* Those that the stop has seen, and what has come since. */
static bool add_threads(struct stacks *stacks)
{
    const struct pht_glibc_roots *roots = stacks->walk->glibc;

    for (size_t i = 0; i < roots->threads.count; i++) {
        if (!add_thread(stacks, roots->threads.items[i].pthread, roots->threads.items[i].tid,
                        false))
            return false;
    }
    for (size_t i = 0; i < sizeof(stacks->layout->stack_lists) / sizeof(pht_addr); i++) {
        if (!add_list(stacks, stacks->layout->stack_lists[i]))
            return false;
    }
    return stacks->layout->stack_cache == 0 || add_list(stacks, stacks->layout->stack_cache);
}

/* ---- their stacks ------------------------------------------------------------------------- */

static bool find_block(const struct stacks *stacks, const char *bytes, pht_addr pthread,
                       struct pht_range *ret)
{
    uint64_t pthread_bytes = stacks->layout->pthread_bytes;

    for (uint64_t at = TCB_BYTES; at + 2 * sizeof(uint64_t) <= pthread_bytes; at += 8) {
        pht_addr start = pht_field_u64(bytes, at), end;
        if (start < PHT_PAGE_BYTES || start > pthread ||
            !pht_add_fits(start, pht_field_u64(bytes, at + 8), &end) ||
            end < pthread + pthread_bytes || end - pthread - pthread_bytes >= SLACK_MAX ||
            !pht_region_is_all_private(stacks->walk, start, end))
            continue;
        *ret = (struct pht_range){start, end};
        return true;
    }
    return false;
}

/* The first thread has no block: the loader made its struct pthread and what stands before it. */
static struct pht_range find_tls(const struct stacks *stacks, pht_addr pthread)
{
    const struct pht_mapping *mapping = pht_maps_find(stacks->walk->maps, pthread);
    struct pht_range tls = {pthread, pthread + stacks->layout->pthread_bytes};

    if (mapping == NULL || !pht_region_is_private(mapping) || tls.end > mapping->end)
        return (struct pht_range){0};
    tls.start =
        pthread - mapping->start > stacks->tls_bytes ? pthread - stacks->tls_bytes : mapping->start;
    return tls;
}

static bool add_stack(struct stacks *stacks, const struct thread *thread)
{
    struct pht_region_walk *walk = stacks->walk;
    pht_addr pthread = thread->pthread;
    char bytes[PTHREAD_BYTES_MAX];
    struct pht_range range;

    if (pht_snapshot_read(walk->snapshot, pthread, bytes, stacks->layout->pthread_bytes) !=
            PHT_READ_OK ||
        pht_field_u64(bytes, 0) != pthread || pht_field_u64(bytes, TCB_SELF) != pthread)
        return true;
    if (find_block(stacks, bytes, pthread, &range))
        return pht_region_add(walk, range.start, range.end,
                              thread->tid != 0 ? PHT_REGION_STACK : PHT_REGION_CACHED_STACK,
                              thread->tid);
    if (thread->tid == 0 || !thread->is_others)
        return true;
    range = find_tls(stacks, pthread);
    if (range.start == range.end)
        return true;
    stacks->first_tid = thread->tid;
    return pht_region_add(walk, range.start, range.end, PHT_REGION_TLS, thread->tid);
}

/* A thread may be in two lists, or have ended since the stop: its stack is the same. */
static bool add_stacks(struct stacks *stacks)
{
    struct thread *items = stacks->threads.items;
    size_t count = stacks->threads.count, kept = 0;

    pht_sort(items, count, sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || items[kept - 1].pthread != items[i].pthread) {
            items[kept++] = items[i];
            continue;
        }
        if (items[kept - 1].tid == 0)
            items[kept - 1].tid = items[i].tid;
        items[kept - 1].is_others |= items[i].is_others;
    }
    for (size_t i = 0; i < kept; i++) {
        if (!add_stack(stacks, &items[i]))
            return false;
    }
    return true;
}

static bool add_first_stack(struct stacks *stacks)
{
    const struct pht_maps *maps = stacks->walk->maps;

    for (size_t i = 0; i < maps->count; i++) {
        if (strcmp(maps->items[i].name, "[stack]") == 0)
            return pht_region_add(stacks->walk, maps->items[i].start, maps->items[i].end,
                                  PHT_REGION_STACK, stacks->first_tid);
    }
    return true;
}

bool pht_regions_find_stacks(struct pht_region_walk *walk, const struct pht_link_maps *link_maps)
{
    struct stacks stacks = {.walk = walk, .tls_bytes = link_maps->tls_bytes};
    bool found = true;

    if (walk->libc != NULL && walk->libc->threads.known &&
        walk->libc->threads.pthread_bytes >= TCB_BYTES &&
        walk->libc->threads.pthread_bytes <= PTHREAD_BYTES_MAX) {
        stacks.layout = &walk->libc->threads;
        found = add_threads(&stacks) && add_stacks(&stacks);
    }
    free(stacks.threads.items);
    return found && add_first_stack(&stacks);
}
