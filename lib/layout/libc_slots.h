/*
 * The thread-local variables of glibc's malloc that no symbol tells. A variable has the same place
 * in the C library's thread-local block of every thread, so the threads vote on each place.
 */
#ifndef PHT_LIB_LAYOUT_LIBC_SLOTS_H
#define PHT_LIB_LAYOUT_LIBC_SLOTS_H

#include "layout/module_data.h"

/* More threads, or more words in the block of each, are not looked at. */
#define PHT_LIBC_BLOCKS_MAX 64
#define PHT_LIBC_SLOTS_MAX 64

/* The blocks of a process's threads, as they are now. */
struct pht_libc_blocks {
    size_t slots; /* words of each */
    size_t count;
    uint64_t words[PHT_LIBC_BLOCKS_MAX][PHT_LIBC_SLOTS_MAX];
};

/* `bytes` is how large each is: the size of the image's segment of thread-local variables. */
void pht_libc_blocks_read(const struct pht_module_data *data, const struct pht_libc *libc,
                          uint64_t bytes, struct pht_libc_blocks *ret);

/*
 * Fill in libc->layout.tcache and thread_arena; a place that is known is proved, or given up. False
 * if one that the layout's release has is not known.
 */
bool pht_libc_slots_find(const struct pht_module_data *data, const struct pht_libc_blocks *blocks,
                         struct pht_libc *libc);

#endif
