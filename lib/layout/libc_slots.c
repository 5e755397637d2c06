#include "layout/libc_slots.h"

#include <link.h>
#include <stddef.h>

#include "layout/libc_scan.h"

/* As the walker of threads has them: files of a process, threads of a list. */
#define LINK_MAPS_MAX 16384
#define NODES_MAX 4096

#define CHUNK_HEADER_BYTES 16
#define CHUNK_BYTES_MIN 32
#define CHUNK_ALIGNMENT 16
#define CHUNK_IS_MMAPPED 2
#define CHUNK_FLAGS ((uint64_t)7)

/* 2.42 and later have 760 bytes; the bins behind the first 64 are not of one size. */
#define TCACHE_BYTES_MAX 4096
#define SMALL_BINS 64

/* So many chunks prove a tcache. */
#define ENTRIES_ENOUGH 4

/* ---- the blocks --------------------------------------------------------------------------- */

/* struct link_map's first members are public: <link.h>. */
static bool find_tls_offset(const struct pht_module_data *data, const struct pht_libc *libc,
                            uint64_t *ret)
{
    pht_addr map;

    if (!pht_module_data_peek_u64(data, libc->threads.debug + offsetof(struct r_debug, r_map),
                                  &map))
        return false;
    for (int i = 0; i < LINK_MAPS_MAX && map != 0; i++) {
        uint64_t bias;
        if (!pht_module_data_peek_u64(data, map + offsetof(struct link_map, l_addr), &bias))
            return false;
        if (bias == libc->bias)
            return pht_module_data_peek_u64(data, map + libc->threads.link_map_tls_offset, ret) &&
                   *ret > 0 && *ret <= PHT_USER_ADDR_MAX;
        if (!pht_module_data_peek_u64(data, map + offsetof(struct link_map, l_next), &map))
            return false;
    }
    return false;
}

/* A thread that has ended may wait in the list, without a tid. */
static void add_block(const struct pht_module_data *data, const struct pht_libc *libc,
                      pht_addr pthread, uint64_t tls_offset, struct pht_libc_blocks *ret)
{
    uint32_t tid;

    if (pht_module_data_peek_u32(data, pthread + libc->threads.pthread_tid, &tid) &&
        (int32_t)tid > 0 &&
        pht_module_data_peek(data, pthread - tls_offset, ret->words[ret->count],
                             ret->slots * sizeof(uint64_t)))
        ret->count++;
}

static void add_list(const struct pht_module_data *data, const struct pht_libc *libc, pht_addr head,
                     uint64_t tls_offset, struct pht_libc_blocks *ret)
{
    pht_addr node = head;

    for (int i = 0; i < NODES_MAX && ret->count < PHT_LIBC_BLOCKS_MAX; i++) {
        if (!pht_module_data_peek_u64(data, node, &node) || node == head)
            return;
        add_block(data, libc, node - libc->threads.pthread_list, tls_offset, ret);
    }
}

void pht_libc_blocks_read(const struct pht_module_data *data, const struct pht_libc *libc,
                          uint64_t bytes, struct pht_libc_blocks *ret)
{
    uint64_t tls_offset;

    ret->slots = (size_t)(bytes / sizeof(uint64_t));
    ret->count = 0;
    if (!libc->threads.known || ret->slots == 0 || ret->slots > PHT_LIBC_SLOTS_MAX ||
        !find_tls_offset(data, libc, &tls_offset))
        return;
    for (size_t i = 0; i < sizeof(libc->threads.stack_lists) / sizeof(pht_addr); i++)
        add_list(data, libc, libc->threads.stack_lists[i], tls_offset, ret);
}

/* ---- votes -------------------------------------------------------------------------------- */

enum vote {
    VOTE_NO,
    VOTE_NONE, /* the thread has none yet */
    VOTE_YES,
};

static enum vote vote_thread_arena(const struct pht_module_data *data, const struct pht_libc *libc,
                                   uint64_t word)
{
    if (word == 0)
        return VOTE_NONE;
    if (word == libc->layout.main_arena + libc->bias ||
        pht_libc_is_thread_arena(data, &libc->layout, word))
        return VOTE_YES;
    return VOTE_NO;
}

