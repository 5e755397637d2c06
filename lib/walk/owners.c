/*
 * Invariant: of each page that is resident or in swap, what was claimed is at most its size, and
 * the sums of its mapping are those of its pages. So the sums are RSS whatever walkers claim.
 */
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/sorted.h"
#include "base/vec.h"
#include "pyheaptop/walk.h"

/* Parts of the address space that have pages at all: what is reserved costs nothing. */
#define BLOCK_BYTES ((uint64_t)64 << 20)
#define BLOCK_PAGES ((size_t)(BLOCK_BYTES / PHT_PAGE_BYTES))
#define BLOCK_WORDS (BLOCK_PAGES / 64)

struct page {
    uint16_t claimed;    /* bytes */
    uint16_t categories; /* set of enum pht_category */
};

_Static_assert(PHT_CATEGORIES <= 16, "a page has no room for more categories");

struct block {
    pht_addr start;
    uint64_t resident[BLOCK_WORDS];
    uint64_t swapped[BLOCK_WORDS];
    struct page pages[BLOCK_PAGES];
};

struct pht_owners {
    struct pht_owned_mapping *mappings; /* by address */
    size_t mapping_count;
    size_t last_mapping; /* where the last claim was: the next one is near */
    struct {
        struct block **items; /* by address */
        size_t count;
        size_t capacity;
    } blocks;
    size_t last_block;
    uint64_t refused_bytes;
};

/* ---- which pages there are ---------------------------------------------------------------- */

static struct block *add_block(struct pht_owners *owners, pht_addr start)
{
    size_t count = owners->blocks.count;
    struct block *last = count > 0 ? owners->blocks.items[count - 1] : NULL;

    if (last != NULL && last->start == start)
        return last;
    struct block *block = calloc(1, sizeof(*block));
    if (block == NULL || !pht_vec_push(&owners->blocks, block)) {
        free(block);
        return NULL;
    }
    block->start = start;
    return block;
}

/* The pages of a part of a mapping that lies in one block, as bits from its first page on. */
struct scan {
    pht_addr start;
    size_t pages;
    uint64_t resident[BLOCK_WORDS];
    uint64_t swapped[BLOCK_WORDS];
};

static bool is_set(const uint64_t *bits, size_t i)
{
    return bits[i / 64] >> i % 64 & 1;
}

static bool is_empty(const struct scan *scan)
{
    for (size_t i = 0; i < (scan->pages + 63) / 64; i++) {
        if ((scan->resident[i] | scan->swapped[i]) != 0)
            return false;
    }
    return true;
}

static bool keep_scan(struct pht_owners *owners, struct pht_owned_mapping *mapping,
                      const struct scan *scan)
{
    pht_addr start = pht_round_down(scan->start, BLOCK_BYTES);
    size_t first = (size_t)((scan->start - start) / PHT_PAGE_BYTES);

    if (is_empty(scan))
        return true;
    struct block *block = add_block(owners, start);
    if (block == NULL)
        return false;
    for (size_t i = 0; i < scan->pages; i++) {
        size_t at = first + i;
        uint64_t bit = (uint64_t)1 << at % 64;
        if (is_set(scan->resident, i)) {
            block->resident[at / 64] |= bit;
            mapping->resident_bytes += PHT_PAGE_BYTES;
        } else if (is_set(scan->swapped, i)) {
            block->swapped[at / 64] |= bit;
            mapping->swapped_bytes += PHT_PAGE_BYTES;
        }
    }
    return true;
}

static bool scan_mapping(struct pht_owners *owners, struct pht_snapshot *snapshot,
                         struct pht_owned_mapping *mapping, struct scan *scan)
{
    for (pht_addr at = mapping->start; at < mapping->end;) {
        pht_addr end = pht_round_down(at, BLOCK_BYTES) + BLOCK_BYTES;
        if (end > mapping->end)
            end = mapping->end;
        scan->start = at;
        scan->pages = (size_t)((end - at) / PHT_PAGE_BYTES);
        if (pht_snapshot_scan_pages(snapshot, at, end, scan->resident, scan->swapped) &&
            !keep_scan(owners, mapping, scan))
            return false;
        at = end;
    }
    mapping->resident.bytes[PHT_CATEGORY_UNATTRIBUTED] = mapping->resident_bytes;
    mapping->swapped.bytes[PHT_CATEGORY_UNATTRIBUTED] = mapping->swapped_bytes;
    return true;
}

/* A mapping without a page may be terabytes, so it is not looked at. */
static bool has_pages(const struct pht_mapping_memory *memory)
{
    return !memory->is_outside_rss && (memory->rss_bytes > 0 || memory->swap_bytes > 0);
}

