/*
 * The pools in several threads. Each counts for itself, with a table of types of its own, and takes
 * the next arena when it is done with one; then all parts are added to the whole.
 */
#include <pthread.h>
#include <stdlib.h>

#include "base/work.h"
#include "walk/census.h"

#define PARTS_MAX 64

/* ---- adding up ---------------------------------------------------------------------------- */

/* The parts of one block of memory may each have met an owner of it. */
static void add_result(struct pht_objects *result, const struct pht_objects *part)
{
    pht_tally_add(&result->blocks.objects, part->blocks.objects.count, part->blocks.objects.bytes);
    pht_tally_add(&result->blocks.buffers, part->blocks.buffers.count, part->blocks.buffers.bytes);
    pht_tally_add(&result->interned, part->interned.count, part->interned.bytes);
    result->damaged_objects += part->damaged_objects;
    result->torn_pools += part->torn_pools;
    result->swapped_pools += part->swapped_pools;
}

/* The types of the part by their indices in the whole. NULL when memory is short. */
static uint32_t *adopt_types(struct pht_types *types, const struct pht_types *part)
{
    size_t count = pht_types_count(part);
    uint32_t *indices = calloc(count + 1, sizeof(*indices));

    for (size_t i = 0; i < count && indices != NULL; i++) {
        const struct pht_type *type = pht_types_adopt(types, pht_types_get(part, i));
        if (type == NULL) {
            free(indices);
            return NULL;
        }
        indices[i] = type->index;
    }
    return indices;
}

static bool add_sums(struct pht_census *whole, const struct pht_census *part,
                     const uint32_t *indices)
{
    for (size_t i = 0; i < part->sums.count; i++) {
        struct pht_type_sum *sum = pht_census_sum_of(whole, indices[i]);
        if (sum == NULL)
            return false;
        pht_type_sum_add(sum, &part->sums.items[i]);
    }
    for (size_t i = 0; i < part->large.count; i++)
        pht_large_objects_offer(&whole->large, part->large.items[i].address,
                                indices[part->large.items[i].type],
                                part->large.items[i].size_bytes);
    return true;
}

static bool add_notes(struct pht_census *whole, const struct pht_census *part,
                      const uint32_t *indices)
{
    if (!pht_vec_reserve(&whole->owned, whole->owned.count + part->owned.count) ||
        !pht_vec_reserve(&whole->mappings, whole->mappings.count + part->mappings.count))
        return false;
    for (size_t i = 0; i < part->owned.count; i++) {
        struct pht_owned_block block = part->owned.items[i];
        block.type = indices[block.type];
        whole->owned.items[whole->owned.count++] = block;
    }
    for (size_t i = 0; i < part->mappings.count; i++) {
        struct pht_owned_part mapping = part->mappings.items[i];
        mapping.type = indices[mapping.type];
        whole->mappings.items[whole->mappings.count++] = mapping;
    }
    return true;
}

static void add_part(struct pht_census *whole, const struct pht_census *part)
{
    uint32_t *indices = adopt_types(whole->types, part->types);

    if (indices == NULL || part->out_of_memory || !add_sums(whole, part, indices) ||
        !pht_focus_add_part(&whole->focus, &part->focus, indices) ||
        !add_notes(whole, part, indices))
        whole->out_of_memory = true;
    add_result(whole->result, part->result);
    whole->blocks += part->blocks;
    whole->block_bytes += part->block_bytes;
    free(indices);
}

/* ---- threads ------------------------------------------------------------------------------ */

static void *walk_part(void *argument)
{
    struct pht_courtesy *courtesy = pht_courtesy_inherit();

    pht_census_walk_pools(argument);
    pht_courtesy_end(courtesy);
    return NULL;
}

/* What cannot be had in threads is done in fewer of them. */
void pht_census_walk_in_parts(struct pht_census *census)
{
    struct pht_census *parts[PARTS_MAX];
    pthread_t threads[PARTS_MAX];
    size_t count = 0;

    pht_work_measure(pht_snapshot_work(census->snapshot), census->arenas->count, "arenas");
    while (count + 1 < census->options.threads && count < PARTS_MAX) {
        parts[count] = pht_census_begin_part(census);
        if (parts[count] == NULL)
            break;
        if (pthread_create(&threads[count], NULL, walk_part, parts[count]) != 0) {
            pht_snapshot_destroy(parts[count]->snapshot);
            pht_census_destroy(parts[count]);
            break;
        }
        count++;
    }
    pht_census_walk_pools(census);
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        add_part(census, parts[i]);
        pht_snapshot_join(census->snapshot, parts[i]->snapshot);
        pht_census_destroy(parts[i]);
    }
}
