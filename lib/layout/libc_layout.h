/* Filling in struct pht_libc_layout for one image. */
#ifndef PHT_LIB_LAYOUT_LIBC_LAYOUT_H
#define PHT_LIB_LAYOUT_LIBC_LAYOUT_H

#include "layout/elf_image.h"
#include "layout/fields.h"

extern const struct pht_layout_table pht_libc_layout_table;

/* All values unknown. */
void pht_libc_layout_clear(struct pht_libc_layout *layout);

/*
 * From the image and its debug file into libc->layout and its two sources. NULL, or
 * PHT_ERROR_NO_LAYOUT with what is missing and how to get it.
 */
struct pht_error *pht_libc_layout_resolve(struct pht_target *target, struct pht_elf_image *image,
                                          struct pht_libc *libc);

#endif
