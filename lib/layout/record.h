/*
 * A resolved layout as text, for the cache and to be carried to another machine:
 *
 *     pyheaptop-layout 5
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
 * A text that is not exactly of this form, or of another version of it, or whose offsets contradict
 * each other, is none.
 */
#ifndef PHT_LIB_LAYOUT_RECORD_H
#define PHT_LIB_LAYOUT_RECORD_H

#include <stdio.h>

#include "layout/fields.h"
#include "pyheaptop/layout.h"

#define PHT_RECORD_PROPERTIES_MAX 4

/* A kind of build: the interpreter, the C library. */
struct pht_record_kind {
    const char *format; /* the first line */
    const char *suffix; /* of its file's name in the cache, ".layout" */
    const char *properties[PHT_RECORD_PROPERTIES_MAX]; /* keys, NULL after the last */
    const struct pht_layout_table *table;
};

/*
 * What one record holds. `build_id` is the key; NULL, for reading, is any. `layout` is the struct
 * that the kind's table describes. The text of the properties proves nothing: whoever loads them
 * checks them.
 */
struct pht_layout_record {
    const char *build_id;
    char properties[PHT_RECORD_PROPERTIES_MAX][32];
    enum pht_layout_source layout_source;
    enum pht_symbol_source symbol_source;
    void *layout;
};

/*
 * How long the record is that `text` begins with, its last line and the checksum there included; 0
 * if there is none, or it is damaged.
 */
size_t pht_record_bytes(const char *text, size_t size);

/* Fill in all of `record` but its key, from a whole record. False leaves anything in it. */
bool pht_record_parse(const char *text, size_t size, const struct pht_record_kind *kind,
                      struct pht_layout_record *record);

/* False when memory is short, or the file cannot be written. */
bool pht_record_write(FILE *file, const struct pht_record_kind *kind,
                      const struct pht_layout_record *record);

#endif
