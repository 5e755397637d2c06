/*
 * Whose the bytes of an arena are: blocks in use are Python's, all else is slack.
 *
 * Which blocks of a pool are in use shows only in its list of free ones, which goes through the
 * pool's memory. It is followed only where it matters: where some of the pool's pages are
 * resident, and others are not. Of pools that cannot be told, nothing is claimed.
 */
#include "walk/field.h"
#include "walk/pymalloc_arena.h"

/* Pools have at most 64 KiB, blocks at least 8 bytes. */
#define POOL_BLOCKS_MAX ((size_t)8192)

struct claim {
    struct pht_arena_reader *reader;
    struct pht_owners *owners;
    pht_addr pool;
    pht_addr first; /* block */
    uint64_t block_bytes;
    uint64_t blocks; /* that were handed out so far; those behind them were never used */
    uint64_t live_blocks;
};

static void claim_slack(const struct claim *claim, pht_addr start, pht_addr end)
{
    pht_owners_claim(claim->owners, start, end, PHT_CATEGORY_PYMALLOC_SLACK);
}

/* Bit i: block i is in the list of freed blocks. False if the list does not hold together. */
static bool find_freed(const struct claim *claim, pht_addr freed, uint64_t *bits)
{
    uint64_t count = claim->blocks - claim->live_blocks;

    for (; count > 0 && freed != 0; count--) {
        uint64_t i = (freed - claim->first) / claim->block_bytes;
        if (freed < claim->first || i >= claim->blocks || bits[i / 64] >> i % 64 & 1 ||
            pht_snapshot_read(claim->reader->snapshot, freed, &freed, sizeof(freed)) != PHT_READ_OK)
            return false;
        bits[i / 64] |= (uint64_t)1 << i % 64;
    }
    return count == 0 && freed == 0;
}

static void claim_blocks(const struct claim *claim, pht_addr freed)
{
    uint64_t bits[POOL_BLOCKS_MAX / 64] = {0};

    if (claim->blocks > POOL_BLOCKS_MAX || !find_freed(claim, freed, bits))
        return;
    for (uint64_t i = 0; i < claim->blocks; i++) {
        pht_addr block = claim->first + i * claim->block_bytes;
        bool is_freed = bits[i / 64] >> i % 64 & 1;
        pht_owners_claim(claim->owners, block, block + claim->block_bytes,
                         is_freed ? PHT_CATEGORY_PYMALLOC_SLACK : PHT_CATEGORY_PYTHON_SMALL);
    }
}

static void claim_used_pool(struct claim *claim, const unsigned char *header,
                            const struct pht_pool *pool)
{
    const struct pht_pymalloc_geometry *geometry = &claim->reader->geometry;
    const struct pht_python_layout *layout = claim->reader->layout;

    claim->first = claim->pool + geometry->header_bytes;
    claim->block_bytes = (uint64_t)(pool->size_class + 1) * geometry->alignment_bytes;
    claim->live_blocks = pool->live_blocks;
    claim->blocks = (pht_field_u32(header, layout->pool_nextoffset) - geometry->header_bytes) /
                    claim->block_bytes;
    pht_addr end = claim->first + claim->blocks * claim->block_bytes;
    if (!pht_owners_claim_mixed(claim->owners, claim->first, end,
                                claim->live_blocks * claim->block_bytes, PHT_CATEGORY_PYTHON_SMALL,
                                PHT_CATEGORY_PYMALLOC_SLACK))
        claim_blocks(claim, pht_field_u64(header, layout->pool_freeblock));
    claim_slack(claim, claim->pool, claim->first);
    claim_slack(claim, end, claim->pool + geometry->pool_bytes);
}

static void claim_pool(struct claim *claim, const struct pht_arena_root *arena,
                       const unsigned char *header)
{
    const struct pht_pymalloc_geometry *geometry = &claim->reader->geometry;
    struct pht_pool pool;

    switch (
        pht_pymalloc_decode_pool(geometry, claim->reader->layout, header, arena->index, &pool)) {
    case PHT_POOL_FREE:
        claim_slack(claim, claim->pool, claim->pool + geometry->pool_bytes);
        break;
    case PHT_POOL_USED:
    case PHT_POOL_TORN:
        claim_used_pool(claim, header, &pool);
        break;
    case PHT_POOL_ODD:
        break;
    }
}

void pht_arena_reader_claim(struct pht_arena_reader *reader, const struct pht_arena_root *arena,
                            struct pht_owners *owners)
{
    const struct pht_pymalloc_geometry *geometry = &reader->geometry;
    pht_addr first = pht_pymalloc_first_pool(geometry, arena->address);
    struct claim claim = {.reader = reader, .owners = owners};
    size_t carved = pht_arena_carved_pools(geometry, arena);

    if (owners == NULL)
        return;
    claim_slack(&claim, arena->address, first);
    for (size_t i = 0; i < carved; i++) {
        size_t slot = reader->settled_first + i;
        claim.pool = first + i * geometry->pool_bytes;
        if (reader->settled->read[slot] == PHT_READ_OK)
            claim_pool(&claim, arena, reader->settled->headers + slot * geometry->header_bytes);
    }
    claim_slack(&claim, first + carved * geometry->pool_bytes,
                arena->address + geometry->arena_bytes);
}
