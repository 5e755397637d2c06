#include "walk/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/sorted.h"

/* Memory has no room for more references than one in eight bytes, but for some of extensions. */
#define REFERENCES_LEAST ((uint64_t)1 << 20)

/* PYTHONMALLOC=debug puts the size of a block and eight bytes more in front of it. */
#define HOOK_BYTES ((uint64_t)16)

/* ---- lifetime ----------------------------------------------------------------------------- */

void pht_census_destroy(struct pht_census *census)
{
    if (census == NULL)
        return;
    pht_types_destroy(census->types);
    pht_object_size_deinit(&census->size);
    pht_objects_destroy(census->result);
    free(census->sums.items);
    free(census->owned.items);
    free(census->late.items);
    free(census->mappings.items);
    pht_addr_set_deinit(&census->shared);
    pht_focus_deinit(&census->focus);
    free(census);
}

static void destroy_whole(struct pht_census *census)
{
    pht_census_arenas_deinit(census->arenas);
    free(census->arenas);
    pht_census_destroy(census);
}

/* What each thread that counts has of its own. */
static bool init_counting(struct pht_census *census)
{
    census->types = pht_types_create(census->snapshot, census->roots->python, &census->layout);
    census->result = calloc(1, sizeof(*census->result));
    if (census->types == NULL || census->result == NULL)
        return false;
    pht_types_exclude(census->types, census->arenas->ranges, census->arenas->count);
    pht_census_init_prefixes(census);
    census->focus.on = census->options.focus;
    if (census->focus.on.kind == PHT_FOCUS_ARENA)
        census->focus.arena_end = census->focus.on.number + census->arenas->geometry.arena_bytes;
    return true;
}

struct pht_census *pht_census_begin_part(const struct pht_census *whole)
{
    struct pht_census *part = malloc(sizeof(*part));

    if (part == NULL)
        return NULL;
    *part = (struct pht_census){
        .snapshot = pht_snapshot_branch(whole->snapshot),
        .roots = whole->roots,
        .options = whole->options,
        .layout = whole->layout,
        .references_max = whole->references_max,
        .hook_bytes = whole->hook_bytes,
        .chunk_hook_bytes = whole->chunk_hook_bytes,
        .raw_hook_bytes = whole->raw_hook_bytes,
        .arenas = whole->arenas,
    };
    if (part->snapshot != NULL && init_counting(part))
        return part;
    pht_snapshot_destroy(part->snapshot);
    pht_census_destroy(part);
    return NULL;
}

/* What pymalloc has no room for goes to malloc through PyMem_RawMalloc(), which has hooks too. */
static void learn_hooks(struct pht_census *census)
{
    if (census->roots->allocator == PHT_ALLOCATOR_PYMALLOC_DEBUG) {
        census->hook_bytes = HOOK_BYTES;
        census->chunk_hook_bytes = 2 * HOOK_BYTES;
        census->raw_hook_bytes = HOOK_BYTES;
    } else if (census->roots->allocator == PHT_ALLOCATOR_MALLOC_DEBUG) {
        census->chunk_hook_bytes = HOOK_BYTES;
        census->raw_hook_bytes = HOOK_BYTES;
    }
}

static struct pht_census *create_whole(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots)
{
    struct pht_census *census = calloc(1, sizeof(*census));
    struct pht_census_arenas *arenas = calloc(1, sizeof(*arenas));

    if (census == NULL || arenas == NULL) {
        free(census);
        free(arenas);
        return NULL;
    }
    census->snapshot = snapshot;
    census->roots = roots;
    census->arenas = arenas;
    return census;
}

struct pht_census *pht_census_begin(struct pht_snapshot *snapshot,
                                    const struct pht_pymalloc_roots *roots,
                                    const struct pht_pymalloc *pymalloc, struct pht_owners *owners,
                                    const struct pht_census_options *options, bool *out_of_memory)
{
    struct pht_object_layout layout;

    *out_of_memory = false;
    if (!pht_object_layout_find(roots->python, &layout))
        return NULL;
    struct pht_census *census = create_whole(snapshot, roots);
    *out_of_memory = census == NULL;
    if (census == NULL)
        return NULL;
    census->owners = owners;
    census->options = *options;
    census->layout = layout;
    census->references_max = pht_owners_bytes(owners) / sizeof(pht_addr) + REFERENCES_LEAST;
    learn_hooks(census);
    if (!pht_census_arenas_init(census->arenas, pymalloc, &roots->python->layout) ||
        !init_counting(census)) {
        *out_of_memory = true;
        destroy_whole(census);
        return NULL;
    }
    census->arenas->is_shared = options->threads > 1;
    pht_census_walk_in_parts(census);
    pht_census_walk_numbers(census);
    pht_sort(census->owned.items, census->owned.count, sizeof(census->owned.items[0]));
    return census;
}

