/*
 * Addresses of variables from DWARF, link-time optimised builds included.
 *
 * There, the entry with the name and the type has no location. A nameless entry in another unit
 * has the location and refers to it by DW_AT_abstract_origin, in exported variables over one
 * more nameless entry (DW_AT_specification). Debuggers then say "optimized out".
 */
#ifndef PHT_LIB_LAYOUT_DWARF_VARS_H
#define PHT_LIB_LAYOUT_DWARF_VARS_H

#include <stdint.h>

#include "layout/dwarf_units.h"

/*
 * `file` is the source that must define it, as in pht_dwarf_unit_is(), NULL for a name that is
 * unique. The `address` of a thread-local variable is its offset in the thread-local block of its
 * file.
 */
struct pht_dwarf_variable {
    const char *name;
    const char *file;
    bool is_thread_local; /* which of the two kinds is looked for */
    bool found;
    uint64_t address;
    uint64_t bytes; /* 0 if its type has no size */
};

/* Look up top-level variables, all in one pass over the file. */
void pht_dwarf_find_variables(const struct pht_dwarf_units *units,
                              struct pht_dwarf_variable *variables, size_t count);

#endif
