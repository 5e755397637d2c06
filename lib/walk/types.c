/*
 * The table: open addressing, found types by address. An answer for a known address costs one
 * multiplication and, nearly always, one comparison.
 */
#include "walk/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/sorted.h"
#include "walk/field.h"
#include "walk/types_parts.h"

/* Types a block: blocks are never moved, so that pointers to types stay good. */
#define BLOCK_TYPES ((size_t)256)

#define FIRST_CAPACITY ((size_t)1024)

/* A program of 100,000 classes is real; ten times as many are not. */
#define TYPES_MAX ((size_t)1 << 20)

struct pht_types *pht_types_create(struct pht_snapshot *snapshot, const struct pht_python *python,
                                   const struct pht_object_layout *layout)
{
    struct pht_types *types = calloc(1, sizeof(*types));

    if (types == NULL)
        return NULL;
    types->snapshot = snapshot;
    types->layout = layout;
    if (python->layout.type_type != PHT_UNKNOWN)
        types->type_type = python->layout.type_type + python->bias;
    types->slots = calloc(FIRST_CAPACITY, sizeof(*types->slots));
    types->capacity = FIRST_CAPACITY;
    types->words = pht_word_reader_create(snapshot);
    if (types->slots == NULL || types->words == NULL) {
        pht_types_destroy(types);
        return NULL;
    }
    return types;
}

void pht_types_destroy(struct pht_types *types)
{
    if (types == NULL)
        return;
    for (size_t i = 0; i < types->blocks.count; i++)
        free(types->blocks.items[i]);
    free(types->blocks.items);
    pht_type_names_deinit(&types->names);
    pht_word_reader_destroy(types->words);
    free(types->slots);
    free(types);
}

void pht_types_exclude(struct pht_types *types, const struct pht_range *ranges, size_t count)
{
    types->excluded = ranges;
    types->excluded_count = count;
}

/* ---- looking up --------------------------------------------------------------------------- */

static size_t hash(pht_addr address)
{
    return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static struct pht_type_slot *find_slot(struct pht_type_slot *slots, size_t capacity,
                                       pht_addr address)
{
    size_t i = hash(address) & (capacity - 1);

    /* At most two thirds are in use, so there is a free one. */
    while (slots[i].type != NULL && slots[i].address != address)
        i = (i + 1) & (capacity - 1);
    return &slots[i];
}

struct pht_type *pht_types_lookup(const struct pht_types *types, pht_addr address)
{
    return find_slot(types->slots, types->capacity, address)->type;
}

static bool is_excluded(const struct pht_types *types, pht_addr address)
{
    size_t i = pht_sorted_find_range(types->excluded, types->excluded_count,
                                     sizeof(*types->excluded), address);

    return i < types->excluded_count && address >= types->excluded[i].start;
}

/* ---- adding ------------------------------------------------------------------------------- */

static bool grow(struct pht_types *types)
{
    size_t capacity = types->capacity * 2;
    struct pht_type_slot *slots = calloc(capacity, sizeof(*slots));

    if (slots == NULL)
        return false;
    for (size_t i = 0; i < types->capacity; i++) {
        if (types->slots[i].type != NULL)
            *find_slot(slots, capacity, types->slots[i].address) = types->slots[i];
    }
    free(types->slots);
    types->slots = slots;
    types->capacity = capacity;
    return true;
}

/* Room for one more. */
static struct pht_type *reserve(struct pht_types *types)
{
    size_t block = types->count / BLOCK_TYPES;

    if ((types->count + 1) * 3 > types->capacity * 2 && !grow(types))
        return NULL;
    if (block == types->blocks.count) {
        struct pht_type *fresh = calloc(BLOCK_TYPES, sizeof(*fresh));
        if (fresh == NULL || !pht_vec_push(&types->blocks, fresh)) {
            free(fresh);
            return NULL;
        }
    }
    return &types->blocks.items[block][types->count % BLOCK_TYPES];
}

static void take(struct pht_types *types, const struct pht_type_proof *proof, struct pht_type *ret)
{
    const struct pht_object_layout *layout = types->layout;
    uint32_t flags = pht_field_u32(proof->bytes, PHT_TYPE_FLAGS);

    *ret = (struct pht_type){
        .address = proof->address,
        .kind = pht_type_kind(types, proof),
        .index = (uint32_t)types->count,
        .basicsize = pht_field_u32(proof->bytes, PHT_TYPE_BASICSIZE),
        .itemsize = pht_field_u32(proof->bytes, PHT_TYPE_ITEMSIZE),
        .flags = flags,
        .dictoffset = (int64_t)pht_field_u64(proof->bytes, PHT_TYPE_DICTOFFSET),
        .has_gc = flags & PHT_TYPE_HAVE_GC,
        .is_heap_type = flags & PHT_TYPE_HEAPTYPE,
        .has_managed_dict = flags & layout->managed_dict_flag,
    };
    if (ret->has_gc)
        ret->prefix_bytes = layout->gc_head_bytes;
    if (flags & layout->managed_flags)
        ret->prefix_bytes += 16;
}

static const struct pht_type *add(struct pht_types *types, const struct pht_type_proof *proof)
{
    struct pht_type *type = reserve(types);

    if (type != NULL)
        take(types, proof, type);
    if (type == NULL || !pht_type_set_names(types, proof, type)) {
        types->stats.no_memory = true;
        return NULL;
    }
    *find_slot(types->slots, types->capacity, type->address) =
        (struct pht_type_slot){.address = type->address, .type = type};
    types->count++;
    return type;
}

static const struct pht_type *learn(struct pht_types *types, pht_addr address)
{
    struct pht_type_proof proof;
    pht_addr *refused = &types->refused[hash(address) % PHT_TYPES_REFUSED];

    if (*refused == address || is_excluded(types, address))
        return NULL;
    if (!pht_type_prove(types, address, &proof)) {
        *refused = address;
        types->stats.refused++;
        return NULL;
    }
    if (types->count == TYPES_MAX) {
        types->stats.left_out++;
        return NULL;
    }
    return add(types, &proof);
}

const struct pht_type *pht_types_find(struct pht_types *types, pht_addr address)
{
    const struct pht_type *type = pht_types_lookup(types, address);

    if (type != NULL)
        return type;
    return pht_type_may_be_at(address) ? learn(types, address) : NULL;
}

void pht_types_look_again(struct pht_types *types)
{
    memset(types->refused, 0, sizeof(types->refused));
    pht_word_reader_clear(types->words);
}

size_t pht_types_count(const struct pht_types *types)
{
    return types->count;
}

const struct pht_type *pht_types_get(const struct pht_types *types, size_t index)
{
    return &types->blocks.items[index / BLOCK_TYPES][index % BLOCK_TYPES];
}

struct pht_types_stats pht_types_stats(const struct pht_types *types)
{
    return types->stats;
}
