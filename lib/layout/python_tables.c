#include "layout/python_tables.h"

#include <elf.h>
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

static struct pht_error *scan(struct pht_target *target, const struct pht_maps *maps,
                              struct pht_elf_image *image, struct pht_python *python)
{
    struct pht_module_data data;

    if (!pht_module_data_read(target, maps, image, &data))
        return pht_error_no_memory();
    if (pht_python_scan(&data, image, python))
        python->symbol_source = PHT_SYMBOL_SCAN;
    pht_module_data_deinit(&data);
    return NULL;
}

struct pht_error *pht_python_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                            struct pht_elf_image *image, struct pht_python *python)
{
    const struct pht_layout_table *table = &pht_python_layout_table;
    struct pht_python row;

    pht_python_layout_clear(&python->layout);
    if (!choose(python, runtime_bytes(image), &row))
        return pht_layout_missing(image, "built-in layout");
    pht_layout_take_types(table, &row.layout, &python->layout);
    python->symbol_source = pht_layout_resolve_symbols(image, table, &python->layout);
    struct pht_error *error = scan(target, maps, image, python);
    if (error != NULL)
        return error;
    if (!pht_layout_is_sound(table, &python->layout) || !table->is_as_declared(&python->layout)) {
        pht_python_layout_clear(&python->layout);
        return pht_layout_missing(image, "built-in layout that fits");
    }
    python->layout_source = PHT_LAYOUT_TABLE;
    pht_target_note(target, "%s: types as in CPython %s", image->path, row.version_text);
    return NULL;
}
