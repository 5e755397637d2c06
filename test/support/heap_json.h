/* The JSON of a report, read back. A path is names and indexes: "pymalloc.states.0.address". */
#ifndef PHT_TEST_SUPPORT_HEAP_JSON_H
#define PHT_TEST_SUPPORT_HEAP_JSON_H

#include <jansson.h>

#include "pyheaptop/view.h"
#include "support/heap_report.h"

/* Write and parse; `*text` is what was written, and the caller's, as is the result. */
json_t *heap_json_write(const struct pht_report *report, char **text);
json_t *heap_json_parse(const char *bytes, size_t size);

/* The test fails where nothing stands at `path`, or something else. */
const json_t *heap_json_get(const json_t *root, const char *path);
void heap_json_check_text(const json_t *root, const char *path, const char *expected);
void heap_json_check_number(const json_t *root, const char *path, uint64_t expected);
void heap_json_check_null(const json_t *root, const char *path);

#endif
