/* The census: objects in blocks of pymalloc and in chunks of malloc. */
#include "walk/census.h"

#include <string.h>

#include "support/heap.h"
#include "support/objects.h"
#include "support/owned.h"
#include "support/suite.h"

#define ARENA ((pht_addr)0x7f5500000000)
#define ARENA_BYTES ((uint64_t)256 << 10)
#define POOL_BYTES ((uint64_t)16 << 10)
#define CHUNKS ((pht_addr)0x7f6600000000)

static const struct pht_census_options with_previews = {.previews = true};
static const struct pht_census_options without_previews = {.previews = false};

static struct objects *objects;
static struct pht_pymalloc_roots roots;
static struct pht_pymalloc pymalloc;
static struct pht_arena arena;
static uint8_t pool_classes[ARENA_BYTES / POOL_BYTES];
static struct pht_objects *found;
static pht_addr list_type;
static pht_addr class_type;
static uint32_t pools;

/* ---- a heap ------------------------------------------------------------------------------- */

static void describe(struct pht_python_layout *layout)
{
    layout->pool_header_bytes = POOL_HEADER_BYTES;
    layout->pool_count = POOL_COUNT;
    layout->pool_freeblock = POOL_FREEBLOCK;
    layout->pool_arenaindex = POOL_ARENAINDEX;
    layout->pool_szidx = POOL_SZIDX;
    layout->pool_nextoffset = POOL_NEXTOFFSET;
    layout->pool_maxnextoffset = POOL_MAXNEXTOFFSET;
}

static void setup(void)
{
    objects = objects_create(3, 11);
    list_type = objects_type(objects, &(struct objects_type){
                                          .name = "list",
                                          .flags = OBJECTS_GC | OBJECTS_LIST,
                                          .basicsize = 40,
                                      });
    class_type =
        objects_type(objects, &(struct objects_type){.name = "shop.Item", .basicsize = 64});
    describe(&objects->python.layout);
    fake_target_map(objects->fake, ARENA, ARENA + ARENA_BYTES, FAKE_PRIVATE);
    fake_target_map(objects->fake, CHUNKS, CHUNKS + 0x10000, FAKE_PRIVATE);
    fake_target_set_pages(objects->fake, CHUNKS, CHUNKS + 0x10000, FAKE_RESIDENT);
    memset(pool_classes, PHT_NO_SIZE_CLASS, sizeof(pool_classes));
    arena = (struct pht_arena){.address = ARENA, .pool_classes = pool_classes};
    pymalloc = (struct pht_pymalloc){
        .arena_bytes = ARENA_BYTES,
        .pool_bytes = POOL_BYTES,
        .alignment_bytes = 16,
        .totals = {.arenas = 1},
        .arenas = &arena,
    };
    roots = (struct pht_pymalloc_roots){
        .python = &objects->python,
        .allocator = PHT_ALLOCATOR_PYMALLOC,
    };
    pools = 0;
    found = NULL;
}

static void teardown(void)
{
    ck_assert_uint_eq(objects->fake->forbidden_reads, 0);
    pht_objects_destroy(found);
    objects_destroy(objects);
}

/* A pool of `blocks` blocks in use, of zeros. Returns the first of them. */
static pht_addr add_pool(uint32_t block_bytes, uint32_t blocks)
{
    pht_addr pool = ARENA + pools * POOL_BYTES;

    pool_classes[pools++] = (uint8_t)(block_bytes / 16 - 1);
    fake_target_set_pages(objects->fake, pool, pool + POOL_BYTES, FAKE_RESIDENT);
    fake_target_put_u32(objects->fake, pool + POOL_COUNT, blocks);
    fake_target_put_u64(objects->fake, pool + POOL_FREEBLOCK, 0);
    fake_target_put_u32(objects->fake, pool + POOL_ARENAINDEX, 0);
    fake_target_put_u32(objects->fake, pool + POOL_SZIDX, block_bytes / 16 - 1);
    fake_target_put_u32(objects->fake, pool + POOL_NEXTOFFSET,
                        POOL_HEADER_BYTES + blocks * block_bytes);
    fake_target_put_u32(objects->fake, pool + POOL_MAXNEXTOFFSET,
                        (uint32_t)POOL_BYTES - block_bytes);
    return pool + POOL_HEADER_BYTES;
}

