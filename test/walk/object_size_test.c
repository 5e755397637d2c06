/*
 * What objects measure, and which buffers they own. Expected sizes are those that sys.getsizeof()
 * of the version has returned for such an object.
 */
#include <stdlib.h>
#include <string.h>

#include "support/heap_random.h"
#include "support/objects.h"
#include "support/suite.h"
#include "walk/object_size.h"

static struct objects *objects;
static struct pht_object_size size;
static struct pht_type type;
static pht_addr object;

static void begin(unsigned major, unsigned minor)
{
    objects = objects_create(major, minor);
    object = objects_alloc(objects, 1024);
}

static void end(void)
{
    ck_assert_uint_eq(objects->fake->forbidden_reads, 0);
    objects_destroy(objects);
}

static void teardown(void)
{
    pht_object_size_deinit(&size);
    size = (struct pht_object_size){0};
}

/* The next object is of this kind. */
static void of(enum pht_kind kind, uint32_t basicsize, uint32_t itemsize, bool has_gc)
{
    bool has_large_head = objects->python.version.major == 2 || objects->python.version.minor < 8;

    type = (struct pht_type){
        .kind = kind,
        .basicsize = basicsize,
        .itemsize = itemsize,
        .has_gc = has_gc,
        .prefix_bytes = !has_gc          ? 0
                        : has_large_head ? 32
                                         : 16,
    };
    memset(fake_target_bytes(objects->fake, object, 1024), 0, 1024);
}

static void put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, object + offset, value);
}

/* Behind the bytes at hand there is nothing to be had. */
static void measure_head(size_t head, const void *more)
{
    unsigned char bytes[1024];
    const struct pht_object described = {
        .address = object,
        .type = &type,
        .bytes = bytes,
        .size = head,
    };

    memset(bytes, FAKE_POISON, sizeof(bytes));
    memcpy(bytes, fake_target_bytes(objects->fake, object, head), head);
    ck_assert(pht_object_measure(objects->snapshot, &objects->layout, &described, more, &size));
}

/* With all that a block of 128 bytes has, with next to nothing, and then by the whole. */
static void check_size(uint64_t bytes)
{
    static const size_t heads[] = {1024, 16, 128};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        measure_head(heads[i], NULL);
        ck_assert_uint_eq(size.size_bytes, bytes);
        ck_assert(!size.is_damaged);
    }
}

static void check_buffer(size_t i, pht_addr address, uint64_t bytes)
{
    ck_assert_uint_lt(i, size.buffers.count);
    ck_assert_uint_eq(size.buffers.items[i].address, address);
    ck_assert_uint_eq(size.buffers.items[i].bytes, bytes);
}

static void check_buffers(size_t count)
{
    ck_assert_uint_eq(size.buffers.count, count);
}

static void check_damage(uint64_t bytes)
{
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, bytes);
}

/* ---- by their items ----------------------------------------------------------------------- */

START_TEST(items_count_by_their_number)
{
    begin(3, 8);
    of(PHT_KIND_GENERIC, 32, 0, true);
    put(16, 1000);
    check_size(48);
    of(PHT_KIND_TUPLE, 24, 8, true);
    check_size(40);
    put(16, 7);
    check_size(40 + 56);
    of(PHT_KIND_GENERIC, 24, 4, false);
    put(16, (uint64_t)-3);
    check_size(36);
    put(16, (uint64_t)1 << 60);
    check_damage(24);
    put(16, (uint64_t)1 << 63);
    check_damage(24);
    check_buffers(0);
    end();
}
END_TEST

START_TEST(bytes_and_their_classes)
{
    begin(3, 8);
    of(PHT_KIND_BYTES, 33, 1, false);
    put(16, 5);
    check_size(38);
    of(PHT_KIND_BYTES, 40, 1, true);
    put(16, 5);
    check_size(61);
    end();
    begin(2, 7);
    of(PHT_KIND_BYTES, 37, 1, false);
    put(16, 5);
    check_size(42);
    of(PHT_KIND_BYTES, 48, 1, true);
    put(16, 5);
    check_size(32 + 42);
    end();
}
END_TEST

