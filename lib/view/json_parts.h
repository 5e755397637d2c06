/* The larger parts of the JSON report, each in a file of its own. null where there is none. */
#ifndef PHT_LIB_VIEW_JSON_PARTS_H
#define PHT_LIB_VIEW_JSON_PARTS_H

#include "pyheaptop/model.h"
#include "view/json_writer.h"

json_t *pht_json_kernel(const struct pht_report *report, struct pht_json *json);
json_t *pht_json_pymalloc(const struct pht_pymalloc *pymalloc, struct pht_json *json);
json_t *pht_json_freelists(const struct pht_freelists *lists, struct pht_json *json);
json_t *pht_json_gc(const struct pht_gc *gc, struct pht_json *json);

/* `libc` and `glibc` of the schema. */
json_t *pht_json_libc(const struct pht_libc *libc, struct pht_json *json);
json_t *pht_json_glibc(const struct pht_report *report, struct pht_json *json);

/* `types` and `objects` of the schema. */
json_t *pht_json_types(const struct pht_objects *objects, struct pht_json *json);
json_t *pht_json_objects(const struct pht_objects *objects, struct pht_json *json);
json_t *pht_json_largest(const struct pht_objects *objects, struct pht_json *json);
json_t *pht_json_unowned(const struct pht_report *report, struct pht_json *json);

json_t *pht_json_categories(const struct pht_report *report, struct pht_json *json);
json_t *pht_json_unattributed(const struct pht_report *report, struct pht_json *json);
json_t *pht_json_mappings(const struct pht_report *report, struct pht_json *json);
json_t *pht_json_regions(const struct pht_report *report, struct pht_json *json);
json_t *pht_json_findings(const struct pht_findings *findings, struct pht_json *json);
json_t *pht_json_family(const struct pht_report *report, struct pht_json *json);

#endif
