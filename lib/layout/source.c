/* Names of where an answer came from, as they stand in reports and in the cache. */
#include "pyheaptop/layout.h"

const char *pht_layout_source_name(enum pht_layout_source source)
{
    switch (source) {
    case PHT_LAYOUT_DWARF:
        return "dwarf";
    case PHT_LAYOUT_DEBUG_OFFSETS:
        return "debug-offsets";
    case PHT_LAYOUT_TABLE:
        return "table";
    case PHT_LAYOUT_NONE:
        break;
    }
    return "none";
}

const char *pht_symbol_source_name(enum pht_symbol_source source)
{
    switch (source) {
    case PHT_SYMBOL_SYMTAB:
        return "symtab";
    case PHT_SYMBOL_DYNSYM:
        return "dynsym";
    case PHT_SYMBOL_DWARF:
        return "dwarf";
    case PHT_SYMBOL_SCAN:
        return "scan";
    case PHT_SYMBOL_NONE:
        break;
    }
    return "none";
}
