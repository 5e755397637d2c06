/*
 * Statics of 2.7 to 3.11 that one function uses before all others of their kind: the dict of
 * interned strings, counters of free lists, what the collector keeps. The function is exported, or
 * an exported type has it. That was seen in the code of builds with and without link-time
 * optimisation, and is no proof: so a rule also says what must stand there.
 */
#include <stddef.h>
#include <string.h>

#include "layout/initial_data.h"
#include "layout/python_scan_parts.h"
#include "layout/symbols.h"

/* Free lists have 2,000 items for each length of a tuple, others 256 at most. */
#define ITEMS_MAX 2000

enum looks {
    LOOKS_COUNT,  /* an int of a free list */
    LOOKS_COUNTS, /* an array of them */
    LOOKS_FLAG,   /* an int, 0 or 1, and 1 before the program ran */
    LOOKS_OBJECT, /* a pointer to an object of the type `symbol` */
    LOOKS_OBJECT_OR_NOTHING,
};

/* tp_dealloc: Include/object.h, in all versions. */
#define TYPE_DEALLOC 48

static const struct rule {
    size_t field;
    const char *function; /* or a type: the function that frees its objects */
    enum looks looks;
    const char *symbol;
} rules[] = {
#define RULE(field, ...)                                                                           \
    {                                                                                              \
        offsetof(struct pht_python_layout, field), __VA_ARGS__                                     \
    }
    RULE(interned, "PyUnicode_InternInPlace", LOOKS_OBJECT, "PyDict_Type"),
    RULE(interned, "PyString_InternInPlace", LOOKS_OBJECT, "PyDict_Type"),
    /* 3.6 to 3.9: statistics use one variable each, the counter */
    RULE(free_static_floats, "_PyFloat_DebugMallocStats", LOOKS_COUNT, NULL),
    RULE(free_static_tuples, "_PyTuple_DebugMallocStats", LOOKS_COUNTS, NULL),
    RULE(free_static_lists, "_PyList_DebugMallocStats", LOOKS_COUNT, NULL),
    RULE(free_static_dicts, "_PyDict_DebugMallocStats", LOOKS_COUNT, NULL),
    RULE(free_static_frames, "_PyFrame_DebugMallocStats", LOOKS_COUNT, NULL),
    RULE(free_static_methods, "_PyMethod_DebugMallocStats", LOOKS_COUNT, NULL),
    RULE(free_static_functions, "_PyCFunction_DebugMallocStats", LOOKS_COUNT, NULL),
    /* what frees an object counts it, or else what empties the list; keys go before their dict */
    RULE(free_static_lists, "PyList_Type", LOOKS_COUNT, NULL),
    RULE(free_static_tuples, "PyTuple_Type", LOOKS_COUNTS, NULL),
    RULE(free_static_dict_keys, "PyDict_ClearFreeList", LOOKS_COUNT, NULL),
    RULE(free_static_dict_keys, "PyDict_Type", LOOKS_COUNT, NULL),
    RULE(free_static_dicts, "PyDict_Type", LOOKS_COUNT, NULL),
    RULE(free_static_contexts, "PyContext_Type", LOOKS_COUNT, NULL),
    RULE(free_static_async_values, "_PyAsyncGenWrappedValue_Type", LOOKS_COUNT, NULL),
    RULE(free_static_async_sends, "_PyAsyncGenASend_Type", LOOKS_COUNT, NULL),
    RULE(free_static_sets, "PySet_Type", LOOKS_COUNT, NULL),
    RULE(free_static_frames, "PyFrame_ClearFreeList", LOOKS_COUNT, NULL),
    RULE(free_static_methods, "PyMethod_ClearFreeList", LOOKS_COUNT, NULL),
    RULE(free_static_functions, "PyCFunction_ClearFreeList", LOOKS_COUNT, NULL),
    RULE(free_static_unicodes, "PyUnicodeUCS4_ClearFreelist", LOOKS_COUNT, NULL),
    RULE(free_static_unicodes, "PyUnicodeUCS2_ClearFreelist", LOOKS_COUNT, NULL),
    RULE(cached_static_slice, "PySlice_New", LOOKS_OBJECT_OR_NOTHING, "PySlice_Type"),
    RULE(gc_static_enabled, "_PyGC_CollectIfEnabled", LOOKS_FLAG, NULL),
    RULE(gc_static_enabled, "_PyObject_GC_Malloc", LOOKS_FLAG, NULL),
    RULE(gc_static_garbage, "_PyGC_DumpShutdownStats", LOOKS_OBJECT, "PyList_Type"),
    RULE(gc_static_garbage, "initgc", LOOKS_OBJECT_OR_NOTHING, "PyList_Type"),
    RULE(gc_static_callbacks, "_PyGC_Fini", LOOKS_OBJECT_OR_NOTHING, "PyList_Type"),
#undef RULE
};