static bool scan_all(struct pht_owners *owners, struct pht_snapshot *snapshot,
                     const struct pht_smaps *smaps)
{
    struct scan *scan = malloc(sizeof(*scan));
    bool scanned = scan != NULL;

    for (size_t i = 0; i < smaps->maps.count && scanned; i++) {
        struct pht_owned_mapping *mapping = &owners->mappings[i];
        mapping->start = smaps->maps.items[i].start;
        mapping->end = smaps->maps.items[i].end;
        if (has_pages(&smaps->memory[i]))
            scanned = scan_mapping(owners, snapshot, mapping, scan);
    }
    free(scan);
    return scanned;
}

struct pht_owners *pht_owners_create(struct pht_snapshot *snapshot, const struct pht_smaps *smaps)
{
    struct pht_owners *owners = calloc(1, sizeof(*owners));

    if (owners == NULL)
        return NULL;
    owners->mapping_count = smaps->maps.count;
    owners->mappings = calloc(smaps->maps.count + 1, sizeof(*owners->mappings));
    if (owners->mappings == NULL || !scan_all(owners, snapshot, smaps)) {
        pht_owners_destroy(owners);
        return NULL;
    }
    return owners;
}

void pht_owners_destroy(struct pht_owners *owners)
{
    if (owners == NULL)
        return;
    for (size_t i = 0; i < owners->blocks.count; i++)
        free(owners->blocks.items[i]);
    free(owners->blocks.items);
    free(owners->mappings);
    free(owners);
}

/* ---- from page to page -------------------------------------------------------------------- */

/* The first mapping that ends behind `addr`. */
static size_t find_mapping(const struct pht_owners *owners, pht_addr addr)
{
    return pht_sorted_find_range(owners->mappings, owners->mapping_count,
                                 sizeof(owners->mappings[0]), addr);
}

/* The first block that ends behind `addr`. */
static size_t find_block(const struct pht_owners *owners, pht_addr addr)
{
    size_t low = 0, high = owners->blocks.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (owners->blocks.items[middle]->start + BLOCK_BYTES <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct pht_owned_mapping *mapping_at(struct pht_owners *owners, pht_addr addr)
{
    struct pht_owned_mapping *last = &owners->mappings[owners->last_mapping];

    if (addr < last->start || addr >= last->end)
        owners->last_mapping = find_mapping(owners, addr);
    if (owners->last_mapping == owners->mapping_count)
        owners->last_mapping = 0;
    return &owners->mappings[owners->last_mapping];
}

/* The first page at or behind `page` that is resident or in swap; BLOCK_PAGES if there is none. */
static size_t next_bit(const struct block *block, size_t page)
{
    while (page < BLOCK_PAGES) {
        uint64_t word = (block->resident[page / 64] | block->swapped[page / 64]) >> page % 64;
        if (word != 0)
            return page + (size_t)__builtin_ctzll(word);
        page = (page / 64 + 1) * 64;
    }
    return BLOCK_PAGES;
}

/* A page that is resident or in swap. */
struct place {
    struct page *page;
    pht_addr addr;
    bool resident;
};

/* The first such page at or behind `addr` and before `end`; false if there is none. */
static bool next_page(struct pht_owners *owners, pht_addr addr, pht_addr end, struct place *ret)
{
    size_t at = owners->last_block;

    if (at >= owners->blocks.count || addr < owners->blocks.items[at]->start ||
        addr >= owners->blocks.items[at]->start + BLOCK_BYTES)
        at = find_block(owners, addr);
    for (; at < owners->blocks.count; at++) {
        struct block *block = owners->blocks.items[at];
        size_t first = addr > block->start ? (size_t)((addr - block->start) / PHT_PAGE_BYTES) : 0;
        if (block->start >= end)
            return false;
        size_t page = next_bit(block, first);
        if (page == BLOCK_PAGES)
            continue;
        owners->last_block = at;
        *ret = (struct place){
            .page = &block->pages[page],
            .addr = block->start + page * PHT_PAGE_BYTES,
            .resident = is_set(block->resident, page),
        };
        return ret->addr < end;
    }
    return false;
}

/* ---- claims ------------------------------------------------------------------------------- */

static void give(struct pht_owners *owners, const struct place *place, uint64_t bytes,
                 enum pht_category from, enum pht_category to)
{
    struct pht_owned_mapping *mapping = mapping_at(owners, place->addr);
    struct pht_split *split = place->resident ? &mapping->resident : &mapping->swapped;

    if (bytes > split->bytes[from])
        bytes = split->bytes[from];
    split->bytes[from] -= bytes;
    split->bytes[to] += bytes;
    place->page->categories |= (uint16_t)(1u << to);
}

static void claim_page(struct pht_owners *owners, const struct place *place, uint64_t bytes,
                       enum pht_category category)
{
    uint64_t left = (uint64_t)(PHT_PAGE_BYTES - place->page->claimed);

    if (bytes > left) {
        owners->refused_bytes += bytes - left;
        bytes = left;
    }
    if (bytes == 0)
        return;
    place->page->claimed = (uint16_t)(place->page->claimed + bytes);
    give(owners, place, bytes, PHT_CATEGORY_UNATTRIBUTED, category);
}

/* Bytes of the page that lie in [start, end). */
static uint64_t part_of(const struct place *place, pht_addr start, pht_addr end)
{
    pht_addr from = place->addr > start ? place->addr : start;
    pht_addr to = place->addr + PHT_PAGE_BYTES < end ? place->addr + PHT_PAGE_BYTES : end;

    return to - from;
}

void pht_owners_claim(struct pht_owners *owners, pht_addr start, pht_addr end,
                      enum pht_category category)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;

    if (owners == NULL || start >= end)
        return;
    for (; next_page(owners, at, end, &place); at = place.addr + PHT_PAGE_BYTES)
        claim_page(owners, &place, part_of(&place, start, end), category);
}

static bool is_uniform(struct pht_owners *owners, pht_addr start, pht_addr end)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;
    bool resident = false;

    for (bool is_first = true; at < end; at += PHT_PAGE_BYTES, is_first = false) {
        if (!next_page(owners, at, at + PHT_PAGE_BYTES, &place))
            return false;
        if (!is_first && place.resident != resident)
            return false;
        resident = place.resident;
    }
    return true;
}