/* The last of the blocks so far is free again. */
static void free_block(pht_addr block)
{
    pht_addr pool = block - block % POOL_BYTES;

    fake_target_put_u64(objects->fake, block,
                        fake_target_u64(objects->fake, pool + POOL_FREEBLOCK));
    fake_target_put_u64(objects->fake, pool + POOL_FREEBLOCK, block);
    fake_target_put_u32(objects->fake, pool + POOL_COUNT,
                        fake_target_u32(objects->fake, pool + POOL_COUNT) - 1);
}

static void put_object(pht_addr object, uint64_t references, pht_addr type)
{
    fake_target_put_u64(objects->fake, object, references);
    fake_target_put_u64(objects->fake, object + 8, type);
}

/* A list of `count` items, whose array has room for as many. The block begins with the gc head. */
static void put_list(pht_addr block, uint64_t count, pht_addr items)
{
    fake_target_put_u64(objects->fake, block, 0x7f0000001000);
    put_object(block + 16, 1, list_type);
    fake_target_put_u64(objects->fake, block + 32, count);
    fake_target_put_u64(objects->fake, block + 40, items);
    fake_target_put_u64(objects->fake, block + 48, count);
}

static struct pht_census *begin(void)
{
    bool out_of_memory;
    struct pht_census *census = pht_census_begin(objects->snapshot, &roots, &pymalloc, NULL,
                                                 &with_previews, &out_of_memory);

    ck_assert(!out_of_memory);
    return census;
}

static void take(void)
{
    found = pht_census_end(begin(), NULL);
    ck_assert_ptr_nonnull(found);
}

static const struct pht_type_sum *sum_of(const char *name)
{
    for (size_t i = 0; i < found->type_count; i++) {
        if (strcmp(found->types[i].name, name) == 0)
            return &found->types[i];
    }
    return NULL;
}

static void check(const char *name, uint64_t count, uint64_t size, uint64_t allocated)
{
    const struct pht_type_sum *sum = sum_of(name);

    ck_assert_ptr_nonnull(sum);
    ck_assert_uint_eq(sum->objects, count);
    ck_assert_uint_eq(sum->size_bytes, size);
    ck_assert_uint_eq(sum->allocated_bytes, allocated);
}

/* ---- blocks ------------------------------------------------------------------------------- */

START_TEST(objects_count_by_type)
{
    pht_addr block = add_pool(64, 5);

    for (int i = 0; i < 5; i++)
        put_object(block + (pht_addr)i * 64, 1 + (uint64_t)i, class_type);
    take();
    check("Item", 5, 5 * 64, 5 * 64);
    ck_assert_str_eq(sum_of("Item")->module, "shop");
    ck_assert_uint_eq(sum_of("Item")->gc_tracked, 0);
    ck_assert_uint_eq(found->totals.objects, 5);
    ck_assert_uint_eq(found->blocks.unowned.count, 0);
}
END_TEST

START_TEST(free_blocks_hold_no_objects)
{
    pht_addr block = add_pool(64, 4);

    for (int i = 0; i < 4; i++)
        put_object(block + (pht_addr)i * 64, 1, class_type);
    free_block(block);
    free_block(block + 128);
    take();
    check("Item", 2, 2 * 64, 2 * 64);
}
END_TEST

START_TEST(blocks_without_references_are_dead)
{
    pht_addr block = add_pool(64, 3);

    put_object(block, 0, class_type);
    put_object(block + 64, (uint64_t)1 << 40, class_type);
    put_object(block + 128, 1000000, class_type);
    take();
    check("Item", 1, 64, 64);
    ck_assert_uint_eq(found->blocks.unowned.count, 2);
    ck_assert_uint_eq(found->blocks.unowned.bytes, 128);
}
END_TEST