static uint64_t *field_of(const struct rule *rule, struct pht_python_layout *layout)
{
    return (uint64_t *)((char *)layout + rule->field);
}

static bool is_known(const struct rule *rule, const struct pht_python_layout *layout)
{
    return *(const uint64_t *)((const char *)layout + rule->field) != PHT_UNKNOWN;
}

/* ---- what stands there -------------------------------------------------------------------- */

/* Half of a pointer is no int. */
static bool is_int(const struct pht_python_scan *scan, uint64_t address, uint32_t most)
{
    uint32_t value, half;

    return address % 4 == 0 && pht_python_scan_u32(scan, address, &value) && value <= most &&
           (address % 8 != 0 || !pht_python_scan_u32(scan, address + 4, &half) ||
            half <= ITEMS_MAX);
}

static bool was_set(const struct pht_python_scan *scan, uint64_t address)
{
    uint32_t value;

    return pht_elf_image_read(scan->image, address, &value, sizeof(value)) && value == 1;
}

static bool is_object(const struct pht_python_scan *scan, uint64_t address, const char *name,
                      bool may_be_nothing)
{
    struct pht_symbol symbol = {.name = name};
    uint64_t object, type;

    if (address % 8 != 0 || !pht_python_scan_u64(scan, address, &object))
        return false;
    if (object == 0)
        return may_be_nothing;
    pht_symbols_find(scan->image->elf, SHT_DYNSYM, &symbol, 1);
    return symbol.matches == 1 && object % 8 == 0 &&
           pht_module_data_peek_u64(scan->data, object + PHT_OBJECT_TYPE, &type) &&
           type == symbol.address + scan->image->bias;
}

static bool looks_right(const struct pht_python_scan *scan, const struct rule *rule,
                        uint64_t address, bool may_be_int)
{
    switch (rule->looks) {
    case LOOKS_COUNT: /* an empty list is a pointer that looks like 0 */
        return may_be_int && is_int(scan, address, ITEMS_MAX);
    case LOOKS_COUNTS:
        return is_int(scan, address, ITEMS_MAX);
    case LOOKS_FLAG:
        return may_be_int && is_int(scan, address, 1) && was_set(scan, address);
    case LOOKS_OBJECT:
        return is_object(scan, address, rule->symbol, false);
    case LOOKS_OBJECT_OR_NOTHING:
        return is_object(scan, address, rule->symbol, true);
    }
    return false;
}

/* ---- rules -------------------------------------------------------------------------------- */

static bool is_taken(const struct pht_python_scan *scan, uint64_t address)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (*field_of(&rules[i], scan->layout) == address)
            return true;
    }
    return false;
}

static void find_references(const struct pht_python_scan *scan, const char *function,
                            struct pht_references *ret)
{
    struct pht_symbol type = {.name = function};
    uint64_t dealloc;

    ret->count = 0;
    if (strstr(function, "_Type") == NULL) {
        pht_references_find(scan->image, function, ret);
        return;
    }
    pht_symbols_find(scan->image->elf, SHT_DYNSYM, &type, 1);
    if (type.matches == 1 && pht_initial_u64(scan->image, type.address + TYPE_DEALLOC, &dealloc))
        pht_references_at(scan->image, dealloc, ret);
}

static void apply(struct pht_python_scan *scan, const struct rule *rule)
{
    struct pht_references references;

    find_references(scan, rule->function, &references);
    for (size_t i = 0; i < references.count; i++) {
        uint64_t address = references.items[i];
        if (is_taken(scan, address) || !looks_right(scan, rule, address, references.may_be_int[i]))
            continue;
        *field_of(rule, scan->layout) = address;
        return;
    }
}

/* An exported variable points to the youngest of the three. */
static void find_generations(struct pht_python_scan *scan)
{
    struct pht_python_layout *layout = scan->layout;
    uint64_t generations;

    if (layout->gc_static_generation0 == PHT_UNKNOWN ||
        scan->row->gc_static_generations == PHT_UNKNOWN ||
        !pht_python_scan_u64(scan, layout->gc_static_generation0, &generations) ||
        pht_module_data_at(scan->data, generations, scan->row->gc_static_generations_bytes) == NULL)
        return;
    layout->gc_static_generations = generations - scan->image->bias;
    layout->gc_static_generations_bytes = scan->row->gc_static_generations_bytes;
}

void pht_python_scan_statics(struct pht_python_scan *scan)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (is_known(&rules[i], scan->row) && !is_known(&rules[i], scan->layout))
            apply(scan, &rules[i]);
    }
    if (scan->layout->free_static_tuples != PHT_UNKNOWN)
        scan->layout->free_static_tuples_bytes = scan->row->free_static_tuples_bytes;
    if (scan->layout->gc_static_generations == PHT_UNKNOWN)
        find_generations(scan);
}
