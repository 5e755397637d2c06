#include "layout/order.h"

#include "base/checked.h"

/* Layouts were checked before: no struct is so large that this could overflow. */
static bool follows(const struct pht_layout_member *member, uint64_t end)
{
    uint64_t padded = pht_round_up(end, member->alignment);

    return member->offset == padded + member->hidden[0] ||
           member->offset == padded + member->hidden[1];
}

bool pht_layout_is_in_order(const struct pht_layout_member *members, size_t count, uint64_t start)
{
    uint64_t end = start;

    for (size_t i = 0; i < count; i++) {
        if (members[i].offset == PHT_UNKNOWN)
            continue;
        if (members[i].bytes == PHT_UNKNOWN || !follows(&members[i], end))
            return false;
        end = members[i].offset + members[i].bytes;
    }
    return true;
}

static bool overlap(const struct pht_layout_place *a, const struct pht_layout_place *b)
{
    uint64_t a_end, b_end;

    return !pht_add_fits(a->address, a->bytes, &a_end) ||
           !pht_add_fits(b->address, b->bytes, &b_end) ||
           (a->address < b_end && b->address < a_end);
}

bool pht_layout_is_apart(const struct pht_layout_place *places, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (places[i].address == PHT_UNKNOWN)
            continue;
        if (places[i].bytes == PHT_UNKNOWN || places[i].address % places[i].alignment != 0)
            return false;
        for (size_t j = 0; j < i; j++) {
            if (places[j].address != PHT_UNKNOWN && overlap(&places[i], &places[j]))
                return false;
        }
    }
    return true;
}