START_TEST(integers_by_their_digits)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t word; /* ob_size or lv_tag */
        uint64_t bytes;
    } rows[] = {
        {2, 7, 0, 24},
        {2, 7, 2, 32},
        {2, 7, -(uint64_t)2, 32},
        {3, 6, 0, 24},
        {3, 6, 1, 28},
        {3, 10, 0, 24},
        {3, 10, -(uint64_t)3, 36},
        {3, 11, 0, 28},
        {3, 11, 2, 32},
        {3, 12, 1, 28},
        {3, 12, 1 << 3, 28},
        {3, 12, 2 << 3 | 2, 32},
        {3, 15, 5 << 3, 44},
        {3, 15, 5 << 3 | 2, 44},
    };

    begin(rows[_i].major, rows[_i].minor);
    of(PHT_KIND_INT, 24, 4, false);
    put(16, rows[_i].word);
    check_size(rows[_i].bytes);
    end();
}
END_TEST

START_TEST(classes_of_int_count_in_full_from_3_12_on)
{
    begin(3, 11);
    of(PHT_KIND_INT, 32, 4, true);
    put(16, 1);
    check_size(16 + 28);
    end();
    begin(3, 12);
    of(PHT_KIND_INT, 32, 4, true);
    put(16, 1 << 3);
    check_size(16 + 36);
    end();
}
END_TEST

/* ---- str ---------------------------------------------------------------------------------- */

enum {
    COMPACT = 1 << 5,
    ASCII = 1 << 6,
    READY = 1 << 7,
    KIND_1 = 1 << 2,
    KIND_2 = 2 << 2,
    KIND_4 = 4 << 2,
};

static void of_str(uint64_t length, uint32_t state)
{
    of(PHT_KIND_STR, 80, 0, false);
    put(16, length);
    put(32, state);
}

START_TEST(compact_strings)
{
    static const struct {
        unsigned minor;
        uint32_t state;
        uint64_t bytes; /* of three characters */
    } rows[] = {
        {6, KIND_1 | COMPACT | ASCII | READY, 52},
        {11, KIND_1 | COMPACT | ASCII | READY, 52},
        {12, KIND_1 | COMPACT | ASCII, 44},
        {15, KIND_1 | COMPACT | ASCII, 44},
        {6, KIND_1 | COMPACT | READY, 76},
        {11, KIND_2 | COMPACT | READY, 80},
        {12, KIND_2 | COMPACT, 64},
        {15, KIND_4 | COMPACT, 72},
    };

    begin(3, rows[_i].minor);
    of_str(3, rows[_i].state);
    check_size(rows[_i].bytes);
    check_buffers(0);
    of_str((uint64_t)1 << 62, rows[_i].state);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    end();
}
END_TEST

START_TEST(strings_with_an_encoded_copy)
{
    begin(3, 11);
    of_str(3, KIND_2 | COMPACT | READY);
    put(48, 9);
    put(56, 0x5000);
    check_size(80 + 10);
    check_buffers(1);
    check_buffer(0, 0x5000, 10);
    end();
    begin(3, 13);
    of_str(3, KIND_2 | COMPACT);
    put(40, 9);
    put(48, 0x5000);
    check_size(64 + 10);
    check_buffer(0, 0x5000, 10);
    end();
}
END_TEST

START_TEST(strings_with_wide_characters_besides)
{
    begin(3, 8);
    of_str(3, KIND_1 | COMPACT | ASCII | READY);
    put(40, 0x5000);
    put(64, 100); /* not looked at: the length is the same */
    check_size(52 + 16);
    check_buffer(0, 0x5000, 16);
    of_str(3, KIND_2 | COMPACT | READY);
    put(40, 0x5000);
    put(64, 4);
    check_size(80 + 20);
    of_str(3, KIND_4 | COMPACT | READY);
    put(40, object + 72); /* the data itself */
    put(64, 3);
    check_size(72 + 16);
    check_buffers(0);
    of_str(0, 0); /* not ready: no data but wide characters */
    put(40, 0x5000);
    put(64, 5);
    check_size(80 + 24);
    check_buffers(1);
    end();
}
END_TEST

START_TEST(instances_of_classes_of_str)
{
    begin(3, 8);
    of_str(3, KIND_2 | READY);
    put(72, 0x5000);
    check_size(80 + 8);
    check_buffers(1);
    check_buffer(0, 0x5000, 8);
    of_str(3, KIND_1 | ASCII | READY);
    type.prefix_bytes = 16;
    put(72, 0x5000);
    put(56, 0x5000); /* utf8 is the data */
    check_size(16 + 80 + 4);
    check_buffers(1);
    end();
    begin(3, 14);
    of_str(3, KIND_1 | ASCII);
    put(56, 0x5000);
    check_size(64 + 4);
    check_buffer(0, 0x5000, 4);
    end();
}
END_TEST

