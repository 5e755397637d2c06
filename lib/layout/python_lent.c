#include "layout/python_lent.h"

#include <ctype.h>
#include <dwarf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/debug_file.h"
#include "layout/dwarf_units.h"
#include "layout/python_fit.h"
#include "layout/python_layout.h"
#include "layout/python_tables.h"
#include "layout/resolve.h"

/* ---- of which release --------------------------------------------------------------------- */

/* "/build/reproducible-path/python3.11-3.11.2/build-static" has "3.11.2", and not "3.11.21". */
static bool has_version(const char *path, const char *version)
{
    size_t length = strlen(version);

    for (const char *at = path; (at = strstr(at, version)) != NULL; at++) {
        bool begins = at == path || (!isdigit((unsigned char)at[-1]) && at[-1] != '.');
        if (begins && !isdigit((unsigned char)at[length]))
            return true;
    }
    return false;
}

static bool unit_has_version(Dwarf *dwarf, const struct pht_dwarf_unit *unit, const char *version)
{
    Dwarf_Attribute attribute;
    Dwarf_Die die;

    if (unit->name != NULL && has_version(unit->name, version))
        return true;
    if (dwarf_offdie(dwarf, unit->die_offset, &die) == NULL)
        return false;
    const char *folder = dwarf_formstring(dwarf_attr(&die, DW_AT_comp_dir, &attribute));
    return folder != NULL && has_version(folder, version);
}

/*
 * A debug file has neither constants nor variables. That it is of a release is told by the folder
 * in which it was compiled, where distributions and source archives put the number.
 */
static bool is_of_release(struct pht_target *target, struct pht_elf_image *other,
                          const struct pht_version *version)
{
    struct pht_debug_file debug;
    struct pht_dwarf_units units;
    char text[48];
    bool found = false;

    snprintf(text, sizeof(text), "%u.%u.%u", version->major, version->minor, version->micro);
    if (!pht_debug_file_open(target, other, &debug))
        return false;
    if (debug.dwarf != NULL && pht_dwarf_units_init(&units, debug.dwarf)) {
        for (size_t i = 0; i < units.count && !found; i++)
            found = unit_has_version(debug.dwarf, &units.items[i], text);
        pht_dwarf_units_deinit(&units);
    }
    pht_debug_file_close(&debug);
    return found;
}

/* ---- its types ---------------------------------------------------------------------------- */

static struct pht_error *resolve(struct pht_target *target, const struct pht_maps *maps,
                                 struct pht_elf_image *image, struct pht_elf_image *other,
                                 struct pht_python *python)
{
    struct pht_python_layout row;
    enum pht_symbol_source symbols;

    if (!is_of_release(target, other, &python->version))
        return pht_layout_missing(image, "debug file of its release");
    struct pht_error *error =
        pht_layout_resolve(target, other, &pht_python_layout_table, &row, &symbols);
    if (error != NULL)
        return error;
    if (!pht_python_row_is_possible(image, &row))
        return pht_layout_missing(image, "debug file that fits");
    error = pht_python_fit(target, maps, image, &row, true, python);
    if (error != NULL)
        return error;
    python->layout_source = PHT_LAYOUT_DWARF;
    memcpy(python->lent_build_id, other->build_id, sizeof(python->lent_build_id));
    pht_target_note(target, "%s: types of %s, build-id %s", image->path, other->path,
                    other->build_id);
    return NULL;
}

struct pht_error *pht_python_lent_resolve(struct pht_target *target, const struct pht_maps *maps,
                                          struct pht_elf_image *image, struct pht_python *python)
{
    struct pht_elf_image other;
    char *path;

    if (!pht_debug_file_find_other(target, image, &path, &other))
        return pht_layout_missing(image, "debug file of another build");
    struct pht_error *error = resolve(target, maps, image, &other, python);
    pht_elf_image_close(&other);
    free(path);
    return error;
}
