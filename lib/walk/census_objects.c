/* Which blocks have objects in them, and what these take. */
#include "walk/census.h"
#include "walk/field.h"
#include "walk/str_state.h"

#define IMMORTAL_SINCE 12
#define SPLIT_COUNT_SINCE 14

/* In front of an object with a managed dict, or managed weak references. */
#define PRE_HEADER_BYTES ((uint64_t)16)

#define OBJECT_BYTES_MIN ((uint64_t)16)

/* Of an optional member at the end of an object. */
#define MISSING_BYTES_MAX ((uint64_t)8)

/* ---- which objects there are -------------------------------------------------------------- */

/* Of a word that is no usual count. */
static bool is_odd_count(const struct pht_census *census, uint64_t word)
{
    if (census->count_form == PHT_COUNT_SPLIT && (word >> 32 & UINT16_MAX) == 0)
        word = (uint32_t)word;
    if (word <= UINT32_MAX && (int32_t)word < 0)
        return true;
    return word != 0 && word <= census->references_max;
}

/* A block that waits in a free list of Python has no references, or a link in their place. */
static bool has_references(const struct pht_census *census, uint64_t word)
{
    return word - 1 < census->references_max ||
           (census->count_form != PHT_COUNT_PLAIN && is_odd_count(census, word));
}

static const struct pht_type *find_type(struct pht_census *census, pht_addr address)
{
    size_t place = (address >> 4 ^ address >> 12) % PHT_CENSUS_KNOWN_TYPES;

    if (census->known_types[place].address == address)
        return census->known_types[place].type;
    /* No type is in an arena, where most words lead that are no types. */
    if (!pht_object_may_be_at(address) || pht_census_arena_of(census, address) != NULL)
        return NULL;
    const struct pht_type *type = pht_types_find(census->types, address);
    if (type != NULL) {
        census->known_types[place].address = address;
        census->known_types[place].type = type;
    }
    return type;
}

static enum pht_count_form count_form_of(const struct pht_object_layout *layout)
{
    if (layout->is_python2 || layout->minor < IMMORTAL_SINCE)
        return PHT_COUNT_PLAIN;
    return layout->minor < SPLIT_COUNT_SINCE ? PHT_COUNT_IMMORTAL : PHT_COUNT_SPLIT;
}

static void add_prefix(struct pht_census *census, uint32_t bytes)
{
    for (unsigned i = 0; i < census->prefix_count; i++) {
        if (census->prefixes[i] == bytes)
            return;
    }
    census->prefixes[census->prefix_count++] = bytes;
}

void pht_census_init_prefixes(struct pht_census *census)
{
    uint32_t head = (uint32_t)census->layout.gc_head_bytes;

    census->count_form = count_form_of(&census->layout);
    census->prefix_count = 0;
    add_prefix(census, 0);
    add_prefix(census, head);
    if (census->layout.managed_flags != 0) {
        add_prefix(census, head + PRE_HEADER_BYTES);
        add_prefix(census, PRE_HEADER_BYTES);
    }
}

/* Heads of two words, {next, prev}, are cleared before they are used: 3.8 and later. */
#define CLEARED_HEAD_BYTES 16

/* Flags of the collector, in both links. */
#define LINK_FLAGS ((uint64_t)7)

/* In front of an object that the collector does not know there are flags alone. */
static bool is_head(const unsigned char *head)
{
    uint64_t next = pht_field_u64(head, 0), previous = pht_field_u64(head, sizeof(uint64_t));

    return next != 0 ? pht_object_may_be_at(next & ~LINK_FLAGS) : previous <= LINK_FLAGS;
}

/*
 * What waits in a free list without a collector's head has a link first, and still its type where
 * heads have a link; a number in it may look like the type of an object behind a head.
 */
static bool is_freed_object(struct pht_census *census, const unsigned char *head)
{
    pht_addr address = pht_field_u64(head, PHT_OBJECT_TYPE);

    if (pht_census_arena_of(census, address) != NULL)
        return false;
    const struct pht_type *type = pht_types_known(census->types, address);
    return type != NULL && type->prefix_bytes == 0;
}

/* `prefix` is what stands in front of what looks like an object of that type. */
static bool is_prefix_of(struct pht_census *census, const struct pht_type *type,
                         const unsigned char *prefix)
{
    if (!type->has_gc || census->layout.gc_head_bytes != CLEARED_HEAD_BYTES)
        return true;
    return is_head(prefix + type->prefix_bytes - CLEARED_HEAD_BYTES) &&
           !is_freed_object(census, prefix);
}