bool pht_owners_claim_mixed(struct pht_owners *owners, pht_addr start, pht_addr end, uint64_t bytes,
                            enum pht_category category, enum pht_category other)
{
    uint16_t held = (uint16_t)(bytes > 0 ? 1u << category : 0);
    struct place place;

    if (owners == NULL || start >= end)
        return true;
    if (!is_uniform(owners, start, end))
        return false;
    for (pht_addr at = pht_round_down(start, PHT_PAGE_BYTES); next_page(owners, at, end, &place);
         at = place.addr + PHT_PAGE_BYTES) {
        uint64_t part = part_of(&place, start, end);
        uint64_t first = bytes < part ? bytes : part;
        claim_page(owners, &place, first, category);
        claim_page(owners, &place, part - first, other);
        place.page->categories |= held;
        bytes -= first;
    }
    return true;
}

void pht_owners_move(struct pht_owners *owners, pht_addr start, pht_addr end,
                     enum pht_category from, enum pht_category to)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;

    if (owners == NULL || start >= end)
        return;
    for (; next_page(owners, at, end, &place); at = place.addr + PHT_PAGE_BYTES)
        give(owners, &place, part_of(&place, start, end), from, to);
}

void pht_owners_claim_rest(struct pht_owners *owners, pht_addr start, pht_addr end,
                           enum pht_category category)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;

    if (owners == NULL)
        return;
    for (; next_page(owners, at, end, &place); at = place.addr + PHT_PAGE_BYTES)
        claim_page(owners, &place, (uint64_t)(PHT_PAGE_BYTES - place.page->claimed), category);
}

/* ---- questions ---------------------------------------------------------------------------- */

uint64_t pht_owners_resident(struct pht_owners *owners, pht_addr start, pht_addr end)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;
    uint64_t bytes = 0;

    for (; next_page(owners, at, end, &place); at = place.addr + PHT_PAGE_BYTES)
        bytes += place.resident ? PHT_PAGE_BYTES : 0;
    return bytes;
}

uint64_t pht_owners_unclaimed(struct pht_owners *owners, pht_addr start, pht_addr end)
{
    pht_addr at = pht_round_down(start, PHT_PAGE_BYTES);
    struct place place;
    uint64_t bytes = 0;

    for (; next_page(owners, at, end, &place); at = place.addr + PHT_PAGE_BYTES)
        bytes += place.resident ? (uint64_t)(PHT_PAGE_BYTES - place.page->claimed) : 0;
    return bytes;
}

uint64_t pht_owners_bytes(const struct pht_owners *owners)
{
    uint64_t bytes = 0;

    for (size_t i = 0; owners != NULL && i < owners->mapping_count; i++)
        bytes += owners->mappings[i].resident_bytes + owners->mappings[i].swapped_bytes;
    return bytes;
}

const struct pht_owned_mapping *pht_owners_mappings(const struct pht_owners *owners)
{
    return owners->mappings;
}

uint64_t pht_owners_refused_bytes(const struct pht_owners *owners)
{
    return owners->refused_bytes;
}

enum pht_category pht_owners_page(struct pht_owners *owners, pht_addr page)
{
    struct place place;

    if (!next_page(owners, page, page + PHT_PAGE_BYTES, &place) || place.page->categories == 0)
        return PHT_CATEGORY_UNATTRIBUTED;
    return (enum pht_category)__builtin_ctz(place.page->categories);
}

pht_addr pht_owners_next_page(struct pht_owners *owners, pht_addr page, pht_addr end)
{
    struct place place;

    for (; next_page(owners, page, end, &place); page = place.addr + PHT_PAGE_BYTES) {
        if (place.resident)
            return place.addr;
    }
    return end;
}
