/* The table: types in the order in which they were found, and where each is by its address. */
#include "walk/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/sorted.h"
#include "walk/field.h"
#include "walk/types_parts.h"

/* Types a block: blocks are never moved, so that pointers to types stay good. */
#define BLOCK_TYPES ((size_t)256)

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
    types->words = pht_word_reader_create(snapshot);
    if (types->words == NULL) {
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
    pht_addr_map_deinit(&types->indices);
    free(types);
}

void pht_types_exclude(struct pht_types *types, const struct pht_range *ranges, size_t count)
{
    types->excluded = ranges;
    types->excluded_count = count;
}

/* ---- looking up --------------------------------------------------------------------------- */

const struct pht_type *pht_types_known(const struct pht_types *types, pht_addr address)
{
    uint32_t i = pht_addr_map_get(&types->indices, address);

    return i != PHT_ADDR_MAP_NONE ? &types->blocks.items[i / BLOCK_TYPES][i % BLOCK_TYPES] : NULL;
}

static bool is_excluded(const struct pht_types *types, pht_addr address)
{
    size_t i = pht_sorted_find_range(types->excluded, types->excluded_count,
                                     sizeof(*types->excluded), address);

    return i < types->excluded_count && address >= types->excluded[i].start;
}

/* ---- adding ------------------------------------------------------------------------------- */

/* Room for one more. */
static struct pht_type *reserve(struct pht_types *types)
{
    size_t block = types->count / BLOCK_TYPES;

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
    if (flags & layout->inline_flag)
        ret->inline_bytes = pht_type_inline_bytes(types, proof);
}

static const struct pht_type *add(struct pht_types *types, const struct pht_type_proof *proof)
{
    struct pht_type *type = reserve(types);

    if (type != NULL)
        take(types, proof, type);
    if (type == NULL || !pht_type_set_names(types, proof, type) ||
        !pht_addr_map_put(&types->indices, type->address, type->index)) {
        types->stats.no_memory = true;
        return NULL;
    }
    types->count++;
    return type;
}

static size_t refused_place(pht_addr address)
{
    return (size_t)((address >> 3) * UINT64_C(0x9e3779b97f4a7c15) >> 32) % PHT_TYPES_REFUSED;
}

static const struct pht_type *learn(struct pht_types *types, pht_addr address)
{
    struct pht_type_proof proof;
    pht_addr *refused = &types->refused[refused_place(address)];

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
    const struct pht_type *type = pht_types_known(types, address);

    if (type != NULL)
        return type;
    return pht_object_may_be_at(address) ? learn(types, address) : NULL;
}

const struct pht_type *pht_types_adopt(struct pht_types *types, const struct pht_type *type)
{
    const struct pht_type *known = pht_types_known(types, type->address);

    if (known != NULL)
        return known;
    struct pht_type *adopted = reserve(types);
    if (adopted == NULL)
        return NULL;
    *adopted = *type;
    adopted->index = (uint32_t)types->count;
    if (!pht_type_keep_names(types, adopted) ||
        !pht_addr_map_put(&types->indices, adopted->address, adopted->index))
        return NULL;
    types->count++;
    return adopted;
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
