/*
 * Sizes as Python/sysmodule.c:_PySys_GetSizeOf makes them up: what __sizeof__() returns, and the
 * collector's head. From 3.11 on also the two words in front of that (_PyType_PreHeaderSize).
 *
 * object.__sizeof__() is tp_basicsize + tp_itemsize * abs(ob_size): Objects/typeobject.c.
 */
#include "walk/object_size.h"

#include <stdlib.h>
#include <string.h>

#include "walk/field.h"
#include "walk/object_parts.h"

#define STEPS_MAX ((uint64_t)1 << 24)

/* sem_t; in 3.15 objects have a PyMutex inside, which is a byte. */
#define LOCK_BYTES 32
#define LAST_MINOR_WITH_LOCKS 14

void pht_object_size_deinit(struct pht_object_size *size)
{
    free(size->buffers.items);
}

/* ---- what the rules use ------------------------------------------------------------------- */

bool pht_measure_read(struct pht_measure *measure, pht_addr addr, void *buffer, size_t size)
{
    enum pht_read_result why;

    if (pht_snapshot_read_as_loaded(measure->snapshot, addr, buffer, size, &why) == size)
        return true;
    measure->ret->is_damaged = true;
    return false;
}

bool pht_measure_peek(struct pht_measure *measure, pht_addr addr, void *buffer, size_t size)
{
    return addr != 0 && pht_snapshot_read(measure->snapshot, addr, buffer, size) == PHT_READ_OK;
}

uint64_t pht_measure_far_member(struct pht_measure *measure, uint64_t offset, size_t size)
{
    uint64_t value = 0;

    if (!pht_measure_read(measure, measure->object->address + offset, &value, size))
        return 0;
    return value;
}

void pht_measure_lock(struct pht_measure *measure, uint64_t offset)
{
    if (!measure->layout->is_python2 && measure->layout->minor <= LAST_MINOR_WITH_LOCKS)
        pht_measure_own_raw(measure, pht_measure_u64(measure, offset), LOCK_BYTES);
}

void pht_measure_add(struct pht_measure *measure, const struct pht_object_buffer *buffer)
{
    struct pht_object_size *ret = measure->ret;

    if (buffer->address == 0)
        return;
    if (ret->buffers.count == PHT_OBJECT_BUFFERS_MANY && ret->on_many != NULL) {
        ret->on_many(ret->context, ret->buffers.items, ret->buffers.count);
        ret->buffers.count = 0;
    }
    if (!pht_vec_push(&ret->buffers, *buffer))
        measure->no_memory = true;
}

bool pht_measure_step(struct pht_measure *measure)
{
    if (measure->ret->steps < STEPS_MAX) {
        measure->ret->steps++;
        return true;
    }
    measure->ret->is_damaged = true;
    return false;
}

void pht_measure_own(struct pht_measure *measure, pht_addr address, uint64_t bytes)
{
    pht_measure_add(measure, &(struct pht_object_buffer){.address = address, .bytes = bytes});
}

void pht_measure_own_raw(struct pht_measure *measure, pht_addr address, uint64_t bytes)
{
    pht_measure_add(measure, &(struct pht_object_buffer){
                                 .address = address, .bytes = bytes, .source = PHT_BUFFER_RAW});
}

void pht_measure_own_libc(struct pht_measure *measure, pht_addr address, uint64_t bytes)
{
    pht_measure_add(measure, &(struct pht_object_buffer){
                                 .address = address, .bytes = bytes, .source = PHT_BUFFER_LIBC});
}

void pht_measure_count_in(struct pht_measure *measure, pht_addr address, uint64_t bytes)
{
    pht_measure_own(measure, address, bytes);
    measure->ret->size_bytes += bytes;
}

/* ---- rules -------------------------------------------------------------------------------- */

