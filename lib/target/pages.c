#include "target/pages.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "target/moving_pages.h"
#include "target/pagemap.h"
#include "target/priority.h"

/*
 * include/uapi/linux/fs.h of Linux 6.16, repeated here because the headers of the build host may
 * be older than the kernel that the program runs on.
 */
struct scan_region {
    uint64_t start;
    uint64_t end;
    uint64_t categories;
};

struct scan_argument {
    uint64_t size;
    uint64_t flags;
    uint64_t start;
    uint64_t end;
    uint64_t walk_end;
    uint64_t vec;
    uint64_t vec_len;
    uint64_t max_pages;
    uint64_t category_inverted;
    uint64_t category_mask;
    uint64_t category_anyof_mask;
    uint64_t return_mask;
};

#define SCAN_IOCTL _IOWR('f', 16, struct scan_argument)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_SWAPPED ((uint64_t)1 << 4)
#define SCAN_ZERO_FRAME ((uint64_t)1 << 5)
#define SCAN_GUARD ((uint64_t)1 << 8) /* Linux 6.16; older ones refuse it */

#define SCAN_REGIONS 512
/* Whole words of a map. */
#define PAGEMAP_ENTRIES 2048

static bool knows_scan(int pagemap_fd, uint64_t categories)
{
    struct scan_argument probe = {.size = sizeof(probe), .return_mask = categories};

    return ioctl(pagemap_fd, SCAN_IOCTL, &probe) >= 0;
}

bool pht_pages_init(struct pht_pages *pages, int process_fd, struct pht_steward *steward)
{
    *pages = (struct pht_pages){.pagemap_fd = pht_pagemap_open(steward, process_fd)};
    if (pages->pagemap_fd < 0)
        return false;
    pages->no_scan = !knows_scan(pages->pagemap_fd, SCAN_PRESENT);
    pages->no_guard = !knows_scan(pages->pagemap_fd, SCAN_PRESENT | SCAN_GUARD);
    if (pages->no_scan)
        pages->zero_frame = pht_pagemap_zero_frame(steward);
    return true;
}

void pht_pages_deinit(struct pht_pages *pages)
{
    if (pages->pagemap_fd >= 0)
        close(pages->pagemap_fd);
    pages->pagemap_fd = -1;
}

bool pht_pages_see_zeros(const struct pht_pages *pages)
{
    return !pages->no_scan || pages->zero_frame != 0;
}

static void set_bits(uint64_t *bits, size_t from, size_t to)
{
    for (size_t i = from; i < to;) {
        if (i % 64 == 0 && to - i >= 64) {
            bits[i / 64] = ~(uint64_t)0;
            i += 64;
        } else {
            bits[i / 64] |= (uint64_t)1 << i % 64;
            i++;
        }
    }
}

static bool scan_by_ioctl(struct pht_pages *pages, pht_addr start, pht_addr end, uint64_t *resident,
                          uint64_t *swapped)
{
    struct scan_region regions[SCAN_REGIONS] = {0};
    uint64_t wanted = SCAN_PRESENT | SCAN_SWAPPED | SCAN_ZERO_FRAME;
    pht_addr at = start;

    if (!pages->no_guard)
        wanted |= SCAN_GUARD;
    while (at < end) {
        struct scan_argument argument = {
            .size = sizeof(argument),
            .start = at,
            .end = end,
            .vec = (uintptr_t)regions,
            .vec_len = SCAN_REGIONS,
            .category_anyof_mask = SCAN_PRESENT | SCAN_SWAPPED,
            .return_mask = wanted,
        };
        bool yielded = pht_priority_hold_on();
        int found = ioctl(pages->pagemap_fd, SCAN_IOCTL, &argument);
        int cause = errno;
        pht_priority_let_go(yielded);
        errno = cause;
        if (found < 0 && errno == EINTR)
            continue;
        if (found < 0)
            return false;
        for (int i = 0; i < found; i++) {
            size_t from = (size_t)(regions[i].start - start) / PHT_PAGE_BYTES;
            size_t to = (size_t)(regions[i].end - start) / PHT_PAGE_BYTES;
            if (regions[i].categories & SCAN_GUARD) /* a swapped one as well */
                continue;
            if (regions[i].categories & SCAN_SWAPPED)
                set_bits(swapped, from, to);
            else if (!(regions[i].categories & SCAN_ZERO_FRAME))
                set_bits(resident, from, to);
        }
        if (argument.walk_end <= at)
            break;
        at = argument.walk_end;
    }
    return true;
}

