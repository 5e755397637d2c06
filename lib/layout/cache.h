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
 * The last line has a checksum of the others (FNV-1a, 64 bits, hex).
 * A file that is not exactly of this form, or that someone else owns or may write, counts as
 * absent. So does one of another version of the format.
 */
#ifndef PHT_LIB_LAYOUT_CACHE_H
#define PHT_LIB_LAYOUT_CACHE_H

#include "pyheaptop/layout.h"

/* Fill in all of `python` but its image, bias and build-id, which is the key. */
bool pht_cache_load(const char *directory, struct pht_python *python);

/* Failures are of no consequence: the next start resolves again. */
void pht_cache_store(const char *directory, const struct pht_python *python);

void pht_cache_forget(const char *directory, const char *build_id);

#endif
