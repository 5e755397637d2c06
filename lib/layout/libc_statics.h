/*
 * Variables of glibc that malloc's figures do without, and that others gain from: the number that
 * marks chunks in tcaches, and the states of random numbers. No symbol tells them.
 */
#ifndef PHT_LIB_LAYOUT_LIBC_STATICS_H
#define PHT_LIB_LAYOUT_LIBC_STATICS_H

#include "layout/libc_slots.h"

/* Fill in libc->layout.tcache_key, by what stands in a chunk of a tcache and once in `data`. */
void pht_libc_key_find(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                       struct pht_libc *libc);

/* And libc->layout.random, for a release that has it; else its length is unknown as well. */
void pht_libc_random_find(const struct pht_module_data *data, struct pht_libc *libc);

#endif