/* More than the process has room for pointers. */
START_TEST(no_object_has_references_without_end)
{
    pht_addr block = add_pool(64, 2);

    put_object(block, UINT32_MAX, class_type);
    put_object(block + 64, 2000000, class_type);
    take();
    ck_assert_uint_eq(found->totals.objects, 0);
    ck_assert_uint_eq(found->blocks.unowned.count, 2);
}
END_TEST

START_TEST(objects_of_the_collector_begin_behind_its_head)
{
    pht_addr block = add_pool(64, 3);

    put_list(block, 0, 0);
    put_list(block + 64, 0, 0);
    fake_target_put_u64(objects->fake, block + 64, 0);
    /* Where no list begins. */
    put_object(block + 128, 1, list_type);
    take();
    check("list", 2, 2 * 56, 2 * 64);
    ck_assert_uint_eq(sum_of("list")->gc_tracked, 1);
    ck_assert_uint_eq(found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(buffers_are_their_owners)
{
    pht_addr lists = add_pool(64, 2), items = add_pool(96, 3);

    put_list(lists, 12, items + 96);
    put_list(lists + 64, 10, items);
    take();
    check("list", 2, 2 * 56 + 22 * 8, 2 * 64 + 2 * 96);
    ck_assert_uint_eq(sum_of("list")->max_bytes, 56 + 12 * 8);
    ck_assert_uint_eq(found->blocks.unowned.count, 1);
    ck_assert_uint_eq(found->blocks.unowned.bytes, 96);
}
END_TEST

/* Of two owners the first has it; and what an object is in, no other one has. */
START_TEST(each_block_counts_once)
{
    pht_addr items = add_pool(96, 1), lists = add_pool(64, 4), late = add_pool(96, 1);

    put_list(lists, 12, items);
    put_list(lists + 64, 12, items);
    put_list(lists + 128, 4, lists);
    put_list(lists + 192, 12, late);
    put_object(late, 1,
               objects_type(objects, &(struct objects_type){.name = "wide.Item", .basicsize = 80}));
    take();
    ck_assert_uint_eq(found->blocks.objects.count, 5);
    ck_assert_uint_eq(found->blocks.objects.bytes, 4 * 64 + 96);
    ck_assert_uint_eq(found->blocks.buffers.count, 1);
    ck_assert_uint_eq(found->blocks.buffers.bytes, 96);
    ck_assert_uint_eq(found->blocks.unowned.count, 0);
    ck_assert_uint_eq(found->blocks.unowned.bytes, 0);
}
END_TEST

/* What free lists have is neither an object nor nobody's. */
START_TEST(blocks_of_free_lists_are_told_apart)
{
    struct pht_freelists lists = {.items = {{"tuple", 3, 144}, {"frame", 1, PHT_UNKNOWN}},
                                  .count = 2};

    add_pool(48, 5);
    take();
    pht_freelists_own(&lists, found);
    ck_assert_uint_eq(found->blocks.free_listed.count, 3);
    ck_assert_uint_eq(found->blocks.free_listed.bytes, 144);
    ck_assert_uint_eq(found->blocks.unowned.count, 2);
    ck_assert_uint_eq(found->blocks.unowned.bytes, 96);
    /* More than there is left is not believed. */
    pht_freelists_own(&lists, found);
    ck_assert_uint_eq(found->blocks.unowned.count, 2);
    lists.count = 0;
    pht_freelists_own(&lists, found);
    ck_assert_uint_eq(found->blocks.free_listed.count, PHT_UNKNOWN);
}
END_TEST

/* Bits 0 and 1 of the state of a str. */
START_TEST(interned_strings_are_counted)
{
    pht_addr block = add_pool(64, 4);

    for (uint32_t i = 0; i < 4; i++) {
        put_object(block + i * 64, 1, objects->str_type);
        fake_target_put_u64(objects->fake, block + i * 64 + 16, 8);
        fake_target_put_u32(objects->fake, block + i * 64 + 32, 0x64 | 0x80 | i);
    }
    take();
    ck_assert_uint_eq(sum_of("str")->objects, 4);
    ck_assert_uint_eq(found->interned.count, 3);
    ck_assert_uint_eq(found->interned.bytes, 3 * 57);
}
END_TEST

START_TEST(largest_objects_come_first)
{
    pht_addr wide = objects_type(
        objects, &(struct objects_type){.name = "wide", .basicsize = 24, .itemsize = 8});
    pht_addr blocks[4];

    /* 240 objects of 24 to 264 bytes; the largest are the last of each pool. */
    for (int i = 0; i < 4; i++) {
        blocks[i] = add_pool(272, 60);
        for (uint64_t j = 0; j < 60; j++) {
            put_object(blocks[i] + j * 272, 1, wide);
            fake_target_put_u64(objects->fake, blocks[i] + j * 272 + 16, j / 2);
        }
    }
    take();
    ck_assert_uint_eq(found->largest_count, PHT_LARGE_OBJECTS_MAX);
    for (size_t i = 0; i < PHT_LARGE_OBJECTS_MAX; i++) {
        ck_assert_uint_eq(found->largest[i].size_bytes, 24 + 8 * (29 - i / 8));
        ck_assert_str_eq(found->types[found->largest[i].type].name, "wide");
        ck_assert(!found->largest[i].has_preview);
    }
    ck_assert_uint_eq(found->largest[0].address, blocks[0] + 58 * 272);
    ck_assert_uint_eq(found->largest[7].address, blocks[3] + 59 * 272);
}
END_TEST

static void put_texts(pht_addr block)
{
    pht_addr bytes_type = objects_type(
        objects, &(struct objects_type){
                     .name = "bytes", .flags = OBJECTS_BYTES, .basicsize = 33, .itemsize = 1});
    pht_addr text = objects_str(objects, "forty-two");

    memcpy(fake_target_bytes(objects->fake, block, 64), fake_target_bytes(objects->fake, text, 64),
           64);
    put_object(block, 1, objects->str_type);
    put_object(block + 64, 1, bytes_type);
    fake_target_put_u64(objects->fake, block + 64 + 16, 4);
    memcpy(fake_target_bytes(objects->fake, block + 64 + 32, 4), "a\0b\xff", 4);
}

START_TEST(text_shows_what_it_begins_with)
{
    put_texts(add_pool(64, 2));
    take();
    ck_assert_uint_eq(found->largest_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct pht_large_object *one = &found->largest[i];
        bool is_str = strcmp(found->types[one->type].name, "str") == 0;
        ck_assert(one->has_preview);
        ck_assert_uint_eq(one->preview_bytes, is_str ? 9 : 4);
        ck_assert_int_eq(
            memcmp(one->preview, is_str ? "forty-two" : "a\0b\xff", one->preview_bytes), 0);
    }
}
END_TEST

START_TEST(no_text_is_kept_unless_it_was_asked_for)
{
    bool out_of_memory;

    put_texts(add_pool(64, 2));
    found = pht_census_end(pht_census_begin(objects->snapshot, &roots, &pymalloc, NULL,
                                            &without_previews, &out_of_memory),
                           NULL);
    ck_assert_uint_eq(found->largest_count, 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert(!found->largest[i].has_preview && found->largest[i].preview_bytes == 0);
}
END_TEST

START_TEST(address_inside_of_a_block_is_no_buffer)
{
    pht_addr lists = add_pool(64, 1), items = add_pool(96, 1);

    put_list(lists, 4, items + 8);
    take();
    check("list", 1, 56 + 4 * 8, 64);
    ck_assert_uint_eq(found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(object_that_is_larger_than_its_block_is_none)
{
    pht_addr wide = objects_type(
        objects, &(struct objects_type){.name = "wide", .basicsize = 24, .itemsize = 8});
    pht_addr block = add_pool(64, 2);

    put_object(block, 1, wide);
    fake_target_put_u64(objects->fake, block + 16, 5);
    put_object(block + 64, 1, wide);
    fake_target_put_u64(objects->fake, block + 64 + 16, 7);
    take();
    check("wide", 1, 64, 64);
    ck_assert_uint_eq(found->blocks.unowned.count, 1);
}
END_TEST

START_TEST(pool_whose_list_is_damaged_is_torn)
{
    pht_addr block = add_pool(64, 4);

    for (int i = 0; i < 4; i++)
        put_object(block + (pht_addr)i * 64, 1, class_type);
    free_block(block);
    fake_target_put_u64(objects->fake, block, _i == 0 ? block : block + 63);
    take();
    ck_assert_uint_eq(found->torn_pools, 1);
    ck_assert_uint_eq(found->totals.objects, 0);
}
END_TEST

START_TEST(pool_in_swap_stays_there)
{
    pht_addr block = add_pool(64, 4);

    fake_target_set_pages(objects->fake, block + 2 * PHT_PAGE_BYTES, block + 2 * PHT_PAGE_BYTES + 1,
                          FAKE_SWAPPED);
    take();
    ck_assert_uint_eq(found->swapped_pools, 1);
    ck_assert_uint_eq(found->totals.objects, 0);
}
END_TEST

START_TEST(hooks_stand_in_front_of_blocks)
{
    pht_addr block = add_pool(96, 1);

    roots.allocator = PHT_ALLOCATOR_PYMALLOC_DEBUG;
    put_object(block + 16, 1, class_type);
    take();
    check("Item", 1, 64, 96);
}
END_TEST

/* ---- chunks ------------------------------------------------------------------------------- */

static const unsigned char *head(pht_addr memory)
{
    return fake_target_bytes(objects->fake, memory, PHT_CENSUS_HEAD_BYTES);
}

START_TEST(objects_in_chunks_count_as_others)
{
    struct pht_census *census;

    put_object(CHUNKS + 16, 3, class_type);
    census = begin();
    ck_assert(pht_census_wants(census, CHUNKS + 16, head(CHUNKS + 16), PHT_CENSUS_HEAD_BYTES));
    ck_assert(pht_census_count_chunk(census, CHUNKS + 16, 1040, head(CHUNKS + 16),
                                     PHT_CENSUS_HEAD_BYTES));
    ck_assert(!pht_census_wants(census, CHUNKS + 4096, head(CHUNKS + 4096), 64));
    ck_assert(!pht_census_count_chunk(census, CHUNKS + 4096, 1040, head(CHUNKS + 4096), 64));
    found = pht_census_end(census, NULL);
    check("Item", 1, 64, 1040);
}
END_TEST

START_TEST(chunks_that_objects_own_are_theirs)
{
    pht_addr lists = add_pool(64, 3);
    struct pht_census *census;

    put_list(lists, 100, CHUNKS + 16);
    put_list(lists + 64, 200, CHUNKS + 0x2010);
    put_list(lists + 128, 300, CHUNKS + 0x1010);
    census = begin();
    /* By rising address, with an exception. */
    ck_assert(pht_census_wants(census, CHUNKS + 16, head(CHUNKS + 16), 16));
    ck_assert(pht_census_wants(census, CHUNKS + 0x2010, head(CHUNKS + 0x2010), 16));
    ck_assert(!pht_census_wants(census, CHUNKS + 0x3010, head(CHUNKS + 0x3010), 16));
    ck_assert(pht_census_wants(census, CHUNKS + 0x1010, head(CHUNKS + 0x1010), 16));
    ck_assert(pht_census_count_chunk(census, CHUNKS + 0x1010, 2416, head(CHUNKS + 0x1010), 16));
    found = pht_census_end(census, NULL);
    check("list", 3, 3 * 56 + 600 * 8, 3 * 64 + 2416);
}
END_TEST

static void glibc_with(struct pht_glibc *glibc, struct pht_chunk_size *sizes, size_t count)
{
    *glibc = (struct pht_glibc){.sizes = sizes, .size_count = count};
    for (size_t i = 0; i < count; i++) {
        glibc->totals.live_chunks += sizes[i].live_chunks;
        glibc->totals.live_bytes += sizes[i].live_bytes;
    }
}

/* Whatever of malloc no object is or owns, by size, and what some of it begins with. */
START_TEST(what_nobody_owns_is_listed_by_size)
{
    static const char *const texts[] = {"GET /index.html", "\x01\x02", ""};
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 48, .max_bytes = 48, .live_chunks = 1, .live_bytes = 48},
        {.min_bytes = 1024, .max_bytes = 1264, .live_chunks = 5, .live_bytes = 5200},
    };
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 2);
    put_object(CHUNKS + 16, 3, class_type);
    for (pht_addr i = 0; i < 3; i++)
        strcpy(fake_target_bytes(objects->fake, CHUNKS + 0x2010 + i * 1040, 32), texts[i]);
    census = begin();
    ck_assert(pht_census_count_chunk(census, CHUNKS + 16, 1040, head(CHUNKS + 16), 64));
    /* Twice: a walk may go back. */
    for (pht_addr i = 0; i < 6; i++) {
        pht_addr memory = CHUNKS + 0x2010 + i % 3 * 1040;
        pht_census_pass_chunk(census, memory, 1040, head(memory), 64);
    }
    found = pht_census_end(census, &glibc);
    ck_assert_uint_eq(found->chunks.objects.count, 1);
    ck_assert_uint_eq(found->chunks.unowned.count, 5);
    ck_assert_uint_eq(found->chunks.unowned.bytes, 5248 - 1040);
    ck_assert_uint_eq(found->unowned_count, 2);
    ck_assert_uint_eq(found->unowned[0].min_bytes, 1024);
    ck_assert_uint_eq(found->unowned[0].chunks, 4);
    ck_assert_uint_eq(found->unowned[0].bytes, 5200 - 1040);
    ck_assert_uint_eq(found->unowned[0].sample_count, 3);
    ck_assert_int_eq(found->unowned[0].samples[0].kind, PHT_SAMPLE_TEXT);
    ck_assert_uint_eq(found->unowned[0].samples[0].text_bytes, 15);
    ck_assert_int_eq(memcmp(found->unowned[0].samples[0].text, texts[0], 15), 0);
    ck_assert_int_eq(found->unowned[0].samples[1].kind, PHT_SAMPLE_OTHER);
    ck_assert_int_eq(found->unowned[0].samples[2].kind, PHT_SAMPLE_ZEROS);
    ck_assert_uint_eq(found->unowned[1].chunks, 1);
}
END_TEST

START_TEST(chunk_that_points_into_a_file_shows_where)
{
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 1024, .max_bytes = 1264, .live_chunks = 1, .live_bytes = 1040},
    };
    pht_addr file = CHUNKS + 0x100000, memory = CHUNKS + 0x2010;
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 1);
    fake_target_map(objects->fake, file, file + 0x4000, FAKE_FILE);
    fake_target_put_u64(objects->fake, memory, 7);
    fake_target_put_u64(objects->fake, memory + 16, file + 0x1238);
    census = begin();
    pht_census_pass_chunk(census, memory, 1040, head(memory), 64);
    found = pht_census_end(census, &glibc);
    ck_assert_int_eq(found->unowned[0].samples[0].kind, PHT_SAMPLE_POINTER);
    ck_assert_uint_eq(found->unowned[0].samples[0].points_to, file + 0x1238);
}
END_TEST

