/*
 * What the rules of the kinds share. A rule adds to ret->size_bytes what is not in the object's
 * own block, and names the buffers.
 */
#ifndef PHT_LIB_WALK_OBJECT_PARTS_H
#define PHT_LIB_WALK_OBJECT_PARTS_H

#include "walk/field.h"
#include "walk/object_size.h"

struct pht_measure {
    struct pht_snapshot *snapshot;
    const struct pht_object_layout *layout;
    const struct pht_object *object;
    const void *more;
    struct pht_object_size *ret;
    bool no_memory;
};

/* No number of items that memory has room for is larger. */
#define PHT_ITEMS_MAX ((uint64_t)1 << 44)

/* A member that is not among the bytes at hand. 0 if it cannot be read, and it is damaged. */
uint64_t pht_measure_far_member(struct pht_measure *measure, uint64_t offset, size_t size);

/* A member of the object: out of its bytes, or read. */
static inline uint64_t pht_measure_u64(struct pht_measure *measure, uint64_t offset)
{
    if (offset + sizeof(uint64_t) <= measure->object->size)
        return pht_field_u64(measure->object->bytes, offset);
    return pht_measure_far_member(measure, offset, sizeof(uint64_t));
}

static inline uint32_t pht_measure_u32(struct pht_measure *measure, uint64_t offset)
{
    if (offset + sizeof(uint32_t) <= measure->object->size)
        return pht_field_u32(measure->object->bytes, offset);
    return (uint32_t)pht_measure_far_member(measure, offset, sizeof(uint32_t));
}

/* Of anything else: a constant may stand in a page of a file that is not loaded. */
bool pht_measure_read(struct pht_measure *measure, pht_addr addr, void *buffer, size_t size);

/* The same where anything may stand: what cannot be read is no damage. False for address 0. */
bool pht_measure_peek(struct pht_measure *measure, pht_addr addr, void *buffer, size_t size);

/* The same number if it is sane; 0 if not, and it is damaged. */
static inline uint64_t pht_measure_count(struct pht_measure *measure, uint64_t count)
{
    if (count <= PHT_ITEMS_MAX)
        return count;
    measure->ret->is_damaged = true;
    return 0;
}

/* Nothing for address 0. */
void pht_measure_own(struct pht_measure *measure, pht_addr address, uint64_t bytes);
void pht_measure_add(struct pht_measure *measure, const struct pht_object_buffer *buffer);

/* The same, from PyMem_RawMalloc(), and from malloc(3). */
void pht_measure_own_raw(struct pht_measure *measure, pht_addr address, uint64_t bytes);
void pht_measure_own_libc(struct pht_measure *measure, pht_addr address, uint64_t bytes);

/* As pht_measure_own(), and it counts for the size too. */
void pht_measure_count_in(struct pht_measure *measure, pht_addr address, uint64_t bytes);

/* The lock that a member leads to, PyThread_type_lock: zlib, bz2 and lzma have it up to 3.14. */
void pht_measure_lock(struct pht_measure *measure, uint64_t offset);

/* One more read along a chain. False, and it is damaged, if there were too many. */
bool pht_measure_step(struct pht_measure *measure);

/* What has its items in its own block. */
void pht_measure_items(struct pht_measure *measure);

/* str, bytes, int */
void pht_measure_str(struct pht_measure *measure);
void pht_measure_bytes(struct pht_measure *measure);
void pht_measure_int(struct pht_measure *measure);

/* dict, OrderedDict, values of instances */
void pht_measure_dict(struct pht_measure *measure);
void pht_measure_ordered_dict(struct pht_measure *measure);
void pht_measure_values(struct pht_measure *measure);
bool pht_dict_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                    pht_addr *addr);

/* list, set, bytearray, array, deque, mmap */
void pht_measure_list(struct pht_measure *measure);
void pht_measure_set(struct pht_measure *measure);
void pht_measure_bytearray(struct pht_measure *measure);
void pht_measure_array(struct pht_measure *measure);
void pht_measure_deque(struct pht_measure *measure);
void pht_measure_mmap(struct pht_measure *measure);

/* files, files in memory, ctypes, numpy.ndarray */
void pht_measure_buffered(struct pht_measure *measure);
void pht_measure_bytes_io(struct pht_measure *measure);
void pht_measure_string_io(struct pht_measure *measure);
void pht_measure_cdata(struct pht_measure *measure);
void pht_measure_ndarray(struct pht_measure *measure);

/* zlib.Compress, zlib.Decompress, zlib._ZlibDecompressor */
void pht_measure_zlib_compress(struct pht_measure *measure);
void pht_measure_zlib_decompress(struct pht_measure *measure);
void pht_measure_zlib_decompressor(struct pht_measure *measure);

/* bz2.BZ2Compressor, bz2.BZ2Decompressor */
void pht_measure_bz2_compressor(struct pht_measure *measure);
void pht_measure_bz2_decompressor(struct pht_measure *measure);

/* lzma.LZMACompressor, lzma.LZMADecompressor */
void pht_measure_lzma_compressor(struct pht_measure *measure);
void pht_measure_lzma_decompressor(struct pht_measure *measure);

/* pickle.Pickler, pickle.Unpickler, and the stack of one */
void pht_measure_pickler(struct pht_measure *measure);
void pht_measure_unpickler(struct pht_measure *measure);
void pht_measure_pickle_stack(struct pht_measure *measure);

/* type, code, frame, generator */
void pht_measure_type(struct pht_measure *measure);
void pht_measure_code(struct pht_measure *measure);
void pht_measure_frame(struct pht_measure *measure);
void pht_measure_generator(struct pht_measure *measure);
bool pht_generator_needs(const struct pht_object_layout *layout, const struct pht_object *object,
                         pht_addr *addr);

#endif
