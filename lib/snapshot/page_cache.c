#include "snapshot/page_cache.h"

#include <string.h>

#include "base/checked.h"

void pht_page_cache_init(struct pht_page_cache *cache, struct pht_target *target)
{
    *cache = (struct pht_page_cache){.target = target};
}

void pht_page_cache_clear(struct pht_page_cache *cache)
{
    for (size_t i = 0; i < cache->blocks.count; i++)
        free(cache->blocks.items[i]);
    cache->blocks.count = 0;
    cache->last = NULL;
}

void pht_page_cache_deinit(struct pht_page_cache *cache)
{
    pht_page_cache_clear(cache);
    free(cache->blocks.items);
}

static size_t find_slot(const struct pht_page_cache *cache, pht_addr start)
{
    size_t low = 0, high = cache->blocks.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cache->blocks.items[middle]->start < start)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct pht_page_block *load_block(struct pht_page_cache *cache, pht_addr start, size_t slot)
{
    struct pht_page_block *block = calloc(1, sizeof(*block));

    if (block == NULL || !pht_vec_reserve(&cache->blocks, cache->blocks.count + 1)) {
        free(block);
        return NULL;
    }
    block->start = start;
    struct pht_error *error = pht_target_scan_pages(
        cache->target, start, start + PHT_PAGE_BLOCK_BYTES, block->resident, block->swapped);
    if (error != NULL) {
        /* The process is gone, which the check at the end of the walk reports. */
        pht_error_destroy(error);
        memset(block->resident, 0, sizeof(block->resident));
        memset(block->swapped, 0, sizeof(block->swapped));
    }
    struct pht_page_block **at = &cache->blocks.items[slot];
    memmove(at + 1, at, (cache->blocks.count - slot) * sizeof(*at));
    *at = block;
    cache->blocks.count++;
    return block;
}

static struct pht_page_block *find_block(struct pht_page_cache *cache, pht_addr addr)
{
    pht_addr start = pht_round_down(addr, PHT_PAGE_BLOCK_BYTES);

    if (cache->last != NULL && cache->last->start == start)
        return cache->last;
    size_t slot = find_slot(cache, start);
    if (slot < cache->blocks.count && cache->blocks.items[slot]->start == start)
        cache->last = cache->blocks.items[slot];
    else
        cache->last = load_block(cache, start, slot);
    return cache->last;
}

enum pht_page_state pht_page_cache_state(struct pht_page_cache *cache, pht_addr addr)
{
    const struct pht_page_block *block = find_block(cache, addr);

    if (block == NULL)
        return PHT_PAGE_ABSENT;
    size_t page = (size_t)((addr - block->start) / PHT_PAGE_BYTES);
    if (block->resident[page / 64] >> page % 64 & 1)
        return PHT_PAGE_RESIDENT;
    if (block->swapped[page / 64] >> page % 64 & 1)
        return PHT_PAGE_SWAPPED;
    return PHT_PAGE_ABSENT;
}

static uint64_t count_bits(const uint64_t *bits, size_t from, size_t to)
{
    uint64_t count = 0;

    for (size_t i = from; i < to;) {
        size_t end = (i / 64 + 1) * 64 < to ? (i / 64 + 1) * 64 : to;
        uint64_t word = bits[i / 64] >> i % 64;
        if (end - i < 64)
            word &= ((uint64_t)1 << (end - i)) - 1;
        count += (uint64_t)__builtin_popcountll(word);
        i = end;
    }
    return count;
}

/* How far a range goes on in the block that holds `at`. */
static uint64_t part_in_block(const struct pht_page_block *block, pht_addr at, pht_addr end)
{
    uint64_t left = PHT_PAGE_BLOCK_BYTES - (at - block->start);

    return end - at < left ? end - at : left;
}

static void copy_bits(uint64_t *to, size_t first, const uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bit = (uint64_t)1 << (first + i) % 64;
        if (from[i / 64] >> i % 64 & 1)
            to[(first + i) / 64] |= bit;
        else
            to[(first + i) / 64] &= ~bit;
    }
}

/* What cannot be told is not exclusive. */
static void scan_exclusive(struct pht_page_cache *cache, pht_addr at, uint64_t bytes,
                           struct pht_page_block *block)
{
    struct pht_error *error =
        pht_target_scan_exclusive(cache->target, at, at + bytes, block->resident, block->exclusive);

