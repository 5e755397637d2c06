/*
 * Lists of objects that are kept for the next of their type, by where their counters are: in the
 * interpreter, or in variables of the files that define the types.
 */
#ifndef PHT_LIB_WALK_FREELISTS_H
#define PHT_LIB_WALK_FREELISTS_H

#include "pyheaptop/walk.h"

/* The largest has room for 2,000 tuples of one length (up to 3.10, PyTuple_MAXFREELIST). */
#define PHT_FREELIST_MAX 10000

/* Tuples have one for each length below this: PyTuple_MAXSAVESIZE, up to 3.13. */
#define PHT_FREELIST_TUPLE_LENGTHS 20

/* What both read by; `lists` is added to. */
struct pht_freelists_search {
    struct pht_snapshot *snapshot;
    const struct pht_python *python;
    struct pht_freelists *lists;
};

void pht_freelists_add(const struct pht_freelists_search *search, const char *type,
                       uint64_t objects, uint64_t bytes);

/* False if it cannot be read, or is more than any list may have. */
bool pht_freelists_count(const struct pht_freelists_search *search, pht_addr counter,
                         uint32_t *ret);

/* False if there are none, or what is in their place are none; lists may have been added then. */
bool pht_freelists_of_interpreter(const struct pht_freelists_search *search);
bool pht_freelists_of_statics(const struct pht_freelists_search *search);

#endif