START_TEST(unicode_of_python2)
{
    begin(2, 7);
    of(PHT_KIND_STR, 48, 0, false);
    put(16, 1);
    put(24, 0x5000);
    check_size(56);
    check_buffer(0, 0x5000, 8);
    objects->layout.str_char_bytes = 2;
    check_size(52);
    end();
}
END_TEST

START_TEST(strings_of_no_kind_are_damaged)
{
    begin(3, 8);
    of_str(3, 3 << 2 | COMPACT | READY);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    of_str(3, KIND_2 | COMPACT | ASCII | READY);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    end();
}
END_TEST

/* ---- dict --------------------------------------------------------------------------------- */

/* Keys at an address of their own, of 2^log2 slots, so many entries of them used. */
static pht_addr put_keys(unsigned log2, unsigned kind, uint64_t used, uint64_t refcount)
{
    pht_addr keys = objects_alloc(objects, 1024);
    uint64_t slots = (uint64_t)1 << log2, usable = 2 * slots / 3;
    uint64_t words[5] = {refcount, slots, 0, usable - used, used};

    if (objects->python.version.minor >= 11) {
        words[1] = log2 | (log2 + (slots > 0xff) + (slots > 0xffff)) << 8 | (uint64_t)kind << 16;
        words[2] = usable - used;
        words[3] = used;
    }
    fake_target_put(objects->fake, keys, words, sizeof(words));
    return keys;
}

static void of_dict(pht_addr keys, pht_addr values)
{
    of(PHT_KIND_DICT, 48, 0, true);
    put(32, keys);
    put(40, values);
}

START_TEST(dicts_of_all_versions)
{
    static const struct {
        unsigned minor;
        unsigned log2;
        unsigned kind;
        uint64_t bytes;
    } rows[] = {
        {6, 3, 0, 248},       {8, 3, 0, 232},       {8, 8, 0, 4696},
        {10, 17, 0, 2621536}, {11, 3, 0, 224},      {11, 3, 1, 184},
        {11, 8, 0, 4688},     {12, 17, 0, 2621528}, {15, 17, 1, 1922480},
    };

    begin(3, rows[_i].minor);
    pht_addr keys = put_keys(rows[_i].log2, rows[_i].kind, 2, 1);
    of_dict(keys, 0);
    check_size(rows[_i].bytes);
    check_buffers(1);
    check_buffer(0, keys, rows[_i].bytes - 48 - type.prefix_bytes);
    ck_assert(size.buffers.items[0].is_shared);
    end();
}
END_TEST

START_TEST(shared_keys_count_for_their_type)
{
    begin(3, 8);
    pht_addr keys = put_keys(3, 0, 2, 3);
    of_dict(keys, 0x5000);
    check_size(64 + 40);
    check_buffers(2);
    check_buffer(0, 0x5000, 40);
    check_buffer(1, keys, 168);
    ck_assert(!size.buffers.items[0].is_prefixed);
    of_dict(keys, 0);
    check_size(64);
    end();
}
END_TEST

START_TEST(values_are_as_many_as_instances_have_room_for)
{
    static const unsigned minors[] = {11, 12, 13};

    begin(3, minors[_i]);
    pht_addr keys = put_keys(6, 2, 2, 5);
    fake_target_put_u64(objects->fake, keys + 16, 25); /* usable, of 40 */
    of_dict(keys, 0x5000);
    check_size(64 + 27 * 8);
    check_buffers(2);
    check_buffer(0, 0x5000, 0);
    ck_assert(size.buffers.items[0].is_prefixed == (minors[_i] < 13));
    end();
}
END_TEST

START_TEST(empty_dicts_own_nothing)
{
    begin(3, 11);
    of_dict(put_keys(0, 1, 0, 1), 0);
    check_size(64);
    check_buffers(0);
    end();
    begin(3, 8);
    of_dict(put_keys(0, 0, 0, 1), 0);
    check_size(64);
    check_buffers(0);
    end();
}
END_TEST

START_TEST(keys_that_contradict_themselves)
{
    static const struct {
        unsigned minor;
        uint64_t offset;
        uint64_t value;
    } rows[] = {
        {8, 8, 0},
        {8, 8, 7},
        {8, 8, (uint64_t)1 << 50},
        {8, 32, 6},
        {8, 32, UINT64_MAX},
        {11, 8, 3 | 3 << 8 | 3 << 16},
        {11, 8, 63},
        {11, 8, 3 | 63 << 8},
        {11, 16, 6},
        {11, 24, 6},
        {11, 24, UINT64_MAX},
    };

    begin(3, rows[_i].minor);
    pht_addr keys = put_keys(3, 0, 1, 1);
    fake_target_put_u64(objects->fake, keys + rows[_i].offset, rows[_i].value);
    of_dict(keys, 0x5000);
    check_damage(64);
    check_buffers(0);
    of_dict(0x123456789000, 0);
    check_damage(64);
    end();
}
END_TEST

