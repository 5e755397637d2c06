/*
 * Whether what was found speaks against the layout that led there. A layout of the very build is
 * right, so this is asked of those from the cache only, which are resolved anew then.
 *
 * A doubt proves nothing: a heap that an extension has damaged raises it too, or one that changes
 * all the time and is read without a stop. The price is one look at the debug information for
 * each such process, and no wrong layout is believed where the data can tell.
 */
#ifndef PHT_LIB_MODEL_DOUBTS_H
#define PHT_LIB_MODEL_DOUBTS_H

#include "pyheaptop/model.h"

/* No arenas, and nothing else that serves objects: the runtime has yet to begin, or has ended. */
bool pht_doubts_nothing_to_read(const struct pht_pymalloc_roots *roots);

/* By the roots alone. `python` and `libc` are those of the roots. */
bool pht_doubts_pymalloc_roots(const struct pht_pymalloc_roots *roots);
bool pht_doubts_glibc_roots(const struct pht_glibc_roots *roots);

/* By what the walk found. */
bool pht_doubts_pymalloc(const struct pht_pymalloc *pymalloc);
bool pht_doubts_glibc(const struct pht_glibc *glibc);

#endif
