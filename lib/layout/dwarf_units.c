#include "layout/dwarf_units.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

bool pht_dwarf_units_init(struct pht_dwarf_units *units, Dwarf *dwarf)
{
    PHT_VEC(struct pht_dwarf_unit) found = {0};
    Dwarf_CU *cu = NULL;
    Dwarf_Die die;
    uint8_t type;

    while (dwarf_get_units(dwarf, cu, &cu, NULL, &type, &die, NULL) == 0) {
        if (type != DW_UT_compile || dwarf_tag(&die) != DW_TAG_compile_unit)
            continue;
        struct pht_dwarf_unit unit = {.die_offset = dwarf_dieoffset(&die),
                                      .name = dwarf_diename(&die)};
        if (!pht_vec_push(&found, unit)) {
            free(found.items);
            return false;
        }
    }
    *units = (struct pht_dwarf_units){.dwarf = dwarf, .items = found.items, .count = found.count};
    return true;
}

void pht_dwarf_units_deinit(struct pht_dwarf_units *units)
{
    free(units->items);
    *units = (struct pht_dwarf_units){0};
}

bool pht_dwarf_name_is(const char *name, const char *file)
{
    if (name == NULL)
        return false;
    size_t length = strlen(name), wanted = strlen(file);
    if (length < wanted || strcmp(name + length - wanted, file) != 0)
        return false;
    return length == wanted || name[length - wanted - 1] == '/';
}

bool pht_dwarf_unit_is(const struct pht_dwarf_unit *unit, const char *file)
{
    return pht_dwarf_name_is(unit->name, file);
}