START_TEST(keys_that_the_caller_has_read)
{
    begin(3, 11);
    pht_addr keys = put_keys(3, 1, 1, 1), needed = 0;
    of_dict(keys, 0);
    const struct pht_object described = {
        .address = object,
        .type = &type,
        .bytes = fake_target_bytes(objects->fake, object, 48),
        .size = 48,
    };
    ck_assert(pht_object_needs(&objects->layout, &described, &needed));
    ck_assert_uint_eq(needed, keys);
    uint64_t reads = objects->fake->read_count;
    measure_head(48, fake_target_bytes(objects->fake, keys, PHT_OBJECT_MORE_BYTES));
    ck_assert_uint_eq(size.size_bytes, 184);
    ck_assert_uint_eq(objects->fake->read_count, reads);
    end();
}
END_TEST

START_TEST(dicts_of_python2)
{
    begin(2, 7);
    of(PHT_KIND_DICT, 248, 0, true);
    put(32, 7);
    put(40, object + 56);
    check_size(280);
    check_buffers(0);
    put(32, 511);
    put(40, 0x5000);
    check_size(12568);
    check_buffer(0, 0x5000, 512 * 24);
    put(32, (uint64_t)1 << 60);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    end();
}
END_TEST

/* An OrderedDict of one item, and one that is empty. */
START_TEST(ordered_dicts_own_a_node_for_each_item)
{
    begin(3, 10);
    pht_addr keys = put_keys(3, 0, 1, 1), nodes = objects_alloc(objects, 64);
    of(PHT_KIND_ORDERED_DICT, 112, 0, true);
    put(16, 1);
    put(32, keys);
    put(48, 0x6000);
    put(64, nodes);
    put(72, 8);
    fake_target_put_u64(objects->fake, nodes + 40, 0x6000);
    check_size(392);
    check_buffers(3);
    check_buffer(1, nodes, 64);
    check_buffer(2, 0x6000, 32);
    put(16, 0);
    put(48, 0);
    check_size(360);
    check_buffers(2);
    put(16, 3); /* more items than the table has nodes */
    put(48, 0x6000);
    check_size(360 + 96);
    check_buffers(3);
    put(72, (uint64_t)1 << 40); /* a table that runs out of memory */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    end();
}
END_TEST

/* ---- values of instances ------------------------------------------------------------------ */

static void check_values(unsigned minor, size_t word, uint64_t value, pht_addr expected)
{
    uint64_t prefix[4] = {0};
    struct pht_object described;

    begin(3, minor);
    of(PHT_KIND_GENERIC, 16, 0, true);
    type.prefix_bytes = 32;
    type.has_managed_dict = true;
    prefix[word] = value;
    described = (struct pht_object){.address = object,
                                    .type = &type,
                                    .bytes = fake_target_bytes(objects->fake, object, 16),
                                    .size = 16,
                                    .prefix = (const unsigned char *)prefix};
    ck_assert(pht_object_measure(objects->snapshot, &objects->layout, &described, NULL, &size));
    ck_assert_uint_eq(size.size_bytes, 48);
    check_buffers(expected != 0);
    if (expected != 0) {
        check_buffer(0, expected, 0);
        ck_assert(size.buffers.items[0].is_prefixed);
    }
    described.prefix = NULL;
    ck_assert(pht_object_measure(objects->snapshot, &objects->layout, &described, NULL, &size));
    check_buffers(0);
    end();
}

START_TEST(values_in_front_of_instances)
{
    check_values(11, 0, 0x5020, 0x5020);
    check_values(11, 1, 0x5020, 0); /* the dict */
    check_values(12, 1, 0x501f, 0x5020);
    check_values(12, 1, 0x5020, 0); /* the dict */
    check_values(12, 0, 0x501f, 0); /* weak references */
    check_values(13, 0, 0x501f, 0);
    check_values(13, 1, 0x501f, 0);
}
END_TEST

/* ---- containers --------------------------------------------------------------------------- */

