/*
 * Frames of Python functions, 3.11 and later: each thread state has a chain of chunks that come
 * from the allocator of arenas, which is mmap(2) (Python/pystate.c, push_chunk(), 3.11 to 3.15).
 *
 *     PyThreadState.datastack_chunk -> {previous, size, top, data ...} -> ... -> 0
 *
 * A chunk has 16 KiB or that times a power of two, its head included.
 *
 * From 3.12 on the child of a fork forgets the chunks of the threads that it does not have. They
 * are told by their heads, where nobody else claims the memory.
 */
#include "walk/circle.h"
#include "walk/field.h"
#include "walk/interpreter.h"
#include "walk/regions.h"
#include "walk/word_reader.h"

/* Threads of all interpreters; a longer list is damaged, or a circle. */
#define THREADS_MAX 65536

/* Chunks of all threads: 4 GiB of the smallest. */
#define CHUNKS_MAX ((uint32_t)1 << 18)

#define CHUNK_BYTES_MIN ((uint64_t)16384)

/* A larger chunk would hold a frame of a million variables. */
#define CHUNK_BYTES_MAX ((uint64_t)256 << 20)

struct frames {
    struct pht_region_walk *walk;
    const struct pht_python_layout *layout;
    uint32_t threads;
    uint32_t chunks;
};

static bool is_chunk(const struct frames *frames, pht_addr chunk, uint64_t bytes)
{
    const struct pht_mapping *mapping = pht_maps_find(frames->walk->maps, chunk);

    return chunk % PHT_PAGE_BYTES == 0 && bytes >= PHT_PAGE_BYTES && bytes % PHT_PAGE_BYTES == 0 &&
           bytes <= CHUNK_BYTES_MAX && mapping != NULL && pht_region_is_private(mapping) &&
           mapping->writable && bytes <= mapping->end - chunk;
}

static bool add_chain(struct frames *frames, pht_addr chunk, pid_t tid)
{
    const struct pht_python_layout *layout = frames->layout;
    struct pht_circle circle = {0};

    while (chunk != 0 && frames->chunks < CHUNKS_MAX && !pht_circle_closes(&circle, chunk)) {
        char bytes[PHT_COPIED_STRUCT_MAX];
        if (chunk % PHT_PAGE_BYTES != 0 || chunk > PHT_USER_ADDR_MAX ||
            pht_snapshot_read(frames->walk->snapshot, chunk, bytes, layout->frames_bytes) !=
                PHT_READ_OK)
            break;
        uint64_t size = pht_field_u64(bytes, layout->frames_size);
        if (!is_chunk(frames, chunk, size))
            break;
        if (!pht_region_add(frames->walk, chunk, chunk + size, PHT_REGION_FRAMES, tid))
            return false;
        frames->chunks++;
        chunk = pht_field_u64(bytes, layout->frames_previous);
    }
    return true;
}

/* ---- through threads ---------------------------------------------------------------------- */

static bool add_thread(struct frames *frames, pht_addr thread)
{
    const struct pht_python_layout *layout = frames->layout;
    uint64_t chunk, tid = 0;

    if (layout->thread_native_id != PHT_UNKNOWN &&
        (!pht_word_read_at(frames->walk->snapshot, thread + layout->thread_native_id, &tid) ||
         tid > INT32_MAX))
        tid = 0;
    if (pht_word_read_at(frames->walk->snapshot, thread + layout->thread_frames, &chunk) &&
        !add_chain(frames, chunk, (pid_t)tid))
        return false;
    return layout->thread_spare_frames == PHT_UNKNOWN ||
           !pht_word_read_at(frames->walk->snapshot, thread + layout->thread_spare_frames,
                             &chunk) ||
           add_chain(frames, chunk, (pid_t)tid);
}

