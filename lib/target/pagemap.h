/*
 * Entries of /proc/PID/pagemap, one for each page: what is there, without touching it.
 * Linux: Documentation/admin-guide/mm/pagemap.rst.
 */
#ifndef PHT_LIB_TARGET_PAGEMAP_H
#define PHT_LIB_TARGET_PAGEMAP_H

#include "pyheaptop/target.h"

#define PHT_PAGEMAP_PRESENT ((uint64_t)1 << 63)
#define PHT_PAGEMAP_SWAPPED ((uint64_t)1 << 62)
#define PHT_PAGEMAP_FILE ((uint64_t)1 << 61)        /* of a file, or of shared memory */
#define PHT_PAGEMAP_GUARD ((uint64_t)1 << 58)       /* Linux 6.15 */
#define PHT_PAGEMAP_EXCLUSIVE ((uint64_t)1 << 56)   /* mapped once */
#define PHT_PAGEMAP_FRAME (((uint64_t)1 << 55) - 1) /* of a page that is present */

/*
 * The page map of the process whose directory in /proc is `process_fd`. The kernel shows frames to
 * who opened it with CAP_SYS_ADMIN, which is the steward where there is one. -1 and errno.
 */
int pht_pagemap_open(struct pht_steward *steward, int process_fd);

/* The steward's part of it. */
int pht_pagemap_perform(void *context, struct pht_errand *errand);

/*
 * Entries of `count` pages from `addr` on. How many were read: fewer at the end of the address
 * space, none when the process has ended. -1 and errno.
 */
ssize_t pht_pagemap_read(int fd, pht_addr addr, size_t count, uint64_t *entries);

/* False if that cannot be found out. */
bool pht_pagemap_is_present(int fd, pht_addr addr);

/*
 * The kernel has one page of zeros for all processes: its frame, or 0 where the kernel hides frames
 * from us.
 */
uint64_t pht_pagemap_zero_frame(struct pht_steward *steward);

#endif