START_TEST(lists_own_an_array)
{
    begin(3, 8);
    of(PHT_KIND_LIST, 40, 0, true);
    check_size(56);
    check_buffers(0);
    put(16, 3);
    put(24, 0x5000);
    put(32, 4);
    check_size(88);
    check_buffers(1);
    check_buffer(0, 0x5000, 32);
    put(32, UINT64_MAX); /* while it is sorted */
    put(24, 0);
    check_damage(56);
    check_buffers(0);
    end();
}
END_TEST

START_TEST(sets_own_a_table_when_they_grow)
{
    begin(_i == 0 ? 2 : 3, _i == 0 ? 7 : 13);
    of(PHT_KIND_SET, 200, 0, true);
    put(32, 7);
    put(40, object + (_i == 0 ? 56 : 64));
    check_size(_i == 0 ? 232 : 216);
    check_buffers(0);
    put(32, 31);
    put(40, 0x5000);
    check_size((_i == 0 ? 232 : 216) + 512);
    check_buffer(0, 0x5000, 512);
    end();
}
END_TEST

START_TEST(bytearrays_own_their_bytes)
{
    begin(3, 8);
    of(PHT_KIND_BYTEARRAY, 56, 0, false);
    check_size(56);
    put(24, 4);
    put(32, 0x5000);
    put(40, 0x5001); /* where it begins by now */
    check_size(60);
    check_buffer(0, 0x5000, 4);
    end();
    begin(2, 7);
    of(PHT_KIND_BYTEARRAY, 48, 0, false);
    put(32, 4);
    put(40, 0x5000);
    check_size(52);
    check_buffer(0, 0x5000, 4);
    end();
    begin(3, 15);
    of(PHT_KIND_BYTEARRAY, 64, 0, false);
    check_size(64);
    put(24, 3);
    put(32, 0x5020);
    put(56, 0x5000);
    check_size(100);
    check_buffers(0);
    end();
}
END_TEST

START_TEST(arrays_by_the_size_of_their_items)
{
    begin(3, 10);
    pht_addr description = objects_alloc(objects, 64);
    fake_target_put_u64(objects->fake, description, 'd' | (uint64_t)8 << 32);
    of(PHT_KIND_ARRAY, 64, 0, true);
    put(24, 0x5000);
    put(32, 2);
    put(40, description);
    check_size(96);
    check_buffer(0, 0x5000, 16);
    fake_target_put_u64(objects->fake, description, (uint64_t)17 << 32);
    check_damage(80);
    put(40, 0x123456789000);
    check_damage(80);
    end();
}
END_TEST

/* ---- deque -------------------------------------------------------------------------------- */

/* Blocks in a row, each 608 bytes behind the other; the last one leads back to the first. */
static pht_addr put_blocks(unsigned count, uint64_t next, uint64_t last)
{
    pht_addr blocks = objects_alloc(objects, 608 * count);

    for (unsigned i = 0; i < count; i++) {
        fake_target_put_u64(objects->fake, blocks + 608 * i + next,
                            blocks + 608 * ((i + 1) % count));
        fake_target_put_u64(objects->fake, blocks + 608 * i + last,
                            blocks + 608 * ((i + count - 1) % count));
    }
    return blocks;
}

START_TEST(deques_own_their_blocks)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t next;
        uint32_t basicsize;
        uint64_t length_at;
        uint64_t first_at;
        uint64_t slots;
        uint64_t empty;
    } rows[] = {
        {2, 7, 496, 80, 48, 16, 62, 624},
        {3, 6, 520, 80, 16, 24, 64, 640},
        {3, 8, 520, 80, 16, 24, 64, 624},
        {3, 11, 520, 216, 16, 24, 64, 760},
    };

    begin(rows[_i].major, rows[_i].minor);
    uint64_t slots = rows[_i].slots, block_bytes = (slots + 2) * 8;
    pht_addr blocks = put_blocks(3, rows[_i].next, rows[_i].major == 2 ? 504 : 0);
    of(PHT_KIND_DEQUE, rows[_i].basicsize, 0, true);
    put(rows[_i].first_at, blocks);
    put(rows[_i].first_at + 16, slots / 2); /* where it begins in its first block */
    check_size(rows[_i].empty);
    check_buffers(1);
    check_buffer(0, blocks, block_bytes);
    put(rows[_i].length_at, 2 * slots + slots / 2);
    check_size(rows[_i].empty + 2 * block_bytes);
    check_buffers(3);
    check_buffer(2, blocks + 2 * 608, block_bytes);
    if (rows[_i].minor == 11) {
        put(72, 2);
        put(80, 0x5000);
        put(88, 0x6000);
        put(96, 0x7000); /* not one of those two */
        check_size(rows[_i].empty + 2 * block_bytes);
        check_buffers(5);
        check_buffer(4, 0x6000, block_bytes);
        put(72, UINT64_MAX);
        measure_head(1024, NULL);
        ck_assert_uint_le(size.buffers.count, 3 + 16);
    }
    end();
}
END_TEST

