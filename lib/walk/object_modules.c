/*
 * Objects of extension modules that own buffers.
 *
 * Offsets of io and ctypes are the same in the DWARF of 3.6.15, 3.8.18, 3.10.13, 3.11.7,
 * 3.12.1, 3.13.0, 3.14 and 3.15: Modules/_io/bufferedio.c, bytesio.c, stringio.c,
 * Modules/_ctypes/ctypes.h. Those of numpy are of its ABI, numpy/ndarraytypes.h: extensions are
 * compiled against them.
 */
#include "walk/field.h"
#include "walk/object_parts.h"

/* ---- io ----------------------------------------------------------------------------------- */

enum buffered_offset {
    BUFFERED_BUFFER = 56,
    BUFFERED_SIZE = 120,
};

void pht_measure_buffered(struct pht_measure *measure)
{
    pht_addr buffer = pht_measure_u64(measure, BUFFERED_BUFFER);

    if (buffer != 0)
        pht_measure_count_in(measure, buffer,
                             pht_measure_count(measure, pht_measure_u64(measure, BUFFERED_SIZE)));
}

#define FILE_IN_MEMORY_BUFFER 16

/* sys.getsizeof(b""); PyBytesObject of 3.x, with the NUL at its end. */
#define BYTES_OBJECT_BYTES 33

/* The size of a BytesIO's buffer in 2.7, where it is no object. */
#define FILE_IN_MEMORY_SIZE 40

/* A bytes object, which counts by itself; sys.getsizeof() adds it if nobody else refers to it. */
void pht_measure_bytes_io(struct pht_measure *measure)
{
    unsigned char head[PHT_OBJECT_SIZE + sizeof(uint64_t)];
    pht_addr bytes = pht_measure_u64(measure, FILE_IN_MEMORY_BUFFER);

    if (measure->layout->is_python2) {
        pht_measure_count_in(
            measure, bytes,
            pht_measure_count(measure, pht_measure_u64(measure, FILE_IN_MEMORY_SIZE)));
        return;
    }
    if (bytes == 0 || !pht_measure_read(measure, bytes, head, sizeof(head)))
        return;
    if ((uint32_t)pht_field_u64(head, 0) == 1)
        measure->ret->size_bytes +=
            BYTES_OBJECT_BYTES + pht_measure_count(measure, pht_field_u64(head, PHT_OBJECT_SIZE));
}

/* Which sys.getsizeof() leaves out. */
void pht_measure_string_io(struct pht_measure *measure)
{
    pht_measure_own(measure, pht_measure_u64(measure, FILE_IN_MEMORY_BUFFER), 0);
}

/* ---- ctypes ------------------------------------------------------------------------------- */

enum cdata_offset {
    CDATA_POINTER = 16,
    CDATA_NEEDS_FREE = 24,
};

/* Up to 16 bytes stand in the object; sys.getsizeof() leaves out what stands elsewhere. */
void pht_measure_cdata(struct pht_measure *measure)
{
    const struct pht_object *object = measure->object;
    pht_addr data = pht_measure_u64(measure, CDATA_POINTER);

    if (pht_measure_u32(measure, CDATA_NEEDS_FREE) != 0 &&
        (data < object->address || data >= object->address + object->type->basicsize))
        pht_measure_own(measure, data, 0);
}

/* ---- numpy -------------------------------------------------------------------------------- */

/* PyArrayObject_fields, the same in 1.7 to 2.x. */
enum ndarray_offset {
    NDARRAY_DATA = 16,
    NDARRAY_DIMENSIONS = 24, /* how many */
    NDARRAY_SHAPE = 32,      /* and of each its length, then its stride */
    NDARRAY_DTYPE = 56,
    NDARRAY_FLAGS = 64,
};

#define NDARRAY_OWNS_DATA 4
#define NDARRAY_DIMENSIONS_MAX 64

/* PyArray_Descr.elsize: an int up to 1.26, a word elsewhere from 2.0 on. */
enum dtype_offset {
    DTYPE_ITEM_BYTES_1 = 32,
    DTYPE_ITEM_BYTES_2 = 40, /* before 2.0 a pointer, or NULL */
    DTYPE_HEAD_BYTES = 48,
};

#define ITEM_BYTES_MAX ((uint64_t)INT32_MAX)

static uint64_t read_item_bytes(struct pht_measure *measure)
{
    unsigned char dtype[DTYPE_HEAD_BYTES];

    if (!pht_measure_read(measure, pht_measure_u64(measure, NDARRAY_DTYPE), dtype, sizeof(dtype)))
        return 0;
    uint64_t bytes = pht_field_u64(dtype, DTYPE_ITEM_BYTES_2);
    return bytes > 0 && bytes <= ITEM_BYTES_MAX ? bytes : pht_field_u32(dtype, DTYPE_ITEM_BYTES_1);
}

/* 0, and it is damaged, if the items are more than memory has room for. */
static uint64_t read_data_bytes(struct pht_measure *measure, uint32_t dimensions)
{
    uint64_t lengths[NDARRAY_DIMENSIONS_MAX], bytes = read_item_bytes(measure);

    if (dimensions > 0 && !pht_measure_read(measure, pht_measure_u64(measure, NDARRAY_SHAPE),
                                            lengths, dimensions * sizeof(lengths[0])))
        return 0;
    for (uint32_t i = 0; i < dimensions; i++) {
        if (lengths[i] > 0 && bytes > PHT_ITEMS_MAX / lengths[i]) {
            measure->ret->is_damaged = true;
            return 0;
        }
        bytes *= lengths[i];
    }
    return bytes;
}

void pht_measure_ndarray(struct pht_measure *measure)
{
    uint32_t dimensions = pht_measure_u32(measure, NDARRAY_DIMENSIONS);

    if (dimensions > NDARRAY_DIMENSIONS_MAX) {
        measure->ret->is_damaged = true;
        return;
    }
    if (dimensions > 0)
        pht_measure_count_in(measure, pht_measure_u64(measure, NDARRAY_SHAPE),
                             (uint64_t)dimensions * 2 * sizeof(uint64_t));
    if (pht_measure_u32(measure, NDARRAY_FLAGS) & NDARRAY_OWNS_DATA)
        pht_measure_count_in(measure, pht_measure_u64(measure, NDARRAY_DATA),
                             read_data_bytes(measure, dimensions));
}
