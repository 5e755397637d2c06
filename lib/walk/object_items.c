/* Containers with a buffer of their own: list, set, bytearray, array.array and deque. */
#include <string.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/object_parts.h"
#include "walk/str_state.h"

/* ---- list, set, bytearray, array ---------------------------------------------------------- */

#define LIST_ITEMS 24
#define LIST_ALLOCATED 32

/* Objects/listobject.c:list___sizeof___impl. A list that is being sorted has no items, but -1. */
void pht_measure_list(struct pht_measure *measure)
{
    uint64_t allocated = pht_measure_count(measure, pht_measure_u64(measure, LIST_ALLOCATED));

    pht_measure_count_in(measure, pht_measure_u64(measure, LIST_ITEMS),
                         allocated * sizeof(pht_addr));
}

#define SET_MASK 32
#define SET_TABLE 40
#define SET_ENTRY_BYTES 16

/* Objects/setobject.c:set_sizeof. */
void pht_measure_set(struct pht_measure *measure)
{
    uint64_t mask = pht_measure_count(measure, pht_measure_u64(measure, SET_MASK));
    pht_addr table = pht_measure_u64(measure, SET_TABLE);

    if (table != measure->object->address + measure->layout->set_smalltable)
        pht_measure_count_in(measure, table, (mask + 1) * SET_ENTRY_BYTES);
}

/*
 * Objects/bytearrayobject.c:bytearray___sizeof___impl. In 3.15 its memory is that of a bytes
 * object, whose head counts too; an empty one has none to itself.
 */
void pht_measure_bytearray(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t allocated =
        pht_measure_count(measure, pht_measure_u64(measure, layout->bytearray_alloc));

    if (layout->bytearray_object == 0)
        pht_measure_count_in(measure, pht_measure_u64(measure, layout->bytearray_start), allocated);
    else if (allocated > 0)
        measure->ret->size_bytes += PHT_BYTES_DATA + 1 + allocated;
}

#define ARRAY_ITEMS 24
#define ARRAY_ALLOCATED 32
#define ARRAY_DESCRIPTION 40
#define DESCRIPTION_ITEMSIZE 4
#define ARRAY_ITEMSIZE_MAX 16

/* Modules/arraymodule.c:array_array___sizeof___impl. One static description for each typecode. */
void pht_measure_array(struct pht_measure *measure)
{
    uint64_t allocated = pht_measure_count(measure, pht_measure_u64(measure, ARRAY_ALLOCATED));
    pht_addr description = pht_measure_u64(measure, ARRAY_DESCRIPTION);
    uint32_t itemsize;

    if (!pht_measure_read(measure, description + DESCRIPTION_ITEMSIZE, &itemsize, sizeof(itemsize)))
        return;
    if (itemsize > ARRAY_ITEMSIZE_MAX)
        measure->ret->is_damaged = true;
    else
        pht_measure_count_in(measure, pht_measure_u64(measure, ARRAY_ITEMS), allocated * itemsize);
}

/* ---- deque -------------------------------------------------------------------------------- */

/* A block in use is freed only when it is empty; up to 16 are kept for reuse, from 3.11 on here. */
#define SPARE_BLOCKS_MAX 16

static void add_spare_blocks(struct pht_measure *measure, uint64_t block_bytes)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t count = pht_measure_u64(measure, layout->deque_spare_count);

    for (uint64_t i = 0; i < count && i < SPARE_BLOCKS_MAX; i++)
        pht_measure_own(measure,
                        pht_measure_u64(measure, layout->deque_spares + i * sizeof(pht_addr)),
                        block_bytes);
}

#define BLOCK_BYTES_MAX 528

/*
 * Each block must lead back to the one before it, so that the chain cannot run into itself but at
 * its first block; the links at both ends are never looked at, they may be anything.
 */
static void add_blocks(struct pht_measure *measure, uint64_t count, uint64_t block_bytes)
{
    const struct pht_object_layout *layout = measure->layout;
    unsigned char bytes[BLOCK_BYTES_MAX];
    pht_addr first = pht_measure_u64(measure, layout->deque_first_block), block = first, last = 0;

    for (uint64_t i = 0; i < count; i++) {
        pht_measure_own(measure, block, block_bytes);
        if (count == 1 || !pht_measure_step(measure) ||
            !pht_measure_read(measure, block, bytes, (size_t)block_bytes))
            return;
        if ((i > 0 && pht_field_u64(bytes, layout->deque_last_block) != last) ||
            (i > 0 && block == first)) {
            measure->ret->is_damaged = true;
            return;
        }
        last = block;
        block = pht_field_u64(bytes, layout->deque_next_block);
    }
}

/*
 * Modules/_collectionsmodule.c:deque_sizeof. An empty deque has a block as well: its first index
 * is in the middle of it.
 */
void pht_measure_deque(struct pht_measure *measure)
{
    const struct pht_object_layout *layout = measure->layout;
    uint64_t slots = layout->deque_block_slots;
    uint64_t length = pht_measure_count(measure, pht_measure_u64(measure, layout->deque_length));
    uint64_t first = pht_measure_u64(measure, layout->deque_first_index);
    uint64_t block_bytes = (slots + 2) * sizeof(pht_addr);

    if (first >= 2 * slots) {
        measure->ret->is_damaged = true;
        return;
    }
    uint64_t blocks = (first + length + slots - 1) / slots;
    measure->ret->size_bytes += blocks * block_bytes;
    add_blocks(measure, blocks, block_bytes);
    if (layout->deque_spare_count != 0)
        add_spare_blocks(measure, block_bytes);
}

/*
 * Modules/mmapmodule.c, mmap_object, from 2.7 to 3.15: {head, data, size, ...}. What is mapped does
 * not count for its size. One that was closed has no data.
 */
void pht_measure_mmap(struct pht_measure *measure)
{
    const struct pht_object_buffer buffer = {
        .address = pht_measure_u64(measure, PHT_MMAP_DATA),
        .bytes = pht_measure_count(measure, pht_measure_u64(measure, PHT_MMAP_SIZE)),
        .is_mapping = true,
    };

    if (buffer.address != 0)
        pht_measure_add(measure, &buffer);
}