START_TEST(deques_that_lie)
{
    begin(3, 8);
    of(PHT_KIND_DEQUE, 80, 0, true);
    pht_addr blocks = put_blocks(4, 520, 0);
    put(24, blocks);
    put(40, 1000);
    check_damage(96);
    check_buffers(0);
    put(40, 0);
    put(16, (uint64_t)1 << 40); /* more blocks than there are, in a circle */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(5);
    fake_target_put_u64(objects->fake, blocks + 608 * 3 + 520, blocks + 608); /* like a rho */
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(5);
    put(24, 0x123456789000);
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(1);
    end();
}
END_TEST

static uint64_t handed_over;

static void take_many(void *context, const struct pht_object_buffer *buffers, size_t count)
{
    ck_assert_ptr_eq(context, &handed_over);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_eq(buffers[i].address, buffers[0].address + 608 * i);
    handed_over += count;
}

START_TEST(long_chains_are_handed_over_in_parts)
{
    begin(3, 8);
    of(PHT_KIND_DEQUE, 80, 0, true);
    put(24, put_blocks(2500, 520, 0));
    put(16, 2500 * 64);
    handed_over = 0;
    size.on_many = take_many;
    size.context = &handed_over;
    measure_head(1024, NULL);
    ck_assert(!size.is_damaged);
    ck_assert_uint_eq(handed_over, 2 * PHT_OBJECT_BUFFERS_MANY);
    check_buffers(2500 - handed_over);
    ck_assert_uint_eq(size.steps, 2500);
    size.steps = (uint64_t)1 << 24;
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    check_buffers(1);
    end();
}
END_TEST

/* ---- types -------------------------------------------------------------------------------- */

START_TEST(classes_count_with_their_keys)
{
    static const struct {
        unsigned minor;
        uint64_t keys_at;
        unsigned log2;
        unsigned kind;
        uint64_t bytes;
    } rows[] = {
        {6, 856, 3, 0, 1064},  {8, 872, 3, 0, 1064},  {10, 872, 3, 0, 1072}, {11, 872, 6, 2, 1688},
        {12, 880, 6, 2, 1704}, {13, 880, 6, 2, 1712}, {14, 880, 6, 2, 1720}, {15, 888, 6, 2, 1728},
    };

    begin(3, rows[_i].minor);
    pht_addr keys = put_keys(rows[_i].log2, rows[_i].kind, 0, 7);
    of(PHT_KIND_TYPE, 904, 40, true);
    put(16, 3); /* slots: they count for nothing */
    put(168, OBJECTS_HEAPTYPE | OBJECTS_READY);
    put(176, 0x5000);
    put(rows[_i].keys_at, keys);
    check_size(rows[_i].bytes);
    check_buffers(2);
    check_buffer(0, 0x5000, 0); /* its doc string */
    ck_assert_uint_eq(size.buffers.items[1].address, keys);
    ck_assert(size.buffers.items[1].is_shared);
    end();
}
END_TEST

START_TEST(static_types)
{
    static const struct {
        unsigned major;
        unsigned minor;
        uint64_t bytes;
    } rows[] = {{2, 7, 872},  {3, 6, 400},  {3, 8, 416},  {3, 10, 408},
                {3, 11, 424}, {3, 12, 432}, {3, 13, 416}, {3, 15, 424}};

    begin(rows[_i].major, rows[_i].minor);
    of(PHT_KIND_TYPE, 872, 40, true);
    put(168, OBJECTS_READY);
    put(176, 0x5000);
    check_size(rows[_i].bytes);
    check_buffers(0);
    end();
}
END_TEST

START_TEST(classes_of_python2_count_their_slots)
{
    begin(2, 7);
    of(PHT_KIND_TYPE, 872, 40, true);
    put(168, OBJECTS_HEAPTYPE | OBJECTS_READY);
    check_size(904);
    put(16, 2);
    check_size(984);
    end();
}
END_TEST

/* ---- code and frames ---------------------------------------------------------------------- */

