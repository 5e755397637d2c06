/* The largest single objects, and what those that are text begin with. */
#include <stdlib.h>
#include <string.h>

#include "walk/census.h"
#include "walk/remote_text.h"
#include "walk/str_state.h"

/* ---- which they are ----------------------------------------------------------------------- */

static void swap(struct pht_large_objects *large, size_t i, size_t j)
{
    __typeof__(large->items[0]) item = large->items[i];

    large->items[i] = large->items[j];
    large->items[j] = item;
}

static void sink(struct pht_large_objects *large)
{
    for (size_t i = 0, child; (child = 2 * i + 1) < large->count; i = child) {
        if (child + 1 < large->count &&
            large->items[child + 1].size_bytes < large->items[child].size_bytes)
            child++;
        if (large->items[i].size_bytes <= large->items[child].size_bytes)
            return;
        swap(large, i, child);
    }
}

static void rise(struct pht_large_objects *large)
{
    for (size_t i = large->count - 1, parent; i > 0; i = parent) {
        parent = (i - 1) / 2;
        if (large->items[parent].size_bytes <= large->items[i].size_bytes)
            return;
        swap(large, i, parent);
    }
}

void pht_large_objects_add(struct pht_large_objects *large, pht_addr address, uint32_t type,
                           uint64_t size_bytes)
{
    bool is_full = large->count == PHT_LARGE_OBJECTS_MAX;
    size_t place = is_full ? 0 : large->count++;
    large->items[place].size_bytes = size_bytes;
    large->items[place].address = address;
    large->items[place].type = type;
    if (is_full)
        sink(large);
    else
        rise(large);
    if (large->count == PHT_LARGE_OBJECTS_MAX)
        large->least_bytes = large->items[0].size_bytes;
}

/* ---- what they are ------------------------------------------------------------------------ */

static void keep(struct pht_large_object *object, const char *text, size_t bytes)
{
    if (bytes > sizeof(object->preview))
        bytes = sizeof(object->preview);
    memcpy(object->preview, text, bytes);
    object->preview_bytes = (uint32_t)bytes;
    object->has_preview = true;
}

static void preview_bytes(struct pht_census *census, struct pht_large_object *object)
{
    uint64_t offset = census->layout.is_python2 ? PHT_BYTE_STRING_DATA : PHT_BYTES_DATA, length;
    char text[PHT_PREVIEW_BYTES];
    size_t bytes = sizeof(text);

    if (pht_snapshot_read(census->snapshot, object->address + PHT_OBJECT_SIZE, &length,
                          sizeof(length)) != PHT_READ_OK)
        return;
    if (length < bytes)
        bytes = (size_t)length;
    if (pht_snapshot_read(census->snapshot, object->address + offset, text, bytes) == PHT_READ_OK)
        keep(object, text, bytes);
}

static void preview(struct pht_census *census, const struct pht_type *type,
                    struct pht_large_object *object)
{
    struct pht_remote_text text;

    if (type->kind == PHT_KIND_BYTES)
        preview_bytes(census, object);
    else if (type->kind == PHT_KIND_STR && !census->layout.is_python2 &&
             pht_remote_text_str(census->snapshot, &census->layout, object->address, &text))
        keep(object, text.bytes, text.length);
}

static size_t find_type(const struct pht_objects *objects, pht_addr address)
{
    size_t i = 0;

    while (i < objects->type_count && objects->types[i].address != address)
        i++;
    return i;
}

static int compare(const void *a, const void *b)
{
    const struct pht_large_object *left = a, *right = b;

    if (left->size_bytes != right->size_bytes)
        return left->size_bytes < right->size_bytes ? 1 : -1;
    return left->address < right->address ? -1 : left->address > right->address;
}

void pht_census_list_largest(struct pht_census *census)
{
    struct pht_objects *result = census->result;

    for (size_t i = 0; i < census->large.count; i++) {
        const struct pht_type *type = pht_types_get(census->types, census->large.items[i].type);
        struct pht_large_object *object = &result->largest[result->largest_count];
        *object = (struct pht_large_object){
            .address = census->large.items[i].address,
            .size_bytes = census->large.items[i].size_bytes,
            .type = find_type(result, type->address),
        };
        if (object->type == result->type_count)
            continue;
        if (census->options.previews)
            preview(census, type, object);
        result->largest_count++;
    }
    qsort(result->largest, result->largest_count, sizeof(result->largest[0]), compare);
}
