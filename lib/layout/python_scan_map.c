/*
 * The tree of arenas of 3.10 and 3.11, Objects/obmalloc.c: a static root, nodes in the middle and
 * at the bottom, which tell of each arena where it ends. Addresses have 48 bits or 64 there, as the
 * interpreter was built, and nodes are of other sizes then; arenas have a MiB.
 */
#include "layout/python_scan_parts.h"

#define ARENA_BITS 20

struct geometry {
    unsigned address_bits;
    unsigned root_bits, middle_bits, bottom_bits;
};

static const struct geometry geometries[] = {{64, 15, 15, 14}, {48, 10, 10, 8}};

static uint64_t part_of(pht_addr address, unsigned shift, unsigned bits)
{
    return address >> shift & (((uint64_t)1 << bits) - 1);
}

/*
 * {i32 tail_hi, tail_lo} for each MiB: how much of it belongs to the arena that begins in it, and
 * to the one before. -1 is all of it.
 */
static bool has_arena(const struct pht_python_scan *scan, const struct geometry *geometry,
                      pht_addr middle, pht_addr arena)
{
    unsigned middle_shift = ARENA_BITS + geometry->bottom_bits;
    uint32_t offset = (uint32_t)(arena % ((uint64_t)1 << ARENA_BITS)), tail;
    uint64_t bottom;

    return pht_module_data_peek_u64(
               scan->data, middle + 8 * part_of(arena, middle_shift, geometry->middle_bits),
               &bottom) &&
           bottom != 0 && bottom % 8 == 0 &&
           pht_module_data_peek_u32(
               scan->data, bottom + 8 * part_of(arena, ARENA_BITS, geometry->bottom_bits), &tail) &&
           tail == (offset != 0 ? offset : UINT32_MAX);
}

/* The arena of the first object that is in use; 0 if there is none. */
static pht_addr any_arena(const struct pht_python_scan *scan)
{
    const struct pht_python_layout *layout = scan->layout;
    uint64_t array, address;
    uint32_t length;

    if (!pht_python_scan_u64(scan, layout->arenas, &array) ||
        !pht_python_scan_u32(scan, layout->maxarenas, &length))
        return 0;
    for (uint32_t i = 0; i < length && i < PHT_PYTHON_SCAN_ARENAS_MAX; i++) {
        pht_addr object = array + i * layout->arena_object_bytes;
        if (pht_module_data_peek_u64(scan->data, object + layout->arena_address, &address) &&
            address != 0)
            return address;
    }
    return 0;
}

static uint64_t find_root(const struct pht_python_scan *scan, const struct geometry *geometry,
                          pht_addr arena)
{
    unsigned root_shift = ARENA_BITS + geometry->bottom_bits + geometry->middle_bits;
    uint64_t offset = 8 * part_of(arena, root_shift, geometry->root_bits);
    uint64_t root_bytes = (uint64_t)8 << geometry->root_bits;

    for (size_t i = 0; i < scan->data->count; i++) {
        const struct pht_module_segment *segment = &scan->data->segments[i];
        for (uint64_t at = offset; at + root_bytes - offset <= segment->size; at += 8) {
            uint64_t middle;
            if (pht_python_scan_u64(scan, segment->start + at - scan->image->bias, &middle) &&
                middle != 0 && middle % 16 == 0 && has_arena(scan, geometry, middle, arena))
                return segment->start + at - offset - scan->image->bias;
        }
    }
    return PHT_UNKNOWN;
}

void pht_python_scan_arena_map(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    pht_addr arena = any_arena(scan);

    for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]) && arena != 0; i++) {
        uint64_t root = find_root(scan, &geometries[i], arena);
        if (root == PHT_UNKNOWN)
            continue;
        layout->arena_map_root = root;
        layout->arena_map_root_bytes = (uint64_t)8 << geometries[i].root_bits;
        layout->arena_map_mid_bytes = (uint64_t)8 << geometries[i].middle_bits;
        layout->arena_map_bot_bytes = (uint64_t)8 << geometries[i].bottom_bits;
        return;
    }
}
