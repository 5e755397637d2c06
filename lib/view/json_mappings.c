#include "view/json_parts.h"
#include "view/mapping.h"

/* Only what there is: most mappings hold one thing. null where nobody looked. */
static json_t *categories(const struct pht_owned_mapping *owned, struct pht_json *json)
{
    json_t *object;

    if (owned == NULL)
        return json_null();
    object = json_object();
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (owned->resident.bytes[i] > 0)
            pht_json_put_number(json, object, pht_category_name((enum pht_category)i)->id,
                                owned->resident.bytes[i]);
    }
    return object;
}

static json_t *mapping(const struct pht_report_mapping *row, struct pht_json *json)
{
    const struct pht_mapping *from = row->mapping;
    char perms[PHT_PERMS_MAX];
    json_t *object = json_object();

    pht_json_put_address(json, object, "start", from->start);
    pht_json_put_address(json, object, "end", from->end);
    pht_json_put_text(json, object, "perms", pht_mapping_perms(from, perms));
    pht_json_put_number(json, object, "offset", from->offset);
    pht_json_put_text(json, object, "name", from->name);
    pht_json_put_flag(json, object, "deleted", from->deleted);
    pht_json_put_text(json, object, "kind", pht_mapping_kind_name(row->kind));
    pht_json_put_number(json, object, "rss_bytes", pht_mapping_rss(row));
    pht_json_put_number(json, object, "pss_bytes", row->memory->pss_bytes);
    pht_json_put_number(json, object, "exclusive_bytes", row->memory->exclusive_bytes);
    pht_json_put_number(json, object, "shared_bytes", row->memory->shared_bytes);
    pht_json_put_number(json, object, "swap_bytes", row->memory->swap_bytes);
    pht_json_put(json, object, "categories", categories(row->owned, json));
    return object;
}

json_t *pht_json_mappings(const struct pht_report *report, struct pht_json *json)
{
    json_t *list;

    if (report->mappings == NULL)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < report->mapping_count; i++)
        pht_json_append(json, list, mapping(&report->mappings[i], json));
    return list;
}

static json_t *region(const struct pht_region *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_text(json, object, "kind", pht_region_kind_name(row->kind));
    pht_json_put_address(json, object, "start", row->start);
    pht_json_put_address(json, object, "end", row->end);
    pht_json_put(json, object, "tid", row->tid != 0 ? json_integer(row->tid) : json_null());
    pht_json_put_number(json, object, "resident_bytes", row->resident_bytes);
    return object;
}

json_t *pht_json_regions(const struct pht_report *report, struct pht_json *json)
{
    json_t *list;

    if (!report->has_ledger)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < report->regions.count; i++)
        pht_json_append(json, list, region(&report->regions.items[i], json));
    return list;
}
