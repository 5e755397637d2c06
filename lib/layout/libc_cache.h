/* The cache of C libraries, see cache.h. */
#ifndef PHT_LIB_LAYOUT_LIBC_CACHE_H
#define PHT_LIB_LAYOUT_LIBC_CACHE_H

#include "pyheaptop/layout.h"

/* Fill in the version, the layout and its sources; the build-id is the key. False leaves `libc`. */
bool pht_libc_cache_load(const char *directory, struct pht_libc *libc);

void pht_libc_cache_store(const char *directory, const struct pht_libc *libc);
void pht_libc_cache_forget(const char *directory, const char *build_id);

#endif
