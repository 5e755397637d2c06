/*
 * What the loader has written into the variables of an image before its code ran. A pointer of a
 * relocatable file is not in its bytes, but in the table of relocations.
 */
#ifndef PHT_LIB_LAYOUT_INITIAL_DATA_H
#define PHT_LIB_LAYOUT_INITIAL_DATA_H

#include "layout/elf_image.h"

/*
 * The word at a link-time address: a number, or a pointer as linked, to be relocated with the rest.
 * False if the file has none there, as of .bss.
 */
bool pht_initial_u64(struct pht_elf_image *image, uint64_t address, uint64_t *ret);

#endif
