/*
 * Which functions allocate, Objects/obmalloc.c of 3.6 and later. Three allocators {ctx, malloc,
 * calloc, realloc, free} for raw memory, memory and objects stand side by side: statics up to 3.11,
 * in _PyRuntime later. Debug hooks keep the one behind them as {char api_id, allocator}, and a copy
 * of each begins there: so the image tells which function is which, whatever runs now.
 */
#include <string.h>

#include "layout/initial_data.h"
#include "layout/python_scan_parts.h"

#define FUNCTIONS 4
#define WORDS (1 + FUNCTIONS) /* of an allocator */
#define MALLOC 8              /* PyMemAllocatorEx.malloc */
#define HOOKED_BYTES 48       /* debug_alloc_api_t: {api_id, padding, allocator} */
#define HOOKED_ALLOCATOR 8
#define DOMAINS 3 /* raw, memory, objects */

static bool is_code(const struct pht_python_scan *scan, uint64_t word)
{
    const struct pht_mapping *mapping = pht_maps_find(scan->data->maps, word);

    return mapping != NULL && mapping->executable;
}

/* ---- where they stand: 3.6 to 3.11 -------------------------------------------------------- */

static bool is_allocator(const struct pht_python_scan *scan, uint64_t address)
{
    uint64_t word;

    for (size_t i = 1; i < WORDS; i++) {
        if (!pht_python_scan_u64(scan, address + i * sizeof(word), &word) || !is_code(scan, word))
            return false;
    }
    return true;
}

/* Code may name its first member or the second, and that of objects only. */
static void find_object_allocator(struct pht_python_scan *scan)
{
    struct pht_references references;

    pht_references_find(scan->image, "PyObject_Malloc", &references);
    for (size_t i = 0; i < references.count; i++) {
        uint64_t address = references.items[i];
        if (address % 8 != 0)
            continue;
        if (!is_allocator(scan, address))
            address -= MALLOC;
        if (!is_allocator(scan, address))
            continue;
        scan->layout->object_allocator = address;
        return;
    }
}

static bool are_hooks(const struct pht_python_scan *scan, const unsigned char *bytes)
{
    static const char ids[DOMAINS] = {'r', 'm', 'o'};

    for (size_t i = 0; i < DOMAINS; i++) {
        const unsigned char *hooked = bytes + i * HOOKED_BYTES;
        uint64_t words[HOOKED_BYTES / 8];
        memcpy(words, hooked, sizeof(words));
        if (words[0] != (uint64_t)ids[i])
            return false;
        for (size_t j = 0; j < FUNCTIONS; j++) {
            if (!is_code(scan, words[2 + j]))
                return false;
        }
    }
    return true;
}

uint64_t pht_python_scan_find_hooks(const struct pht_python_scan *scan, uint64_t start,
                                    uint64_t end)
{
    uint64_t found = PHT_UNKNOWN;
    size_t count = 0;

    for (size_t i = 0; i < scan->data->count; i++) {
        const struct pht_module_segment *segment = &scan->data->segments[i];
        for (size_t at = 0; at + (size_t)DOMAINS * HOOKED_BYTES <= segment->size; at += 8) {
            uint64_t address = segment->start + at - scan->image->bias;
            if (segment->bytes[at] != 'r' || address < start || address >= end ||
                !are_hooks(scan, segment->bytes + at))
                continue;
            found = address;
            count++;
        }
    }
    return count == 1 ? found : PHT_UNKNOWN;
}

/* ---- which function is which -------------------------------------------------------------- */

/* Where the hooks keep {raw, memory, objects}; PHT_UNKNOWN if that is not known. */
static uint64_t hooks_of(const struct pht_python_layout *layout)
{
    if (layout->runtime_debug_malloc == PHT_UNKNOWN || layout->runtime == PHT_UNKNOWN)
        return layout->debug_allocators;
    return layout->runtime + layout->runtime_debug_malloc - HOOKED_ALLOCATOR - MALLOC -
           (uint64_t)2 * HOOKED_BYTES;
}

static uint64_t object_allocator_of(const struct pht_python_layout *layout)
{
    if (layout->runtime_object_malloc == PHT_UNKNOWN || layout->runtime == PHT_UNKNOWN)
        return layout->object_allocator;
    return layout->runtime + layout->runtime_object_malloc - MALLOC;
}

static void take_initial(struct pht_python_scan *scan, uint64_t address, uint64_t *function)
{
    uint64_t value;

    if (*function == PHT_UNKNOWN && pht_initial_u64(scan->image, address, &value) && value != 0 &&
        is_code(scan, value + scan->image->bias))
        *function = value;
}

/* The context of the hooks is what they keep of the allocator behind them. */
static void find_debug_function(struct pht_python_scan *scan, uint64_t allocator, uint64_t hooks)
{
    uint64_t context, function;

    if (pht_python_scan_u64(scan, allocator, &context) &&
        context == hooks + (uint64_t)2 * HOOKED_BYTES + scan->image->bias &&
        pht_python_scan_u64(scan, allocator + MALLOC, &function) && is_code(scan, function))
        scan->layout->debug_function = function - scan->image->bias;
}

/*
 * The last of what PYTHONMALLOC may choose, from 3.13 on: not pymalloc, not malloc, of the same
 * file, and without a context, which those have that a program puts in front.
 */
static void find_mimalloc(struct pht_python_scan *scan, uint64_t allocator)
{
    const struct pht_python_layout *layout = scan->layout;
    uint64_t context, function, start, end;

    if (scan->row->mimalloc_function == PHT_UNKNOWN || layout->pymalloc_function == PHT_UNKNOWN ||
        layout->malloc_function == PHT_UNKNOWN || !pht_python_scan_u64(scan, allocator, &context) ||
        context != 0 || !pht_python_scan_u64(scan, allocator + MALLOC, &function) ||
        !is_code(scan, function) || !pht_elf_image_span(scan->image, &start, &end))
        return;
    function -= scan->image->bias;
    if (function >= start && function < end && function != layout->pymalloc_function &&
        function != layout->malloc_function)
        scan->layout->mimalloc_function = function;
}

void pht_python_scan_allocators(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;

    if (layout->object_allocator == PHT_UNKNOWN && scan->row->object_allocator != PHT_UNKNOWN)
        find_object_allocator(scan);
    if (layout->debug_allocators == PHT_UNKNOWN && scan->row->debug_allocators != PHT_UNKNOWN)
        layout->debug_allocators = pht_python_scan_find_hooks(scan, 0, UINT64_MAX);
    uint64_t hooks = hooks_of(layout), objects = object_allocator_of(layout);
    if (hooks == PHT_UNKNOWN || objects == PHT_UNKNOWN)
        return;
    take_initial(scan, hooks + HOOKED_ALLOCATOR + MALLOC, &layout->malloc_function);
    take_initial(scan, hooks + (uint64_t)2 * HOOKED_BYTES + HOOKED_ALLOCATOR + MALLOC,
                 &layout->pymalloc_function);
    if (layout->debug_function == PHT_UNKNOWN)
        find_debug_function(scan, objects, hooks);
    if (layout->mimalloc_function == PHT_UNKNOWN) {
        find_mimalloc(scan, objects);
        find_mimalloc(scan, hooks + (uint64_t)2 * HOOKED_BYTES + HOOKED_ALLOCATOR);
    }
}
