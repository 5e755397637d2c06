#include "walk/glibc_claims.h"

static bool push(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                 const struct pht_chunk_claim *claim)
{
    claims->waiting.count = now->count++;
    return pht_vec_push(&claims->waiting, *claim);
}

bool pht_chunk_claims_add(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                          pht_addr start, pht_addr end, enum pht_category category)
{
    if (claims->owners == NULL || start >= end)
        return true;
    if (now->count > now->sealed) {
        struct pht_chunk_claim *last = &claims->waiting.items[now->count - 1];
        if (last->end == start && last->category == category && last->head_bytes == 0) {
            last->end = end;
            return true;
        }
    }
    const struct pht_chunk_claim claim = {.start = start, .end = end, .category = category};
    return push(claims, now, &claim);
}

bool pht_chunk_claims_add_live(struct pht_chunk_claims *claims, struct pht_claim_position *now,
                               pht_addr start, pht_addr end, const unsigned char *head,
                               size_t head_bytes)
{
    pht_addr memory = start + PHT_CHUNK_HEADER_BYTES;

    if (claims->owners == NULL || claims->census == NULL || start >= end)
        return pht_chunk_claims_add(claims, now, start, end, PHT_CATEGORY_MALLOC_UNOWNED);
    if (!pht_census_wants(claims->census, memory, head, head_bytes)) {
        pht_census_pass_chunk(claims->census, memory, end - start, head, head_bytes);
        return pht_chunk_claims_add(claims, now, start, end, PHT_CATEGORY_MALLOC_UNOWNED);
    }
    struct pht_chunk_claim claim = {
        .start = start,
        .end = end,
        .category = PHT_CATEGORY_MALLOC_UNOWNED,
        .head_bytes = (uint32_t)head_bytes,
    };
    memcpy(claim.head, head, head_bytes);
    return push(claims, now, &claim);
}

static enum pht_category judge(struct pht_chunk_claims *claims, const struct pht_chunk_claim *claim)
{
    if (claim->head_bytes > 0 &&
        pht_census_count_chunk(claims->census, claim->start + PHT_CHUNK_HEADER_BYTES,
                               claim->end - claim->start, claim->head, claim->head_bytes))
        return PHT_CATEGORY_PYTHON_LARGE;
    return claim->category;
}

void pht_chunk_claims_settle(struct pht_chunk_claims *claims, size_t count)
{
    struct pht_chunk_claim *items = claims->waiting.items;

    for (size_t i = 0; i < count; i++)
        pht_owners_claim(claims->owners, items[i].start, items[i].end, judge(claims, &items[i]));
    for (size_t i = count; i < claims->waiting.count && count > 0; i++)
        items[i - count] = items[i];
    claims->waiting.count -= count;
}