START_TEST(code_with_its_tables)
{
    begin(3, 8);
    pht_addr cells = objects_alloc(objects, 64), bytecode = objects_alloc(objects, 64);
    pht_addr extra = objects_alloc(objects, 64);
    fake_target_put_u64(objects->fake, cells + 16, 2);
    fake_target_put_u64(objects->fake, bytecode + 16, 40);
    fake_target_put_u64(objects->fake, extra, 3);
    of(PHT_KIND_CODE, 176, 0, false);
    check_size(176);
    check_buffers(0);
    put(88, cells);
    put(96, 0x5000); /* cell2arg */
    check_size(192);
    put(48, bytecode);
    put(152, 0x6000); /* opcache_map, opcache */
    put(160, 0x7000);
    put(168, (uint64_t)5 << 32); /* opcache_size, at 172 */
    check_size(192 + 20 + 5 * 32);
    put(144, extra);
    check_size(192 + 20 + 5 * 32 + 32);
    check_buffers(4);
    end();
}
END_TEST

START_TEST(code_that_has_its_bytecode_inside)
{
    begin(3, 11);
    of(PHT_KIND_CODE, 184, 2, false);
    put(16, 12);
    check_size(208);
    put(16, 13);
    check_size(216);
    put(160, 0x5000);
    check_size(216);
    check_buffers(1);
    end();
}
END_TEST

START_TEST(frames_by_what_their_code_needs)
{
    begin(3, 8);
    pht_addr code = objects_alloc(objects, 192), cells = objects_alloc(objects, 32);
    fake_target_put_u64(objects->fake, cells + 16, 3);
    fake_target_put_u32(objects->fake, code + 32, 2); /* stacksize */
    of(PHT_KIND_FRAME, 368, 8, true);
    put(32, code);
    check_size(16 + 368 + 8); /* no tuples of cells */
    fake_target_put_u64(objects->fake, code + 80, cells);
    fake_target_put_u64(objects->fake, code + 88, cells);
    fake_target_put_u32(objects->fake, code + 28, 4); /* nlocals */
    check_size(16 + 368 + (2 + 4 + 6 - 1) * 8);
    end();
}
END_TEST

START_TEST(frames_with_the_inner_frame_somewhere)
{
    begin(3, 11);
    pht_addr code = objects_alloc(objects, 192), inner = objects_alloc(objects, 96);
    fake_target_put_u32(objects->fake, code + 68, 2); /* stacksize */
    fake_target_put_u64(objects->fake, inner + 32, code);
    of(PHT_KIND_FRAME, 48, 8, true);
    put(24, inner);
    check_size(152);
    fake_target_put_u32(objects->fake, code + 76, 4); /* nlocalsplus */
    check_size(184);
    put(24, 0x123456789000);
    check_damage(136);
    end();
}
END_TEST

START_TEST(generators_hold_their_frame)
{
    static const struct {
        unsigned minor;
        uint64_t code_at;
        uint64_t mark;
        uint64_t stacksize_at;
        uint32_t stacksize;
        uint64_t bytes;
    } rows[] = {{11, 16, 0, 68, 1, 176}, {12, 72, 0, 64, 2, 176}, {14, 72, 1, 64, 2, 184}};

    begin(3, rows[_i].minor);
    pht_addr code = objects_alloc(objects, 192), needed = 0;
    fake_target_put_u32(objects->fake, code + rows[_i].stacksize_at, rows[_i].stacksize);
    of(PHT_KIND_GENERATOR, 160, 0, true);
    put(rows[_i].code_at, code | rows[_i].mark);
    check_size(rows[_i].bytes);
    const struct pht_object described = {
        .type = &type, .bytes = fake_target_bytes(objects->fake, object, 128), .size = 128};
    ck_assert(pht_object_needs(&objects->layout, &described, &needed));
    ck_assert_uint_eq(needed, code);
    measure_head(128, fake_target_bytes(objects->fake, code, PHT_OBJECT_MORE_BYTES));
    ck_assert_uint_eq(size.size_bytes, rows[_i].bytes);
    fake_target_put_u32(objects->fake, code + rows[_i].stacksize_at, UINT32_MAX);
    check_damage(rows[_i].bytes - 8 * rows[_i].stacksize);
    end();
}
END_TEST

/* ---- what holds for all ------------------------------------------------------------------- */

