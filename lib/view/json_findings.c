#include "view/json_parts.h"

static json_t *evidence(const struct pht_finding *finding, struct pht_json *json)
{
    json_t *object = json_object();

    for (size_t i = 0; i < finding->figure_count; i++) {
        const struct pht_finding_figure *figure = &finding->figures[i];
        if (figure->text != NULL)
            pht_json_put_text(json, object, figure->name, figure->text);
        else
            pht_json_put_number(json, object, figure->name, figure->number);
    }
    return object;
}

static json_t *finding(const struct pht_finding *row, struct pht_json *json)
{
    json_t *object = json_object();

    pht_json_put_text(json, object, "id", row->id);
    pht_json_put_text(json, object, "severity", pht_severity_name(row->severity));
    pht_json_put_number(json, object, "bytes", row->bytes);
    pht_json_put_text(json, object, "text", row->text);
    pht_json_put_text(json, object, "remedy", row->remedy);
    pht_json_put(json, object, "evidence", evidence(row, json));
    return object;
}

json_t *pht_json_findings(const struct pht_findings *findings, struct pht_json *json)
{
    json_t *list;

    if (!findings->known)
        return json_null();
    list = json_array();
    for (size_t i = 0; i < findings->count; i++)
        pht_json_append(json, list, finding(&findings->items[i], json));
    return list;
}
