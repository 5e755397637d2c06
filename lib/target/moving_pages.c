#include "target/moving_pages.h"

#include <time.h>

#include "target/pagemap.h"

/* No host swaps to more devices than these; special types begin behind them in any configuration.
 */
#define SWAP_TYPES 23
#define TYPE_MASK ((uint64_t)31)

/* Whole words of a map. */
#define BATCH_PAGES ((size_t)1024)

/* A batch of moves has 512 pages at most: half a millisecond. */
#define WAIT_NANOSECONDS 250000L

bool pht_page_may_be_moving(uint64_t entry)
{
    bool is_hidden = (entry & PHT_PAGEMAP_FRAME) == 0;

    return (entry & PHT_PAGEMAP_SWAPPED) != 0 && (entry & PHT_PAGEMAP_GUARD) == 0 &&
           (is_hidden || (entry & TYPE_MASK) >= SWAP_TYPES);
}

/* How many are still on their way. Both maps are of this batch. */
static size_t look_again(const struct pht_pages *pages, const uint64_t *entries, size_t count,
                         uint64_t *resident, uint64_t *swapped)
{
    size_t moving = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t bit = (uint64_t)1 << i % 64;
        bool is_resident, is_swapped;
        if (!(swapped[i / 64] & bit))
            continue;
        moving += pht_page_may_be_moving(entries[i]);
        pht_pages_decode(entries[i], pages->zero_frame, &is_resident, &is_swapped);
        if (!is_swapped)
            swapped[i / 64] &= ~bit;
        if (is_resident)
            resident[i / 64] |= bit;
    }
    return moving;
}

static size_t look_at_all(const struct pht_pages *pages, pht_addr start, size_t count,
                          uint64_t *resident, uint64_t *swapped)
{
    uint64_t entries[BATCH_PAGES];
    size_t moving = 0;

    for (size_t done = 0; done < count; done += BATCH_PAGES) {
        size_t batch = count - done < BATCH_PAGES ? count - done : BATCH_PAGES;
        if (!pht_pages_any(swapped, done, done + batch))
            continue;
        ssize_t got =
            pht_pagemap_read(pages->pagemap_fd, start + done * PHT_PAGE_BYTES, batch, entries);
        if (got > 0)
            moving +=
                look_again(pages, entries, (size_t)got, resident + done / 64, swapped + done / 64);
    }
    return moving;
}

static bool may_wait(struct pht_pages *pages)
{
    if (atomic_load(&pages->waits) >= PHT_PAGES_WAITS_MAX)
        return false;
    atomic_fetch_add(&pages->waits, 1);
    return true;
}

void pht_moving_pages_await(struct pht_pages *pages, pht_addr start, size_t count,
                            uint64_t *resident, uint64_t *swapped)
{
    const struct timespec wait = {.tv_nsec = WAIT_NANOSECONDS};

    if (!pht_pages_any(swapped, 0, count))
        return;
    while (look_at_all(pages, start, count, resident, swapped) > 0 && may_wait(pages))
        nanosleep(&wait, NULL);
}