/* It seemed to be nobody's when it went by. */
START_TEST(sample_that_turns_out_to_have_an_owner_is_none)
{
    struct pht_chunk_size sizes[] = {
        {.min_bytes = 816, .max_bytes = 816, .live_chunks = 2, .live_bytes = 2 * 816},
    };
    struct pht_census *census;
    struct pht_glibc glibc;

    glibc_with(&glibc, sizes, 1);
    put_list(CHUNKS + 0x4010, 100, CHUNKS + 0x1010);
    fake_target_put_u64(objects->fake, CHUNKS + 0x1008, 816 | 1);
    census = begin();
    pht_census_pass_chunk(census, CHUNKS + 0x1010, 816, head(CHUNKS + 0x1010), 64);
    pht_census_pass_chunk(census, CHUNKS + 0x2010, 816, head(CHUNKS + 0x2010), 64);
    ck_assert(pht_census_count_chunk(census, CHUNKS + 0x4010, 80, head(CHUNKS + 0x4010),
                                     PHT_CENSUS_HEAD_BYTES));
    found = pht_census_end(census, &glibc);
    ck_assert_uint_eq(found->unowned_count, 1);
    ck_assert_uint_eq(found->unowned[0].chunks, 1);
    ck_assert_uint_eq(found->unowned[0].sample_count, 1);
    ck_assert_uint_eq(found->unowned[0].samples[0].address, CHUNKS + 0x2010);
}
END_TEST

