/* Structs, and offsets and sizes of their members, from DWARF. */
#ifndef PHT_LIB_LAYOUT_DWARF_TYPES_H
#define PHT_LIB_LAYOUT_DWARF_TYPES_H

#include <stdint.h>

#include "layout/dwarf_units.h"

/*
 * The complete struct, union or typedef called `name` in units compiled from `file`, typedefs
 * peeled off. False if there is none.
 */
bool pht_dwarf_find_type(const struct pht_dwarf_units *units, const char *file, const char *name,
                         Dwarf_Die *ret);

/* Follow `path` ("mgmt.arenas") from a struct; members of unnamed ones are found too. */
bool pht_dwarf_find_member(Dwarf_Die *type, const char *path, uint64_t *offset, uint64_t *bytes);

#endif
