/*
 * Interpreters and what they lead to: threads, chunks of frames, tables of interned strings, the
 * collector with its lists, counters of free lists. Whatever is damaged: walks end, read nothing
 * that they may not read, and what owners are told adds up to the pages.
 */
#include <check.h>
#include <stdlib.h>

#include "fuzz/patches.h"
#include "support/region_walk.h"

#define PAGE ((pht_addr)PHT_PAGE_BYTES)
#define BIAS ((uint64_t)0x7f0000000000)
#define RUNTIME ((pht_addr)0x7f1000000000)
#define INTERPRETERS (RUNTIME + PAGE)
#define INTERPRETER_COUNT 3
#define THREADS (INTERPRETERS + INTERPRETER_COUNT * PAGE)
#define THREAD_BYTES 512
#define THREAD_COUNT 4 /* of each interpreter */
#define LIST (THREADS + 2 * PAGE)
#define LIST_TYPE (LIST + 64)
#define DICTS (LIST + PAGE)
#define STRUCTS_END (DICTS + INTERPRETER_COUNT * 2 * PAGE)
#define OBJECTS ((pht_addr)0x7f2000000000)
#define OBJECT_BYTES 32
#define OBJECTS_END (OBJECTS + 16 * PAGE)
#define CHUNKS ((pht_addr)0x7f3000000000)
#define CHUNK_BYTES ((uint64_t)16384)
#define CHUNK_COUNT 24
#define READS_MAX 100000
#define ROUNDS_TO_CHECK 1000

/* Of an interpreter. */
enum offset {
    NEXT = 8,
    ID = 16,
    INTERNED = 24,
    THREADS_HEAD = 32,
    FREE = 64,
    GC = 512,
};

/* Of its collector. */
enum gc_offset {
    ENABLED = 12,
    GENERATIONS = 24,
    GENERATION0 = 96,
    PERMANENT = 104,
    STATS = 128,
    GARBAGE = 208,
    CALLBACKS = 216,
};

/* Of a thread, whose first word is the one before it. */
enum thread_offset { THREAD_NEXT = 8, NATIVE_ID = 160, FRAMES = 232 };

static struct region_walk image;

static void put(pht_addr addr, uint64_t value)
{
    fake_target_put_u64(image.fake, addr, value);
}

static pht_addr interpreter(unsigned number)
{
    return INTERPRETERS + number % INTERPRETER_COUNT * PAGE;
}

static pht_addr thread(unsigned number)
{
    return THREADS + number % (INTERPRETER_COUNT * THREAD_COUNT) * THREAD_BYTES;
}

static pht_addr chunk(unsigned number)
{
    return CHUNKS + number % CHUNK_COUNT * CHUNK_BYTES;
}

static pht_addr object(unsigned number)
{
    return OBJECTS + number % ((OBJECTS_END - OBJECTS) / OBJECT_BYTES) * OBJECT_BYTES;
}

static pht_addr dict(unsigned number)
{
    return DICTS + number % INTERPRETER_COUNT * 2 * PAGE;
}

/* ---- a whole one ---------------------------------------------------------------------------- */

static void describe_layout(struct pht_python_layout *layout)
{
    layout->runtime = RUNTIME - BIAS;
    layout->runtime_interpreters_head = 40;
    layout->runtime_interpreters_main = 48;
    layout->interp_next = NEXT;
    layout->interp_id = ID;
    layout->interp_interned = INTERNED;
    layout->interp_threads_head = THREADS_HEAD;
    layout->thread_next = THREAD_NEXT;
    layout->thread_native_id = NATIVE_ID;
    layout->thread_frames = FRAMES;
    layout->frames_bytes = 32;
    layout->frames_previous = 0;
    layout->frames_size = 8;
    layout->free_floats = FREE;
    layout->free_lists = FREE + 8;
    layout->free_frames = FREE + 16;
    layout->free_tuples = FREE + 24;
    layout->free_tuples_bytes = 80;
    layout->interp_gc = GC;
    layout->gc_enabled = ENABLED;
    layout->gc_generations = GENERATIONS;
    layout->gc_generations_bytes = 72;
    layout->gc_generation0 = GENERATION0;
    layout->gc_permanent = PERMANENT;
    layout->gc_stats = STATS;
    layout->gc_stats_bytes = 72;
    layout->gc_garbage = GARBAGE;
    layout->gc_callbacks = CALLBACKS;
    layout->gc_stat_bytes = 24;
    layout->gc_stat_collections = 0;
    layout->gc_stat_collected = 8;
    layout->gc_stat_uncollectable = 16;
}

/* Heads that lead to each other and back, from object number `first` on. */
static void put_ring(pht_addr head, unsigned first, unsigned count)
{
    pht_addr at = head;

    for (unsigned i = 0; i <= count; i++) {
        pht_addr next = i == count ? head : object(first + i);
        put(at, next);
        put(next + 8, at);
        at = next;
    }
}

static void put_collector(unsigned number)
{
    pht_addr gc = interpreter(number) + GC;

    fake_target_put_u32(image.fake, gc + ENABLED, 1);
    put(gc + GENERATION0, gc + GENERATIONS);
    for (unsigned i = 0; i < 3; i++) {
        put_ring(gc + GENERATIONS + 24 * i, 600 * number + 40 * i, 10 + 13 * i);
        fake_target_put_u32(image.fake, gc + GENERATIONS + 24 * i + 16, 700);
        fake_target_put_u32(image.fake, gc + GENERATIONS + 24 * i + 20, 30 + i);
        put(gc + STATS + 24 * i, 100 * i);
    }
    put_ring(gc + PERMANENT, 600 * number + 200, 4);
    put(gc + GARBAGE, LIST);
    put(gc + CALLBACKS, LIST);
}

