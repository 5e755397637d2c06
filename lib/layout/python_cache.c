#include "layout/python_cache.h"

#include <stdio.h>
#include <string.h>

#include "layout/cache.h"
#include "layout/identify.h"
#include "layout/layout_file.h"
#include "layout/python_layout.h"
#include "layout/tables.h"

enum property {
    VERSION,
    FREE_THREADED,
    DEBUG_BUILD,
    ODD_PROCESS,
};

const struct pht_record_kind pht_python_record_kind = {
    .format = "pyheaptop-layout 5",
    .suffix = ".layout",
    .properties = {[VERSION] = "version",
                   [FREE_THREADED] = "free-threaded",
                   [DEBUG_BUILD] = "debug-build",
                   [ODD_PROCESS] = "odd-process"},
    .table = &pht_python_layout_table,
};

static bool parse_flag(const char *text, bool *ret)
{
    *ret = text[0] == '1';
    return strcmp(text, "0") == 0 || strcmp(text, "1") == 0;
}

/* What `loaded` took from the record, and what it says of itself. */
static bool take(const struct pht_layout_record *record, struct pht_python *loaded)
{
    const char *version = record->properties[VERSION];

    if (!pht_version_parse(version, strlen(version), &loaded->version) ||
        !parse_flag(record->properties[FREE_THREADED], &loaded->free_threaded) ||
        !parse_flag(record->properties[DEBUG_BUILD], &loaded->debug_build))
        return false;
    memcpy(loaded->version_text, version, sizeof(loaded->version_text));
    memcpy(loaded->odd_process, record->properties[ODD_PROCESS], sizeof(loaded->odd_process));
    loaded->layout_source = record->layout_source;
    loaded->symbol_source = record->symbol_source;
    return true;
}

bool pht_python_cache_load(const char *directory, struct pht_python *python)
{
    struct pht_python loaded = *python;
    struct pht_layout_record record = {.build_id = python->build_id, .layout = &loaded.layout};

    if (!pht_cache_load(directory, &pht_python_record_kind, &record) || !take(&record, &loaded))
        return false;
    loaded.cached = true;
    *python = loaded;
    return true;
}

bool pht_python_file_load(const struct pht_layout_file *file, struct pht_python *python)
{
    struct pht_python loaded = *python;
    struct pht_layout_record record = {.build_id = python->build_id, .layout = &loaded.layout};

    if (!pht_layout_file_find(file, &pht_python_record_kind, &record) || !take(&record, &loaded))
        return false;
    loaded.layout_source = PHT_LAYOUT_TABLE;
    loaded.carried = true;
    *python = loaded;
    return true;
}

bool pht_python_tables_next(size_t *at, struct pht_python *ret)
{
    struct pht_layout_record record = {.layout = &ret->layout};

    while (pht_tables_next(at, &pht_python_record_kind, &record)) {
        if (take(&record, ret))
            return true;
    }
    return false;
}

/* `layout` is where the record's is. */
static struct pht_layout_record describe(const struct pht_python *python,
                                         struct pht_python_layout *layout)
{
    struct pht_layout_record record = {
        .build_id = python->build_id,
        .layout_source = python->layout_source,
        .symbol_source = python->symbol_source,
        .layout = layout,
    };

    *layout = python->layout;
    memcpy(record.properties[VERSION], python->version_text, sizeof(python->version_text));
    snprintf(record.properties[FREE_THREADED], 32, "%d", python->free_threaded);
    snprintf(record.properties[DEBUG_BUILD], 32, "%d", python->debug_build);
    memcpy(record.properties[ODD_PROCESS], python->odd_process, sizeof(python->odd_process));
    return record;
}

void pht_python_cache_store(const struct pht_layout_options *options,
                            const struct pht_python *python)
{
    struct pht_python_layout layout;
    struct pht_layout_record record = describe(python, &layout);

    pht_cache_store(options, &pht_python_record_kind, &record);
}

bool pht_python_record_write(FILE *file, const struct pht_python *python)
{
    struct pht_python_layout layout;
    struct pht_layout_record record = describe(python, &layout);

    return pht_record_write(file, &pht_python_record_kind, &record);
}

void pht_python_cache_forget(const struct pht_layout_options *options, const char *build_id)
{
    pht_cache_forget(options, &pht_python_record_kind, build_id);
}
