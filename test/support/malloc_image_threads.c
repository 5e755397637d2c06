#include <string.h>

#include "support/malloc_image.h"

#define LOADER ((pht_addr)0x7f3000000000)
#define LOADER_END (LOADER + 0x4000)
#define STACK_LISTS (LOADER + 0x1000 + 4264)
#define DEBUG (LOADER + 0x3000)
#define LINK_MAPS ((pht_addr)0x7f3000010000)
#define LINK_MAP_STRIDE 0x500
#define LINK_MAPS_END (LINK_MAPS + 0x2000)
#define MAIN_THREAD ((pht_addr)0x7f3100000000)
#define STACKS ((pht_addr)0x7f4000000000)
#define STACK_STRIDE 0x100000
#define STACK_BYTES 0x10000

/* Members of struct pthread and struct link_map. */
#define PTHREAD_SELF 16
#define PTHREAD_LIST 704
#define PTHREAD_TID 720
#define PTHREAD_BYTES 0x900
#define LINK_MAP_NAME 8
#define LINK_MAP_LD 16
#define LINK_MAP_NEXT 24
#define LINK_MAP_PREV 32
#define LINK_MAP_TLS_OFFSET 1144

static pht_addr thread_variable(const struct malloc_heap *heap, uint32_t thread, uint64_t offset)
{
    return heap->threads[thread].pthread - heap->traits->tls_offset + offset;
}

pht_addr malloc_image_tcache(const struct malloc_heap *heap, uint32_t thread)
{
    return thread_variable(heap, thread, heap->libc.layout.tcache);
}

pht_addr malloc_image_thread_arena(const struct malloc_heap *heap, uint32_t thread)
{
    return thread_variable(heap, thread, heap->libc.layout.thread_arena);
}

pht_addr malloc_image_entry(const struct malloc_heap *heap, uint32_t thread, uint64_t bytes)
{
    return heap->threads[thread].tcache + heap->libc.layout.tcache_entries +
           8 * (uint64_t)malloc_tcache_index(bytes);
}

pht_addr malloc_image_counter(const struct malloc_heap *heap, uint32_t thread, uint64_t bytes)
{
    return heap->threads[thread].tcache +
           heap->traits->counter_bytes * (uint64_t)malloc_tcache_index(bytes);
}

uint32_t malloc_image_count(const struct malloc_heap *heap, pht_addr counter)
{
    uint16_t value = 0;

    memcpy(&value, fake_target_bytes(heap->fake, counter, heap->traits->counter_bytes),
           heap->traits->counter_bytes);
    return value;
}

void malloc_image_set_count(struct malloc_heap *heap, pht_addr counter, uint32_t value)
{
    fake_target_put(heap->fake, counter, &value, heap->traits->counter_bytes);
}

/* ---- the loader ------------------------------------------------------------------------------ */

static void put_link_map(struct malloc_heap *heap, uint32_t i, pht_addr base, uint64_t tls_offset)
{
    pht_addr map = LINK_MAPS + i * LINK_MAP_STRIDE;
    pht_addr name = map + 0x490;

    fake_target_put_u64(heap->fake, map, base);
    fake_target_put_u64(heap->fake, map + LINK_MAP_NAME, name);
    fake_target_put_u64(heap->fake, map + LINK_MAP_LD, base + 0x1d1b00);
    if (i > 0) {
        fake_target_put_u64(heap->fake, map + LINK_MAP_PREV, map - LINK_MAP_STRIDE);
        fake_target_put_u64(heap->fake, map - LINK_MAP_STRIDE + LINK_MAP_NEXT, map);
    }
    fake_target_put_u64(heap->fake, map + LINK_MAP_TLS_OFFSET, tls_offset);
}

/* The program, a library with thread-local variables of its own, libc, and the loader. */
static void put_loader(struct malloc_heap *heap)
{
    fake_target_map(heap->fake, LOADER, LOADER_END, FAKE_FILE);
    fake_target_set_pages(heap->fake, LOADER, LOADER_END, FAKE_RESIDENT);
    fake_target_map(heap->fake, LINK_MAPS, LINK_MAPS_END, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, LINK_MAPS, LINK_MAPS_END, FAKE_RESIDENT);
    fake_target_put_u32(heap->fake, DEBUG, 1);
    fake_target_put_u64(heap->fake, DEBUG + 8, LINK_MAPS);
    put_link_map(heap, 0, 0x555555554000, 0);
    put_link_map(heap, 1, 0x7f2100000000, 0x20);
    put_link_map(heap, 2, heap->libc.bias, heap->traits->tls_offset);
    put_link_map(heap, 3, LOADER, UINT64_MAX);
    heap->libc.threads = (struct pht_thread_layout){
        .known = true,
        .stack_lists = {STACK_LISTS, STACK_LISTS + 16},
        .pthread_list = PTHREAD_LIST,
        .pthread_tid = PTHREAD_TID,
        .debug = DEBUG,
        .link_map_tls_offset = LINK_MAP_TLS_OFFSET,
    };
}

