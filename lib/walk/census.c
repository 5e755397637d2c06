#include "walk/census.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/sorted.h"
#include "walk/field.h"
#include "walk/pymalloc.h"
#include "walk/str_state.h"

/* Memory has no room for more references than one in eight bytes, but for some of extensions. */
#define REFERENCES_LEAST ((uint64_t)1 << 20)

/* From 3.12 on objects may be immortal; their counts are negative as 32-bit numbers. */
#define IMMORTAL_SINCE 12

/* From 3.14 on, the upper half of the word has flags. */
#define SPLIT_COUNT_SINCE 14

/* PYTHONMALLOC=debug puts the size of a block and eight bytes more in front of it. */
#define HOOK_BYTES ((uint64_t)16)

/* In front of an object with a managed dict, or managed weak references. */
#define PRE_HEADER_BYTES ((uint64_t)16)

#define OBJECT_BYTES_MIN ((uint64_t)16)

/* Of an optional member at the end of an object. */
#define MISSING_BYTES_MAX ((uint64_t)8)

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
        .pymalloc = whole->pymalloc,
        .options = whole->options,
        .layout = whole->layout,
        .references_max = whole->references_max,
        .hook_bytes = whole->hook_bytes,
        .arenas = whole->arenas,
    };
    if (part->snapshot != NULL && init_counting(part))
        return part;
    pht_snapshot_destroy(part->snapshot);
    pht_census_destroy(part);
    return NULL;
}

/* What pymalloc has no room for goes to malloc through hooks of its own. */
static void learn_hooks(struct pht_census *census)
{
    if (census->roots->allocator == PHT_ALLOCATOR_PYMALLOC_DEBUG) {
        census->hook_bytes = HOOK_BYTES;
        census->chunk_hook_bytes = 2 * HOOK_BYTES;
    } else if (census->roots->allocator == PHT_ALLOCATOR_MALLOC_DEBUG) {
        census->chunk_hook_bytes = HOOK_BYTES;
    }
}

static struct pht_census *create_whole(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots,
                                       const struct pht_pymalloc *pymalloc)
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
    census->pymalloc = pymalloc;
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
    struct pht_census *census = create_whole(snapshot, roots, pymalloc);
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
    pht_census_walk_in_parts(census);
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
    free(objects);
}

/* ---- which objects there are -------------------------------------------------------------- */

/* A block that waits in a free list of Python has no references, or a link in their place. */
static bool has_references(const struct pht_census *census, uint64_t word)
{
    unsigned minor = census->layout.is_python2 ? 0 : census->layout.minor;

    if (minor >= SPLIT_COUNT_SINCE && (word >> 32 & UINT16_MAX) == 0)
        word = (uint32_t)word;
    if (minor >= IMMORTAL_SINCE && word <= UINT32_MAX && (int32_t)word < 0)
        return true;
    return word != 0 && word <= census->references_max;
}

static const struct pht_type *find_type(struct pht_census *census, pht_addr address)
{
    const struct pht_type *type = census->last_type;

    if (type != NULL && type->address == address)
        return type;
    type = pht_types_find(census->types, address);
    if (type != NULL)
        census->last_type = type;
    return type;
}

static bool is_object_at(struct pht_census *census, const unsigned char *bytes, size_t size,
                         uint64_t hook_bytes, uint64_t offset, struct pht_found_object *ret)
{
    if (offset + hook_bytes + OBJECT_BYTES_MIN > size)
        return false;
    bytes += offset + hook_bytes;
    if (!has_references(census, pht_field_u64(bytes, 0)))
        return false;
    const struct pht_type *type = find_type(census, pht_field_u64(bytes, PHT_OBJECT_TYPE));
    if (type == NULL || type->prefix_bytes != offset)
        return false;
    *ret = (struct pht_found_object){.type = type, .offset = offset + hook_bytes};
    return true;
}

static bool find_object(struct pht_census *census, const unsigned char *bytes, size_t size,
                        uint64_t hook_bytes, struct pht_found_object *ret)
{
    uint64_t head = census->layout.gc_head_bytes;

    return is_object_at(census, bytes, size, hook_bytes, 0, ret) ||
           is_object_at(census, bytes, size, hook_bytes, head, ret) ||
           (census->layout.managed_flags != 0 &&
            (is_object_at(census, bytes, size, hook_bytes, head + PRE_HEADER_BYTES, ret) ||
             is_object_at(census, bytes, size, hook_bytes, PRE_HEADER_BYTES, ret)));
}

