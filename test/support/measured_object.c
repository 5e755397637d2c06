#include "support/measured_object.h"

#include <check.h>
#include <string.h>

struct objects *objects;
struct pht_object_size size;
struct pht_type type;
pht_addr object;

void measured_begin(unsigned major, unsigned minor)
{
    objects = objects_create(major, minor);
    object = objects_alloc(objects, 1024);
}

void measured_end(void)
{
    ck_assert_uint_eq(objects->fake->forbidden_reads, 0);
    objects_destroy(objects);
}

void measured_teardown(void)
{
    pht_object_size_deinit(&size);
    size = (struct pht_object_size){0};
}

/* The next object is of this kind. */
void measured_of(enum pht_kind kind, uint32_t basicsize, uint32_t itemsize, bool has_gc)
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

void measured_put(uint64_t offset, uint64_t value)
{
    fake_target_put_u64(objects->fake, object + offset, value);
}

/* Behind the bytes at hand there is nothing to be had. */
void measure_head(size_t head, const void *more)
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
void check_size(uint64_t bytes)
{
    static const size_t heads[] = {1024, 16, 128};

    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        measure_head(heads[i], NULL);
        ck_assert_uint_eq(size.size_bytes, bytes);
        ck_assert(!size.is_damaged);
    }
}

void check_buffer(size_t i, pht_addr address, uint64_t bytes)
{
    ck_assert_uint_lt(i, size.buffers.count);
    ck_assert_uint_eq(size.buffers.items[i].address, address);
    ck_assert_uint_eq(size.buffers.items[i].bytes, bytes);
}

void check_buffers(size_t count)
{
    ck_assert_uint_eq(size.buffers.count, count);
}

void check_damage(uint64_t bytes)
{
    measure_head(1024, NULL);
    ck_assert(size.is_damaged);
    ck_assert_uint_eq(size.size_bytes, bytes);
}

pht_addr measured_put_keys(unsigned log2, unsigned kind, uint64_t used, uint64_t refcount)
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
