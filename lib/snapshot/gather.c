#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "snapshot/internal.h"

#define GATHER_BATCH 1024

/* What can be said without reading: PHT_READ_OK with `*read` false means a page of zeros. */
static enum pht_read_result look_ahead(struct pht_snapshot *snapshot, pht_addr addr, size_t size,
                                       bool *read)
{
    const struct pht_mapping *mapping = pht_snapshot_mapping(snapshot, addr);

    *read = false;
    if (mapping == NULL || mapping->end - addr < size)
        return PHT_READ_UNMAPPED;
    switch (pht_page_cache_state(&snapshot->pages, addr)) {
    case PHT_PAGE_RESIDENT:
        *read = true;
        return PHT_READ_OK;
    case PHT_PAGE_SWAPPED:
        return PHT_READ_SWAPPED;
    case PHT_PAGE_ABSENT:
        break;
    }
    return mapping->inode != 0 ? PHT_READ_ABSENT : PHT_READ_OK;
}

static void flush(struct pht_snapshot *snapshot, struct pht_read *reads, const uint32_t *slots,
                  size_t count, uint8_t *results)
{
    pht_target_read(snapshot->target, reads, count);
    for (size_t i = 0; i < count; i++) {
        if (reads[i].got != reads[i].size)
            results[slots[i]] = PHT_READ_FAILED;
        else
            snapshot->stats.read_bytes += reads[i].size;
    }
}

static bool crosses_page(pht_addr addr, size_t size)
{
    return addr % PHT_PAGE_BYTES + size > PHT_PAGE_BYTES;
}

void pht_snapshot_gather(struct pht_snapshot *snapshot, const pht_addr *addrs, size_t count,
                         size_t size, void *buffer, uint8_t *results)
{
    struct pht_read reads[GATHER_BATCH];
    uint32_t slots[GATHER_BATCH];
    size_t pending = 0;

    for (size_t i = 0; i < count; i++) {
        char *out = (char *)buffer + i * size;
        bool read;
        if (snapshot->freezing || crosses_page(addrs[i], size)) {
            results[i] = (uint8_t)pht_snapshot_read(snapshot, addrs[i], out, size);
            continue;
        }
        results[i] = (uint8_t)look_ahead(snapshot, addrs[i], size, &read);
        if (results[i] == PHT_READ_OK && !read)
            memset(out, 0, size);
        if (!read)
            continue;
        reads[pending] = (struct pht_read){
            .addr = addrs[i],
            .buffer = out,
            .size = (uint32_t)size,
            .exclusive = pht_snapshot_is_exclusive(snapshot, addrs[i], size),
        };
        slots[pending++] = (uint32_t)i;
        if (pending == GATHER_BATCH) {
            flush(snapshot, reads, slots, pending, results);
            pending = 0;
        }
    }
    flush(snapshot, reads, slots, pending, results);
}

bool pht_snapshot_scan_pages(struct pht_snapshot *snapshot, pht_addr start, pht_addr end,
                             uint64_t *resident, uint64_t *swapped)
{
    _cleanup_error_ struct pht_error *error =
        pht_target_scan_pages(snapshot->target, start, end, resident, swapped);

    return error == NULL;
}

uint64_t pht_snapshot_resident_bytes(struct pht_snapshot *snapshot, pht_addr start, pht_addr end)
{
    return pht_page_cache_resident(&snapshot->pages, pht_round_down(start, PHT_PAGE_BYTES),
                                   pht_round_up(end, PHT_PAGE_BYTES));
}

pht_addr pht_snapshot_next_resident(struct pht_snapshot *snapshot, pht_addr page, pht_addr end)
{
    pht_addr found = pht_page_cache_next_resident(
        &snapshot->pages, pht_round_up(page, PHT_PAGE_BYTES), pht_round_up(end, PHT_PAGE_BYTES));

    return found < end ? found : end;
}