bool pht_census_find_object(struct pht_census *census, const unsigned char *bytes, size_t size,
                            struct pht_found_object *ret)
{
    return find_object(census, bytes, size, census->hook_bytes, ret);
}

static void add(struct pht_tally *tally, uint64_t bytes)
{
    tally->count++;
    tally->bytes += bytes;
}

/* ---- what they take ----------------------------------------------------------------------- */

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
    return size->buffers.count > 0 || type->kind == PHT_KIND_BYTEARRAY ||
           type->kind == PHT_KIND_BYTES_IO || size->size_bytes <= block_bytes + MISSING_BYTES_MAX;
}

/* The strings of 2.7 that are interned are byte strings. */
static void count_interned(struct pht_census *census, const struct pht_object *object,
                           uint64_t size_bytes)
{
    enum pht_kind kind = census->layout.is_python2 ? PHT_KIND_BYTES : PHT_KIND_STR;

    if (object->type->kind == kind && object->size >= PHT_STR_STATE + sizeof(uint32_t) &&
        pht_field_u32(object->bytes, PHT_STR_STATE) & PHT_STR_INTERNED)
        add(&census->result->interned, size_bytes);
}

static bool count(struct pht_census *census, const struct pht_found_object *found, pht_addr block,
                  const unsigned char *bytes, size_t size, uint64_t block_bytes, const void *more,
                  bool late)
{
    const struct pht_object object = {
        .address = block + found->offset,
        .type = found->type,
        .bytes = bytes + found->offset,
        .size = size - found->offset,
        .prefix = bytes + found->offset - found->type->prefix_bytes,
    };
    struct pht_type_sum *sum = pht_census_sum_of(census, found->type->index);

    if (sum == NULL ||
        !pht_object_measure(census->snapshot, &census->layout, &object, more, &census->size)) {
        census->out_of_memory = true;
        return false;
    }
    census->result->damaged_objects += census->size.is_damaged;
    if (census->size.is_damaged || !fits_block(found->type, &census->size, block_bytes))
        return false;
    sum->objects++;
    sum->size_bytes += census->size.size_bytes;
    sum->allocated_bytes += block_bytes;
    if (census->size.size_bytes > sum->max_bytes)
        sum->max_bytes = census->size.size_bytes;
    sum->gc_tracked += is_tracked(census, found->type, object.bytes);
    count_interned(census, &object, census->size.size_bytes);
    pht_large_objects_offer(&census->large, object.address, found->type->index,
                            census->size.size_bytes);
    for (size_t i = 0; i < census->size.buffers.count; i++)
        pht_census_own(census, &census->size.buffers.items[i], found->type, late);
    return true;
}

bool pht_census_count_block(struct pht_census *census, const struct pht_found_object *found,
                            pht_addr block, const unsigned char *bytes, size_t size,
                            uint64_t block_bytes, const void *more)
{
    census->blocks++;
    census->block_bytes += block_bytes;
    if (found == NULL || !count(census, found, block, bytes, size, block_bytes, more, false))
        return false;
    add(&census->result->blocks.objects, block_bytes);
    return true;
}

/* ---- chunks ------------------------------------------------------------------------------- */

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
    struct pht_found_object object;

    return find_owned(census, memory + census->chunk_hook_bytes) != NULL ||
           find_object(census, bytes, size, census->chunk_hook_bytes, &object);
}

static bool judge_chunk(struct pht_census *census, pht_addr memory, uint64_t chunk_bytes,
                        const unsigned char *bytes, size_t size)
{
    const struct pht_owned_block *owned = find_owned(census, memory + census->chunk_hook_bytes);
    struct pht_found_object object;

    if (owned != NULL) {
        struct pht_type_sum *sum = pht_census_sum_of(census, owned->type);
        if (sum != NULL)
            sum->allocated_bytes += chunk_bytes;
        add(&census->result->chunks.buffers, chunk_bytes);
        return true;
    }
    if (!find_object(census, bytes, size, census->chunk_hook_bytes, &object) ||
        !count(census, &object, memory, bytes, size, chunk_bytes, NULL, true))
        return false;
    add(&census->result->chunks.objects, chunk_bytes);
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

/* ---- the sums ----------------------------------------------------------------------------- */

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
    bool is_listed = list_types(census) && list_unowned(census, glibc);
    if (is_listed)
        pht_census_list_largest(census);
    if (is_listed && !census->out_of_memory)
        census->result = NULL;
    else
        result = NULL;
    destroy_whole(census);
    return result;
}
