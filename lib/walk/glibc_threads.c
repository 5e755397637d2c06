/*
 * The threads of a process as glibc lists them, and of each the arena it uses and its tcache.
 *
 * glibc keeps two circular lists of struct pthread: of threads whose stack it made, and of others
 * (the first thread, for one). Thread-local variables of the C library stand at a fixed distance
 * from struct pthread: nptl, struct pthread_functions; elf/dl-tls.c, TLS_TCB_AT_TP.
 */
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "walk/field.h"
#include "walk/glibc.h"

/* A list that is longer is damaged, or a circle that misses its head. */
#define NODES_MAX 65536

/* Files of a process; what is behind them in the loader's list is not looked at. */
#define LINK_MAPS_MAX 16384

/* Members that lie closer together than this are read at once. */
#define SPAN_BYTES_MAX 256

/* ---- where thread-local variables stand --------------------------------------------------- */

/*
 * The distance does not change while the library is loaded, so it is looked up once. struct
 * link_map's first members are public: <link.h>.
 */
static uint64_t find_tls_offset(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots)
{
    const struct pht_thread_layout *layout = &roots->libc->threads;
    pht_addr map;

    if (!pht_glibc_read_root(snapshot, roots, layout->debug + offsetof(struct r_debug, r_map), &map,
                             sizeof(map)))
        return 0;
    for (int i = 0; i < LINK_MAPS_MAX && map != 0; i++) {
        uint64_t bytes[4], offset;
        if (!pht_glibc_read_root(snapshot, roots, map, bytes, sizeof(bytes)))
            return 0;
        if (bytes[offsetof(struct link_map, l_addr) / 8] != roots->libc->bias) {
            map = bytes[offsetof(struct link_map, l_next) / 8];
            continue;
        }
        if (!pht_glibc_read_root(snapshot, roots, map + layout->link_map_tls_offset, &offset,
                                 sizeof(offset)) ||
            offset > PHT_USER_ADDR_MAX)
            return 0;
        return offset;
    }
    return 0;
}

static bool read_two_words(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                           pht_addr first, pht_addr second, uint64_t ret[static 2])
{
    char bytes[SPAN_BYTES_MAX];
    pht_addr low = first < second ? first : second, high = first < second ? second : first;

    if (high - low > SPAN_BYTES_MAX - sizeof(uint64_t))
        return pht_glibc_read_root(snapshot, roots, first, &ret[0], sizeof(ret[0])) &&
               pht_glibc_read_root(snapshot, roots, second, &ret[1], sizeof(ret[1]));
    if (!pht_glibc_read_root(snapshot, roots, low, bytes, high - low + sizeof(uint64_t)))
        return false;
    ret[0] = pht_field_u64(bytes, first - low);
    ret[1] = pht_field_u64(bytes, second - low);
    return true;
}

/* ---- tcaches ------------------------------------------------------------------------------ */

/* From 2.43 on a thread that has not freed yet points to a tcache for all, in the library. */
static bool is_placeholder(const struct pht_libc *libc, pht_addr tcache)
{
    return tcache >= libc->start && tcache < libc->end;
}

/* Counters are of one byte before 2.30. */
static uint64_t counter(const char *counters, uint64_t bytes, size_t bins, size_t bin)
{
    uint16_t value;

    if (bytes / bins == 1)
        return (uint8_t)counters[bin];
    memcpy(&value, counters + 2 * bin, sizeof(value));
    return value;
}

size_t pht_glibc_tcache_bins(const struct pht_libc_layout *layout)
{
    size_t bins = layout->tcache_entries_bytes / sizeof(pht_addr);

    return bins < PHT_TCACHE_BINS_MAX ? bins : PHT_TCACHE_BINS_MAX;
}

/* Up to 2.41 chunks are counted, later the room that is left for more. */
uint16_t pht_glibc_tcache_held(const struct pht_glibc_roots *roots, const void *tcache, size_t bin)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    size_t bins = layout->tcache_entries_bytes / sizeof(pht_addr);
    const char *bytes = tcache;

    if (layout->tcache_counts != PHT_UNKNOWN)
        return (uint16_t)counter(bytes + layout->tcache_counts, layout->tcache_counts_bytes, bins,
                                 bin);
    uint64_t room = counter(bytes + layout->tcache_slots, layout->tcache_slots_bytes, bins, bin);
    uint64_t all = roots->params.tcache_count;
    return all <= UINT16_MAX && room <= all ? (uint16_t)(all - room) : 0;
}

/* False if it is in swap, say; the thread then counts as one without. */
static bool read_tcache(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                        struct pht_malloc_thread_root *thread)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    char bytes[PHT_TCACHE_BYTES_MAX];

    if (!pht_chunk_addr_is_sane(thread->tcache) ||
        pht_snapshot_read(snapshot, thread->tcache, bytes, layout->tcache_bytes) != PHT_READ_OK)
        return false;
    for (size_t bin = 0; bin < pht_glibc_tcache_bins(layout); bin++) {
        thread->held[bin] = pht_glibc_tcache_held(roots, bytes, bin);
        thread->entries[bin] = pht_field_u64(bytes, layout->tcache_entries + bin * 8);
    }
    return true;
}

