/* What a walk of glibc's malloc would find, made by hand, for tests to alter. */
#ifndef PHT_TEST_SUPPORT_HEAP_GLIBC_H
#define PHT_TEST_SUPPORT_HEAP_GLIBC_H

#include "pyheaptop/model.h"

/* glibc 2.36 with its layout. */
struct pht_libc *heap_glibc_libc(void);

/*
 * Six arenas, nine threads, three mmapped chunks. It adds up: the parts of an arena to its system
 * bytes, arenas, sizes and threads to the totals. Whatever it holds is from malloc().
 */
struct pht_glibc *heap_glibc_create(void);

/* Keep the first `count` arenas and what belongs to them, and add up anew. */
void heap_glibc_keep_arenas(struct pht_glibc *glibc, size_t count);

/* As glibc's malloc is when jemalloc serves the process. */
void heap_glibc_set_unused(struct pht_glibc *glibc);

/* Add up arenas to totals, as the walker would. */
void heap_glibc_add_up(struct pht_glibc *glibc);

#endif
