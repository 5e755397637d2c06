/*
 * Frames of Python functions, 3.11 and later: each thread state has a chain of chunks that come
 * from the allocator of arenas, which is mmap(2) (Python/pystate.c, push_chunk(), 3.11 to 3.15).
 *
 *     PyThreadState.datastack_chunk -> {previous, size, top, data ...} -> ... -> 0
 *
 * A chunk has 16 KiB or that times a power of two, its head included.
 */
#include "walk/circle.h"
#include "walk/field.h"
#include "walk/interpreter.h"
#include "walk/regions.h"

/* Threads of all interpreters; a longer list is damaged, or a circle. */
#define THREADS_MAX 65536

/* Chunks of all threads: 4 GiB of the smallest. */
#define CHUNKS_MAX ((uint32_t)1 << 18)

/* A larger chunk would hold a frame of a million variables. */
#define CHUNK_BYTES_MAX ((uint64_t)256 << 20)

struct frames {
    struct pht_region_walk *walk;
    const struct pht_python_layout *layout;
    uint32_t threads;
    uint32_t chunks;
};

static bool read_word(const struct frames *frames, pht_addr addr, uint64_t *ret)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX &&
           pht_snapshot_read(frames->walk->snapshot, addr, ret, sizeof(*ret)) == PHT_READ_OK;
}

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

static bool add_thread(struct frames *frames, pht_addr thread)
{
    const struct pht_python_layout *layout = frames->layout;
    uint64_t chunk, tid = 0;

    if (layout->thread_native_id != PHT_UNKNOWN &&
        (!read_word(frames, thread + layout->thread_native_id, &tid) || tid > INT32_MAX))
        tid = 0;
    if (read_word(frames, thread + layout->thread_frames, &chunk) &&
        !add_chain(frames, chunk, (pid_t)tid))
        return false;
    return layout->thread_spare_frames == PHT_UNKNOWN ||
           !read_word(frames, thread + layout->thread_spare_frames, &chunk) ||
           add_chain(frames, chunk, (pid_t)tid);
}

static bool add_interpreter(struct frames *frames, pht_addr interpreter)
{
    const struct pht_python_layout *layout = frames->layout;
    struct pht_circle circle = {0};
    pht_addr thread;

    if (!read_word(frames, interpreter + layout->interp_threads_head, &thread))
        return true;
    for (; thread != 0 && frames->threads < THREADS_MAX && !pht_circle_closes(&circle, thread);
         frames->threads++) {
        if (!add_thread(frames, thread))
            return false;
        if (!read_word(frames, thread + layout->thread_next, &thread))
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
