/*
 * Resolved layouts on disk, a text file for each build-id:
 *
 *     pyheaptop-layout 1
 *     build-id c561f3aa7232f2bd6ac6d56bd475f1c154a00486
 *     version 3.11.2
 *     free-threaded 0
 *     debug-build 0
 *     layout dwarf
 *     symbols symtab
 *     pool_header_bytes 48
 *     ...
 *     end 5f0c3a9d12e47b86
 *
 * The first line, and those from the build-id to the layout, are the kind's own.
 * The last line has a checksum of the others (FNV-1a, 64 bits, hex).
 * A file that is not exactly of this form, or that someone else owns or may write, counts as
 * absent. So does one of another version of the format.
 */
#ifndef PHT_LIB_LAYOUT_CACHE_H
#define PHT_LIB_LAYOUT_CACHE_H

#include "layout/fields.h"
#include "pyheaptop/layout.h"

#define PHT_CACHE_PROPERTIES_MAX 3

/* A kind of build that is kept: the interpreter, the C library. */
struct pht_cache_kind {
    const char *format;                               /* the first line */
    const char *suffix;                               /* of the file's name, ".layout" */
    const char *properties[PHT_CACHE_PROPERTIES_MAX]; /* keys, NULL after the last */
    const struct pht_layout_table *table;
};

/*
 * What one file holds. `build_id` is the key. `layout` is the struct that the kind's table
 * describes. The text of the properties proves nothing: whoever loads them checks them.
 */
struct pht_cache_record {
    const char *build_id;
    char properties[PHT_CACHE_PROPERTIES_MAX][32];
    enum pht_layout_source layout_source;
    enum pht_symbol_source symbol_source;
    void *layout;
};

/* Fill in all of `record` but its key. False leaves anything in it. */
bool pht_cache_load(const char *directory, const struct pht_cache_kind *kind,
                    struct pht_cache_record *record);

/* Failures are of no consequence: the next start resolves again. */
void pht_cache_store(const char *directory, const struct pht_cache_kind *kind,
                     const struct pht_cache_record *record);

void pht_cache_forget(const char *directory, const struct pht_cache_kind *kind,
                      const char *build_id);

#endif
