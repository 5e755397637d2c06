#include "view/json_writer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"

void pht_json_put(struct pht_json *json, json_t *object, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        json->failed = true;
}

void pht_json_append(struct pht_json *json, json_t *array, json_t *value)
{
    if (value == NULL || json_array_append_new(array, value) != 0)
        json->failed = true;
}

void pht_json_put_number(struct pht_json *json, json_t *object, const char *key, uint64_t value)
{
    pht_json_put(json, object, key,
                 value > INT64_MAX ? json_null() : json_integer((json_int_t)value));
}

void pht_json_put_flag(struct pht_json *json, json_t *object, const char *key, bool value)
{
    pht_json_put(json, object, key, json_boolean(value));
}

json_t *pht_json_text(const char *bytes, size_t size)
{
    _cleanup_free_ char *valid = pht_text_utf8(bytes, size);

    return valid != NULL ? json_string(valid) : NULL;
}

void pht_json_put_text(struct pht_json *json, json_t *object, const char *key, const char *value)
{
    pht_json_put(json, object, key,
                 value != NULL ? pht_json_text(value, strlen(value)) : json_null());
}

void pht_json_put_address(struct pht_json *json, json_t *object, const char *key, pht_addr addr)
{
    pht_json_put(json, object, key, json_sprintf("0x%" PRIx64, addr));
}

void pht_json_put_time(struct pht_json *json, json_t *object, const char *key, struct timespec time)
{
    _cleanup_free_ char *text = pht_text_time(time);

    pht_json_put(json, object, key, text != NULL ? json_string(text) : NULL);
}

struct written {
    PHT_VEC(char) text;
    bool failed; /* jansson 2.14 goes on after a key that could not be written */
};

static int append(const char *bytes, size_t size, void *context)
{
    struct written *written = context;

    if (!pht_vec_reserve(&written->text, written->text.count + size)) {
        written->failed = true;
        return -1;
    }
    memcpy(written->text.items + written->text.count, bytes, size);
    written->text.count += size;
    return 0;
}

/*
 * ASCII only: a terminal that shows the report must not meet control characters of C1. In memory
 * first: memory that is short while jansson puts it into words would leave half a report.
 */
bool pht_json_dump(struct pht_json *json, json_t *root, FILE *file)
{
    struct written written = {.failed = json->failed};
    size_t form = json->is_line ? JSON_COMPACT : JSON_INDENT(2);

    if (!written.failed &&
        (json_dump_callback(root, append, &written, form | JSON_ENSURE_ASCII) != 0 ||
         append("\n", 1, &written) != 0))
        written.failed = true;
    json_decref(root);
    if (!written.failed)
        fwrite(written.text.items, 1, written.text.count, file);
    free(written.text.items);
    return !written.failed;
}