/* Its chunk may have gone by before. */
START_TEST(buffer_of_an_object_in_a_chunk_is_found_at_last)
{
    struct pht_census *census;

    put_list(CHUNKS + 0x4010, 100, CHUNKS + 0x1010);
    fake_target_put_u64(objects->fake, CHUNKS + 0x1008, 816 | 1);
    census = begin();
    ck_assert(pht_census_count_chunk(census, CHUNKS + 0x4010, 80, head(CHUNKS + 0x4010),
                                     PHT_CENSUS_HEAD_BYTES));
    found = pht_census_end(census, NULL);
    check("list", 1, 56 + 800, 80 + 816);
}
END_TEST

/* Its owner is out of date: the chunk waits in a tcache, which marks it. */
START_TEST(late_buffer_that_is_free_is_nobodys)
{
    struct pht_census *census;

    put_list(CHUNKS + 0x4010, 100, CHUNKS + 0x1010);
    fake_target_put_u64(objects->fake, CHUNKS + 0x1008, 816 | 1);
    fake_target_put_u64(objects->fake, CHUNKS + 0x1018, 0x1234567890abcdef);
    census = begin();
    census->tcache_key = _i == 0 ? 0x1234567890abcdef : 0;
    ck_assert(pht_census_count_chunk(census, CHUNKS + 0x4010, 80, head(CHUNKS + 0x4010),
                                     PHT_CENSUS_HEAD_BYTES));
    found = pht_census_end(census, NULL);
    check("list", 1, 56 + 800, _i == 0 ? 80 : 80 + 816);
    ck_assert_uint_eq(found->chunks.buffers.count, (uint64_t)_i);
}
END_TEST

