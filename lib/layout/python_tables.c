#include "layout/python_tables.h"

#include <elf.h>
#include <inttypes.h>
#include <limits.h>

#include "layout/module_data.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/python_scan.h"
#include "layout/resolve.h"
#include "layout/symbols.h"
#include "layout/tables.h"

/* ---- choosing ----------------------------------------------------------------------------- */

/* How far the releases of a series are apart; INT_MAX for another series, or another ABI. */
static int distance(const struct pht_python *python, const struct pht_python *row)
{
    if (row->version.major != python->version.major ||
        row->version.minor != python->version.minor || row->debug_build != python->debug_build ||
        row->free_threaded != python->free_threaded)
        return INT_MAX;
    int difference = (int)row->version.micro - (int)python->version.micro;
    return difference < 0 ? -difference : difference;
}

/* sizeof(_PyRuntime), exported since 3.7: a release that changes what is in it changes that. */
static uint64_t runtime_bytes(struct pht_elf_image *image)
{
    struct pht_symbol symbol = {.name = "_PyRuntime"};

    pht_symbols_find(image->elf, SHT_DYNSYM, &symbol, 1);
    return symbol.matches == 1 && symbol.size > 0 ? symbol.size : PHT_UNKNOWN;
}

bool pht_python_row_is_possible(struct pht_elf_image *image, const struct pht_python_layout *row)
{
    uint64_t bytes = runtime_bytes(image);

    return bytes == PHT_UNKNOWN || row->runtime_bytes == PHT_UNKNOWN || row->runtime_bytes == bytes;
}

/* The row that is nearest among those whose _PyRuntime has that size. */
static bool choose(const struct pht_python *python, uint64_t bytes, struct pht_python *ret)
{
    struct pht_python row;
    int nearest = INT_MAX;

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        int apart = distance(python, &row);
        if (apart >= nearest || (bytes != PHT_UNKNOWN && row.layout.runtime_bytes != bytes))
            continue;
        nearest = apart;
        *ret = row;
    }
    return nearest != INT_MAX;
}

/* ---- filling in --------------------------------------------------------------------------- */

static void take_types(const struct pht_python_layout *row, struct pht_python_layout *layout)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        if (pht_layout_is_of_type(&table->fields[i]))
            pht_layout_set(layout, &table->fields[i], pht_layout_get(row, &table->fields[i]));
    }
}

static void note_found(struct pht_target *target, const struct pht_python_layout *before,
                       const struct pht_python_layout *after)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        uint64_t value = pht_layout_get(after, &table->fields[i]);
        if (value != pht_layout_get(before, &table->fields[i]))
            pht_target_note(target, "scan: %s %#" PRIx64, table->fields[i].name, value);
    }
}

static struct pht_error *scan(struct pht_target *target, const struct pht_maps *maps,
                              struct pht_elf_image *image, const struct pht_python_layout *row,
                              struct pht_python *python)
{
    struct pht_module_data data;

    if (!pht_module_data_read(target, maps, image, &data))
        return pht_error_no_memory();
    const struct pht_python_layout before = python->layout;
    if (pht_python_scan(&data, image, row, &python->layout))
        python->symbol_source = PHT_SYMBOL_SCAN;
    note_found(target, &before, &python->layout);
    pht_module_data_deinit(&data);
    return NULL;
}

struct pht_error *pht_python_row_fit(struct pht_target *target, const struct pht_maps *maps,
                                     struct pht_elf_image *image,
                                     const struct pht_python_layout *row, struct pht_python *python)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    pht_python_layout_clear(&python->layout);
    take_types(row, &python->layout);
    python->symbol_source = pht_layout_resolve_symbols(image, table, &python->layout);
    struct pht_error *error = scan(target, maps, image, row, python);
    if (error != NULL)
        return error;
    if (pht_layout_is_sound(table, &python->layout) && table->is_as_declared(&python->layout))
        return NULL;
    pht_python_layout_clear(&python->layout);
    return pht_layout_missing(image, "built-in layout that fits");
}

struct pht_error *pht_python_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                            struct pht_elf_image *image, struct pht_python *python)
{
    struct pht_python row;

    pht_python_layout_clear(&python->layout);
    if (!choose(python, runtime_bytes(image), &row))
        return pht_layout_missing(image, "built-in layout");
    struct pht_error *error = pht_python_row_fit(target, maps, image, &row.layout, python);
    if (error != NULL)
        return error;
    python->layout_source = PHT_LAYOUT_TABLE;
    pht_target_note(target, "%s: types as in CPython %s", image->path, row.version_text);
    return NULL;
}
