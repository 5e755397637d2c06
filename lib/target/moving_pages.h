/*
 * Pages that the kernel moves within memory, to make room for a huge page or to bring them nearer
 * to a processor. Meanwhile, for a part of a millisecond, such a page has a migration entry, which
 * looks like one in swap. It counts in RSS, and whoever reads it waits until it is there again.
 *
 * Real swap has an entry of a small type, which is the number of its file or device; types of
 * other entries come last among the 32. Linux: include/linux/swap.h (6.12), MAX_SWAPFILES.
 */
#ifndef PHT_LIB_TARGET_MOVING_PAGES_H
#define PHT_LIB_TARGET_MOVING_PAGES_H

#include "target/pages.h"

/* Of an entry of pagemap. Without CAP_SYS_ADMIN the kernel hides types: then any swapped page may.
 */
bool pht_page_may_be_moving(uint64_t entry);

/*
 * Of `count` pages from `start` on, ask again for those that seem to be swapped and may be moving,
 * until they have arrived or patience ends, which is limited for all calls together. Those that
 * have arrived are resident then.
 */
void pht_moving_pages_await(struct pht_pages *pages, pht_addr start, size_t count,
                            uint64_t *resident, uint64_t *swapped);

#endif
