/*
 * Objects of all kinds that have a rule of their own, their types and the names of those, in
 * pymalloc's blocks and in chunks of malloc. Whatever is damaged: the census ends, reads nothing
 * that it may not read, its rows add up to its totals, and what owners are told adds up to the
 * pages.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/patches.h"
#include "support/heap_random.h"
#include "support/object_heap.h"
#include "support/owned.h"
#include "walk/census.h"

#define BLOCK_BYTES 256
#define BLOCKS_EACH 5
#define CHUNK_BYTES 1040
#define CHUNKS 48
#define READS_MAX 100000

static const struct {
    uint8_t major, minor;
} versions[] = {{2, 7}, {3, 6}, {3, 8}, {3, 10}, {3, 11}, {3, 12}, {3, 13}, {3, 15}};

#define VERSIONS (sizeof(versions) / sizeof(versions[0]))

/* Sizes are at least what the kinds need. */
static const struct {
    const char *name;
    uint64_t flags;
    uint64_t basicsize;
    uint64_t itemsize;
} kinds[] = {
    {"list", OBJECTS_GC | OBJECTS_LIST, 40, 0},
    {"tuple", OBJECTS_GC | 1 << 26, 24, 8},
    {"int", 1 << 24, 24, 4},
    {"bytes", OBJECTS_BYTES, 33, 1},
    {"dict", OBJECTS_GC | OBJECTS_DICT, 48, 0},
    {"str", OBJECTS_STR, 80, 0},
    {"set", OBJECTS_GC, 200, 0},
    {"frozenset", OBJECTS_GC, 200, 0},
    {"bytearray", 0, 56, 0},
    {"array.array", 0, 64, 0},
    {"collections.deque", OBJECTS_GC, 232, 0},
    {"mmap.mmap", 0, 64, 0},
    {"_io.BufferedReader", OBJECTS_GC, 176, 0},
    {"_io.BytesIO", OBJECTS_GC, 80, 0},
    {"_io.StringIO", OBJECTS_GC, 128, 0},
    {"_ctypes._CData", OBJECTS_GC, 128, 0},
    {"numpy.ndarray", 0, 96, 0},
    {"zlib.Compress", 0, 200, 0},
    {"zlib.Decompress", 0, 200, 0},
    {"zlib._ZlibDecompressor", 0, 216, 0},
    {"_bz2.BZ2Compressor", 0, 120, 0},
    {"_bz2.BZ2Decompressor", 0, 168, 0},
    {"_lzma.LZMACompressor", 0, 200, 0},
    {"_lzma.LZMADecompressor", 0, 232, 0},
    {"_pickle.Pickler", OBJECTS_GC, 160, 0},
    {"_pickle.Unpickler", OBJECTS_GC, 240, 0},
    {"_pickle.Pdata", 0, 56, 8},
    {"collections.OrderedDict", OBJECTS_GC | OBJECTS_DICT, 112, 0},
    {"code", 0, 200, 1},
    {"frame", OBJECTS_GC, 200, 8},
    {"generator", OBJECTS_GC, 160, 8},
    {"shop.Item", OBJECTS_GC | OBJECTS_INLINE_VALUES | OBJECTS_MANAGED_DICT, 32, 0},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct image {
    struct object_heap *heap;
    pht_addr types[KINDS];
    pht_addr pools[KINDS]; /* their first blocks */
};

static struct image images[VERSIONS];

static pht_addr chunk(unsigned number)
{
    return OBJECT_HEAP_CHUNKS + 16 + number % CHUNKS * (pht_addr)CHUNK_BYTES;
}

static pht_addr block(const struct image *image, unsigned number)
{
    return image->pools[number % KINDS] + number / KINDS % BLOCKS_EACH * (pht_addr)BLOCK_BYTES;
}

/* Small numbers, and addresses of blocks, chunks and types: as the members of objects are. */
static uint64_t random_word(const struct image *image, struct heap_random *random)
{
    unsigned number = heap_random_below(random, 1000);

    switch (heap_random_below(random, 8)) {
    case 0:
        return chunk(number);
    case 1:
        return block(image, number) + 16;
    case 2:
        return image->types[number % KINDS];
    case 3:
        return number;
    case 4:
        return number % 16;
    default:
        return 0;
    }
}

static void put_object(const struct image *image, size_t kind, pht_addr at, size_t bytes,
                       struct heap_random *random)
{
    struct fake_target *fake = image->heap->objects->fake;
    pht_addr object = at + (kinds[kind].flags & OBJECTS_GC ? 16 : 0);

    for (pht_addr word = at; word + 8 <= at + bytes; word += 8)
        fake_target_put_u64(fake, word, random_word(image, random));
    object_heap_put_object(image->heap, object, 1 + heap_random_below(random, 4),
                           image->types[kind]);
}

static void make_image(struct image *image, unsigned major, unsigned minor)
{
    struct heap_random random = {.state = 100 * major + minor};

    image->heap = object_heap_create_of(major, minor);
    for (size_t i = 0; i < KINDS; i++) {
        image->types[i] = objects_type(
            image->heap->objects, &(struct objects_type){
                                      .name = kinds[i].name,
                                      .flags = kinds[i].flags,
                                      .basicsize = kinds[i].basicsize,
                                      .itemsize = kinds[i].itemsize,
                                      .attributes = kinds[i].flags & OBJECTS_INLINE_VALUES ? 5 : 0,
                                  });
        image->pools[i] = object_heap_add_pool(image->heap, BLOCK_BYTES, BLOCKS_EACH);
    }
    for (size_t i = 0; i < KINDS; i++) {
        for (unsigned n = 0; n < BLOCKS_EACH; n++)
            put_object(image, i, image->pools[i] + n * (pht_addr)BLOCK_BYTES, BLOCK_BYTES, &random);
        put_object(image, i, chunk((unsigned)i), CHUNK_BYTES - 16, &random);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < VERSIONS; i++)
        make_image(&images[i], versions[i].major, versions[i].minor);
    return 0;
}

static pht_addr place(void *context, unsigned kind, unsigned number, unsigned offset)
{
    const struct image *image = context;

    switch (kind % 8) {
    case 0:
    case 1:
    case 2:
        return block(image, number) + offset % (BLOCK_BYTES / 8) * 8;
    case 3:
        return chunk(number) + offset % CHUNK_BYTES;
    case 4:
        return image->types[number % KINDS] + offset % (960 / 8) * 8;
    case 5: /* pool header */
        return image->pools[number % KINDS] - 48 + offset % 48;
    case 6: /* names, keys */
        return OBJECTS_HEAP + offset;
    default:
        return fuzz_place_anywhere(image->heap->objects->fake, number, offset);
    }
}

static const unsigned char *head(const struct image *image, pht_addr memory)
{
    return fake_target_bytes(image->heap->objects->fake, memory, PHT_CENSUS_HEAD_BYTES);
}

static void walk_chunks(const struct image *image, struct pht_census *census)
{
    for (unsigned i = 0; i < CHUNKS; i++) {
        const unsigned char *bytes = head(image, chunk(i));
        if (pht_census_wants(census, chunk(i), bytes, PHT_CENSUS_HEAD_BYTES) &&
            pht_census_count_chunk(census, chunk(i), CHUNK_BYTES, bytes, PHT_CENSUS_HEAD_BYTES))
            continue;
        pht_census_pass_chunk(census, chunk(i), CHUNK_BYTES, bytes, PHT_CENSUS_HEAD_BYTES);
    }
}

static void check_sums(const struct pht_objects *objects)
{
    struct pht_type_sum sum = {0};

    for (size_t i = 0; i < objects->type_count; i++) {
        ck_assert(objects->types[i].objects > 0 && objects->types[i].name != NULL &&
                  objects->types[i].max_bytes <= objects->types[i].size_bytes &&
                  objects->types[i].gc_tracked <= objects->types[i].objects);
        pht_type_sum_add(&sum, &objects->types[i]);
    }
    ck_assert(sum.objects == objects->totals.objects &&
              sum.size_bytes == objects->totals.size_bytes &&
              sum.allocated_bytes == objects->totals.allocated_bytes);
    ck_assert(objects->blocks.objects.count + objects->chunks.objects.count == sum.objects);
    ck_assert(objects->largest_count <= PHT_LARGE_OBJECTS_MAX);
    for (size_t i = 0; i < objects->largest_count; i++)
        ck_assert(objects->largest[i].type < objects->type_count &&
                  objects->largest[i].preview_bytes <= PHT_PREVIEW_BYTES);
}

static bool freeze_nothing(struct pht_snapshot *snapshot, void *context)
{
    (void)snapshot;
    (void)context;
    return true;
}

static void take(const struct image *image, const struct pht_census_options *options)
{
    const struct pht_snapshot_options no_stop = {.stop = PHT_STOP_NONE};
    struct pht_snapshot *snapshot;
    struct owned owned;
    bool out_of_memory;

    ck_assert_ptr_null(pht_snapshot_take(image->heap->objects->fake->target, &no_stop,
                                         freeze_nothing, NULL, &snapshot));
    owned_begin(&owned, image->heap->objects->fake, snapshot);
    struct pht_census *census =
        pht_census_begin(snapshot, &image->heap->roots, &image->heap->pymalloc, owned.owners,
                         options, &out_of_memory);
    ck_assert(census != NULL);
    walk_chunks(image, census);
    struct pht_objects *objects = pht_census_end(census, NULL);
    ck_assert(objects != NULL);
    check_sums(objects);
    owned_check_sums(&owned);
    pht_objects_destroy(objects);
    owned_end(&owned);
    pht_snapshot_destroy(snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct fuzz_input input = {.bytes = bytes, .size = size};
    struct image *image = &images[fuzz_take(&input, 1) % VERSIONS];
    struct fake_target *fake = image->heap->objects->fake;
    const struct pht_census_options options = {.previews = fuzz_take(&input, 1) % 2 == 0};
    struct fuzz_patches patches;

    fake_target_reset_record(fake);
    fuzz_patches_begin(&patches, fake, &input, place, image);
    take(image, &options);
    ck_assert_msg(fake->forbidden_reads == 0, "read of 0x%lx, which was not to be touched",
                  (unsigned long)fake->first_forbidden);
    ck_assert_uint_lt(fake->read_count, READS_MAX);
    fuzz_patches_undo(&patches);
    return 0;
}