static bool add_interpreter(struct frames *frames, pht_addr interpreter)
{
    const struct pht_python_layout *layout = frames->layout;
    struct pht_circle circle = {0};
    pht_addr thread;

    if (!pht_word_read_at(frames->walk->snapshot, interpreter + layout->interp_threads_head,
                          &thread))
        return true;
    for (; thread != 0 && frames->threads < THREADS_MAX && !pht_circle_closes(&circle, thread);
         frames->threads++) {
        if (!add_thread(frames, thread))
            return false;
        if (!pht_word_read_at(frames->walk->snapshot, thread + layout->thread_next, &thread))
            break;
    }
    return true;
}

static bool has_frames(const struct pht_python_layout *layout)
{
    const uint64_t values[] = {
        layout->interp_threads_head, layout->thread_next,     layout->thread_frames,
        layout->frames_bytes,        layout->frames_previous, layout->frames_size,
    };

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (values[i] == PHT_UNKNOWN)
            return false;
    }
    return layout->frames_bytes <= PHT_COPIED_STRUCT_MAX;
}

bool pht_regions_find_frames(struct pht_region_walk *walk)
{
    struct frames frames = {.walk = walk};
    struct pht_interpreters interpreters;
    pht_addr interpreter;

    if (walk->python == NULL || !has_frames(&walk->python->layout))
        return true;
    frames.layout = &walk->python->layout;
    pht_interpreters_begin(&interpreters, walk->snapshot, walk->python);
    while ((interpreter = pht_interpreters_next(&interpreters)) != 0) {
        if (!add_interpreter(&frames, interpreter))
            return false;
    }
    return true;
}

/* ---- of threads that are gone ------------------------------------------------------------- */

/* Pages that nobody claims; more of them are of something else. */
#define LOST_PAGES_MAX 65536

/* Words: where the chunk before is, bytes, words in use. */
static bool is_head(const struct frames *frames, pht_addr chunk, const char *head)
{
    const struct pht_python_layout *layout = frames->layout;
    uint64_t bytes = pht_field_u64(head, layout->frames_size);
    pht_addr previous = pht_field_u64(head, layout->frames_previous);
    uint64_t words = pht_field_u64(head, layout->frames_top);

    return bytes >= CHUNK_BYTES_MIN && pht_is_power_of_two(bytes) &&
           is_chunk(frames, chunk, bytes) && words < bytes / sizeof(uint64_t) &&
           previous % PHT_PAGE_BYTES == 0 && previous <= PHT_USER_ADDR_MAX &&
           pht_owners_unclaimed(frames->walk->owners, chunk, chunk + bytes) ==
               pht_owners_resident(frames->walk->owners, chunk, chunk + bytes);
}

/* All chunks that begin in a mapping. */
static bool add_lost(struct frames *frames, const struct pht_mapping *mapping, uint32_t *pages)
{
    struct pht_region_walk *walk = frames->walk;
    pht_addr page = mapping->start, next;

    for (; (page = pht_owners_next_page(walk->owners, page, mapping->end)) < mapping->end &&
           *pages < LOST_PAGES_MAX;
         page = next) {
        char head[PHT_COPIED_STRUCT_MAX];
        next = page + PHT_PAGE_BYTES;
        if (pht_owners_page(walk->owners, page) != PHT_CATEGORY_UNATTRIBUTED)
            continue;
        ++*pages;
        if (pht_snapshot_read(walk->snapshot, page, head, frames->layout->frames_bytes) !=
                PHT_READ_OK ||
            !is_head(frames, page, head))
            continue;
        next = page + pht_field_u64(head, frames->layout->frames_size);
        if (!pht_region_add(walk, page, next, PHT_REGION_FRAMES, 0))
            return false;
    }
    return true;
}

bool pht_regions_find_lost_frames(struct pht_region_walk *walk)
{
    struct frames frames = {.walk = walk};
    uint32_t pages = 0;

    if (walk->python == NULL || !has_frames(&walk->python->layout) ||
        walk->python->layout.frames_top == PHT_UNKNOWN)
        return true;
    frames.layout = &walk->python->layout;
    for (size_t i = 0; i < walk->maps->count; i++) {
        const struct pht_mapping *mapping = &walk->maps->items[i];
        if (mapping->writable && pht_region_is_private(mapping) &&
            !add_lost(&frames, mapping, &pages))
            return false;
    }
    return true;
}
