/*
 * The libraries that belong to the C library, by the names of their files: up to 2.33 glibc
 * installs libc-2.31.so behind the link libc.so.6, later the file itself has that name.
 */
#ifndef PHT_LIB_LAYOUT_LIBRARY_H
#define PHT_LIB_LAYOUT_LIBRARY_H

#include "pyheaptop/target.h"

enum pht_library {
    PHT_LIBRARY_GLIBC,
    PHT_LIBRARY_PTHREAD, /* a file of its own up to glibc 2.33 */
    PHT_LIBRARY_LOADER,  /* glibc's; musl's is the C library itself */
    PHT_LIBRARY_MUSL,
    PHT_LIBRARY_LIBC, /* libc.so: musl's in Debian, and other C libraries' */
};

/* The mapping of its code; NULL if it is not mapped. */
const struct pht_mapping *pht_library_find(const struct pht_maps *maps, enum pht_library library);

#endif
