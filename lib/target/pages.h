/*
 * Residency of pages, asked without touching any: ioctl PAGEMAP_SCAN (Linux 6.7), else
 * /proc/PID/pagemap. Linux: Documentation/admin-guide/mm/pagemap.rst.
 */
#ifndef PHT_LIB_TARGET_PAGES_H
#define PHT_LIB_TARGET_PAGES_H

#include <stdatomic.h>

#include "pyheaptop/target.h"

/* Of a quarter of a millisecond each. */
#define PHT_PAGES_WAITS_MAX 20

/* Whether any of the bits from word `from / 64` on and before bit `to` is set. */
static inline bool pht_pages_any(const uint64_t *bits, size_t from, size_t to)
{
    for (size_t word = from / 64; word * 64 < to; word++) {
        if (bits[word] != 0)
            return true;
    }
    return false;
}

struct pht_pages {
    int pagemap_fd;
    atomic_uint waits; /* for pages that move, so far */
    bool no_scan;
    bool no_guard; /* the scan does not tell guard pages */
    /* For pagemap: the frame of the page of zeros, 0 where the kernel hides frames from us. */
    uint64_t zero_frame;
};

/* False with errno set where pagemap may not be opened. `steward` may be NULL. */
bool pht_pages_init(struct pht_pages *pages, int process_fd, struct pht_steward *steward);
void pht_pages_deinit(struct pht_pages *pages);

bool pht_pages_see_zeros(const struct pht_pages *pages);

/*
 * As pht_target_scan_pages(); false with errno set. Guard pages (MADV_GUARD_INSTALL, Linux 6.13)
 * are neither resident nor swapped, where the kernel tells: pagemap since 6.15, the scan since
 * 6.16. Before that they come as swapped ones; those are not there to be read either. Pages that
 * the kernel moves are awaited.
 */
bool pht_pages_scan(struct pht_pages *pages, pht_addr start, pht_addr end, uint64_t *resident,
                    uint64_t *swapped);

/* As pht_target_scan_exclusive(); false with errno set. */
bool pht_pages_scan_exclusive(struct pht_pages *pages, pht_addr start, pht_addr end,
                              const uint64_t *resident, uint64_t *exclusive);

/*
 * One entry of pagemap decoded: bit 63 present, 62 swapped, 58 a guard page (swapped as well),
 * 0..54 the frame of a present page.
 */
void pht_pages_decode(uint64_t entry, uint64_t zero_frame, bool *resident, bool *swapped);

#endif