void pht_measure_items(struct pht_measure *measure)
{
    uint64_t itemsize = measure->object->type->itemsize;
    int64_t count;

    if (itemsize == 0)
        return;
    count = (int64_t)pht_measure_u64(measure, PHT_OBJECT_SIZE);
    if (count < 0 && count != INT64_MIN)
        count = -count;
    measure->ret->size_bytes += itemsize * pht_measure_count(measure, (uint64_t)count);
}

static void apply(struct pht_measure *measure)
{
    static void (*const rules[PHT_KINDS])(struct pht_measure *) = {
        [PHT_KIND_GENERIC] = pht_measure_items,
        [PHT_KIND_TYPE] = pht_measure_type,
        [PHT_KIND_STR] = pht_measure_str,
        [PHT_KIND_BYTES] = pht_measure_bytes,
        [PHT_KIND_INT] = pht_measure_int,
        [PHT_KIND_LIST] = pht_measure_list,
        [PHT_KIND_TUPLE] = pht_measure_items,
        [PHT_KIND_DICT] = pht_measure_dict,
        [PHT_KIND_ORDERED_DICT] = pht_measure_ordered_dict,
        [PHT_KIND_SET] = pht_measure_set,
        [PHT_KIND_FROZENSET] = pht_measure_set,
        [PHT_KIND_BYTEARRAY] = pht_measure_bytearray,
        [PHT_KIND_ARRAY] = pht_measure_array,
        [PHT_KIND_DEQUE] = pht_measure_deque,
        [PHT_KIND_MMAP] = pht_measure_mmap,
        [PHT_KIND_CODE] = pht_measure_code,
        [PHT_KIND_FRAME] = pht_measure_frame,
        [PHT_KIND_GENERATOR] = pht_measure_generator,
        [PHT_KIND_BUFFERED] = pht_measure_buffered,
        [PHT_KIND_BYTES_IO] = pht_measure_bytes_io,
        [PHT_KIND_STRING_IO] = pht_measure_string_io,
        [PHT_KIND_CDATA] = pht_measure_cdata,
        [PHT_KIND_NDARRAY] = pht_measure_ndarray,
        [PHT_KIND_ZLIB_COMPRESS] = pht_measure_zlib_compress,
        [PHT_KIND_ZLIB_DECOMPRESS] = pht_measure_zlib_decompress,
        [PHT_KIND_ZLIB_DECOMPRESSOR] = pht_measure_zlib_decompressor,
        [PHT_KIND_BZ2_COMPRESSOR] = pht_measure_bz2_compressor,
        [PHT_KIND_BZ2_DECOMPRESSOR] = pht_measure_bz2_decompressor,
        [PHT_KIND_LZMA_COMPRESSOR] = pht_measure_lzma_compressor,
        [PHT_KIND_LZMA_DECOMPRESSOR] = pht_measure_lzma_decompressor,
        [PHT_KIND_PICKLER] = pht_measure_pickler,
        [PHT_KIND_UNPICKLER] = pht_measure_unpickler,
        [PHT_KIND_PICKLE_STACK] = pht_measure_pickle_stack,
    };

    rules[measure->object->type->kind](measure);
}

bool pht_object_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                      pht_addr *addr)
{
    switch (object->type->kind) {
    case PHT_KIND_DICT:
    case PHT_KIND_ORDERED_DICT:
        return pht_dict_needs(layout, object, addr);
    case PHT_KIND_GENERATOR:
        return pht_generator_needs(layout, object, addr);
    default:
        return false;
    }
}

bool pht_object_measure(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                        const struct pht_object *object, const void *more,
                        struct pht_object_size *ret)
{
    struct pht_measure measure = {
        .snapshot = snapshot,
        .layout = layout,
        .object = object,
        .more = more,
        .ret = ret,
    };

    ret->buffers.count = 0;
    ret->is_damaged = false;
    ret->size_bytes = object->type->prefix_bytes + object->type->basicsize;
    apply(&measure);
    if (object->type->has_managed_dict && object->prefix != NULL)
        pht_measure_values(&measure);
    return !measure.no_memory;
}
