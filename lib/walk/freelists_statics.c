/*
 * Free lists up to 3.9, of all interpreters at once. Their counters are variables of the files that
 * define the types, `numfree` in most: Objects/listobject.c and so on, Python/context.c.
 *
 * Two kinds are not among them. The ints and floats of 2.7 wait in chunks of malloc that have many
 * of them, used ones as well: census_numbers.c counts them. A code object keeps its last frame as
 * its own (co_zombieframe), which is no list.
 */
#include <stddef.h>

#include "base/checked.h"
#include "walk/field.h"
#include "walk/freelists.h"
#include "walk/pymalloc.h"
#include "walk/word_reader.h"

enum series {
    V2_7,
    V3_6,
    V3_7,
    V3_8,
    V3_9,
    SERIES,
};

enum form {
    PLAIN,     /* one block an object */
    COLLECTED, /* the same, with the head of the collector */
    VARIED,    /* blocks differ in size; 1 for a version that has such a list */
};

struct kind {
    size_t counter; /* in struct pht_python_layout */
    const char *type;
    enum form form;
    uint16_t bytes[SERIES]; /* of an object; 0: the version has no such list */
};

#define KIND(of, type, form, ...)                                                                  \
    {                                                                                              \
        offsetof(struct pht_python_layout, free_static_##of), type, form,                          \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/*
 * Sizes are those of the DWARF of 2.7.18, 3.6.15, 3.7.16, 3.8.18 and 3.9.18. Keys of dicts are of
 * the smallest size: a head of 40 bytes, eight indices, and room for five entries of 24. Frames are
 * as long as their code needs; a unicode of 2.7 may keep its characters, up to eight of them
 * (KEEPALIVE_SIZE_LIMIT), in a block of its own. The sets of 2.7 may be frozen ones.
 */
/* clang-format off */
static const struct kind kinds[] = {
    /*                                                            2.7  3.6  3.7  3.8  3.9 */
    KIND(floats, "float", PLAIN,                                    0,  24,  24,  24,  24),
    KIND(lists, "list", COLLECTED,                                 40,  40,  40,  40,  40),
    KIND(dicts, "dict", COLLECTED,                                248,  48,  48,  48,  48),
    KIND(dict_keys, "(dict keys)", PLAIN,                           0, 168, 168, 168, 168),
    KIND(contexts, "Context", COLLECTED,                            0,   0,  48,  48,  48),
    KIND(async_values, "async_generator_wrapped_value", COLLECTED,  0,  24,  24,  24,  24),
    KIND(async_sends, "async_generator_asend", COLLECTED,           0,  40,  40,  40,  40),
    KIND(frames, "frame", VARIED,                                   1,   1,   1,   1,   1),
    KIND(functions, "builtin_function_or_method", COLLECTED,       40,  48,  48,  56,   0),
    KIND(methods, "instancemethod", COLLECTED,                     48,   0,   0,   0,   0),
    KIND(methods, "method", COLLECTED,                              0,  40,  40,  48,   0),
    KIND(sets, "set", COLLECTED,                                  200,   0,   0,   0,   0),
    KIND(unicodes, "unicode", VARIED,                               1,   0,   0,   0,   0),
};
/* clang-format on */

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
_Static_assert(KINDS + 2 + PHT_NUMBERS_MAX <= PHT_FREELISTS_MAX, "more kinds than rows");

#define TUPLE_BYTES 24 /* PyTupleObject without an item */
#define SLICE_BYTES 40
#define TUPLE_COUNTERS_BYTES (PHT_FREELIST_TUPLE_LENGTHS * sizeof(uint32_t))

struct search {
    const struct pht_freelists_search *common;
    const struct pht_python_layout *layout;
    uint64_t bias;
    enum series series;
    uint64_t head_bytes;
    uint64_t alignment;
    size_t known;
};

/* A list that the version has, and this build does not show: its figures are unknown, not 0. */
static bool add_unknown(const struct search *search, const char *type)
{
    pht_freelists_add(search->common, type, PHT_UNKNOWN, PHT_UNKNOWN);
    return true;
}

static bool add(struct search *search, const char *type, uint64_t objects, uint64_t bytes)
{
    pht_freelists_add(search->common, type, objects, bytes);
    search->known++;
    return true;
}

static uint64_t block_bytes(const struct search *search, enum form form, uint64_t object_bytes)
{
    return pht_round_up(object_bytes + (form == COLLECTED ? search->head_bytes : 0),
                        search->alignment);
}

static bool add_kind(struct search *search, const struct kind *kind)
{
    uint64_t variable = pht_field_u64(search->layout, kind->counter);
    uint16_t bytes = kind->bytes[search->series];
    uint32_t objects;

    if (bytes == 0)
        return true;
    if (variable == PHT_UNKNOWN)
        return add_unknown(search, kind->type);
    if (!pht_freelists_count(search->common, variable + search->bias, &objects))
        return false;
    return add(search, kind->type, objects,
               kind->form == VARIED && objects > 0
                   ? PHT_UNKNOWN
                   : objects * block_bytes(search, kind->form, bytes));
}

/* The first counter is of the empty tuple, which is in use. */
static bool add_tuples(struct search *search)
{
    pht_addr counters = search->layout->free_static_tuples + search->bias;
    uint64_t objects = 0, bytes = 0;

    if (search->layout->free_static_tuples == PHT_UNKNOWN ||
        search->layout->free_static_tuples_bytes != TUPLE_COUNTERS_BYTES)
        return add_unknown(search, "tuple");
    for (uint32_t length = 1; length < PHT_FREELIST_TUPLE_LENGTHS; length++) {
        uint64_t object_bytes = TUPLE_BYTES + length * sizeof(pht_addr);
        uint32_t count;
        if (!pht_freelists_count(search->common, counters + length * sizeof(count), &count))
            return false;
        objects += count;
        bytes += count * block_bytes(search, COLLECTED, object_bytes);
    }
    return add(search, "tuple", objects, bytes);
}

/* A pointer to the only one that is kept; 2.7 keeps none. */
static bool add_slice(struct search *search)
{
    uint64_t variable = search->layout->cached_static_slice;
    pht_addr slice;

    if (search->series == V2_7)
        return true;
    if (variable == PHT_UNKNOWN)
        return add_unknown(search, "slice");
    if (!pht_word_read_at(search->common->snapshot, variable + search->bias, &slice))
        return false;
    return add(search, "slice", slice != 0,
               slice != 0 ? block_bytes(search, COLLECTED, SLICE_BYTES) : 0);
}

/* Classes are counted by the pairs of pointers in usedpools. */
static bool find_alignment(const struct pht_python_layout *layout, uint64_t *ret)
{
    uint64_t classes = layout->usedpools_bytes / (2 * sizeof(pht_addr));

    if (layout->usedpools_bytes == PHT_UNKNOWN || classes == 0)
        return false;
    *ret = PHT_SMALL_REQUEST_MAX / classes;
    return *ret == 8 || *ret == 16;
}

static bool find_series(const struct pht_object_layout *object, enum series *ret)
{
    *ret = object->is_python2 ? V2_7 : (enum series)(V3_6 + object->minor - 6);
    return *ret < SERIES;
}

bool pht_freelists_of_statics(const struct pht_freelists_search *common)
{
    struct pht_object_layout object;
    struct search search = {
        .common = common, .layout = &common->python->layout, .bias = common->python->bias};

    if (!pht_object_layout_find(common->python, &object) || !find_series(&object, &search.series) ||
        !find_alignment(search.layout, &search.alignment))
        return false;
    search.head_bytes = object.gc_head_bytes;
    for (size_t i = 0; i < KINDS; i++) {
        if (!add_kind(&search, &kinds[i]))
            return false;
    }
    return add_slice(&search) && add_tuples(&search) && search.known > 0;
}
