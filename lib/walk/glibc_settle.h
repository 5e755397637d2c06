/*
 * What a chunk is: live, in a bin, in a fastbin, in a tcache. A chunk in a bin shows in the header
 * behind it, so each is settled when that is read. And whether a header can be one.
 */
#ifndef PHT_LIB_WALK_GLIBC_SETTLE_H
#define PHT_LIB_WALK_GLIBC_SETTLE_H

#include "walk/glibc_chunks.h"

/*
 * Count the pending chunk, whose next header is `next`. False if the two contradict each other;
 * nothing is counted then.
 */
bool pht_chunk_settle(struct pht_chunk_walk *walk, const struct pht_chunk_header *next);

/* The same with both headers read anew, in one go; the walk goes on behind the chunk. */
bool pht_chunk_settle_anew(struct pht_chunk_walk *walk);

/* The header that stands at `addr`. */
struct pht_chunk_header pht_chunk_read_header(const struct pht_chunk_walk *walk, pht_addr addr,
                                              const uint8_t *bytes);

/* True if a chunk that begins with `header` may stand at `addr`. */
bool pht_chunk_fits(const struct pht_chunk_walk *walk, pht_addr addr,
                    const struct pht_chunk_header *header);

/* Free chunks before this do not merge with what comes behind. */
void pht_chunk_end_runs(struct pht_chunk_walk *walk);

#endif
