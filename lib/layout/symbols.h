/*
 * Addresses of named symbols in the symbol table of an ELF file.
 */
#ifndef PHT_LIB_LAYOUT_SYMBOLS_H
#define PHT_LIB_LAYOUT_SYMBOLS_H

#include <gelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `address` is as linked; of a thread-local variable it is the offset in the thread-local block of
 * its file. `matches` counts the distinct addresses found: more than one is no answer, since
 * statics of two source files may share a name.
 */
struct pht_symbol {
    const char *name;
    uint64_t address;
    uint64_t size;
    unsigned matches;
    bool is_thread_local; /* which of the two kinds is looked for */
};

/*
 * Look all `symbols` up in one pass over the sections SHT_SYMTAB, or for SHT_DYNSYM over what the
 * dynamic segment names, whatever the section headers say.
 * Link-time optimisation renames statics: `arenas` also matches `arenas.lto_priv.0`.
 */
void pht_symbols_find(Elf *elf, uint32_t type, struct pht_symbol *symbols, size_t count);

#endif
