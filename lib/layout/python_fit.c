#include "layout/python_fit.h"

#include <elf.h>
#include <inttypes.h>
#include <string.h>

#include "base/checked.h"
#include "layout/debug_offsets.h"
#include "layout/module_data.h"
#include "layout/python_layout.h"
#include "layout/python_scan.h"
#include "layout/resolve.h"
#include "layout/symbols.h"

/* Structs of the interpreter, which hardly two releases have in common. */
static bool is_fickle(const struct pht_layout_field *field)
{
    return strcmp(field->subject, "_is") == 0 || strcmp(field->subject, "_ts") == 0 ||
           strcmp(field->subject, "pyruntimestate") == 0;
}

static void forget_fickle(struct pht_python_layout *layout)
{
    const struct pht_layout_table *table = &pht_python_layout_table;

    for (size_t i = 0; i < table->count; i++) {
        if (is_fickle(&table->fields[i]))
            pht_layout_set(layout, &table->fields[i], PHT_UNKNOWN);
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

struct pht_error *pht_python_fit(struct pht_target *target, const struct pht_maps *maps,
                                 struct pht_elf_image *image, const struct pht_python_layout *row,
                                 bool is_exact, struct pht_python *python)
{
    pht_python_layout_clear(&python->layout);
    pht_layout_take_types(&pht_python_layout_table, row, &python->layout);
    if (!is_exact)
        forget_fickle(&python->layout);
    python->is_partial = !is_exact;
    python->symbol_source =
        pht_layout_resolve_symbols(image, &pht_python_layout_table, &python->layout);
    struct pht_error *error = scan(target, maps, image, row, python);
    if (error != NULL)
        pht_python_layout_clear(&python->layout);
    return error;
}
