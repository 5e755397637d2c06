#include "walk/glibc_claims.h"

bool pht_chunk_claims_add(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                          pht_addr start, pht_addr end, enum pht_category category)
{
    if (claims->owners == NULL || start >= end)
        return true;
    if (now->count > now->sealed) {
        struct pht_chunk_claim *last = &claims->waiting.items[now->count - 1];
        if (last->end == start && last->category == category) {
            last->end = end;
            return true;
        }
    }
    const struct pht_chunk_claim claim = {start, end, category};
    claims->waiting.count = now->count++;
    return pht_vec_push(&claims->waiting, claim);
}

void pht_chunk_claims_settle(struct pht_chunk_claims *claims, size_t count)
{
    struct pht_chunk_claim *items = claims->waiting.items;

    for (size_t i = 0; i < count; i++)
        pht_owners_claim(claims->owners, items[i].start, items[i].end, items[i].category);
    for (size_t i = count; i < claims->waiting.count; i++)
        items[i - count] = items[i];
    claims->waiting.count -= count;
}
