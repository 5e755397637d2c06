/*
 * JSON values of the model's kinds of data, over jansson. jansson hands a failed allocation on as
 * NULL; the writer remembers it, and it is looked at once, at the end.
 */
#ifndef PHT_LIB_VIEW_JSON_WRITER_H
#define PHT_LIB_VIEW_JSON_WRITER_H

#include <jansson.h>
#include <stdio.h>
#include <time.h>

#include "pyheaptop/target.h"

struct pht_json {
    bool failed;
    bool is_line; /* no line break but the last */
};

/* These take `value`, which may be NULL after a failure. */
void pht_json_put(struct pht_json *json, json_t *object, const char *key, json_t *value);
void pht_json_append(struct pht_json *json, json_t *array, json_t *value);

/* null for what is not known, and for what does not fit a signed number. */
void pht_json_put_number(struct pht_json *json, json_t *object, const char *key, uint64_t value);
void pht_json_put_flag(struct pht_json *json, json_t *object, const char *key, bool value);

/* Any bytes, made valid UTF-8; NULL is null. */
json_t *pht_json_text(const char *bytes, size_t size);
void pht_json_put_text(struct pht_json *json, json_t *object, const char *key, const char *value);

/* A string, "0x7f2b9c3f1c60": readers lose digits above 2^53. */
void pht_json_put_address(struct pht_json *json, json_t *object, const char *key, pht_addr addr);

/* RFC 3339 in UTC with milliseconds: "2026-11-22T14:03:07.041Z". */
void pht_json_put_time(struct pht_json *json, json_t *object, const char *key,
                       struct timespec time);

/* Write `root` and a newline, and release it. False if anything failed; nothing is written then. */
bool pht_json_dump(struct pht_json *json, json_t *root, FILE *file);

#endif
