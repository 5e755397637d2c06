/*
 * What a walk of chunks claims for the ledger. A walk may go back to where it was; so claims wait
 * until it can no longer go back behind them. Neighbours of one category become one claim.
 */
#ifndef PHT_LIB_WALK_GLIBC_CLAIMS_H
#define PHT_LIB_WALK_GLIBC_CLAIMS_H

#include "walk/census.h"
#include "walk/glibc.h"

/* A chunk that may be Python's is a claim of its own, and is judged when it is settled. */
struct pht_chunk_claim {
    pht_addr start;
    pht_addr end;
    enum pht_category category;
    uint32_t head_bytes; /* 0: not for the census */
    unsigned char head[PHT_CENSUS_HEAD_BYTES];
};

struct pht_chunk_claims {
    struct pht_owners *owners; /* NULL: nobody asks */
    struct pht_census *census; /* NULL: nobody looks for objects */
    struct {
        struct pht_chunk_claim *items;
        size_t count;
        size_t capacity;
    } waiting;
};

/* Where a walk stands: plain data, as the rest of its position. */
struct pht_claim_position {
    size_t count;  /* of those that wait */
    size_t sealed; /* of those that grow no more, because a walk may go back to behind them */
};

/*
 * A chunk in use, of which `head` are the first bytes of its memory. False when memory is short.
 */
bool pht_chunk_claims_add_live(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                               pht_addr start, pht_addr end, const unsigned char *head,
                               size_t head_bytes);

/* False when memory is short. */
bool pht_chunk_claims_add(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                          pht_addr start, pht_addr end, enum pht_category category);

/* Hand the first `count` claims to the owners; positions behind them have to be moved by that. */
void pht_chunk_claims_settle(struct pht_chunk_claims *claims, size_t count);

#endif
