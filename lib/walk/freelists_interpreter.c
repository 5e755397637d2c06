/*
 * Free lists from 3.10 on, of the main interpreter. It has the counters,
 *
 *     3.10 to 3.12    int numfree in the state of each type (pycore_interp.h, and headers in it)
 *     3.13            int numfree in object_state.freelists (pycore_freelist_state.h)
 *     3.14 and later  Py_ssize_t size in the same place, of which the lower half is enough
 */
#include <stddef.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/freelists.h"
#include "walk/interpreter.h"

#define TUPLE_COUNTERS_BYTES ((uint64_t)PHT_FREELIST_TUPLE_LENGTHS * sizeof(uint32_t))
#define TUPLE_LISTS_BYTES ((uint64_t)PHT_FREELIST_TUPLE_LENGTHS * 16)

#define ALIGNMENT 16
#define GC_HEAD_BYTES 16

struct kind {
    size_t counter; /* in struct pht_python_layout */
    const char *type;
    uint16_t bytes; /* of a block; 0: they differ */
};

#define KIND(field, type, bytes)                                                                   \
    {                                                                                              \
        offsetof(struct pht_python_layout, field), type, bytes                                     \
    }

/*
 * Sizes are the same in the DWARF of 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.10 and 3.15.2. With the
 * head of the collector: dict 48, list 40, Context 48, async_generator_wrapped_value 24,
 * async_generator_asend 40, slice 40, iterators of list and tuple 32, FutureIter 24, methods 48,
 * builtin functions 56 and 64. Without: float 24, int 28 for one digit, complex 32, range 48, its
 * iterator 40, _PyUnicodeWriter 56, PyBytesWriter 280.
 */
static const struct kind kinds[] = {
    KIND(free_floats, "float", 32),
    KIND(free_lists, "list", 64),
    KIND(free_dicts, "dict", 64),
    KIND(free_contexts, "Context", 64),
    KIND(free_async_values, "async_generator_wrapped_value", 48),
    KIND(free_async_sends, "async_generator_asend", 64),
    KIND(free_frames, "frame", 0),
    KIND(free_slices, "slice", 64),
    KIND(free_ints, "int", 32),
    KIND(free_complexes, "complex", 32),
    KIND(free_list_iters, "list_iterator", 48),
    KIND(free_tuple_iters, "tuple_iterator", 48),
    KIND(free_ranges, "range", 48),
    KIND(free_range_iters, "range_iterator", 48),
    KIND(free_future_iters, "FutureIter", 48),
    KIND(free_str_writers, "(str writer)", 64),
    KIND(free_bytes_writers, "(bytes writer)", 288),
    KIND(free_functions, "builtin_function_or_method", 80),
    KIND(free_class_methods, "builtin_method", 80),
    KIND(free_methods, "method", 64),
};

_Static_assert(sizeof(kinds) / sizeof(kinds[0]) + 3 <= PHT_FREELISTS_MAX, "more kinds than rows");

struct search {
    const struct pht_freelists_search *common;
    pht_addr interpreter;
};

static void add(const struct search *search, const char *type, uint64_t objects, uint64_t bytes)
{
    pht_freelists_add(search->common, type, objects, bytes);
}

static bool read_count(const struct search *search, uint64_t offset, uint32_t *ret)
{
    return pht_freelists_count(search->common, search->interpreter + offset, ret);
}

static bool add_kind(const struct search *search, const struct kind *kind)
{
    uint64_t offset = pht_field_u64(&search->common->python->layout, kind->counter);
    uint32_t objects;

    if (offset == PHT_UNKNOWN)
        return true;
    if (!read_count(search, offset, &objects))
        return false;
    add(search, kind->type, objects,
        kind->bytes == 0 && objects > 0 ? PHT_UNKNOWN : (uint64_t)objects * kind->bytes);
    return true;
}

/* Only keys of the smallest size: room for eight, of which five are used; strings from 3.11 on. */
static bool add_dict_keys(const struct search *search)
{
    const struct kind keys =
        KIND(free_dict_keys, "(dict keys)", search->common->python->version.minor < 11 ? 176 : 128);

    return add_kind(search, &keys);
}

/* Up to 3.13 as a pointer; it is one block, and the empty list none. */
static bool add_slice(const struct search *search)
{
    uint64_t offset = search->common->python->layout.cached_slice;
    pht_addr slice;

    if (offset == PHT_UNKNOWN)
        return true;
    if (pht_snapshot_read(search->common->snapshot, search->interpreter + offset, &slice,
                          sizeof(slice)) != PHT_READ_OK)
        return false;
    add(search, "slice", slice != 0, slice != 0 ? 64 : 0);
    return true;
}

/*
 * A counter each or, from 3.14 on, a list {first, counter} each; there tuples have a hash. The
 * first is of length 1, but in 3.10 it is the empty tuple, which is in use.
 */
static bool add_tuples(const struct search *search)
{
    const struct pht_python_layout *layout = &search->common->python->layout;
    bool has_lists = layout->free_tuples_bytes == TUPLE_LISTS_BYTES;
    unsigned minor = search->common->python->version.minor;
    uint64_t head = GC_HEAD_BYTES + (minor < 14 ? 24 : 32);
    uint64_t objects = 0, bytes = 0;

    if (layout->free_tuples == PHT_UNKNOWN)
        return true;
    if (!has_lists && layout->free_tuples_bytes != TUPLE_COUNTERS_BYTES)
        return false;
    for (unsigned i = minor < 11 ? 1 : 0; i < PHT_FREELIST_TUPLE_LENGTHS; i++) {
        unsigned length = minor < 11 ? i : i + 1;
        uint64_t place = has_lists ? (uint64_t)i * 16 + 8 : (uint64_t)i * sizeof(uint32_t);
        uint32_t count;
        if (!read_count(search, layout->free_tuples + place, &count))
            return false;
        objects += count;
        bytes += count * pht_round_up(head + (uint64_t)length * sizeof(pht_addr), ALIGNMENT);
    }
    add(search, "tuple", objects, bytes);
    return true;
}

bool pht_freelists_of_interpreter(const struct pht_freelists_search *common)
{
    bool is_only;
    const struct search search = {
        .common = common,
        .interpreter = pht_interpreter_main(common->snapshot, common->python, &is_only),
    };

    if (search.interpreter == 0)
        return false;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (!add_kind(&search, &kinds[i]))
            return false;
    }
    return add_dict_keys(&search) && add_slice(&search) && add_tuples(&search);
}
