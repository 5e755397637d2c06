/*
 * The ledger of a walk that a test runs: who owns which pages of a fake target. What walkers claim
 * has to add up whatever state the target is in.
 */
#ifndef PHT_TEST_SUPPORT_OWNED_H
#define PHT_TEST_SUPPORT_OWNED_H

#include "pyheaptop/walk.h"
#include "support/fake_target.h"

struct owned {
    struct pht_smaps smaps;
    struct pht_owners *owners;
};

void owned_begin(struct owned *owned, struct fake_target *fake, struct pht_snapshot *snapshot);
void owned_end(struct owned *owned);

/* Of all mappings. */
uint64_t owned_resident(const struct owned *owned, enum pht_category category);
uint64_t owned_swapped(const struct owned *owned, enum pht_category category);

/* The categories of each mapping add up to its pages. */
void owned_check_sums(const struct owned *owned);

/* All pages of [start, end) are resident. */
bool owned_is_resident(const struct owned *owned, pht_addr start, pht_addr end);

#endif
