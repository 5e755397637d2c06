#include "view/json_parts.h"

static json_t *type(const struct pht_type_sum *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_text(json, object, "name", row->name);
    pht_json_put_text(json, object, "module", row->module);
    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_number(json, object, "objects", row->objects);
    pht_json_put_number(json, object, "size_bytes", row->size_bytes);
    pht_json_put_number(json, object, "allocated_bytes", row->allocated_bytes);
    pht_json_put_number(json, object, "max_bytes", row->max_bytes);
    pht_json_put_number(json, object, "gc_tracked", row->gc_tracked);
    return object;
}

json_t *pht_json_types(const struct pht_objects *objects, struct pht_json *json)
{
    json_t *list;

    if (objects == NULL)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < objects->type_count; i++)
        pht_json_append(json, list, type(&objects->types[i], json));
    return list;
}

static json_t *tally(const struct pht_tally *tally, struct pht_json *json)
{
    json_t *object;

    if (tally->count == PHT_UNKNOWN)
        return json_null();
    object = json_object();
    pht_json_put_number(json, object, "count", tally->count);
    pht_json_put_number(json, object, "bytes", tally->bytes);
    return object;
}

static json_t *holders(const struct pht_holders *holders, bool has_free_lists,
                       struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put(json, object, "objects", tally(&holders->objects, json));
    pht_json_put(json, object, "buffers", tally(&holders->buffers, json));
    if (has_free_lists)
        pht_json_put(json, object, "free_listed", tally(&holders->free_listed, json));
    pht_json_put(json, object, "unowned", tally(&holders->unowned, json));
    return object;
}

json_t *pht_json_objects(const struct pht_objects *objects, struct pht_json *json)
{
    json_t *object;

    if (objects == NULL)
        return json_null();
    object = json_object();
    pht_json_put_number(json, object, "objects", objects->totals.objects);
    pht_json_put_number(json, object, "size_bytes", objects->totals.size_bytes);
    pht_json_put_number(json, object, "allocated_bytes", objects->totals.allocated_bytes);
    pht_json_put_number(json, object, "gc_tracked", objects->totals.gc_tracked);
    pht_json_put(json, object, "interned", tally(&objects->interned, json));
    pht_json_put(json, object, "blocks", holders(&objects->blocks, true, json));
    pht_json_put(json, object, "chunks", holders(&objects->chunks, false, json));
    pht_json_put_number(json, object, "damaged_objects", objects->damaged_objects);
    pht_json_put_number(json, object, "torn_pools", objects->torn_pools);
    pht_json_put_number(json, object, "swapped_pools", objects->swapped_pools);
    return object;
}

/* ---- single ones -------------------------------------------------------------------------- */

static json_t *large_object(const struct pht_objects *objects, const struct pht_large_object *row,
                            struct pht_json *json)
{
    const struct pht_type_sum *type = &objects->types[row->type];
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_text(json, object, "type", type->name);
    pht_json_put_text(json, object, "module", type->module);
    pht_json_put_number(json, object, "size_bytes", row->size_bytes);
    pht_json_put(json, object, "preview",
                 row->has_preview ? pht_json_text(row->preview, row->preview_bytes) : json_null());
    return object;
}

json_t *pht_json_largest(const struct pht_objects *objects, struct pht_json *json)
{
    json_t *list;

    if (objects == NULL)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < objects->largest_count; i++)
        pht_json_append(json, list, large_object(objects, &objects->largest[i], json));
    return list;
}
