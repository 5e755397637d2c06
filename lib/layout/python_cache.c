#include "layout/python_cache.h"

#include <stdio.h>
#include <string.h>

#include "layout/cache.h"
#include "layout/identify.h"
#include "layout/python_layout.h"

enum property {
    VERSION,
    FREE_THREADED,
    DEBUG_BUILD,
    ODD_PROCESS,
};

static const struct pht_cache_kind kind = {
    .format = "pyheaptop-layout 3",
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

bool pht_python_cache_load(const char *directory, struct pht_python *python)
{
    struct pht_python loaded = *python;
    struct pht_cache_record record = {.build_id = python->build_id, .layout = &loaded.layout};
    const char *version = record.properties[VERSION];

    if (!pht_cache_load(directory, &kind, &record) ||
        !pht_version_parse(version, strlen(version), &loaded.version) ||
        !parse_flag(record.properties[FREE_THREADED], &loaded.free_threaded) ||
        !parse_flag(record.properties[DEBUG_BUILD], &loaded.debug_build))
        return false;
    memcpy(loaded.version_text, version, sizeof(loaded.version_text));
    memcpy(loaded.odd_process, record.properties[ODD_PROCESS], sizeof(loaded.odd_process));
    loaded.layout_source = record.layout_source;
    loaded.symbol_source = record.symbol_source;
    loaded.cached = true;
    *python = loaded;
    return true;
}

void pht_python_cache_store(const char *directory, const struct pht_python *python)
{
    struct pht_python_layout layout = python->layout;
    struct pht_cache_record record = {
        .build_id = python->build_id,
        .layout_source = python->layout_source,
        .symbol_source = python->symbol_source,
        .layout = &layout,
    };

    memcpy(record.properties[VERSION], python->version_text, sizeof(python->version_text));
    snprintf(record.properties[FREE_THREADED], 32, "%d", python->free_threaded);
    snprintf(record.properties[DEBUG_BUILD], 32, "%d", python->debug_build);
    memcpy(record.properties[ODD_PROCESS], python->odd_process, sizeof(python->odd_process));
    pht_cache_store(directory, &kind, &record);
}

void pht_python_cache_forget(const char *directory, const char *build_id)
{
    pht_cache_forget(directory, &kind, build_id);
}
