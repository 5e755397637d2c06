#include "support/heap_json.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

json_t *heap_json_parse(const char *bytes, size_t size)
{
    json_error_t error;
    json_t *root = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);

    ck_assert_msg(root != NULL, "line %d: %s", error.line, error.text);
    return root;
}

json_t *heap_json_write(const struct pht_report *report, char **text)
{
    size_t size;
    FILE *file = open_memstream(text, &size);

    ck_assert_ptr_nonnull(file);
    ck_assert(pht_json_report_write(report, "1.2.3", file));
    fclose(file);
    return heap_json_parse(*text, size);
}

const json_t *heap_json_get(const json_t *root, const char *path)
{
    char copy[256];
    char *rest = NULL;
    const json_t *value = root;

    snprintf(copy, sizeof(copy), "%s", path);
    for (char *name = strtok_r(copy, ".", &rest); name != NULL; name = strtok_r(NULL, ".", &rest)) {
        value = json_is_array(value) ? json_array_get(value, (size_t)atoi(name))
                                     : json_object_get(value, name);
        ck_assert_msg(value != NULL, "no %s", path);
    }
    return value;
}

void heap_json_check_text(const json_t *root, const char *path, const char *expected)
{
    ck_assert_msg(json_is_string(heap_json_get(root, path)), "%s is no string", path);
    ck_assert_str_eq(json_string_value(heap_json_get(root, path)), expected);
}

void heap_json_check_number(const json_t *root, const char *path, uint64_t expected)
{
    const json_t *value = heap_json_get(root, path);
    long long found = json_integer_value(value);

    ck_assert_msg(json_is_integer(value), "%s is no integer", path);
    ck_assert_msg((uint64_t)found == expected, "%s is %lld and not %llu", path, found,
                  (unsigned long long)expected);
}

void heap_json_check_null(const json_t *root, const char *path)
{
    ck_assert_msg(json_is_null(heap_json_get(root, path)), "%s is not null", path);
}
