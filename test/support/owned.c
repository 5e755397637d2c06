#include "support/owned.h"

#include <check.h>

#include "base/checked.h"

void owned_begin(struct owned *owned, struct fake_target *fake, struct pht_snapshot *snapshot)
{
    ck_assert_ptr_null(pht_target_read_smaps(fake->target, &owned->smaps));
    owned->owners = pht_owners_create(snapshot, &owned->smaps);
    ck_assert_ptr_nonnull(owned->owners);
}

void owned_end(struct owned *owned)
{
    pht_owners_destroy(owned->owners);
    pht_smaps_deinit(&owned->smaps);
    *owned = (struct owned){0};
}

uint64_t owned_resident(const struct owned *owned, enum pht_category category)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < owned->smaps.maps.count; i++)
        bytes += pht_owners_mappings(owned->owners)[i].resident.bytes[category];
    return bytes;
}

uint64_t owned_swapped(const struct owned *owned, enum pht_category category)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < owned->smaps.maps.count; i++)
        bytes += pht_owners_mappings(owned->owners)[i].swapped.bytes[category];
    return bytes;
}

static uint64_t sum(const struct pht_split *split)
{
    uint64_t bytes = 0;

    for (int i = 0; i < PHT_CATEGORIES; i++)
        bytes += split->bytes[i];
    return bytes;
}

void owned_check_sums(const struct owned *owned)
{
    for (size_t i = 0; i < owned->smaps.maps.count; i++) {
        const struct pht_owned_mapping *mapping = &pht_owners_mappings(owned->owners)[i];
        /* Bare conditions: every ck_assert writes a line to a file, and this runs often. */
        if (sum(&mapping->resident) != mapping->resident_bytes ||
            sum(&mapping->swapped) != mapping->swapped_bytes ||
            mapping->resident_bytes != owned->smaps.memory[i].rss_bytes)
            ck_abort_msg("0x%lx: categories do not add up", (unsigned long)mapping->start);
    }
}

bool owned_is_resident(const struct owned *owned, pht_addr start, pht_addr end)
{
    return pht_owners_resident(owned->owners, start, end) ==
           pht_round_up(end, PHT_PAGE_BYTES) - pht_round_down(start, PHT_PAGE_BYTES);
}
