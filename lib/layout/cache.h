/*
 * Resolved layouts on disk, a text file for each build-id:
 *
 *     pyheaptop-layout 2
 *     build-id c561f3aa7232f2bd6ac6d56bd475f1c154a00486
 *     version 3.11.2
 *     free-threaded 0
 *     debug-build 0
 *     odd-process 4711.98123
 *     layout dwarf
 *     symbols symtab
 *     pool_header_bytes 48
 *     ...
 *     end 5f0c3a9d12e47b86
 *
 * The first line, and those from the build-id to the layout, are the kind's own.
 * The last line has a checksum of the others (FNV-1a, 64 bits, hex).
 * A file that is not exactly of this form, or that someone else owns or may write, counts as
 * absent. So does one of another version of the format, or whose offsets contradict each other.
 *
 * Data that does not fit a kept layout makes it be resolved anew. If that gives the same, what
 * does not fit is the process's own, and the file names the process: see layout.h.
 */
#ifndef PHT_LIB_LAYOUT_CACHE_H
#define PHT_LIB_LAYOUT_CACHE_H

#include "layout/fields.h"
#include "pyheaptop/layout.h"

#define PHT_CACHE_PROPERTIES_MAX 4

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

/* "PID.START", of which no two are alike until the machine is started again. */
void pht_cache_name_process(const struct pht_process *process, char name[static 32]);

void pht_cache_forget(const char *directory, const struct pht_cache_kind *kind,
                      const char *build_id);

#endif
