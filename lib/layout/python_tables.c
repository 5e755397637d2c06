#include "layout/python_tables.h"

#include <elf.h>
#include <limits.h>
#include <stdlib.h>

#include "layout/python_cache.h"
#include "layout/python_fit.h"
#include "layout/python_layout.h"
#include "layout/resolve.h"
#include "layout/symbols.h"

/* No series has more releases. */
#define SERIES_APART 256

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

bool pht_python_row_is_possible(struct pht_elf_image *image, const struct pht_python_layout *row)
{
    uint64_t bytes = runtime_bytes(image);

    return bytes == PHT_UNKNOWN || row->runtime_bytes == PHT_UNKNOWN || row->runtime_bytes == bytes;
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

struct pht_error *pht_python_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                            struct pht_elf_image *image, struct pht_python *python)
{
    struct pht_python row;

    pht_python_layout_clear(&python->layout);
    bool is_exact = choose(python, runtime_bytes(image), &row);
    if (!is_exact && !choose_any(python, &row))
        return pht_layout_missing(image, "built-in layout");
    python->layout_source = PHT_LAYOUT_TABLE;
    struct pht_error *error = pht_python_fit(target, maps, image, &row.layout, is_exact, python);
    if (error != NULL) {
        python->layout_source = PHT_LAYOUT_NONE;
        return error;
    }
    pht_target_note(target, "%s: types as in CPython %s%s", image->path, row.version_text,
                    is_exact ? "" : ", as far as they have lasted");
    return NULL;
}