    if (error != NULL) {
        pht_error_destroy(error);
        memset(block->exclusive, 0, sizeof(block->exclusive));
    }
}

static void refresh_part(struct pht_page_cache *cache, struct pht_page_block *block, pht_addr at,
                         uint64_t bytes)
{
    struct pht_page_block *fresh = &cache->scratch;
    size_t first = (size_t)((at - block->start) / PHT_PAGE_BYTES);
    struct pht_error *error =
        pht_target_scan_pages(cache->target, at, at + bytes, fresh->resident, fresh->swapped);

    if (error != NULL) {
        pht_error_destroy(error);
        return;
    }
    copy_bits(block->resident, first, fresh->resident, (size_t)(bytes / PHT_PAGE_BYTES));
    copy_bits(block->swapped, first, fresh->swapped, (size_t)(bytes / PHT_PAGE_BYTES));
    if (!block->has_exclusive)
        return;
    scan_exclusive(cache, at, bytes, fresh);
    copy_bits(block->exclusive, first, fresh->exclusive, (size_t)(bytes / PHT_PAGE_BYTES));
}

void pht_page_cache_refresh(struct pht_page_cache *cache, pht_addr start, pht_addr end)
{
    for (pht_addr at = start; at < end;) {
        struct pht_page_block *block = find_block(cache, at);
        if (block == NULL)
            return;
        uint64_t part = part_in_block(block, at, end);
        refresh_part(cache, block, at, part);
        at += part;
    }
}

static bool is_part_exclusive(struct pht_page_cache *cache, struct pht_page_block *block,
                              pht_addr at, uint64_t bytes)
{
    size_t page = (size_t)((at - block->start) / PHT_PAGE_BYTES);
    size_t last = (size_t)((at + bytes - 1 - block->start) / PHT_PAGE_BYTES);

    if (!block->has_exclusive) {
        scan_exclusive(cache, block->start, PHT_PAGE_BLOCK_BYTES, block);
        block->has_exclusive = true;
    }
    while (page <= last && block->exclusive[page / 64] >> page % 64 & 1)
        page++;
    return page > last;
}

bool pht_page_cache_is_exclusive(struct pht_page_cache *cache, pht_addr addr, uint64_t size)
{
    pht_addr end;

    if (size == 0 || !pht_add_fits(addr, size, &end))
        return false;
    for (pht_addr at = addr; at < end;) {
        struct pht_page_block *block = find_block(cache, at);
        if (block == NULL)
            return false;
        uint64_t part = part_in_block(block, at, end);
        if (!is_part_exclusive(cache, block, at, part))
            return false;
        at += part;
    }
    return true;
}

uint64_t pht_page_cache_resident(struct pht_page_cache *cache, pht_addr start, pht_addr end)
{
    uint64_t pages = 0;

    for (pht_addr at = start; at < end;) {
        const struct pht_page_block *block = find_block(cache, at);
        if (block == NULL)
            return 0;
        uint64_t part = part_in_block(block, at, end);
        size_t first = (size_t)((at - block->start) / PHT_PAGE_BYTES);
        pages += count_bits(block->resident, first, first + (size_t)(part / PHT_PAGE_BYTES));
        at += part;
    }
    return pages * PHT_PAGE_BYTES;
}

/* The first set bit in [from, to); `to` if there is none. */
static size_t find_bit(const uint64_t *bits, size_t from, size_t to)
{
    while (from < to) {
        uint64_t word = bits[from / 64] >> from % 64;
        if (word != 0) {
            size_t found = from + (size_t)__builtin_ctzll(word);
            return found < to ? found : to;
        }
        from = (from / 64 + 1) * 64;
    }
    return to;
}

pht_addr pht_page_cache_next_resident(struct pht_page_cache *cache, pht_addr page, pht_addr end)
{
    for (pht_addr at = page; at < end;) {
        const struct pht_page_block *block = find_block(cache, at);
        if (block == NULL)
            return end;
        size_t first = (size_t)((at - block->start) / PHT_PAGE_BYTES);
        size_t last = first + (size_t)(part_in_block(block, at, end) / PHT_PAGE_BYTES);
        size_t found = find_bit(block->resident, first, last);
        if (found < last)
            return block->start + found * PHT_PAGE_BYTES;
        at = block->start + last * PHT_PAGE_BYTES;
    }
    return end;
}