/* ---- threads --------------------------------------------------------------------------------- */

static void map_thread(struct malloc_heap *heap, uint32_t i)
{
    pht_addr start = i == 0 ? MAIN_THREAD : STACKS + i * (pht_addr)STACK_STRIDE;
    pht_addr end = start + STACK_BYTES;

    fake_target_map(heap->fake, start, end, FAKE_PRIVATE);
    fake_target_set_pages(heap->fake, end - 2 * PHT_PAGE_BYTES, end, FAKE_RESIDENT);
    heap->threads[i].pthread = end - PTHREAD_BYTES - 64;
    fake_target_put_u64(heap->fake, heap->threads[i].pthread, heap->threads[i].pthread);
    fake_target_put_u64(heap->fake, heap->threads[i].pthread + PTHREAD_SELF,
                        heap->threads[i].pthread);
    fake_target_put_u32(heap->fake, heap->threads[i].pthread + PTHREAD_TID,
                        (uint32_t)heap->threads[i].tid);
}

/* At the head of a list, as glibc puts new threads. */
static void list_thread(struct malloc_heap *heap, uint32_t i)
{
    pht_addr head = heap->libc.threads.stack_lists[i == 0];
    pht_addr node = heap->threads[i].pthread + PTHREAD_LIST;
    pht_addr next = fake_target_u64(heap->fake, head);

    fake_target_put_u64(heap->fake, node, next);
    fake_target_put_u64(heap->fake, node + 8, head);
    fake_target_put_u64(heap->fake, next + 8, node);
    fake_target_put_u64(heap->fake, head, node);
}

static void put_variables(struct malloc_heap *heap, uint32_t i)
{
    const struct malloc_thread *thread = &heap->threads[i];
    pht_addr tcache = thread->tcache;

    if (heap->libc.layout.tcache != PHT_UNKNOWN) {
        if (tcache == 0 && heap->traits->has_dummy_tcache)
            tcache = malloc_image_dummy(heap);
        fake_target_put_u64(heap->fake, malloc_image_tcache(heap, i), tcache);
    }
    if (heap->libc.layout.thread_arena != PHT_UNKNOWN && thread->arena != MALLOC_NONE)
        fake_target_put_u64(heap->fake, malloc_image_thread_arena(heap, i),
                            heap->arenas[thread->arena].address);
}

/* ---- tcaches --------------------------------------------------------------------------------- */

static void put_empty_tcache(struct malloc_heap *heap, uint32_t i)
{
    pht_addr tcache = heap->threads[i].tcache;
    uint32_t bins = heap->traits->tcache_bins;

    for (uint32_t bin = 0; bin < bins; bin++) {
        malloc_image_set_count(heap, tcache + heap->traits->counter_bytes * bin,
                               heap->traits->counts_free_slots ? heap->tcache_count : 0);
        fake_target_put_u64(heap->fake, tcache + heap->libc.layout.tcache_entries + 8 * bin, 0);
    }
}

static void put_tcache_chunk(struct malloc_heap *heap, const struct malloc_chunk *chunk)
{
    pht_addr entry = malloc_image_entry(heap, chunk->thread, chunk->bytes);
    pht_addr counter = malloc_image_counter(heap, chunk->thread, chunk->bytes);
    pht_addr user = chunk->address + 16;
    uint64_t key = heap->threads[chunk->thread].tcache;

    if (heap->traits->key == MALLOC_KEY_RANDOM)
        key = fake_target_u64(heap->fake, heap->libc.bias + heap->libc.layout.tcache_key);
    fake_target_put_u64(heap->fake, user,
                        malloc_image_link(heap, user, fake_target_u64(heap->fake, entry)));
    if (heap->libc.layout.tcache_entry_key != PHT_UNKNOWN)
        fake_target_put_u64(heap->fake, user + heap->libc.layout.tcache_entry_key, key);
    fake_target_put_u64(heap->fake, entry, user);
    malloc_image_set_count(heap, counter,
                           malloc_image_count(heap, counter) +
                               (heap->traits->counts_free_slots ? UINT32_MAX : 1));
}

void malloc_image_threads(struct malloc_heap *heap)
{
    put_loader(heap);
    for (int i = 0; i < 2; i++) {
        pht_addr head = heap->libc.threads.stack_lists[i];
        fake_target_put_u64(heap->fake, head, head);
        fake_target_put_u64(heap->fake, head + 8, head);
    }
    for (uint32_t i = 0; i < heap->thread_count; i++) {
        map_thread(heap, i);
        list_thread(heap, i);
        put_variables(heap, i);
        if (heap->threads[i].tcache != 0)
            put_empty_tcache(heap, i);
    }
    for (size_t i = 0; i < heap->chunks.count; i++) {
        if (heap->chunks.items[i].kind == MALLOC_TCACHE)
            put_tcache_chunk(heap, &heap->chunks.items[i]);
    }
}
