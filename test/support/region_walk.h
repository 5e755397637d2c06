/*
 * Looking for what no allocator owns in a fake target. The target has no mapping, and nothing is
 * known of its interpreter and C library, but what the test says.
 */
#ifndef PHT_TEST_SUPPORT_REGION_WALK_H
#define PHT_TEST_SUPPORT_REGION_WALK_H

#include "support/owned.h"

struct region_walk {
    struct fake_target *fake;
    struct pht_libc libc;
    struct pht_python python;
    struct pht_glibc_roots glibc;
    struct pht_pymalloc_roots pymalloc;
    bool has_other_allocator;
    struct pht_snapshot *snapshot;
    struct owned owned;
    struct pht_regions regions;
};

void region_walk_init(struct region_walk *walk);
void region_walk_deinit(struct region_walk *walk);

/* Resident pages. */
void region_walk_map(struct region_walk *walk, pht_addr start, pht_addr end, unsigned kind);
void region_walk_map_file(struct region_walk *walk, pht_addr start, pht_addr end, unsigned kind,
                          uint64_t inode, uint64_t offset);

/* Pages are as they are now, and nobody has claimed any. */
void region_walk_begin(struct region_walk *walk);

/*
 * Walk, after region_walk_begin() if the test has not done that. Claims have to add up, and nothing
 * may have been read that is not resident, private and readable.
 */
void region_walk_run(struct region_walk *walk);

/* How many there are of a kind, and the n-th by address. */
size_t region_walk_count(const struct region_walk *walk, enum pht_region_kind kind);
const struct pht_region *region_walk_get(const struct region_walk *walk, enum pht_region_kind kind,
                                         size_t n);

/* There is one of this kind, and that is it. */
void region_walk_check(const struct region_walk *walk, enum pht_region_kind kind, pht_addr start,
                       pht_addr end);

/* Resident bytes of a category, in all mappings. */
void region_walk_check_category(const struct region_walk *walk, enum pht_category category,
                                uint64_t bytes);

#endif
