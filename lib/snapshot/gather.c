#include <string.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "snapshot/internal.h"

#define GATHER_BATCH 1024

/* No more than the processor's cache holds: 128 KiB. */
#define GATHER_PAGES 32

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

/*
 * What is wanted on one page is read at once, if it is asked for in a row: objects that were made
 * together often lie together, and each range costs the kernel a search for its page. Reads of one
 * item go to where it is wanted, others through `pages`.
 */
struct batch {
    struct pht_snapshot *snapshot;
    const pht_addr *addrs;
    size_t size; /* of an item */
    char *buffer;
    uint8_t *results;
    size_t count;
    struct pht_read reads[GATHER_BATCH];
    struct {
        size_t first, last; /* items */
    } items[GATHER_BATCH];
    size_t page_count;
    char pages[GATHER_PAGES][PHT_PAGE_BYTES];
};

/* Returns how much was read. */
static uint64_t hand_out(const struct batch *batch, size_t i)
{
    const struct pht_read *read = &batch->reads[i];
    bool is_read = read->got == read->size;

    for (size_t item = batch->items[i].first; item <= batch->items[i].last; item++) {
        if (!is_read)
            batch->results[item] = PHT_READ_FAILED;
        else if (batch->items[i].first < batch->items[i].last)
            memcpy(batch->buffer + item * batch->size,
                   (char *)read->buffer + (batch->addrs[item] - read->addr), batch->size);
    }
    return is_read ? read->size : 0;
}

static void flush(struct batch *batch)
{
    uint64_t bytes = 0;

    pht_target_read(batch->snapshot->target, batch->reads, batch->count);
    for (size_t i = 0; i < batch->count; i++)
        bytes += hand_out(batch, i);
    pht_snapshot_account(batch->snapshot, bytes);
    batch->count = batch->page_count = 0;
}

/* The last read is grown so that it has this item too, which is the next one, on the same page. */
static bool join(struct batch *batch, size_t item)
{
    if (batch->count == 0 || batch->items[batch->count - 1].last + 1 != item)
        return false;
    struct pht_read *read = &batch->reads[batch->count - 1];
    pht_addr addr = batch->addrs[item];
    pht_addr start = addr < read->addr ? addr : read->addr;
    pht_addr end = addr < read->addr ? read->addr + read->size : addr + batch->size;
    if (end < read->addr + read->size)
        end = read->addr + read->size;
    if (start / PHT_PAGE_BYTES != (end - 1) / PHT_PAGE_BYTES)
        return false;
    bool is_first = batch->items[batch->count - 1].first == item - 1;
    if (is_first && batch->page_count == GATHER_PAGES)
        return false;
    if (is_first)
        read->buffer = batch->pages[batch->page_count++];
    read->addr = start;
    read->size = (uint32_t)(end - start);
    batch->items[batch->count - 1].last = item;
    return true;
}

static void add(struct batch *batch, size_t item)
{
    if (join(batch, item))
        return;
    if (batch->count == GATHER_BATCH || batch->page_count == GATHER_PAGES)
        flush(batch);
    batch->items[batch->count].first = batch->items[batch->count].last = item;
    batch->reads[batch->count++] = (struct pht_read){
        .addr = batch->addrs[item],
        .buffer = batch->buffer + item * batch->size,
        .size = (uint32_t)batch->size,
        .exclusive = pht_snapshot_is_exclusive(batch->snapshot, batch->addrs[item], batch->size),
    };
}

static bool crosses_page(pht_addr addr, size_t size)
{
    return addr % PHT_PAGE_BYTES + size > PHT_PAGE_BYTES;
}

/* What needs no read, or one of its own, has its bytes in `out` already, and `*read` is false. */
static enum pht_read_result look(struct pht_snapshot *snapshot, pht_addr addr, size_t size,
                                 void *out, bool *read)
{
    if (snapshot->freezing) {
        *read = false;
        return pht_snapshot_read(snapshot, addr, out, size);
    }
    enum pht_read_result result = look_ahead(snapshot, addr, size, read);
    if (crosses_page(addr, size)) {
        bool is_first_read = *read;
        result = look_ahead(snapshot, addr + size - 1, 1, read);
        *read = *read && is_first_read;
        return *read ? result : pht_snapshot_read(snapshot, addr, out, size);
    }
    if (result == PHT_READ_OK && !*read)
        memset(out, 0, size);
    return result;
}

void pht_snapshot_gather(struct pht_snapshot *snapshot, const pht_addr *addrs, size_t count,
                         size_t size, void *buffer, uint8_t *results)
{
    struct batch batch;

    batch.snapshot = snapshot;
    batch.addrs = addrs;
    batch.size = size;
    batch.buffer = buffer;
    batch.results = results;
    batch.count = batch.page_count = 0;
    for (size_t i = 0; i < count; i++) {
        char *out = (char *)buffer + i * size;
        bool read;
        results[i] = (uint8_t)look(snapshot, addrs[i], size, out, &read);
        if (read)
            add(&batch, i);
    }
    flush(&batch);
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
