#include "layout/python_tables.h"

#include <elf.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "layout/debug_offsets.h"
#include "layout/module_data.h"
#include "layout/python_cache.h"
#include "layout/python_layout.h"
#include "layout/python_scan.h"
#include "layout/resolve.h"
#include "layout/symbols.h"
#include "layout/tables.h"

/* No series has more releases. */
#define SERIES_APART 256

/* ---- choosing ----------------------------------------------------------------------------- */

/* How far releases are apart, those of a series less than all others; INT_MAX for another ABI. */
static int distance(const struct pht_python *python, const struct pht_python *row)
{
    if (row->version.major != python->version.major || row->debug_build != python->debug_build ||
        row->free_threaded != python->free_threaded)
        return INT_MAX;
    int series = (int)row->version.minor - (int)python->version.minor;
    int release = (int)row->version.micro - (int)python->version.micro;
    return abs(series) * SERIES_APART + abs(release);
}

/* sizeof(_PyRuntime), exported since 3.7: a release that changes what is in it changes that. */
static uint64_t runtime_bytes(struct pht_elf_image *image)
{
    struct pht_symbol symbol = {.name = "_PyRuntime"};

    pht_symbols_find(image->elf, SHT_DYNSYM, &symbol, 1);
    return symbol.matches == 1 && symbol.size > 0 ? symbol.size : PHT_UNKNOWN;
}

/* The row that is nearest, of the same series and with a _PyRuntime of that size. */
static bool choose(const struct pht_python *python, uint64_t bytes, struct pht_python *ret)
{
    struct pht_python row;
    int nearest = SERIES_APART;

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        int apart = distance(python, &row);
        if (apart >= nearest || (bytes != PHT_UNKNOWN && row.layout.runtime_bytes != bytes))
            continue;
        nearest = apart;
        *ret = row;
    }
    return nearest != SERIES_APART;
}

/* The row that is nearest, whatever differs: only what has been the same for long is of use. */
static bool choose_any(const struct pht_python *python, struct pht_python *ret)
{
    struct pht_python row;
    int nearest = INT_MAX;

    for (size_t at = 0; pht_python_tables_next(&at, &row);) {
        int apart = distance(python, &row);
        if (apart >= nearest)
            continue;
        nearest = apart;
        *ret = row;
    }
    return nearest != INT_MAX;
}

/* ---- filling in --------------------------------------------------------------------------- */

/* Structs of the interpreter, which hardly two releases have in common. */
static bool is_fickle(const struct pht_layout_field *field)
{
    return strcmp(field->subject, "_is") == 0 || strcmp(field->subject, "_ts") == 0 ||
           strcmp(field->subject, "pyruntimestate") == 0;
}

static void take_types(const struct pht_python_layout *row, bool is_exact,
                       struct pht_python_layout *layout)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        const struct pht_layout_field *field = &table->fields[i];
        if (pht_layout_is_of_type(field) && (is_exact || !is_fickle(field)))
            pht_layout_set(layout, field, pht_layout_get(row, field));
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

static bool is_swapped(const struct pht_module_data *data, pht_addr addr)
{
    pht_addr page = pht_round_down(addr, PHT_PAGE_BYTES);
    uint64_t resident = 0, swapped = 0;

    pht_error_destroy(
        pht_target_scan_pages(data->target, page, page + PHT_PAGE_BYTES, &resident, &swapped));
    return swapped != 0;
}

/* The runtime begins with making its types ready; before, there is nothing to find. */
static bool has_begun(const struct pht_module_data *data, struct pht_elf_image *image)
{
    struct pht_symbol symbol = {.name = "PyType_Type"};
    uint32_t flags;

    pht_symbols_find(image->elf, SHT_DYNSYM, &symbol, 1);
    if (symbol.matches != 1)
        return true;
    pht_addr addr = symbol.address + image->bias + PHT_TYPE_FLAGS;
    if (pht_module_data_peek_u32(data, addr, &flags))
        return flags & PHT_TYPE_READY;
    return is_swapped(data, addr);
}

static struct pht_error *scan(struct pht_target *target, const struct pht_maps *maps,
                              struct pht_elf_image *image, const struct pht_python_layout *row,
                              struct pht_python *python)
{
    const struct pht_layout_table *table = &pht_python_layout_table;
    struct pht_python_layout *layout = &python->layout, before = *layout;
    struct pht_error *error = NULL;
    struct pht_module_data data;

    if (!pht_module_data_read(target, maps, image, &data))
        return pht_error_no_memory();
    if (layout->runtime_bytes == PHT_UNKNOWN &&
        pht_debug_offsets_read(&data, image->bias, &python->version, layout))
        python->layout_source = PHT_LAYOUT_DEBUG_OFFSETS;
    if (pht_python_scan(&data, image, row, layout))
        python->symbol_source = PHT_SYMBOL_SCAN;
    note_found(target, &before, layout);
    if (!pht_layout_is_sound(table, layout) || !table->is_as_declared(layout))
        error = has_begun(&data, image) ? pht_layout_missing(image, "built-in layout that fits")
                                        : pht_python_not_initialised(target, python);
    pht_module_data_deinit(&data);
    return error;
}

struct pht_error *pht_python_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                            struct pht_elf_image *image, struct pht_python *python)
{
    const struct pht_layout_table *table = &pht_python_layout_table;
    uint64_t bytes = runtime_bytes(image);
    struct pht_python row;

    pht_python_layout_clear(&python->layout);
    bool is_exact = choose(python, bytes, &row);
    if (!is_exact && !choose_any(python, &row))
        return pht_layout_missing(image, "built-in layout");
    take_types(&row.layout, is_exact, &python->layout);
    python->is_partial = !is_exact;
    python->layout_source = PHT_LAYOUT_TABLE;
    python->symbol_source = pht_layout_resolve_symbols(image, table, &python->layout);
    struct pht_error *error = scan(target, maps, image, &row.layout, python);
    if (error != NULL) {
        pht_python_layout_clear(&python->layout);
        python->layout_source = PHT_LAYOUT_NONE;
        return error;
    }
    pht_target_note(target, "%s: types as in CPython %s%s", image->path, row.version_text,
                    is_exact ? "" : ", as far as they have lasted");
    return NULL;
}