START_TEST(frequent_kinds_need_no_read)
{
    static const enum pht_kind kinds[] = {PHT_KIND_GENERIC, PHT_KIND_STR,      PHT_KIND_BYTES,
                                          PHT_KIND_INT,     PHT_KIND_LIST,     PHT_KIND_TUPLE,
                                          PHT_KIND_SET,     PHT_KIND_BYTEARRAY};
    pht_addr needed;

    for (unsigned minor = 6; minor <= 15; minor++) {
        begin(3, minor);
        of(kinds[_i], 64, 8, true);
        put(16, 3);
        put(32, KIND_2 | READY);
        uint64_t reads = objects->fake->read_count;
        measure_head(PHT_OBJECT_HEAD_BYTES, NULL);
        ck_assert_uint_eq(objects->fake->read_count, reads);
        const struct pht_object described = {
            .type = &type, .bytes = fake_target_bytes(objects->fake, object, 128), .size = 128};
        ck_assert(!pht_object_needs(&objects->layout, &described, &needed));
        end();
    }
}
END_TEST

/* Any bytes at all, of any kind: it ends soon. */
START_TEST(random_objects)
{
    struct heap_random random = {(uint64_t)_i + 1};

    begin(_i % 11 == 0 ? 2 : 3, _i % 11 == 0 ? 7 : 5 + (unsigned)_i % 11);
    for (int round = 0; round < 300; round++) {
        of((enum pht_kind)heap_random_below(&random, PHT_KINDS), 64, 8, true);
        for (uint64_t i = 0; i < 128; i++) {
            uint64_t small = heap_random_below(&random, 256);
            uint64_t inside = object + 8 * heap_random_below(&random, 200);
            put(8 * i, heap_random_below(&random, 2) ? inside : small << (small % 50));
        }
        uint64_t reads = objects->fake->read_count;
        measure_head(128, NULL);
        ck_assert_uint_lt(objects->fake->read_count - reads, 20000);
        ck_assert_uint_eq(size.size_bytes >> 52, 0);
    }
    end();
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("object_size");
    TCase *tcase = tcase_create("object_size");

    tcase_add_checked_fixture(tcase, NULL, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, items_count_by_their_number);
    tcase_add_test(tcase, bytes_and_their_classes);
    tcase_add_loop_test(tcase, integers_by_their_digits, 0, 14);
    tcase_add_test(tcase, classes_of_int_count_in_full_from_3_12_on);
    tcase_add_loop_test(tcase, compact_strings, 0, 8);
    tcase_add_test(tcase, strings_with_an_encoded_copy);
    tcase_add_test(tcase, strings_with_wide_characters_besides);
    tcase_add_test(tcase, instances_of_classes_of_str);
    tcase_add_test(tcase, unicode_of_python2);
    tcase_add_test(tcase, strings_of_no_kind_are_damaged);
    tcase_add_loop_test(tcase, dicts_of_all_versions, 0, 9);
    tcase_add_test(tcase, shared_keys_count_for_their_type);
    tcase_add_loop_test(tcase, values_are_as_many_as_instances_have_room_for, 0, 3);
    tcase_add_test(tcase, empty_dicts_own_nothing);
    tcase_add_loop_test(tcase, keys_that_contradict_themselves, 0, 11);
    tcase_add_test(tcase, keys_that_the_caller_has_read);
    tcase_add_test(tcase, dicts_of_python2);
    tcase_add_test(tcase, ordered_dicts_own_a_node_for_each_item);
    tcase_add_test(tcase, values_in_front_of_instances);
    tcase_add_test(tcase, lists_own_an_array);
    tcase_add_loop_test(tcase, sets_own_a_table_when_they_grow, 0, 2);
    tcase_add_test(tcase, bytearrays_own_their_bytes);
    tcase_add_test(tcase, arrays_by_the_size_of_their_items);
    tcase_add_loop_test(tcase, deques_own_their_blocks, 0, 4);
    tcase_add_test(tcase, deques_that_lie);
    tcase_add_test(tcase, long_chains_are_handed_over_in_parts);
    tcase_add_loop_test(tcase, classes_count_with_their_keys, 0, 8);
    tcase_add_loop_test(tcase, static_types, 0, 8);
    tcase_add_test(tcase, classes_of_python2_count_their_slots);
    tcase_add_test(tcase, code_with_its_tables);
    tcase_add_test(tcase, code_that_has_its_bytecode_inside);
    tcase_add_test(tcase, frames_by_what_their_code_needs);
    tcase_add_test(tcase, frames_with_the_inner_frame_somewhere);
    tcase_add_loop_test(tcase, generators_hold_their_frame, 0, 3);
    tcase_add_loop_test(tcase, frequent_kinds_need_no_read, 0, 8);
    tcase_add_loop_test(tcase, random_objects, 0, 22);
    suite_add_tcase(suite, tcase);
    return suite;
}

SUITE_MAIN(make_suite)