bool pht_census_find_object(struct pht_census *census, pht_addr block, const unsigned char *bytes,
                            size_t size, uint64_t hook_bytes, struct pht_object *ret)
{
    for (unsigned i = 0; i < census->prefix_count; i++) {
        uint64_t prefix = census->prefixes[i], offset = hook_bytes + prefix;
        if (offset + OBJECT_BYTES_MIN > size ||
            !has_references(census, pht_field_u64(bytes, offset)))
            continue;
        const struct pht_type *type =
            find_type(census, pht_field_u64(bytes, offset + PHT_OBJECT_TYPE));
        if (type == NULL || type->prefix_bytes != prefix ||
            !is_prefix_of(census, type, bytes + hook_bytes))
            continue;
        *ret = (struct pht_object){
            .address = block + offset,
            .type = type,
            .bytes = bytes + offset,
            .size = size - offset,
            .prefix = bytes + hook_bytes,
        };
        return true;
    }
    return false;
}

/* ---- what they take ----------------------------------------------------------------------- */

/* Up to 3.7 the head has the collector's own count of references, -2 if it does not know it. */
static bool is_tracked(const struct pht_census *census, const struct pht_type *type,
                       const unsigned char *object)
{
    uint64_t head_bytes = census->layout.gc_head_bytes;

    if (!type->has_gc)
        return false;
    const unsigned char *head = object - head_bytes;
    if (head_bytes == 16)
        return pht_field_u64(head, 0) != 0;
    int64_t references = (int64_t)pht_field_u64(head, 16);
    return (census->layout.is_python2 ? references : references >> 1) != -2;
}

/*
 * What owns no buffer has all its bytes in its block, but for a time of datetime without a zone,
 * which has no room for one; and a bytearray of 3.15, as a BytesIO, counts what another object has.
 */
static bool fits_block(const struct pht_type *type, const struct pht_object_size *size,
                       uint64_t block_bytes)
{
    if (type->inline_bytes != 0 &&
        type->prefix_bytes + type->basicsize + type->inline_bytes > block_bytes)
        return false;
    return size->size_bytes <= block_bytes + MISSING_BYTES_MAX || size->buffers.count > 0 ||
           type->kind == PHT_KIND_BYTEARRAY || type->kind == PHT_KIND_BYTES_IO;
}

/* The strings of 2.7 that are interned are byte strings. */
static void count_interned(struct pht_census *census, const struct pht_object *object,
                           uint64_t size_bytes)
{
    enum pht_kind kind = census->layout.is_python2 ? PHT_KIND_BYTES : PHT_KIND_STR;

    if (object->type->kind == kind && object->size >= PHT_STR_STATE + sizeof(uint32_t) &&
        pht_field_u32(object->bytes, PHT_STR_STATE) & PHT_STR_INTERNED)
        pht_tally_add(&census->result->interned, 1, size_bytes);
}

bool pht_census_count_object(struct pht_census *census, const struct pht_object *object,
                             uint64_t block_bytes, const void *more, bool late)
{
    const struct pht_type *type = object->type;
    struct pht_object_size *size = &census->size;
    struct pht_type_sum *sum = pht_census_sum_of(census, type->index);

    if (sum == NULL || !pht_object_measure(census->snapshot, &census->layout, object, more, size)) {
        census->out_of_memory = true;
        return false;
    }
    census->result->damaged_objects += size->is_damaged;
    if (size->is_damaged || !fits_block(type, size, block_bytes))
        return false;
    sum->objects++;
    sum->size_bytes += size->size_bytes;
    sum->allocated_bytes += block_bytes;
    if (size->size_bytes > sum->max_bytes)
        sum->max_bytes = size->size_bytes;
    sum->gc_tracked += is_tracked(census, type, object->bytes);
    count_interned(census, object, size->size_bytes);
    if (census->focus.on.kind != PHT_FOCUS_NONE &&
        !pht_focus_add_object(&census->focus, object, size->size_bytes, block_bytes, late))
        census->out_of_memory = true;
    pht_large_objects_offer(&census->large, object->address, type->index, size->size_bytes);
    for (size_t i = 0; i < size->buffers.count; i++)
        pht_census_own(census, &size->buffers.items[i], type, late);
    return true;
}
