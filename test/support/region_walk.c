#include "support/region_walk.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static bool freeze_nothing(struct pht_snapshot *snapshot, void *context)
{
    (void)snapshot;
    (void)context;
    return true;
}

void region_walk_init(struct region_walk *walk)
{
    *walk = (struct region_walk){.fake = fake_target_create()};
    memset(&walk->libc.layout, 0xff, sizeof(walk->libc.layout));
    memset(&walk->python.layout, 0xff, sizeof(walk->python.layout));
    pht_glibc_roots_init(&walk->glibc, &walk->libc);
    pht_pymalloc_roots_init(&walk->pymalloc, &walk->python);
}

void region_walk_deinit(struct region_walk *walk)
{
    free(walk->regions.items);
    owned_end(&walk->owned);
    pht_snapshot_destroy(walk->snapshot);
    pht_glibc_roots_deinit(&walk->glibc);
    pht_pymalloc_roots_deinit(&walk->pymalloc);
    fake_target_destroy(walk->fake);
    *walk = (struct region_walk){0};
}

void region_walk_map(struct region_walk *walk, pht_addr start, pht_addr end, unsigned kind)
{
    fake_target_map(walk->fake, start, end, kind);
    fake_target_set_pages(walk->fake, start, end, FAKE_RESIDENT);
}

void region_walk_map_file(struct region_walk *walk, pht_addr start, pht_addr end, unsigned kind,
                          uint64_t inode, uint64_t offset)
{
    region_walk_map(walk, start, end, kind | FAKE_FILE);
    fake_target_set_file(walk->fake, start, inode, offset);
}

void region_walk_begin(struct region_walk *walk)
{
    const struct pht_snapshot_options options = {.stop = PHT_STOP_NONE};

    ck_assert_ptr_null(
        pht_snapshot_take(walk->fake->target, &options, freeze_nothing, NULL, &walk->snapshot));
    owned_begin(&walk->owned, walk->fake, walk->snapshot);
}

void region_walk_run(struct region_walk *walk)
{
    if (walk->snapshot == NULL)
        region_walk_begin(walk);
    ck_assert(pht_regions_walk(walk->snapshot, &walk->owned.smaps, &walk->pymalloc, &walk->glibc,
                               walk->has_other_allocator, walk->owned.owners, &walk->regions));
    owned_check_sums(&walk->owned);
    ck_assert_uint_eq(walk->fake->forbidden_reads, 0);
    /* Bare conditions: every ck_assert writes a line to a file. */
    for (size_t i = 1; i < walk->regions.count; i++) {
        if (walk->regions.items[i - 1].start > walk->regions.items[i].start)
            ck_abort_msg("regions are not sorted");
    }
}

size_t region_walk_count(const struct region_walk *walk, enum pht_region_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < walk->regions.count; i++)
        count += walk->regions.items[i].kind == kind;
    return count;
}

const struct pht_region *region_walk_get(const struct region_walk *walk, enum pht_region_kind kind,
                                         size_t n)
{
    for (size_t i = 0; i < walk->regions.count; i++) {
        if (walk->regions.items[i].kind == kind && n-- == 0)
            return &walk->regions.items[i];
    }
    ck_abort_msg("too few regions of kind %s", pht_region_kind_name(kind));
    return NULL;
}

void region_walk_check(const struct region_walk *walk, enum pht_region_kind kind, pht_addr start,
                       pht_addr end)
{
    const struct pht_region *region = region_walk_get(walk, kind, 0);

    ck_assert_uint_eq(region_walk_count(walk, kind), 1);
    ck_assert_uint_eq(region->start, start);
    ck_assert_uint_eq(region->end, end);
}

void region_walk_check_category(const struct region_walk *walk, enum pht_category category,
                                uint64_t bytes)
{
    ck_assert_uint_eq(owned_resident(&walk->owned, category), bytes);
}