/* Chunks that wait in the bins of one size have that size. */
static bool entries_hold(const struct pht_module_data *data, const struct pht_libc_layout *layout,
                         const char *tcache)
{
    int proved = 0;

    for (uint64_t bin = 0; bin * 8 < layout->tcache_entries_bytes; bin++) {
        pht_addr entry = pht_libc_word(tcache, layout->tcache_entries + bin * 8);
        uint64_t raw;
        if (entry == 0)
            continue;
        if (!pht_libc_is_chunk_addr(entry))
            return false;
        if (bin >= SMALL_BINS || proved == ENTRIES_ENOUGH ||
            !pht_module_data_peek_u64(data, entry - 8, &raw))
            continue;
        if ((raw & ~CHUNK_FLAGS) != CHUNK_BYTES_MIN + bin * CHUNK_ALIGNMENT)
            return false;
        proved++;
    }
    return true;
}

/* In a chunk that malloc() gives for its size; what is left of a free one may come on top. */
static bool is_tcache(const struct pht_module_data *data, const struct pht_libc_layout *layout,
                      pht_addr addr)
{
    char bytes[CHUNK_HEADER_BYTES + TCACHE_BYTES_MAX];
    uint64_t wanted = (layout->tcache_bytes + 8 + CHUNK_ALIGNMENT - 1) & ~(CHUNK_ALIGNMENT - 1ULL);

    if (!pht_libc_is_chunk_addr(addr) || layout->tcache_bytes > TCACHE_BYTES_MAX ||
        !pht_module_data_peek(data, addr - CHUNK_HEADER_BYTES, bytes,
                              CHUNK_HEADER_BYTES + layout->tcache_bytes))
        return false;
    uint64_t raw = pht_libc_word(bytes, 8), size = raw & ~CHUNK_FLAGS;
    return !(raw & CHUNK_IS_MMAPPED) && (size == wanted || size == wanted + CHUNK_ALIGNMENT) &&
           entries_hold(data, layout, bytes + CHUNK_HEADER_BYTES);
}

/* From 2.43 on a thread that has not freed yet points to one for all, in the library. */
static enum vote vote_tcache(const struct pht_module_data *data, const struct pht_libc *libc,
                             uint64_t word)
{
    if (word == 0 || (word >= libc->start && word < libc->end))
        return VOTE_NONE;
    return is_tcache(data, &libc->layout, word) ? VOTE_YES : VOTE_NO;
}

typedef enum vote vote_fn(const struct pht_module_data *data, const struct pht_libc *libc,
                          uint64_t word);

/* At least one thread for it, and none against. */
static bool is_elected(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                       const struct pht_libc *libc, size_t slot, vote_fn *vote)
{
    bool any = false;

    for (size_t i = 0; i < blocks->count; i++) {
        enum vote one = vote(data, libc, blocks->words[i][slot]);
        if (one == VOTE_NO)
            return false;
        any |= one == VOTE_YES;
    }
    return any;
}

static uint64_t elect(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                      const struct pht_libc *libc, uint64_t known, vote_fn *vote)
{
    uint64_t found = PHT_UNKNOWN;

    for (size_t slot = 0; slot < blocks->slots; slot++) {
        uint64_t offset = slot * sizeof(uint64_t);
        if ((known != PHT_UNKNOWN && known != offset) ||
            !is_elected(data, blocks, libc, slot, vote))
            continue;
        if (found != PHT_UNKNOWN)
            return PHT_UNKNOWN;
        found = offset;
    }
    return found;
}

bool pht_libc_slots_find(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                         struct pht_libc *libc)
{
    struct pht_libc_layout *layout = &libc->layout;
    bool has_tcache = layout->tcache_bytes != PHT_UNKNOWN;

    layout->thread_arena = elect(data, blocks, libc, layout->thread_arena, vote_thread_arena);
    layout->tcache =
        has_tcache ? elect(data, blocks, libc, layout->tcache, vote_tcache) : PHT_UNKNOWN;
    return layout->thread_arena != PHT_UNKNOWN && has_tcache == (layout->tcache != PHT_UNKNOWN);
}