static bool has_tcaches(const struct pht_libc_layout *layout)
{
    return layout->tcache != PHT_UNKNOWN && layout->tcache_entries != PHT_UNKNOWN &&
           layout->tcache_bytes <= PHT_TCACHE_BYTES_MAX && layout->tcache_entries_bytes >= 8 &&
           (layout->tcache_counts != PHT_UNKNOWN || layout->tcache_slots != PHT_UNKNOWN);
}

/* Chunks wait in them, and nothing tells where. Tunables may have turned them off, for good. */
static bool hides_tcaches(const struct pht_glibc_roots *roots)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;

    return layout->tcache_bytes != PHT_UNKNOWN && !has_tcaches(layout) &&
           roots->params.tcache_count != 0;
}

static bool read_thread(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots,
                        pht_addr pthread, struct pht_malloc_thread_root *thread)
{
    const struct pht_libc_layout *layout = &roots->libc->layout;
    pht_addr block = pthread - roots->tls_offset;
    uint64_t words[2];

    if (layout->thread_arena == PHT_UNKNOWN)
        return true;
    if (!has_tcaches(layout))
        return pht_glibc_read_root(snapshot, roots, block + layout->thread_arena, &thread->arena,
                                   sizeof(thread->arena));
    if (!read_two_words(snapshot, roots, block + layout->thread_arena, block + layout->tcache,
                        words))
        return false;
    thread->arena = words[0];
    thread->tcache = words[1];
    if (is_placeholder(roots->libc, thread->tcache))
        thread->tcache = 0;
    if (thread->tcache != 0 && !read_tcache(snapshot, roots, thread)) {
        thread->tcache = 0;
        roots->threads_known = false;
    }
    return true;
}

/* ---- lists of threads --------------------------------------------------------------------- */

struct list_node {
    pht_addr next;
    pht_addr prev;
};

/* Usually the two are so close together that one read gets both. */
static bool read_node(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots, pht_addr at,
                      pht_addr tid_at, struct list_node *node, uint32_t *tid)
{
    char bytes[SPAN_BYTES_MAX];

    if (tid_at < at || tid_at - at > sizeof(bytes) - sizeof(*tid))
        return pht_glibc_read_root(snapshot, roots, at, node, sizeof(*node)) &&
               pht_glibc_read_root(snapshot, roots, tid_at, tid, sizeof(*tid));
    size_t size = (size_t)(tid_at - at) + sizeof(*tid);
    if (size < sizeof(*node))
        size = sizeof(*node);
    if (!pht_glibc_read_root(snapshot, roots, at, bytes, size))
        return false;
    memcpy(node, bytes, sizeof(*node));
    *tid = pht_field_u32(bytes, tid_at - at);
    return true;
}

/* Add the thread of a node that has come after `prev` in the list. */
static bool add_thread(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots, pht_addr at,
                       pht_addr prev, pht_addr *next)
{
    const struct pht_thread_layout *layout = &roots->libc->threads;
    pht_addr pthread = at - layout->pthread_list;
    struct pht_malloc_thread_root *thread;
    struct list_node node;
    uint32_t tid;

    /* A circle that misses the list's head has a node whose `prev` is another. */
    if (!pht_vec_reserve(&roots->threads, roots->threads.count + 1) ||
        !read_node(snapshot, roots, at, pthread + layout->pthread_tid, &node, &tid) ||
        node.prev != prev)
        return false;
    thread = &roots->threads.items[roots->threads.count];
    *thread = (struct pht_malloc_thread_root){.tid = (pid_t)tid, .pthread = pthread};
    *next = node.next;
    /* A thread that has ended may wait in the list for whoever joins it. */
    if (thread->tid <= 0)
        return true;
    roots->threads.count++;
    return read_thread(snapshot, roots, pthread, thread);
}

static bool add_list(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots, pht_addr head)
{
    struct list_node first;
    pht_addr prev = head;

    if (!pht_glibc_read_root(snapshot, roots, head, &first, sizeof(first)))
        return false;
    pht_addr node = first.next;
    for (int i = 0; i < NODES_MAX && node != head; i++) {
        pht_addr at = node;
        if (at % sizeof(pht_addr) != 0 || at < PHT_PAGE_BYTES || at > PHT_USER_ADDR_MAX ||
            !add_thread(snapshot, roots, at, prev, &node))
            return false;
        prev = at;
    }
    return node == head;
}

/* Then no thread has an arena or a tcache, wherever these would be. */
static bool is_unused(const struct pht_glibc_roots *roots)
{
    for (size_t i = 0; i < roots->arenas.count; i++) {
        if (roots->arenas.items[i].system_bytes > 0)
            return false;
    }
    return true;
}

bool pht_glibc_freeze_threads(struct pht_snapshot *snapshot, struct pht_glibc_roots *roots)
{
    const struct pht_libc *libc = roots->libc;

    roots->threads_known = false;
    bool hides_variables = libc->layout.thread_arena == PHT_UNKNOWN || hides_tcaches(roots);
    if (!libc->threads.known || (hides_variables && !is_unused(roots)))
        return true;
    if (roots->tls_offset == 0)
        roots->tls_offset = find_tls_offset(snapshot, roots);
    if (roots->tls_offset == 0)
        return true;
    roots->threads_known = true;
    for (size_t i = 0; i < sizeof(libc->threads.stack_lists) / sizeof(pht_addr); i++) {
        if (!add_list(snapshot, roots, libc->threads.stack_lists[i])) {
            roots->threads_known = false;
            return false;
        }
    }
    return true;
}