/* From 2.43 on the size in its header is 16 bytes short of its mapping's. */
START_TEST(late_buffer_with_a_mapping_has_all_of_it)
{
    struct pht_census *census;

    put_list(CHUNKS + 0x4010, 100, CHUNKS + 0x1010);
    fake_target_put_u64(objects->fake, CHUNKS + 0x1008, 0x1ff0 | 2);
    census = begin();
    ck_assert(pht_census_count_chunk(census, CHUNKS + 0x4010, 80, head(CHUNKS + 0x4010),
                                     PHT_CENSUS_HEAD_BYTES));
    found = pht_census_end(census, NULL);
    ck_assert_uint_eq(found->chunks.buffers.bytes, 0x2000);
}
END_TEST

/* Private memory from mmap(2), and what an object says of memory that is a file's. */
START_TEST(mapped_memory_is_its_objects)
{
    pht_addr mmap_type =
        objects_type(objects, &(struct objects_type){.name = "mmap.mmap", .basicsize = 64});
    pht_addr block = add_pool(64, 3), file = CHUNKS + 0x100000;
    struct owned owned;
    bool out_of_memory;

    fake_target_map(objects->fake, file, file + 0x4000, FAKE_FILE);
    fake_target_set_pages(objects->fake, file, file + 0x4000, FAKE_RESIDENT);
    for (int i = 0; i < 3; i++)
        put_object(block + (pht_addr)i * 64, 1, mmap_type);
    fake_target_put_u64(objects->fake, block + 16, CHUNKS);
    fake_target_put_u64(objects->fake, block + 24, 0x3000);
    fake_target_put_u64(objects->fake, block + 64 + 16, file);
    fake_target_put_u64(objects->fake, block + 64 + 24, 0x4000);
    fake_target_put_u64(objects->fake, block + 128 + 16, CHUNKS + 0x8000);
    fake_target_put_u64(objects->fake, block + 128 + 24, (uint64_t)1 << 40);
    owned_begin(&owned, objects->fake, objects->snapshot);
    found = pht_census_end(pht_census_begin(objects->snapshot, &roots, &pymalloc, owned.owners,
                                            &with_previews, &out_of_memory),
                           NULL);
    ck_assert_ptr_nonnull(found);
    check("mmap", 3, 3 * 64, 3 * 64 + 0x3000);
    ck_assert_uint_eq(owned_resident(&owned, PHT_CATEGORY_PYTHON_LARGE), 0x3000);
    owned_end(&owned);
}
END_TEST

