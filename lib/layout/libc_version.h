/* Which release of the GNU C library a file is. */
#ifndef PHT_LIB_LAYOUT_LIBC_VERSION_H
#define PHT_LIB_LAYOUT_LIBC_VERSION_H

#include "layout/elf_image.h"

/* "2.36", "2.36.9000" of a development release; "" if the file does not tell. */
void pht_libc_version(struct pht_elf_image *image, char version[static 16]);

/* True if the file says that it is musl. */
bool pht_libc_is_musl(struct pht_elf_image *image);

/*
 * The numbers at the start of `text`, of which `length` bytes may be read, without a dot at their
 * end. False, and "", where there are none.
 */
bool pht_libc_version_parse(const char *text, size_t length, char version[static 16]);

#endif
