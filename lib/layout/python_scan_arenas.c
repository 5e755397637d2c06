/*
 * pymalloc's array of arena objects, and what is counted of them: statics of Objects/obmalloc.c up
 * to 3.11. A pool says which arena object is its arena's: that proves the array. Its end is the end
 * of the chunk of malloc that it stands in.
 */
#include <string.h>

#include "base/checked.h"
#include "layout/python_scan_parts.h"

#define FIRST_ARENAS 16
#define HOOK_BYTES 16
#define HOOK_ID 8
#define ARENA_BYTES_MAX ((uint64_t)1 << 21)

/* ---- the array ---------------------------------------------------------------------------- */

static bool proves_arena(const struct pht_python_scan *scan, pht_addr array,
                         const struct pht_python_sample *sample)
{
    const struct pht_python_layout *layout = scan->layout;
    pht_addr object = array + sample->arena * layout->arena_object_bytes;
    uint64_t address;

    return pht_module_data_peek_u64(scan->data, object + layout->arena_address, &address) &&
           address % PHT_PAGE_BYTES == 0 && address <= sample->pool &&
           sample->pool - address < ARENA_BYTES_MAX;
}

/* The array that a variable points to, if all samples are in arenas of it. */
static pht_addr array_at(const struct pht_python_pools *pools, uint64_t variable)
{
    uint64_t array;

    if (!pht_python_scan_u64(pools->scan, variable, &array) || array == 0 || array % 8 != 0)
        return 0;
    for (size_t i = 0; i < pools->count; i++) {
        if (!proves_arena(pools->scan, array, &pools->samples[i]))
            return 0;
    }
    return array;
}

/*
 * Debug hooks put {size as asked for, most significant byte first; id of the domain; a pattern of
 * seven bytes} in front of what they hand out.
 */
static bool read_hooked_bytes(const struct pht_python_pools *pools, pht_addr array, uint64_t *ret)
{
    unsigned char head[HOOK_BYTES];

    if (!pht_module_data_peek(pools->scan->data, array - HOOK_BYTES, head, sizeof(head)) ||
        head[HOOK_ID] != 'r' || (head[HOOK_ID + 1] != 0xfd && head[HOOK_ID + 1] != 0xfb) ||
        memcmp(head + HOOK_ID + 1, head + HOOK_ID + 2, 6) != 0)
        return false;
    *ret = 0;
    for (size_t i = 0; i < HOOK_ID; i++)
        *ret = *ret << 8 | head[i];
    return true;
}

/* A chunk of malloc has its size in front: room for so many bytes, and for no more. */
static bool is_chunk_of(const struct pht_python_pools *pools, pht_addr array, uint64_t bytes)
{
    uint64_t size;

    if (!pht_module_data_peek_u64(pools->scan->data, array - 8, &size))
        return false;
    uint64_t slack = size & 2 ? PHT_PAGE_BYTES : 16; /* a mapping of its own is in whole pages */
    size &= ~(uint64_t)7;
    return size >= bytes + 8 && size - bytes - 8 <= slack + 8;
}

static bool holds_samples(const struct pht_python_pools *pools, uint32_t count)
{
    for (size_t i = 0; i < pools->count; i++) {
        if (pools->samples[i].arena >= count)
            return false;
    }
    return true;
}

static bool is_length_of_chunk(const struct pht_python_pools *pools, pht_addr array, uint32_t count)
{
    uint64_t bytes = count * pools->scan->layout->arena_object_bytes, asked;

    if (!holds_samples(pools, count))
        return false;
    if (read_hooked_bytes(pools, array, &asked))
        return asked == bytes;
    return is_chunk_of(pools, array, bytes);
}

/*
 * Another malloc tells no sizes. There are 16 arena objects first, and twice as many each time that
 * they do not suffice; what is not in use has no address.
 */
static bool is_length_of_array(const struct pht_python_pools *pools, pht_addr array, uint32_t count)
{
    const struct pht_python_layout *layout = pools->scan->layout;
    uint64_t address;

    if (!pht_is_power_of_two(count) || count < FIRST_ARENAS || count > PHT_PYTHON_SCAN_ARENAS_MAX ||
        !holds_samples(pools, count))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        pht_addr object = array + i * layout->arena_object_bytes;
        if (!pht_module_data_peek_u64(pools->scan->data, object + layout->arena_address,
                                      &address) ||
            address % PHT_PAGE_BYTES != 0)
            return false;
    }
    return true;
}

typedef bool (*length_proof)(const struct pht_python_pools *pools, pht_addr array, uint32_t count);

/* Functions that go through all arenas; 2.7 asks them whether a block is its own. */
static const char *const array_users[] = {
    "_Py_GetAllocatedBlocks",
    "_PyObject_DebugMallocStats",
    "PyObject_Realloc",
    "PyObject_Free",
};

static bool find_length(struct pht_python_pools *pools, const struct pht_references *references,
                        pht_addr array, length_proof is_length)
{
    uint32_t length;

    for (size_t i = 0; i < references->count; i++) {
        if (references->items[i] % 4 != 0 ||
            !pht_python_scan_u32(pools->scan, references->items[i], &length) ||
            !is_length(pools, array, length))
            continue;
        pools->scan->layout->maxarenas = references->items[i];
        return true;
    }
    return false;
}