void pht_objects_destroy(struct pht_objects *objects)
{
    if (objects == NULL)
        return;
    for (size_t i = 0; i < objects->type_count; i++) {
        free(objects->types[i].name);
        free(objects->types[i].module);
    }
    free(objects->types);
    free(objects->unowned);
    if (objects->focus != NULL) {
        free(objects->focus->types);
        free(objects->focus->sizes);
    }
    free(objects->focus);
    free(objects);
}

/* ---- the sums ----------------------------------------------------------------------------- */

struct pht_type_sum *pht_census_add_sum(struct pht_census *census, uint32_t index)
{
    const struct pht_type_sum none = {0};

    while (census->sums.count <= index && pht_vec_push(&census->sums, none))
        continue;
    if (census->sums.items == NULL || census->sums.count <= index) {
        census->out_of_memory = true;
        return NULL;
    }
    return &census->sums.items[index];
}

void pht_type_sum_add(struct pht_type_sum *sum, const struct pht_type_sum *part)
{
    sum->objects += part->objects;
    sum->size_bytes += part->size_bytes;
    sum->allocated_bytes += part->allocated_bytes;
    sum->gc_tracked += part->gc_tracked;
    if (part->max_bytes > sum->max_bytes)
        sum->max_bytes = part->max_bytes;
}

static int compare_sums(const void *a, const void *b)
{
    const struct pht_type_sum *left = a, *right = b;

    if (left->size_bytes != right->size_bytes)
        return left->size_bytes < right->size_bytes ? 1 : -1;
    return left->address < right->address ? -1 : left->address > right->address;
}

static bool list_types(struct pht_census *census)
{
    struct pht_objects *result = census->result;

    result->types = calloc(census->sums.count + 1, sizeof(*result->types));
    if (result->types == NULL)
        return false;
    for (size_t i = 0; i < census->sums.count; i++) {
        const struct pht_type *type = pht_types_get(census->types, i);
        struct pht_type_sum *sum = &result->types[result->type_count];
        if (census->sums.items[i].objects == 0)
            continue;
        *sum = census->sums.items[i];
        sum->address = type->address;
        sum->name = strdup(type->name);
        sum->module = strdup(type->module);
        result->type_count++;
        if (sum->name == NULL || sum->module == NULL)
            return false;
        pht_type_sum_add(&result->totals, sum);
    }
    qsort(result->types, result->type_count, sizeof(*result->types), compare_sums);
    return true;
}

static struct pht_tally rest(uint64_t count, uint64_t bytes, const struct pht_holders *holders)
{
    uint64_t counted = holders->objects.count + holders->buffers.count;
    uint64_t counted_bytes = holders->objects.bytes + holders->buffers.bytes;

    /* An owner that is out of date may have named what is free by now. */
    return (struct pht_tally){
        .count = count > counted ? count - counted : 0,
        .bytes = bytes > counted_bytes ? bytes - counted_bytes : 0,
    };
}

static bool list_unowned(struct pht_census *census, const struct pht_glibc *glibc)
{
    struct pht_objects *result = census->result;

    result->blocks.unowned = rest(census->blocks, census->block_bytes, &result->blocks);
    if (glibc == NULL)
        return true;
    result->chunks.unowned = rest(glibc->totals.live_chunks + glibc->mmapped_count,
                                  glibc->totals.live_bytes + glibc->mmapped_bytes, &result->chunks);
    result->unowned = pht_unowned_list(&census->unowned, pht_snapshot_maps(census->snapshot), glibc,
                                       census->options.previews, &result->unowned_count);
    return result->unowned != NULL;
}

struct pht_objects *pht_census_end(struct pht_census *census, const struct pht_glibc *glibc)
{
    struct pht_objects *result = census->result;

    pht_census_own_noted(census);
    bool is_listed = list_types(census) && list_unowned(census, glibc) && pht_focus_finish(census);
    if (is_listed)
        pht_census_list_largest(census);
    if (is_listed && !census->out_of_memory)
        census->result = NULL;
    else
        result = NULL;
    destroy_whole(census);
    return result;
}
