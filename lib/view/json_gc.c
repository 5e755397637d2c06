#include "view/json_parts.h"

static json_t *generation(const struct pht_gc_generation *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put(json, object, "threshold", json_integer(row->threshold));
    pht_json_put(json, object, "count", json_integer(row->count));
    pht_json_put_number(json, object, "objects", row->objects);
    pht_json_put_number(json, object, "collections", row->collections);
    pht_json_put_number(json, object, "collected", row->collected);
    pht_json_put_number(json, object, "uncollectable", row->uncollectable);
    return object;
}

json_t *pht_json_gc(const struct pht_gc *gc, struct pht_json *json)
{
    json_t *object, *generations;

    if (gc == NULL)
        return json_null();
    object = json_object();
    generations = json_array();
    pht_json_put_flag(json, object, "enabled", gc->enabled);
    pht_json_put_number(json, object, "frozen", gc->frozen);
    pht_json_put_number(json, object, "garbage", gc->garbage);
    pht_json_put_number(json, object, "callbacks", gc->callbacks);
    for (unsigned i = 0; i < PHT_GC_GENERATIONS; i++)
        pht_json_append(json, generations, generation(&gc->generations[i], json));
    pht_json_put(json, object, "generations", generations);
    pht_json_put_number(json, object, "torn_lists", gc->torn_lists);
    pht_json_put_number(json, object, "long_lists", gc->long_lists);
    pht_json_put_flag(json, object, "by_census", gc->by_census);
    return object;
}

json_t *pht_json_freelists(const struct pht_freelists *lists, struct pht_json *json)
{
    json_t *rows;

    if (lists->count == 0)
        return json_null();
    rows = json_array();
    for (size_t i = 0; i < lists->count; i++) {
        json_t *object = json_object();
        pht_json_put_text(json, object, "type", lists->items[i].type);
        pht_json_put_number(json, object, "objects", lists->items[i].objects);
        pht_json_put_number(json, object, "bytes", lists->items[i].bytes);
        pht_json_append(json, rows, object);
    }
    return rows;
}
