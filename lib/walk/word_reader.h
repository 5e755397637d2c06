/*
 * Reading single words here and there: pages are kept for a while, since neighbours in a list are
 * often neighbours in memory.
 */
#ifndef PHT_LIB_WALK_WORD_READER_H
#define PHT_LIB_WALK_WORD_READER_H

#include "pyheaptop/snapshot.h"

#define PHT_WORD_READER_PAGES 64

struct pht_word_reader {
    struct pht_snapshot *snapshot;
    uint64_t reads;                        /* of pages, since it was created */
    pht_addr pages[PHT_WORD_READER_PAGES]; /* 0: none */
    uint8_t bytes[PHT_WORD_READER_PAGES][PHT_PAGE_BYTES];
};

/* NULL when memory is short. */
struct pht_word_reader *pht_word_reader_create(struct pht_snapshot *snapshot);
void pht_word_reader_destroy(struct pht_word_reader *reader);

/* `addr` is aligned to 8. False if its page cannot be read. */
bool pht_word_read(struct pht_word_reader *reader, pht_addr addr, uint64_t *ret);

/* A word by itself, and nothing is kept. False if it is nowhere, or cannot be read. */
bool pht_word_read_at(struct pht_snapshot *snapshot, pht_addr addr, uint64_t *ret);

/* Forget the pages that were read: what stood there may have changed. */
void pht_word_reader_clear(struct pht_word_reader *reader);

#endif
