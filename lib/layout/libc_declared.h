/*
 * The structs of glibc's malloc by release, as malloc/malloc.c and arena.c declare them.
 *
 * Debug information of 2.23, 2.27, 2.31, 2.35, 2.36, 2.39 and 2.41 to 2.44 says the same (builds of
 * Debian and Ubuntu); the releases in between are from the source. A distribution may have changed
 * what it builds, so whoever takes one of these proves it on the target.
 */
#ifndef PHT_LIB_LAYOUT_LIBC_DECLARED_H
#define PHT_LIB_LAYOUT_LIBC_DECLARED_H

#include "pyheaptop/layout.h"

#define PHT_LIBC_MINOR_FIRST 17
#define PHT_LIBC_MINOR_LAST 44

/*
 * Types of the release 2.`minor`, from the first to the last; addresses are unknown. The length of
 * a variable is known if the release has the variable.
 */
void pht_libc_declared(unsigned minor, struct pht_libc_layout *ret);

#endif
