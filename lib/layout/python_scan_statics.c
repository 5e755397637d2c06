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

/* Free lists have 2,000 items for each of 20 lengths of a tuple, those in arrays 80 at most. */
#define ITEMS_MAX 2000
#define TUPLE_LISTS 20
#define ARRAY_ITEMS 80

/* Compilers align what is as large as an array to 32 bytes. */
#define ARRAY_ALIGNMENT 32

enum looks {
    LOOKS_COUNT,            /* an int of a free list */
    LOOKS_COUNTS,           /* an array of them */
    LOOKS_COUNT_OF_CHAIN,   /* and beside it the first item, if there is any */
    LOOKS_COUNT_OF_ARRAY,   /* and beside it the array that it counts */
    LOOKS_COUNTS_OF_TUPLES, /* and beside them the heads of the lists that they count */
    LOOKS_FLAG,             /* an int, 0 or 1, and 1 before the program ran */
    LOOKS_OBJECT,           /* a pointer to an object of the type `symbol` */
    LOOKS_OBJECT_OR_NOTHING,
    LOOKS_NUMBERS, /* a pointer to a block with places for objects of the type `symbol` */
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
    /* what frees an object counts it */
    RULE(free_static_lists, "PyList_Type", LOOKS_COUNT_OF_ARRAY, "PyList_Type"),
    RULE(free_static_tuples, "PyTuple_Type", LOOKS_COUNTS_OF_TUPLES, NULL),
    RULE(free_static_dicts, "PyDict_Type", LOOKS_COUNT_OF_ARRAY, "PyDict_Type"),
    RULE(free_static_dict_keys, "PyDict_ClearFreeList", LOOKS_COUNT_OF_ARRAY, NULL),
    RULE(free_static_dict_keys, "PyDict_Type", LOOKS_COUNT_OF_ARRAY, NULL),
    RULE(free_static_dict_keys, "PyDict_Clear", LOOKS_COUNT_OF_ARRAY, NULL),
    RULE(free_static_async_values, "_PyAsyncGenWrappedValue_Type", LOOKS_COUNT_OF_ARRAY,
         "_PyAsyncGenWrappedValue_Type"),
    RULE(free_static_async_sends, "_PyAsyncGenASend_Type", LOOKS_COUNT_OF_ARRAY,
         "_PyAsyncGenASend_Type"),
    RULE(free_static_sets, "PySet_Type", LOOKS_COUNT_OF_ARRAY, "PySet_Type"),
    RULE(free_static_contexts, "PyContext_Type", LOOKS_COUNT_OF_CHAIN, NULL),
    /* what empties a list sets its counter */
    RULE(free_static_frames, "PyFrame_ClearFreeList", LOOKS_COUNT_OF_CHAIN, NULL),
    RULE(free_static_methods, "PyMethod_ClearFreeList", LOOKS_COUNT_OF_CHAIN, NULL),
    RULE(free_static_functions, "PyCFunction_ClearFreeList", LOOKS_COUNT_OF_CHAIN, NULL),
    RULE(free_static_unicodes, "PyUnicodeUCS4_ClearFreelist", LOOKS_COUNT_OF_CHAIN, NULL),
    RULE(free_static_unicodes, "PyUnicodeUCS2_ClearFreelist", LOOKS_COUNT_OF_CHAIN, NULL),
    RULE(int_blocks, "PyInt_ClearFreeList", LOOKS_NUMBERS, "PyInt_Type"),
    RULE(float_blocks, "PyFloat_ClearFreeList", LOOKS_NUMBERS, "PyFloat_Type"),
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

/* Variables that begin as zeros have no bytes in the file. */
static bool is_in_bss(const struct pht_python_scan *scan, uint64_t address)
{
    unsigned char byte;

    return !pht_elf_image_read(scan->image, address, &byte, sizeof(byte));
}

/* Half of a pointer is no int. */
static bool is_int(const struct pht_python_scan *scan, uint64_t address, uint32_t most)
{
    uint32_t value, half;

    return address % 4 == 0 && pht_python_scan_u32(scan, address, &value) && value <= most &&
           (address % 8 != 0 || !pht_python_scan_u32(scan, address + 4, &half) ||
            half <= ITEMS_MAX);
}

static bool is_counter(const struct pht_python_scan *scan, uint64_t address, uint32_t most)
{
    return is_in_bss(scan, address) && is_int(scan, address, most);
}

static bool was_set(const struct pht_python_scan *scan, uint64_t address)
{
    uint32_t value;

    return pht_elf_image_read(scan->image, address, &value, sizeof(value)) && value == 1;
}

/* What waits in a free list has no references. */
static bool is_alive(const struct pht_python_scan *scan, pht_addr object)
{
    uint64_t references;

    return pht_module_data_peek_u64(scan->data, object, &references) && references != 0;
}

static bool find_symbol(const struct pht_python_scan *scan, const char *name, pht_addr *ret)
{
    struct pht_symbol symbol = {.name = name};

    pht_symbols_find(scan->image->elf, SHT_DYNSYM, &symbol, 1);
    *ret = symbol.address + scan->image->bias;
    return symbol.matches == 1;
}

/* True if the type of the object is the one that the rule names. */
static bool is_of_type(const struct pht_python_scan *scan, const struct rule *rule, pht_addr object)
{
    uint64_t type, named;

    return find_symbol(scan, rule->symbol, &named) && object % 8 == 0 &&
           pht_module_data_peek_u64(scan->data, object + PHT_OBJECT_TYPE, &type) && type == named;
}

static bool is_object(const struct pht_python_scan *scan, const struct rule *rule, uint64_t address)
{
    uint64_t object;

    if (address % 8 != 0 || !pht_python_scan_u64(scan, address, &object))
        return false;
    if (object == 0)
        return rule->looks == LOOKS_OBJECT_OR_NOTHING;
    return is_of_type(scan, rule, object) &&
           (rule->looks == LOOKS_OBJECT_OR_NOTHING || is_alive(scan, object));
}

/* ---- ints and floats of 2.7 --------------------------------------------------------------- */

/* Before one that has a number in use. */
#define FREE_BLOCKS_MAX 10000

static bool is_block(const struct pht_number_block *block, pht_addr type, unsigned *used)
{
    *used = 0;
    for (unsigned i = 0; i < PHT_NUMBER_PLACES; i++) {
        const struct pht_number_place *place = &block->places[i];
        if (place->type_or_link % 8 != 0 ||
            (place->type_or_link != 0 && place->type_or_link < PHT_PAGE_BYTES))
            return false;
        *used += place->references != 0 && place->type_or_link == type;
    }
    return true;
}

static bool leads_to_numbers(const struct pht_python_scan *scan, const struct rule *rule,
                             uint64_t address)
{
    struct pht_number_block block;
    unsigned used = 0;
    pht_addr at, type;

    if (address % 8 != 0 || !pht_python_scan_u64(scan, address, &at) ||
        !find_symbol(scan, rule->symbol, &type))
        return false;
    for (unsigned i = 0; i < FREE_BLOCKS_MAX && used == 0; i++, at = block.next) {
        if (at == 0 || at % 8 != 0 ||
            !pht_module_data_peek(scan->data, at, &block, sizeof(block)) ||
            !is_block(&block, type, &used))
            return false;
    }
    return used > 0;
}

/* ---- lists and their counters ------------------------------------------------------------- */

/* {int numfree; type *free_list}, or the other way round. */
static bool counts_chain(const struct pht_python_scan *scan, const struct rule *rule,
                         uint64_t counter, uint64_t list)
{
    uint64_t first;
    uint32_t count;

    (void)rule;
    return list % 8 == 0 && (list + 8 == counter || list - counter - 1 < 8) &&
           is_counter(scan, counter, ITEMS_MAX) && pht_python_scan_u32(scan, counter, &count) &&
           pht_python_scan_u64(scan, list, &first) && (count > 0) == (first != 0);
}

/* True if `variable` stands right in front of an array of so many bytes, or right behind it. */
static bool is_beside(uint64_t variable, uint64_t bytes, uint64_t array, uint64_t array_bytes)
{
    uint64_t before = array - (variable + bytes), behind = variable - (array + array_bytes);

    return array % 8 == 0 && (before < ARRAY_ALIGNMENT || behind < ARRAY_ALIGNMENT);
}

/* {int numfree; type *free_list[80]}, or the other way round; behind the free ones stand old ones.
 */
static bool counts_array(const struct pht_python_scan *scan, const struct rule *rule,
                         uint64_t counter, uint64_t array)
{
    uint64_t item;
    uint32_t count;

    if (!is_beside(counter, sizeof(count), array, ARRAY_ITEMS * sizeof(item)) ||
        !is_counter(scan, counter, ARRAY_ITEMS) || !is_in_bss(scan, array) ||
        !pht_python_scan_u32(scan, counter, &count))
        return false;
    for (uint32_t i = 0; i < ARRAY_ITEMS; i++) {
        if (!pht_python_scan_u64(scan, array + i * sizeof(item), &item) || item % 8 != 0 ||
            (item == 0 && i < count) || (item != 0 && item < PHT_PAGE_BYTES))
            return false;
        if (i == 0 && count > 0 && rule->symbol != NULL && !is_of_type(scan, rule, item))
            return false;
    }
    return true;
}

/* {int numfree[20]; tuple *free_list[20]}, or the other way round; the first is the empty tuple. */
static bool counts_tuples(const struct pht_python_scan *scan, const struct rule *rule,
                          uint64_t counters, uint64_t lists)
{
    uint64_t first;
    uint32_t count;

    (void)rule;
    if (counters % 4 != 0 || !is_in_bss(scan, counters) ||
        !is_beside(counters, TUPLE_LISTS * sizeof(count), lists, TUPLE_LISTS * sizeof(first)))
        return false;
    for (uint32_t i = 1; i < TUPLE_LISTS; i++) {
        if (!pht_python_scan_u32(scan, counters + i * sizeof(count), &count) ||
            !pht_python_scan_u64(scan, lists + i * sizeof(first), &first) || count > ITEMS_MAX ||
            (count > 0) != (first != 0))
            return false;
    }
    return true;
}

typedef bool (*counting)(const struct pht_python_scan *scan, const struct rule *rule,
                         uint64_t counter, uint64_t list);

/* The function uses the list too. */
static bool counts_any(const struct pht_python_scan *scan, const struct rule *rule,
                       const struct pht_references *references, uint64_t counter)
{
    static const counting ways[] = {
        [LOOKS_COUNT_OF_CHAIN] = counts_chain,
        [LOOKS_COUNT_OF_ARRAY] = counts_array,
        [LOOKS_COUNTS_OF_TUPLES] = counts_tuples,
    };

    for (size_t i = 0; i < references->count; i++) {
        if (ways[rule->looks](scan, rule, counter, references->items[i]))
            return true;
    }
    return false;
}

static bool looks_right(const struct pht_python_scan *scan, const struct rule *rule,
                        const struct pht_references *references, size_t i)
{
    uint64_t address = references->items[i];
    bool may_be_int = references->may_be_int[i];

    switch (rule->looks) {
    case LOOKS_COUNT: /* an empty list is a pointer that looks like 0 */
        return may_be_int && is_counter(scan, address, ITEMS_MAX);
    case LOOKS_COUNTS:
        return is_counter(scan, address, ITEMS_MAX);
    case LOOKS_COUNT_OF_CHAIN:
    case LOOKS_COUNT_OF_ARRAY:
        return may_be_int && counts_any(scan, rule, references, address);
    case LOOKS_COUNTS_OF_TUPLES:
        return counts_any(scan, rule, references, address);
    case LOOKS_FLAG:
        return may_be_int && is_int(scan, address, 1) && was_set(scan, address);
    case LOOKS_OBJECT:
    case LOOKS_OBJECT_OR_NOTHING:
        return is_object(scan, rule, address);
    case LOOKS_NUMBERS:
        return leads_to_numbers(scan, rule, address);
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

/* Of an array without items little is seen: one that has some goes before. */
static bool is_weak(const struct pht_python_scan *scan, const struct rule *rule, uint64_t address)
{
    uint32_t value;

    return rule->looks == LOOKS_COUNT_OF_ARRAY && pht_python_scan_u32(scan, address, &value) &&
           value == 0;
}

static void apply(struct pht_python_scan *scan, const struct rule *rule)
{
    struct pht_references references;
    uint64_t found = PHT_UNKNOWN;

    find_references(scan, rule->function, &references);
    for (size_t i = 0; i < references.count; i++) {
        uint64_t address = references.items[i];
        if (is_taken(scan, address) || !looks_right(scan, rule, &references, i))
            continue;
        if (found == PHT_UNKNOWN || (is_weak(scan, rule, found) && !is_weak(scan, rule, address)))
            found = address;
    }
    *field_of(rule, scan->layout) = found;
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

/* Nine numbers, and none of them a pointer. */
static bool are_stats(const struct pht_python_scan *scan, uint64_t address, uint64_t bytes)
{
    uint64_t value;

    if (address % 8 != 0 || !is_in_bss(scan, address))
        return false;
    for (uint64_t at = 0; at < bytes; at += sizeof(value)) {
        if (!pht_python_scan_u64(scan, address + at, &value) || value > UINT32_MAX)
            return false;
    }
    return true;
}

/* gc.get_stats() of 3.6 reads them and nothing else; parts of the array may be named too. */
static void find_stats(struct pht_python_scan *scan)
{
    uint64_t bytes = scan->row->gc_static_stats_bytes, found = PHT_UNKNOWN;
    uint64_t function = pht_python_scan_find_method(scan, "PyInit_gc", "get_stats");
    struct pht_references references;

    if (function == PHT_UNKNOWN)
        return;
    pht_references_at(scan->image, function, &references);
    for (size_t i = 0; i < references.count && found == PHT_UNKNOWN; i++) {
        if (are_stats(scan, references.items[i], bytes))
            found = references.items[i];
    }
    for (size_t i = 0; i < references.count && found != PHT_UNKNOWN; i++) {
        if (found - references.items[i] < bytes && are_stats(scan, references.items[i], bytes))
            found = references.items[i];
    }
    scan->layout->gc_static_stats = found;
    if (found != PHT_UNKNOWN)
        scan->layout->gc_static_stats_bytes = bytes;
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
    if (scan->layout->gc_static_stats == PHT_UNKNOWN && scan->row->gc_static_stats != PHT_UNKNOWN)
        find_stats(scan);
}
