/*
 * The compilation units of a DWARF file by the name of their source, so that a search reads the
 * unit it wants and not all of them: that is most of the time a first report takes.
 */
#ifndef PHT_LIB_LAYOUT_DWARF_UNITS_H
#define PHT_LIB_LAYOUT_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>

struct pht_dwarf_unit {
    Dwarf_Off die_offset;
    const char *name; /* "../Objects/obmalloc.c"; owned by the Dwarf */
};

struct pht_dwarf_units {
    Dwarf *dwarf;
    struct pht_dwarf_unit *items;
    size_t count;
};

/* False when memory is short. */
bool pht_dwarf_units_init(struct pht_dwarf_units *units, Dwarf *dwarf);
void pht_dwarf_units_deinit(struct pht_dwarf_units *units);

/*
 * True if the unit was compiled from `file`: "obmalloc.c" is one in whatever folder,
 * "Objects/obmalloc.c" one in a folder of that name.
 */
bool pht_dwarf_unit_is(const struct pht_dwarf_unit *unit, const char *file);

/* The same of a unit's name, which may be NULL. */
bool pht_dwarf_name_is(const char *name, const char *file);

#endif
