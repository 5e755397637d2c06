#include "view/json_parts.h"
#include "view/sample.h"

static json_t *target_of(const struct pht_report *report, const struct pht_chunk_sample *sample,
                         struct pht_json *json)
{
    const struct pht_mapping *mapping = pht_sample_mapping(report, sample);
    json_t *object;

    if (mapping == NULL)
        return json_null();
    object = json_object();
    pht_json_put_address(json, object, "address", sample->points_to);
    pht_json_put_text(json, object, "name", mapping->name);
    pht_json_put_number(json, object, "offset",
                        sample->points_to - mapping->start + mapping->offset);
    return object;
}

static json_t *sample(const struct pht_report *report, const struct pht_chunk_sample *row,
                      struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_address(json, object, "address", row->address);
    pht_json_put_text(json, object, "kind", pht_sample_kind_name(row->kind));
    pht_json_put(json, object, "text",
                 row->text_bytes > 0 ? pht_json_text(row->text, row->text_bytes) : json_null());
    pht_json_put(json, object, "points_to", target_of(report, row, json));
    return object;
}

static json_t *size(const struct pht_report *report, const struct pht_unowned_size *row,
                    struct pht_json *json)
{
    json_t *object = json_object(), *samples = json_array();

    pht_json_put_number(json, object, "min_bytes", row->min_bytes);
    pht_json_put_number(json, object, "max_bytes", row->max_bytes);
    pht_json_put_number(json, object, "chunks", row->chunks);
    pht_json_put_number(json, object, "bytes", row->bytes);
    for (size_t i = 0; i < row->sample_count; i++)
        pht_json_append(json, samples, sample(report, &row->samples[i], json));
    pht_json_put(json, object, "samples", samples);
    return object;
}

json_t *pht_json_unowned(const struct pht_report *report, struct pht_json *json)
{
    const struct pht_objects *objects = report->objects;
    json_t *list;

    if (objects == NULL || objects->unowned == NULL)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < objects->unowned_count; i++)
        pht_json_append(json, list, size(report, &objects->unowned[i], json));
    return list;
}
