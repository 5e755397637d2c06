/* Filling in a layout from the debug information and the symbols of one image. */
#ifndef PHT_LIB_LAYOUT_RESOLVE_H
#define PHT_LIB_LAYOUT_RESOLVE_H

#include "layout/elf_image.h"
#include "layout/fields.h"

/*
 * From the image and its debug file into `layout`, all of it, and say which symbols were needed:
 * the least direct of them. NULL, or PHT_ERROR_NO_LAYOUT with what is missing, without a remedy;
 * `layout` is cleared then.
 */
struct pht_error *pht_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                     const struct pht_layout_table *table, void *layout,
                                     enum pht_symbol_source *symbols);

/*
 * The addresses that the image's own symbols tell, without any debug file, into `layout`; the rest
 * of it stays as it is. Statics that several source files have are not told apart.
 */
enum pht_symbol_source pht_layout_resolve_symbols(struct pht_elf_image *image,
                                                  const struct pht_layout_table *table,
                                                  void *layout);

/* "no debug information for libc.so.6 (build-id 93ac61ec5a8e)" */
struct pht_error *pht_layout_missing(const struct pht_elf_image *image, const char *missing);

#endif