/* usable_arenas may point to the first of the array as well; these functions do not use it. */
static bool find_array(struct pht_python_pools *pools, const struct pht_references *references)
{
    struct pht_python_layout *layout = pools->scan->layout;

    for (size_t i = 0; i < references->count; i++) {
        uint64_t variable = references->items[i];
        pht_addr array = variable % 8 == 0 ? array_at(pools, variable) : 0;
        if (array == 0 || (!find_length(pools, references, array, is_length_of_chunk) &&
                           !find_length(pools, references, array, is_length_of_array)))
            continue;
        layout->arenas = variable;
        return true;
    }
    return false;
}

static bool has_reference(const struct pht_references *references, uint64_t address)
{
    for (size_t i = 0; i < references->count; i++) {
        if (references->items[i] == address)
            return true;
    }
    return false;
}

/*
 * Where pymalloc is off there is no arena, and both are zero: which is which tells the order in the
 * code of the statistics. They are what the first function has in common with it; up to 3.8 that
 * only reads a counter of blocks.
 */
static void find_no_array(const struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    struct pht_references counting, printing;
    uint64_t maxarenas = PHT_UNKNOWN, array;
    uint32_t length;

    pht_references_find(scan->image, array_users[0], &counting);
    pht_references_find(scan->image, array_users[1], &printing);
    for (size_t i = 0; i < printing.count; i++) {
        uint64_t address = printing.items[i];
        if (counting.count > 1 && !has_reference(&counting, address))
            continue;
        if (maxarenas == PHT_UNKNOWN && address % 4 == 0 &&
            pht_python_scan_u32(scan, address, &length) && length == 0) {
            maxarenas = address;
        } else if (maxarenas != PHT_UNKNOWN && address % 8 == 0 &&
                   pht_python_scan_u64(scan, address, &array) && array == 0) {
            layout->maxarenas = maxarenas;
            layout->arenas = address;
            return;
        }
    }
}

/* Arenas in use; 0 if some are not resident, or there are more than any target has. */
static uint64_t count_arenas(const struct pht_python_scan *scan)
{
    const struct pht_python_layout *layout = scan->layout;
    uint64_t array, address, count = 0;
    uint32_t length;

    if (!pht_python_scan_u64(scan, layout->arenas, &array) ||
        !pht_python_scan_u32(scan, layout->maxarenas, &length) ||
        length > PHT_PYTHON_SCAN_ARENAS_MAX)
        return 0;
    for (uint32_t i = 0; i < length; i++) {
        pht_addr object = array + i * layout->arena_object_bytes;
        if (!pht_module_data_peek_u64(scan->data, object + layout->arena_address, &address))
            return 0;
        count += address != 0;
    }
    return count;
}

/* ---- counters ----------------------------------------------------------------------------- */

/* Variables around the counters are pointers, which are larger than any of them. */
static bool is_count(const struct pht_python_scan *scan, uint64_t value)
{
    return pht_maps_find(scan->data->maps, value) == NULL;
}

/*
 * narenas_currently_allocated, ntimes_arena_allocated and narenas_highwater are declared one after
 * the other: compilers place them so, upwards or downwards. The statistics print the second and
 * the third, and the first is how many arenas there are.
 */
static bool are_counters(const struct pht_python_scan *scan, uint64_t made, uint64_t peak,
                         uint64_t arenas)
{
    uint64_t values[3];

    return made % 8 == 0 && (peak == made + 8 || peak == made - 8) &&
           pht_python_scan_u64(scan, made + (made - peak), &values[0]) &&
           pht_python_scan_u64(scan, made, &values[1]) &&
           pht_python_scan_u64(scan, peak, &values[2]) && values[0] == arenas &&
           values[2] >= arenas && values[1] >= values[2] && is_count(scan, values[1]) &&
           is_count(scan, values[2]);
}

/*
 * The second is printed before the third, and what else may look like one comes later. Where there
 * is no arena every word that is zero looks like all of them.
 */
static void find_counters(const struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    struct pht_references references;
    uint64_t arenas = count_arenas(scan);

    pht_references_find(scan->image, "_PyObject_DebugMallocStats", &references);
    for (size_t i = 0; i < references.count && arenas > 0; i++) {
        for (size_t j = i + 1; j < references.count; j++) {
            uint64_t made = references.items[i], peak = references.items[j];
            if (!are_counters(scan, made, peak, arenas))
                continue;
            layout->narenas = made + (made - peak);
            layout->ntimes_arena_allocated = made;
            layout->narenas_highwater = peak;
            return;
        }
    }
}

static bool find_arenas(struct pht_python_pools *pools)
{
    struct pht_references references;

    for (size_t i = 0; i < sizeof(array_users) / sizeof(array_users[0]); i++) {
        pht_references_find(pools->scan->image, array_users[i], &references);
        if (find_array(pools, &references))
            return true;
    }
    return false;
}

/* ---- both --------------------------------------------------------------------------------- */

void pht_python_scan_pools(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    struct pht_python_pools pools = {.scan = scan};
    bool found = layout->arenas != PHT_UNKNOWN && layout->maxarenas != PHT_UNKNOWN;

    if (layout->usedpools == PHT_UNKNOWN)
        pht_python_scan_table(&pools);
    if (layout->usedpools == PHT_UNKNOWN)
        return;
    if (!found && pools.count == 0)
        find_no_array(scan);
    else if (!found)
        found = find_arenas(&pools);
    if (found && scan->row->narenas_highwater != PHT_UNKNOWN &&
        layout->narenas_highwater == PHT_UNKNOWN)
        find_counters(scan);
}
