#include "layout/libc_cache.h"

#include <string.h>

#include "layout/cache.h"
#include "layout/layout_file.h"
#include "layout/libc_layout.h"
#include "layout/libc_version.h"
#include "layout/tables.h"

enum property {
    VERSION,
    ODD_PROCESS,
};

const struct pht_record_kind pht_libc_record_kind = {
    .format = "pyheaptop-libc-layout 2",
    .suffix = ".libc-layout",
    .properties = {[VERSION] = "version", [ODD_PROCESS] = "odd-process"},
    .table = &pht_libc_layout_table,
};

/* "" is the version of a file that did not tell it. */
static bool parse_version(const char *text, char version[static 16])
{
    version[0] = '\0';
    return text[0] == '\0' ||
           (pht_libc_version_parse(text, strlen(text), version) && strcmp(text, version) == 0);
}

static bool take(const struct pht_layout_record *record, struct pht_libc *loaded)
{
    if (!parse_version(record->properties[VERSION], loaded->version_text))
        return false;
    memcpy(loaded->odd_process, record->properties[ODD_PROCESS], sizeof(loaded->odd_process));
    loaded->layout_source = record->layout_source;
    loaded->symbol_source = record->symbol_source;
    return true;
}

bool pht_libc_cache_load(const char *directory, struct pht_libc *libc)
{
    struct pht_libc loaded = *libc;
    struct pht_layout_record record = {.build_id = libc->build_id, .layout = &loaded.layout};

    if (!pht_cache_load(directory, &pht_libc_record_kind, &record) || !take(&record, &loaded))
        return false;
    loaded.cached = true;
    *libc = loaded;
    return true;
}

bool pht_libc_file_load(const struct pht_layout_file *file, struct pht_libc *libc)
{
    struct pht_libc loaded = *libc;
    struct pht_layout_record record = {.build_id = libc->build_id, .layout = &loaded.layout};

    if (!pht_layout_file_find(file, &pht_libc_record_kind, &record) || !take(&record, &loaded))
        return false;
    loaded.layout_source = PHT_LAYOUT_TABLE;
    loaded.carried = true;
    *libc = loaded;
    return true;
}

bool pht_libc_tables_next(size_t *at, struct pht_libc *row)
{
    struct pht_layout_record record = {.layout = &row->layout};

    *row = (struct pht_libc){.family = PHT_LIBC_GLIBC};
    while (pht_tables_next(at, &pht_libc_record_kind, &record)) {
        if (take(&record, row))
            return true;
    }
    return false;
}

static struct pht_layout_record describe(const struct pht_libc *libc,
                                         struct pht_libc_layout *layout)
{
    struct pht_layout_record record = {
        .build_id = libc->build_id,
        .layout_source = libc->layout_source,
        .symbol_source = libc->symbol_source,
        .layout = layout,
    };

    *layout = libc->layout;
    memcpy(record.properties[VERSION], libc->version_text, sizeof(libc->version_text));
    memcpy(record.properties[ODD_PROCESS], libc->odd_process, sizeof(libc->odd_process));
    return record;
}

void pht_libc_cache_store(const struct pht_layout_options *options, const struct pht_libc *libc)
{
    struct pht_libc_layout layout;
    struct pht_layout_record record = describe(libc, &layout);

    pht_cache_store(options, &pht_libc_record_kind, &record);
}

bool pht_libc_record_write(FILE *file, const struct pht_libc *libc)
{
    struct pht_libc_layout layout;
    struct pht_layout_record record = describe(libc, &layout);

    return pht_record_write(file, &pht_libc_record_kind, &record);
}

void pht_libc_cache_forget(const struct pht_layout_options *options, const char *build_id)
{
    pht_cache_forget(options, &pht_libc_record_kind, build_id);
}