static void put_threads(unsigned number)
{
    put(interpreter(number) + THREADS_HEAD, thread(THREAD_COUNT * number));
    for (unsigned i = 0; i < THREAD_COUNT; i++) {
        unsigned all = THREAD_COUNT * number + i;
        put(thread(all) + THREAD_NEXT, i + 1 < THREAD_COUNT ? thread(all + 1) : 0);
        put(thread(all) + NATIVE_ID, 4321 + all);
        put(thread(all) + FRAMES, chunk(2 * all));
        put(chunk(2 * all), chunk(2 * all + 1));
        put(chunk(2 * all) + 8, CHUNK_BYTES);
        put(chunk(2 * all + 1), 0);
        put(chunk(2 * all + 1) + 8, CHUNK_BYTES);
    }
}

/* Keys of 3.11 and later: 64 slots, entries of two words. */
static void put_interned(unsigned number)
{
    pht_addr keys = dict(number) + PAGE;

    put(interpreter(number) + INTERNED, dict(number));
    put(dict(number) + 32, keys);
    put(keys, 1);
    put(keys + 8, 6 | 6 << 8 | 1 << 16);
    put(keys + 16, 22);
    put(keys + 24, 20);
    for (unsigned i = 0; i < 20; i++) {
        put(keys + 96 + 16 * i, object(i));
        put(keys + 104 + 16 * i, object(i));
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    region_walk_init(&image);
    image.python.version = (struct pht_version){3, 12, 1};
    image.python.bias = BIAS;
    describe_layout(&image.python.layout);
    region_walk_map(&image, RUNTIME, STRUCTS_END, FAKE_PRIVATE);
    region_walk_map(&image, OBJECTS, OBJECTS_END, FAKE_PRIVATE);
    region_walk_map(&image, CHUNKS, chunk(CHUNK_COUNT - 1) + CHUNK_BYTES, FAKE_PRIVATE);
    put(RUNTIME + 40, INTERPRETERS);
    put(RUNTIME + 48, INTERPRETERS);
    put(LIST + PHT_OBJECT_TYPE, LIST_TYPE);
    put(LIST + PHT_OBJECT_SIZE, 5);
    put(LIST_TYPE + PHT_TYPE_FLAGS, PHT_TYPE_LIST_SUBCLASS);
    for (unsigned i = 0; i < INTERPRETER_COUNT; i++) {
        put(interpreter(i) + NEXT, i + 1 < INTERPRETER_COUNT ? interpreter(i + 1) : 0);
        put(interpreter(i) + ID, i);
        put(interpreter(i) + FREE, 7);
        put_collector(i);
        put_threads(i);
        put_interned(i);
    }
    return 0;
}

/* ---- looking at it -------------------------------------------------------------------------- */

static pht_addr place(void *context, unsigned kind, unsigned number, unsigned offset)
{
    const struct region_walk *walk = context;

    switch (kind % 10) {
    case 0:
        return RUNTIME + offset % 64;
    case 1:
        return interpreter(number) + offset % 256;
    case 2:
    case 3:
        return interpreter(number) + GC + offset % 256;
    case 4:
        return thread(number) + offset % THREAD_BYTES;
    case 5:
        return chunk(number) + offset % 32;
    case 6:
        return object(number);
    case 7:
        return dict(number) + offset % 64;
    case 8:
        return dict(number) + PAGE + offset % 256;
    default:
        return fuzz_place_anywhere(walk->fake, number, offset);
    }
}

static void check_gc(struct region_walk *walk, uint64_t tracked)
{
    struct pht_gc *gc;

    ck_assert(pht_gc_walk(walk->snapshot, &walk->python, tracked, &gc));
    free(gc);
}

static void check_lists(struct region_walk *walk)
{
    struct pht_freelists lists;

    pht_freelists_read(walk->snapshot, &walk->python, &lists);
    ck_assert_uint_le(lists.count, PHT_FREELISTS_MAX);
}

/* What a run made is released; the image stays. */
static void forget(void)
{
    free(image.regions.items);
    image.regions = (struct pht_regions){0};
    owned_end(&image.owned);
    pht_snapshot_destroy(image.snapshot);
    image.snapshot = NULL;
}

/* All of it is found. */
static void check_whole(void)
{
    struct pht_gc *gc;

    image.python.version.minor = 12;
    region_walk_begin(&image);
    ck_assert(pht_gc_walk(image.snapshot, &image.python, PHT_UNKNOWN, &gc));
    ck_assert_ptr_nonnull(gc);
    ck_assert_uint_eq(gc->generations[2].objects, 36);
    ck_assert_uint_eq(gc->torn_lists, 0);
    free(gc);
    region_walk_run(&image);
    ck_assert_uint_eq(region_walk_count(&image, PHT_REGION_FRAMES), CHUNK_COUNT);
    ck_assert_uint_eq(region_walk_count(&image, PHT_REGION_INTERNED), INTERPRETER_COUNT);
    forget();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    static unsigned rounds;
    static const uint8_t minors[] = {7, 11, 12, 13, 15};
    struct fuzz_patches patches;

    image.python.version.minor = minors[fuzz_take(&input, 1) % sizeof(minors)];
    uint64_t tracked = fuzz_take(&input, 1);
    fake_target_reset_record(image.fake);
    fuzz_patches_begin(&patches, image.fake, &input, place, &image);
    region_walk_begin(&image);
    check_gc(&image, tracked != 0 ? tracked : PHT_UNKNOWN);
    check_lists(&image);
    region_walk_run(&image);
    ck_assert_uint_lt(image.fake->read_count, READS_MAX);
    forget();
    fuzz_patches_undo(&patches);
    if (rounds++ % ROUNDS_TO_CHECK == 0)
        check_whole();
    return 0;
}
