/*
 * What the dynamic loader goes by: the segment PT_DYNAMIC, and the tables that it names. Section
 * headers are not looked at: a file runs without them, and they may say anything.
 */
#ifndef PHT_LIB_LAYOUT_DYNAMIC_H
#define PHT_LIB_LAYOUT_DYNAMIC_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first entry of that tag, such as DT_RELA; 0 if there is none. */
uint64_t pht_dynamic_value(Elf *elf, int64_t tag);

/* The symbols that a file exports and imports. The data belongs to the Elf. */
struct pht_dynamic_symbols {
    Elf_Data *symbols;
    size_t count;
    const char *names; /* the last byte is 0 */
    size_t name_bytes;
};

/* False for a file that has no such table, or a damaged one. */
bool pht_dynamic_symbols_read(Elf *elf, struct pht_dynamic_symbols *ret);

/* True if a name in DT_NEEDED begins with `prefix`. */
bool pht_dynamic_needs(Elf *elf, const char *prefix);

#endif
