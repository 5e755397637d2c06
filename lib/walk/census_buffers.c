/* Whose the buffers are: blocks of pymalloc, chunks of malloc, memory from mmap(2). */
#include "base/checked.h"
#include "base/sorted.h"
#include "walk/census.h"

/* A chunk that is larger is damage. */
#define CHUNK_BYTES_MAX ((uint64_t)1 << 46)
#define CHUNK_BYTES_MIN ((uint64_t)32)
#define CHUNK_FLAGS ((uint64_t)7)
#define CHUNK_IS_MMAPPED ((uint64_t)2)
#define CHUNK_ALIGNMENT 16
#define CHUNK_HEADER_BYTES 16

static void own_block(struct pht_census *census, const struct pht_range *arena,
                      const struct pht_object_buffer *buffer, const struct pht_type *type)
{
    struct pht_tally *buffers = &census->result->blocks.buffers;
    struct pht_type_sum *sum = pht_census_sum_of(census, type->index);
    uint64_t bytes;
    pht_addr block =
        pht_census_arenas_block(census->arenas, arena, buffer, census->hook_bytes, &bytes);

    if (block == 0 || sum == NULL || !pht_census_arenas_take(census->arenas, arena, block))
        return;
    sum->allocated_bytes += bytes;
    buffers->count++;
    buffers->bytes += bytes;
    if (!pht_focus_add_buffer(&census->focus, block, type->index, bytes))
        census->out_of_memory = true;
}

static void note_mapping(struct pht_census *census, const struct pht_object_buffer *buffer,
                         const struct pht_type *type)
{
    const struct pht_owned_part part = {buffer->address, buffer->address + buffer->bytes,
                                        type->index};

    if (!pht_vec_push(&census->mappings, part))
        census->out_of_memory = true;
}

/* Chunks are looked up as if all had the same hooks. */
static pht_addr behind_chunk_hooks(const struct pht_census *census,
                                   const struct pht_object_buffer *buffer)
{
    switch (buffer->source) {
    case PHT_BUFFER_RAW:
        return buffer->address - census->raw_hook_bytes + census->chunk_hook_bytes;
    case PHT_BUFFER_LIBC:
        return buffer->address + census->chunk_hook_bytes;
    default:
        return buffer->address;
    }
}

static void note_chunk(struct pht_census *census, const struct pht_object_buffer *buffer,
                       const struct pht_type *type, bool late)
{
    struct pht_owned_blocks *blocks = late ? &census->late : &census->owned;
    const struct pht_owned_block block = {behind_chunk_hooks(census, buffer), type->index};
    bool is_new = true;

    if ((buffer->is_shared && !pht_addr_set_add(&census->shared, buffer->address, &is_new)) ||
        (is_new && !pht_vec_push(blocks, block)))
        census->out_of_memory = true;
}

void pht_census_own(struct pht_census *census, const struct pht_object_buffer *buffer,
                    const struct pht_type *type, bool late)
{
    const struct pht_range *arena;

    if (buffer->address == 0)
        return;
    if (buffer->is_mapping)
        note_mapping(census, buffer, type);
    else if (buffer->source == PHT_BUFFER_PYTHON &&
             (arena = pht_census_arena_of(census, buffer->address)) != NULL)
        own_block(census, arena, buffer, type);
    else
        note_chunk(census, buffer, type, late);
}

/* ---- what was noted ----------------------------------------------------------------------- */

/* The kernel may have joined what malloc mapped, but nothing of a chunk is elsewhere. */
static bool is_mapped(const struct pht_census *census, pht_addr start, uint64_t bytes)
{
    const struct pht_mapping *mapping = pht_maps_find(pht_snapshot_maps(census->snapshot), start);

    return mapping != NULL && bytes <= mapping->end - start;
}

/* An owner may be out of date, and what it names be free by now. */
static bool read_chunk_bytes(struct pht_census *census, pht_addr memory, uint64_t *bytes)
{
    uint64_t words[3];

    if (memory % CHUNK_ALIGNMENT != 0 ||
        pht_snapshot_read(census->snapshot, memory - sizeof(words[0]), words, sizeof(words)) !=
            PHT_READ_OK ||
        (census->tcache_key != 0 && words[2] == census->tcache_key))
        return false;
    *bytes = words[0] & ~CHUNK_FLAGS;
    /* Of a mapping from 2.43 on 16 bytes less, and nobody else has them. */
    if (words[0] & CHUNK_IS_MMAPPED)
        *bytes = pht_round_up(*bytes, PHT_PAGE_BYTES);
    return *bytes >= CHUNK_BYTES_MIN && *bytes % CHUNK_ALIGNMENT == 0 &&
           *bytes <= CHUNK_BYTES_MAX && is_mapped(census, memory - CHUNK_HEADER_BYTES, *bytes);
}

static bool has_owner(const struct pht_census *census, pht_addr address)
{
    const struct pht_owned_blocks *owned = &census->owned;
    size_t i = pht_sorted_find(owned->items, owned->count, sizeof(owned->items[0]), address);

    return i < owned->count && owned->items[i].address == address;
}

/* Buffers of objects that are in chunks: their own chunks went by already. */
static void own_late(struct pht_census *census)
{
    struct pht_tally *buffers = &census->result->chunks.buffers;
    pht_addr last = 0;

    pht_sort(census->late.items, census->late.count, sizeof(census->late.items[0]));
    for (size_t i = 0; i < census->late.count; i++) {
        const struct pht_owned_block *block = &census->late.items[i];
        pht_addr memory = block->address - census->chunk_hook_bytes;
        struct pht_type_sum *sum = pht_census_sum_of(census, block->type);
        uint64_t bytes;
        if (block->address == last || has_owner(census, block->address) || sum == NULL ||
            !read_chunk_bytes(census, memory, &bytes))
            continue;
        last = block->address;
        sum->allocated_bytes += bytes;
        buffers->count++;
        buffers->bytes += bytes;
        pht_unowned_except(&census->unowned, memory, bytes);
        pht_owners_move(census->owners, memory - CHUNK_HEADER_BYTES,
                        memory - CHUNK_HEADER_BYTES + bytes, PHT_CATEGORY_MALLOC_UNOWNED,
                        PHT_CATEGORY_PYTHON_LARGE);
    }
}

/*
 * Of memory that objects map, the private part of no file is theirs alone; the rest counts as files
 * or as shared memory, whoever maps it.
 */
static void own_mappings(struct pht_census *census)
{
    for (size_t i = 0; i < census->mappings.count; i++) {
        const struct pht_owned_part *part = &census->mappings.items[i];
        const struct pht_mapping *mapping =
            pht_maps_find(pht_snapshot_maps(census->snapshot), part->start);
        struct pht_type_sum *sum = pht_census_sum_of(census, part->type);
        if (mapping == NULL || mapping->shared || mapping->inode != 0 || sum == NULL ||
            part->end > mapping->end)
            continue;
        sum->allocated_bytes += part->end - part->start;
        pht_owners_claim_rest(census->owners, part->start, part->end, PHT_CATEGORY_PYTHON_LARGE);
    }
}

void pht_census_own_noted(struct pht_census *census)
{
    own_late(census);
    own_mappings(census);
}