START_TEST(build_whose_objects_are_not_known_has_no_census)
{
    bool out_of_memory = true;

    objects->python.free_threaded = true;
    ck_assert_ptr_null(pht_census_begin(objects->snapshot, &roots, &pymalloc, NULL, &with_previews,
                                        &out_of_memory));
    ck_assert(!out_of_memory);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("census");
    TCase *blocks = tcase_create("blocks");
    TCase *chunks = tcase_create("chunks");

    tcase_add_checked_fixture(blocks, setup, teardown);
    tcase_add_test(blocks, objects_count_by_type);
    tcase_add_test(blocks, free_blocks_hold_no_objects);
    tcase_add_test(blocks, blocks_without_references_are_dead);
    tcase_add_test(blocks, no_object_has_references_without_end);
    tcase_add_test(blocks, objects_of_the_collector_begin_behind_its_head);
    tcase_add_test(blocks, buffers_are_their_owners);
    tcase_add_test(blocks, each_block_counts_once);
    tcase_add_test(blocks, blocks_of_free_lists_are_told_apart);
    tcase_add_test(blocks, interned_strings_are_counted);
    tcase_add_test(blocks, largest_objects_come_first);
    tcase_add_test(blocks, text_shows_what_it_begins_with);
    tcase_add_test(blocks, no_text_is_kept_unless_it_was_asked_for);
    tcase_add_test(blocks, address_inside_of_a_block_is_no_buffer);
    tcase_add_test(blocks, object_that_is_larger_than_its_block_is_none);
    tcase_add_loop_test(blocks, pool_whose_list_is_damaged_is_torn, 0, 2);
    tcase_add_test(blocks, pool_in_swap_stays_there);
    tcase_add_test(blocks, hooks_stand_in_front_of_blocks);
    suite_add_tcase(suite, blocks);
    tcase_add_checked_fixture(chunks, setup, teardown);
    tcase_add_test(chunks, objects_in_chunks_count_as_others);
    tcase_add_test(chunks, chunks_that_objects_own_are_theirs);
    tcase_add_test(chunks, buffer_of_an_object_in_a_chunk_is_found_at_last);
    tcase_add_loop_test(chunks, late_buffer_that_is_free_is_nobodys, 0, 2);
    tcase_add_test(chunks, late_buffer_with_a_mapping_has_all_of_it);
    tcase_add_test(chunks, what_nobody_owns_is_listed_by_size);
    tcase_add_test(chunks, chunk_that_points_into_a_file_shows_where);
    tcase_add_test(chunks, sample_that_turns_out_to_have_an_owner_is_none);
    tcase_add_test(chunks, mapped_memory_is_its_objects);
    tcase_add_test(chunks, build_whose_objects_are_not_known_has_no_census);
    suite_add_tcase(suite, chunks);
    return suite;
}

SUITE_MAIN(make_suite)
