#include "walk/regions.h"

#include "base/checked.h"
#include "base/sorted.h"

/* Mappings that one region lies in: a stack and its guard, or one that mprotect(2) has cut. */
#define REGION_MAPPINGS_MAX 1024

static const struct {
    const char *name;
    enum pht_category category; /* UNATTRIBUTED: the region stays its allocator's */
} kinds[] = {
    [PHT_REGION_STACK] = {"stack", PHT_CATEGORY_STACKS},
    [PHT_REGION_CACHED_STACK] = {"cached_stack", PHT_CATEGORY_STACKS},
    [PHT_REGION_TLS] = {"tls", PHT_CATEGORY_STACKS},
    [PHT_REGION_LOADER] = {"loader", PHT_CATEGORY_FILES},
    [PHT_REGION_RANDOM] = {"random", PHT_CATEGORY_FILES},
    [PHT_REGION_BSS] = {"bss", PHT_CATEGORY_FILES},
    [PHT_REGION_CODE] = {"code", PHT_CATEGORY_FILES},
    [PHT_REGION_KERNEL] = {"kernel", PHT_CATEGORY_FILES},
    [PHT_REGION_FRAMES] = {"frames", PHT_CATEGORY_PYTHON_LARGE},
    [PHT_REGION_ARENA_ARRAY] = {"arena_array", PHT_CATEGORY_UNATTRIBUTED},
    [PHT_REGION_ARENA_TREE] = {"arena_tree", PHT_CATEGORY_UNATTRIBUTED},
    [PHT_REGION_INTERNED] = {"interned", PHT_CATEGORY_UNATTRIBUTED},
};

const char *pht_region_kind_name(enum pht_region_kind kind)
{
    return kinds[kind].name;
}

bool pht_region_is_private(const struct pht_mapping *mapping)
{
    return mapping->inode == 0 && !mapping->shared && !pht_mapping_is_shmem(mapping);
}

bool pht_region_is_all_private(const struct pht_region_walk *walk, pht_addr start, pht_addr end)
{
    for (int i = 0; i < REGION_MAPPINGS_MAX && start < end; i++) {
        const struct pht_mapping *mapping = pht_maps_find(walk->maps, start);
        if (mapping == NULL || !pht_region_is_private(mapping))
            return false;
        start = mapping->end;
    }
    return start >= end;
}

bool pht_region_may_be_table(const struct pht_region_walk *walk, pht_addr addr, uint64_t bytes)
{
    return addr >= PHT_PAGE_BYTES && addr <= PHT_USER_ADDR_MAX && addr % sizeof(uint64_t) == 0 &&
           bytes <= PHT_USER_ADDR_MAX && pht_region_is_all_private(walk, addr, addr + bytes);
}

bool pht_region_add(struct pht_region_walk *walk, pht_addr start, pht_addr end,
                    enum pht_region_kind kind, pid_t tid)
{
    const struct pht_region region = {
        .start = start,
        .end = end,
        .kind = kind,
        .tid = tid,
        .resident_bytes = pht_owners_resident(walk->owners, start, end),
    };

    if (kinds[kind].category != PHT_CATEGORY_UNATTRIBUTED)
        pht_owners_claim_rest(walk->owners, start, end, kinds[kind].category);
    return pht_vec_push(walk->regions, region);
}

static void claim_other_allocator(const struct pht_region_walk *walk)
{
    for (size_t i = 0; i < walk->maps->count; i++) {
        const struct pht_mapping *mapping = &walk->maps->items[i];
        if (pht_region_is_private(mapping))
            pht_owners_claim_rest(walk->owners, mapping->start, mapping->end,
                                  PHT_CATEGORY_OTHER_ALLOCATOR);
    }
}

bool pht_regions_walk(struct pht_snapshot *snapshot, const struct pht_smaps *smaps,
                      const struct pht_pymalloc_roots *pymalloc,
                      const struct pht_glibc_roots *glibc, bool has_other_allocator,
                      struct pht_owners *owners, struct pht_regions *ret)
{
    struct pht_region_walk walk = {
        .snapshot = snapshot,
        .maps = &smaps->maps,
        .libc = glibc != NULL ? glibc->libc : NULL,
        .python = pymalloc != NULL ? pymalloc->python : NULL,
        .glibc = glibc,
        .pymalloc = pymalloc,
        .has_other_allocator = has_other_allocator,
        .owners = owners,
        .regions = ret,
    };
    struct pht_link_maps link_maps;

    bool walked = pht_link_maps_read(&walk, &link_maps) &&
                  pht_regions_find_stacks(&walk, &link_maps) && pht_regions_find_frames(&walk) &&
                  pht_regions_find_files(&walk, &link_maps) &&
                  pht_regions_find_lost_frames(&walk) &&
                  pht_regions_find_loader(&walk, &link_maps) && pht_regions_find_random(&walk) &&
                  pht_regions_find_tables(&walk) && pht_regions_find_interned(&walk);
    pht_link_maps_deinit(&link_maps);
    if (walked && has_other_allocator)
        claim_other_allocator(&walk);
    pht_sort(ret->items, ret->count, sizeof(*ret->items));
    return walked;
}
