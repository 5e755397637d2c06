#include "walk/census_focus.h"

#include <stdlib.h>

#include "walk/census.h"

/* ---- one after the other ------------------------------------------------------------------ */

static bool holds(const struct pht_focus_walk *walk, pht_addr block, uint64_t block_bytes)
{
    if (walk->on.kind == PHT_FOCUS_SIZE_CLASS)
        return block_bytes == walk->on.number;
    return walk->on.kind == PHT_FOCUS_ARENA && block >= walk->on.number && block < walk->arena_end;
}

static struct pht_focus_sum *sum_of(struct pht_focus_walk *walk, uint32_t type)
{
    const struct pht_focus_sum none = {0};

    while (walk->types.count <= type && pht_vec_push(&walk->types, none))
        continue;
    return type < walk->types.count ? &walk->types.items[type] : NULL;
}

void pht_focus_add_pool(struct pht_focus_walk *walk, pht_addr arena, uint64_t block_bytes,
                        uint64_t blocks)
{
    if (holds(walk, arena, block_bytes))
        pht_tally_add(&walk->blocks, blocks, blocks * block_bytes);
}

static void add_size(struct pht_focus_walk *walk, uint64_t size_bytes, uint64_t block_bytes,
                     bool in_chunk)
{
    unsigned log2 = size_bytes > 0 ? 63 - (unsigned)__builtin_clzll(size_bytes) : 0;

    pht_tally_add(&walk->sizes[log2], 1, size_bytes);
    pht_tally_add(in_chunk ? &walk->in_chunks : &walk->in_blocks, 1, block_bytes);
}

bool pht_focus_add_object(struct pht_focus_walk *walk, const struct pht_object *object,
                          uint64_t size_bytes, uint64_t block_bytes, bool in_chunk)
{
    if (walk->on.kind == PHT_FOCUS_TYPE) {
        if (object->type->address == walk->on.number)
            add_size(walk, size_bytes, block_bytes, in_chunk);
        return true;
    }
    if (in_chunk || !holds(walk, object->address, block_bytes))
        return true;
    struct pht_focus_sum *sum = sum_of(walk, object->type->index);
    if (sum != NULL)
        pht_tally_add(&sum->objects, 1, block_bytes);
    return sum != NULL;
}

bool pht_focus_add_buffer(struct pht_focus_walk *walk, pht_addr block, uint32_t type,
                          uint64_t block_bytes)
{
    if (!holds(walk, block, block_bytes))
        return true;
    struct pht_focus_sum *sum = sum_of(walk, type);
    if (sum != NULL)
        pht_tally_add(&sum->buffers, 1, block_bytes);
    return sum != NULL;
}

static void add_tally(struct pht_tally *sum, const struct pht_tally *part)
{
    pht_tally_add(sum, part->count, part->bytes);
}

bool pht_focus_add_part(struct pht_focus_walk *walk, const struct pht_focus_walk *part,
                        const uint32_t *types)
{
    for (size_t i = 0; i < part->types.count; i++) {
        struct pht_focus_sum *sum = sum_of(walk, types[i]);
        if (sum == NULL)
            return false;
        add_tally(&sum->objects, &part->types.items[i].objects);
        add_tally(&sum->buffers, &part->types.items[i].buffers);
    }
    for (size_t i = 0; i < PHT_FOCUS_SIZES; i++)
        add_tally(&walk->sizes[i], &part->sizes[i]);
    add_tally(&walk->blocks, &part->blocks);
    add_tally(&walk->in_blocks, &part->in_blocks);
    add_tally(&walk->in_chunks, &part->in_chunks);
    return true;
}

/* ---- the result --------------------------------------------------------------------------- */

static uint64_t bytes_of(const struct pht_focus_type *row)
{
    return row->objects.bytes + row->buffers.bytes;
}

static int compare_rows(const void *a, const void *b)
{
    const struct pht_focus_type *left = a, *right = b;

    if (bytes_of(left) != bytes_of(right))
        return bytes_of(left) < bytes_of(right) ? 1 : -1;
    return left->type < right->type ? -1 : left->type > right->type;
}

static const struct pht_focus_sum *find_sum(const struct pht_census *census, pht_addr address)
{
    const struct pht_type *type = pht_types_known(census->types, address);
    const struct pht_focus_walk *walk = &census->focus;

    return type != NULL && type->index < walk->types.count ? &walk->types.items[type->index] : NULL;
}

static void list_types(const struct pht_census *census, struct pht_focus *focus)
{
    const struct pht_objects *result = census->result;
    uint64_t count = 0, bytes = 0;

    for (size_t i = 0; i < result->type_count; i++) {
        const struct pht_focus_sum *sum = find_sum(census, result->types[i].address);
        if (sum == NULL || sum->objects.count + sum->buffers.count == 0)
            continue;
        struct pht_focus_type *row = &focus->types[focus->type_count++];
        *row = (struct pht_focus_type){i, sum->objects, sum->buffers};
        count += row->objects.count + row->buffers.count;
        bytes += bytes_of(row);
    }
    qsort(focus->types, focus->type_count, sizeof(*focus->types), compare_rows);
    focus->blocks = census->focus.blocks;
    /* An owner that is out of date may have named what is free by now. */
    if (focus->blocks.count > count)
        focus->unowned.count = focus->blocks.count - count;
    if (focus->blocks.bytes > bytes)
        focus->unowned.bytes = focus->blocks.bytes - bytes;
}

static void list_sizes(const struct pht_focus_walk *walk, struct pht_focus *focus)
{
    for (unsigned i = 0; i < PHT_FOCUS_SIZES; i++) {
        struct pht_focus_size *row = &focus->sizes[focus->size_count];
        if (walk->sizes[i].count == 0)
            continue;
        row->min_bytes = (uint64_t)1 << i;
        row->max_bytes = row->min_bytes + (row->min_bytes - 1);
        row->objects = walk->sizes[i];
        focus->size_count++;
    }
    focus->in_blocks = walk->in_blocks;
    focus->in_chunks = walk->in_chunks;
}

bool pht_focus_finish(struct pht_census *census)
{
    size_t rows = census->result->type_count, sizes = PHT_FOCUS_SIZES;

    if (census->focus.on.kind == PHT_FOCUS_NONE)
        return true;
    struct pht_focus *focus = calloc(1, sizeof(*focus));
    census->result->focus = focus;
    if (focus == NULL)
        return false;
    focus->on = census->focus.on;
    focus->types = calloc(rows + 1, sizeof(*focus->types));
    focus->sizes = calloc(sizes, sizeof(*focus->sizes));
    if (focus->types == NULL || focus->sizes == NULL)
        return false;
    if (focus->on.kind == PHT_FOCUS_TYPE)
        list_sizes(&census->focus, focus);
    else
        list_types(census, focus);
    return true;
}

void pht_focus_deinit(struct pht_focus_walk *walk)
{
    free(walk->types.items);
}
