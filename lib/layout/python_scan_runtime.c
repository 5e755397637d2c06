/*
 * The interpreter of a release that no table has, 3.13 and later: what the debug offsets do not
 * tell. An interpreter points to its state of pymalloc, which begins with the table of used pools;
 * and _PyRuntime has the allocators, in front of what debug hooks keep of them.
 */
#include "layout/python_scan_parts.h"

#define ALLOCATOR_BYTES 40 /* PyMemAllocatorEx */
#define MALLOC 8
#define HOOKED_MALLOC 16 /* debug_alloc_api_t: {api_id, padding, {ctx, malloc, ... */
#define HOOKED_BYTES 48

/* One member of the interpreter and no other. */
static void find_state(struct pht_python_scan *scan, pht_addr interpreter)
{
    struct pht_python_layout *layout = scan->layout;
    uint64_t found = PHT_UNKNOWN, state;
    size_t count = 0;

    for (uint64_t offset = 0; offset < layout->interp_bytes; offset += sizeof(state)) {
        if (!pht_module_data_peek_u64(scan->data, interpreter + offset, &state) || state == 0 ||
            state % 8 != 0 ||
            !pht_python_scan_is_table(scan, state + layout->obmalloc_usedpools,
                                      (uint32_t)(layout->obmalloc_usedpools_bytes / 16)))
            continue;
        found = offset;
        count++;
    }
    if (count != 1)
        return;
    layout->interp_obmalloc = found;
    layout->interp_obmalloc_bytes = sizeof(state);
}

static void find_allocators(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    uint64_t hooks =
        pht_python_scan_find_hooks(scan, layout->runtime, layout->runtime + layout->runtime_bytes);

    if (hooks == PHT_UNKNOWN || hooks - layout->runtime < ALLOCATOR_BYTES)
        return;
    layout->runtime_debug_malloc =
        hooks - layout->runtime + (uint64_t)2 * HOOKED_BYTES + HOOKED_MALLOC;
    layout->runtime_object_malloc = hooks - layout->runtime - ALLOCATOR_BYTES + MALLOC;
}

void pht_python_scan_runtime(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    uint64_t interpreter;

    find_allocators(scan);
    if (pht_python_scan_u64(scan, layout->runtime + layout->runtime_interpreters_main,
                            &interpreter) &&
        interpreter != 0)
        find_state(scan, interpreter);
}
