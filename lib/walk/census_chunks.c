/* The chunks of malloc, as their walk comes by. */
#include "walk/census.h"

static const struct pht_owned_block *find_owned(struct pht_census *census, pht_addr memory)
{
    const struct pht_owned_blocks *owned = &census->owned;
    size_t at = census->owned_cursor;

    while (at > 0 && owned->items[at - 1].address >= memory)
        at--;
    while (at < owned->count && owned->items[at].address < memory)
        at++;
    census->owned_cursor = at;
    return at < owned->count && owned->items[at].address == memory ? &owned->items[at] : NULL;
}

bool pht_census_wants(struct pht_census *census, pht_addr memory, const unsigned char *bytes,
                      size_t size)
{
    struct pht_object object;

    return find_owned(census, memory + census->chunk_hook_bytes) != NULL ||
           pht_census_find_object(census, memory, bytes, size, census->chunk_hook_bytes, &object);
}

static bool judge_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                        const unsigned char *bytes, size_t size)
{
    const struct pht_owned_block *owned = find_owned(census, memory + census->chunk_hook_bytes);
    struct pht_object object;

    if (owned != NULL) {
        struct pht_type_sum *sum = pht_census_sum_of(census, owned->type);
        if (sum != NULL)
            sum->allocated_bytes += chunk_bytes;
        pht_tally_add(&census->result->chunks.buffers, 1, chunk_bytes);
        return true;
    }
    if (!pht_census_find_object(census, memory, bytes, size, census->chunk_hook_bytes, &object) ||
        !pht_census_count_object(census, &object, chunk_bytes, NULL, true))
        return false;
    pht_tally_add(&census->result->chunks.objects, 1, chunk_bytes);
    return true;
}

bool pht_census_count_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                            const unsigned char *bytes, size_t size)
{
    bool is_owned = judge_chunk(census, memory, chunk_bytes, bytes, size);

    if (is_owned)
        pht_unowned_except(&census->unowned, memory, chunk_bytes);
    else
        pht_unowned_show(&census->unowned, memory, chunk_bytes, bytes, size);
    return is_owned;
}

void pht_census_pass_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                           const unsigned char *bytes, size_t size)
{
    pht_unowned_show(&census->unowned, memory, chunk_bytes, bytes, size);
}
