/* The cache of interpreters, see cache.h. */
#ifndef PHT_LIB_LAYOUT_PYTHON_CACHE_H
#define PHT_LIB_LAYOUT_PYTHON_CACHE_H

#include "pyheaptop/layout.h"

/* Fill in all of `python` but its image, bias and build-id, which is the key. False leaves it. */
bool pht_python_cache_load(const char *directory, struct pht_python *python);

void pht_python_cache_store(const char *directory, const struct pht_python *python);
void pht_python_cache_forget(const char *directory, const char *build_id);

#endif
