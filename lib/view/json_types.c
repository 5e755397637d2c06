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
    pht_json_put_number(json, object, "unowned_blocks", objects->unowned_blocks);
    pht_json_put_number(json, object, "unowned_bytes", objects->unowned_bytes);
    pht_json_put_number(json, object, "damaged_objects", objects->damaged_objects);
    pht_json_put_number(json, object, "torn_pools", objects->torn_pools);
    pht_json_put_number(json, object, "swapped_pools", objects->swapped_pools);
    return object;
}