void pht_pages_decode(uint64_t entry, uint64_t zero_frame, bool *resident, bool *swapped)
{
    *swapped = (entry & PHT_PAGEMAP_SWAPPED) != 0 && (entry & PHT_PAGEMAP_GUARD) == 0;
    *resident = (entry & PHT_PAGEMAP_PRESENT) != 0 &&
                (zero_frame == 0 || (entry & PHT_PAGEMAP_FRAME) != zero_frame);
}

static bool scan_by_pagemap(struct pht_pages *pages, pht_addr start, pht_addr end,
                            uint64_t *resident, uint64_t *swapped)
{
    uint64_t entries[PAGEMAP_ENTRIES];
    size_t count = (size_t)(end - start) / PHT_PAGE_BYTES;

    for (size_t done = 0; done < count;) {
        size_t batch = count - done < PAGEMAP_ENTRIES ? count - done : PAGEMAP_ENTRIES;
        ssize_t got =
            pht_pagemap_read(pages->pagemap_fd, start + done * PHT_PAGE_BYTES, batch, entries);
        if (got < 0)
            return false;
        if (got == 0)
            break;
        for (size_t i = 0; i < (size_t)got; i++) {
            bool is_resident, is_swapped;
            pht_pages_decode(entries[i], pages->zero_frame, &is_resident, &is_swapped);
            if (is_resident)
                set_bits(resident, done + i, done + i + 1);
            if (is_swapped)
                set_bits(swapped, done + i, done + i + 1);
        }
        done += (size_t)got;
    }
    return true;
}

bool pht_pages_scan(struct pht_pages *pages, pht_addr start, pht_addr end, uint64_t *resident,
                    uint64_t *swapped)
{
    size_t words = ((size_t)(end - start) / PHT_PAGE_BYTES + 63) / 64;

    memset(resident, 0, words * sizeof(*resident));
    memset(swapped, 0, words * sizeof(*swapped));
    if (pages->no_scan ? !scan_by_pagemap(pages, start, end, resident, swapped)
                       : !scan_by_ioctl(pages, start, end, resident, swapped))
        return false;
    pht_moving_pages_await(pages, start, (size_t)(end - start) / PHT_PAGE_BYTES, resident, swapped);
    return true;
}

/* Only the page map tells, so that parts without a page are left out. */
bool pht_pages_scan_exclusive(struct pht_pages *pages, pht_addr start, pht_addr end,
                              const uint64_t *resident, uint64_t *exclusive)
{
    uint64_t entries[PAGEMAP_ENTRIES];
    size_t count = (size_t)(end - start) / PHT_PAGE_BYTES;

    memset(exclusive, 0, (count + 63) / 64 * sizeof(*exclusive));
    for (size_t done = 0; done < count; done += PAGEMAP_ENTRIES) {
        size_t batch = count - done < PAGEMAP_ENTRIES ? count - done : PAGEMAP_ENTRIES;
        if (!pht_pages_any(resident, done, done + batch))
            continue;
        ssize_t got =
            pht_pagemap_read(pages->pagemap_fd, start + done * PHT_PAGE_BYTES, batch, entries);
        if (got < 0)
            return false;
        for (size_t i = 0; i < (size_t)got; i++) {
            if (entries[i] & PHT_PAGEMAP_PRESENT && entries[i] & PHT_PAGEMAP_EXCLUSIVE)
                exclusive[(done + i) / 64] |= (uint64_t)1 << (done + i) % 64;
        }
    }
    return true;
}
