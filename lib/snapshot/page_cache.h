/*
 * Which pages are resident, and which are the target's alone, remembered in blocks of 64 MiB that
 * are asked for when first needed: a target may reserve terabytes and use little of them.
 */
#ifndef PHT_LIB_SNAPSHOT_PAGE_CACHE_H
#define PHT_LIB_SNAPSHOT_PAGE_CACHE_H

#include "base/vec.h"
#include "pyheaptop/target.h"

#define PHT_PAGE_BLOCK_BYTES ((uint64_t)64 << 20)
#define PHT_PAGE_BLOCK_WORDS (PHT_PAGE_BLOCK_BYTES / PHT_PAGE_BYTES / 64)

enum pht_page_state {
    PHT_PAGE_ABSENT,
    PHT_PAGE_RESIDENT,
    PHT_PAGE_SWAPPED,
};

struct pht_page_block {
    pht_addr start;
    uint64_t resident[PHT_PAGE_BLOCK_WORDS];
    uint64_t swapped[PHT_PAGE_BLOCK_WORDS];
    bool has_exclusive; /* somebody has asked */
    uint64_t exclusive[PHT_PAGE_BLOCK_WORDS];
};

struct pht_page_cache {
    struct pht_target *target;
    PHT_VEC(struct pht_page_block *) blocks; /* by start */
    struct pht_page_block *last;
    struct pht_page_block scratch; /* for pages that are asked for anew */
};

void pht_page_cache_init(struct pht_page_cache *cache, struct pht_target *target);
void pht_page_cache_deinit(struct pht_page_cache *cache);

/* Forget all that is known. */
void pht_page_cache_clear(struct pht_page_cache *cache);

/* Ask anew for the pages of [start, end), both page-aligned. */
void pht_page_cache_refresh(struct pht_page_cache *cache, pht_addr start, pht_addr end);

/* A page whose state cannot be asked for counts as absent. */
enum pht_page_state pht_page_cache_state(struct pht_page_cache *cache, pht_addr addr);

/*
 * True if no other process maps the pages of [addr, addr + size). A process that forks while it is
 * read is the one case in which this is out of date.
 */
bool pht_page_cache_is_exclusive(struct pht_page_cache *cache, pht_addr addr, uint64_t size);

uint64_t pht_page_cache_resident(struct pht_page_cache *cache, pht_addr start, pht_addr end);

/* Both page-aligned; `end` if no page is resident. */
pht_addr pht_page_cache_next_resident(struct pht_page_cache *cache, pht_addr page, pht_addr end);

#endif
