/*
 * What a chunk is: live, in a bin, in a fastbin, in a tcache. A chunk in a bin shows in the header
 * behind it, so each is settled when that is read. And whether a header can be one.
 */
#ifndef PHT_LIB_WALK_GLIBC_SETTLE_H
#define PHT_LIB_WALK_GLIBC_SETTLE_H

#include "walk/field.h"
#include "walk/glibc_chunks.h"
#include "walk/glibc_top.h"

/*
 * Count the pending chunk, whose next header is `next`. False if the two contradict each other;
 * nothing is counted then.
 */
bool pht_chunk_settle(struct pht_chunk_walk *walk, const struct pht_chunk_header *next);

/* The same with both headers read anew, in one go; the walk goes on behind the chunk. */
bool pht_chunk_settle_anew(struct pht_chunk_walk *walk);

/*
 * Count the pending chunk as live if an object owns it, or is in it, whatever stands behind it;
 * else it stays pending.
 */
void pht_chunk_settle_owned(struct pht_chunk_walk *walk);

/* [from, to) is the end of a chunk whose beginning has been counted as something else. */
void pht_chunk_settle_rest(struct pht_chunk_walk *walk, pht_addr from, pht_addr to, bool in_use);

/* The header that stands at `addr`. Here, as the next, because it is done for every chunk. */
static inline struct pht_chunk_header pht_chunk_read_header(const struct pht_chunk_walk *walk,
                                                            pht_addr addr, const uint8_t *bytes)
{
    struct pht_chunk_header header = {
        .prev_size = pht_field_u64(bytes, 0),
        .raw = pht_field_u64(bytes, 8),
    };

    /* Top moves before it gets a header. No free chunk is before it: that would be part of it. */
    if (addr == walk->top && header.raw == 0)
        header.raw = PHT_CHUNK_PREV_INUSE;
    header.bytes = pht_chunk_bytes(header.raw);
    return header;
}

/* True if a chunk that begins with `header` may stand at `addr`. */
static inline bool pht_chunk_fits(const struct pht_chunk_walk *walk, pht_addr addr,
                                  const struct pht_chunk_header *header)
{
    uint64_t foreign = PHT_CHUNK_IS_MMAPPED | (walk->is_main ? PHT_CHUNK_NON_MAIN_ARENA : 0);

    return header->bytes >= PHT_CHUNK_BYTES_MIN && pht_chunk_is_aligned(header->bytes) &&
           header->bytes <= pht_chunk_last(walk) - addr && !(header->raw & foreign);
}

/* Free chunks before this do not merge with what comes behind. */
void pht_chunk_end_runs(struct pht_chunk_walk *walk);

#endif
