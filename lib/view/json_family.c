#include "view/json_parts.h"
#include "view/split.h"

static json_t *copied(const struct pht_family_row *row, struct pht_json *json)
{
    enum pht_category order[PHT_CATEGORIES];
    json_t *list;

    if (row->copied_bytes == PHT_UNKNOWN)
        return json_null();
    list = json_array();
    size_t count = pht_split_order(&row->copied, order);
    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();
        pht_json_put_text(json, object, "id", pht_category_name(order[i])->id);
        pht_json_put_number(json, object, "bytes", row->copied.bytes[order[i]]);
        pht_json_append(json, list, object);
    }
    return list;
}

static json_t *relative(const struct pht_family_row *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put(json, object, "pid", json_integer(row->pid));
    pht_json_put(json, object, "ppid", json_integer(row->ppid));
    pht_json_put_text(json, object, "comm", row->comm);
    pht_json_put_flag(json, object, "is_target", row->is_target);
    pht_json_put_number(json, object, "rss_bytes", row->rss_bytes);
    pht_json_put_number(json, object, "pss_bytes", row->pss_bytes);
    pht_json_put_number(json, object, "shared_with_target_bytes", row->shared_with_target_bytes);
    pht_json_put_number(json, object, "copied_bytes", row->copied_bytes);
    pht_json_put(json, object, "copied_categories", copied(row, json));
    return object;
}

json_t *pht_json_family(const struct pht_report *report, struct pht_json *json)
{
    json_t *list;

    if (!report->has_family)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < report->family_count; i++)
        pht_json_append(json, list, relative(&report->family[i], json));
    return list;
}
