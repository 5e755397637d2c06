#include "view/json_parts.h"

static json_t *category(const struct pht_report *report, enum pht_category which,
                        struct pht_json *json)
{
    const struct pht_category_name *name = pht_category_name(which);
    const struct pht_category_sum *sum = &report->categories[which];
    const char letter[] = {name->letter, '\0'};
    json_t *object = json_object();

    pht_json_put_text(json, object, "id", name->id);
    pht_json_put_text(json, object, "letter", letter);
    pht_json_put_text(json, object, "label", name->label);
    pht_json_put_number(json, object, "bytes", sum->bytes);
    pht_json_put_text(json, object, "evidence", pht_evidence_name(sum->evidence));
    pht_json_put_number(json, object, "swap_bytes", sum->swapped_bytes);
    return object;
}

json_t *pht_json_categories(const struct pht_report *report, struct pht_json *json)
{
    json_t *list;

    if (!report->has_ledger)
        return json_null();
    list = json_array();
    for (int i = 0; i < PHT_CATEGORIES; i++)
        pht_json_append(json, list, category(report, (enum pht_category)i, json));
    return list;
}

static json_t *place(const struct pht_report *report, const struct pht_unattributed *row,
                     struct pht_json *json)
{
    const struct pht_report_mapping *mapping = &report->mappings[row->mapping];
    json_t *object = json_object();

    pht_json_put_address(json, object, "start", mapping->mapping->start);
    pht_json_put_address(json, object, "end", mapping->mapping->end);
    pht_json_put_text(json, object, "name", mapping->mapping->name);
    pht_json_put_text(json, object, "kind", pht_mapping_kind_name(mapping->kind));
    pht_json_put_number(json, object, "bytes", row->bytes);
    pht_json_put_text(json, object, "tried", row->tried);
    return object;
}

json_t *pht_json_unattributed(const struct pht_report *report, struct pht_json *json)
{
    json_t *list;

    if (!report->has_ledger)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < report->unattributed_count; i++)
        pht_json_append(json, list, place(report, &report->unattributed[i], json));
    return list;
}
