#include "model/mappings.h"

#include <stdlib.h>
#include <string.h>

static enum pht_mapping_kind kind_of_category(enum pht_category category)
{
    switch (category) {
    case PHT_CATEGORY_PYTHON_SMALL:
    case PHT_CATEGORY_PYMALLOC_SLACK:
        return PHT_MAPPING_PYMALLOC;
    case PHT_CATEGORY_PYTHON_LARGE:
        return PHT_MAPPING_PYTHON;
    case PHT_CATEGORY_MALLOC_UNOWNED:
    case PHT_CATEGORY_MALLOC_FREE:
    case PHT_CATEGORY_MALLOC_TOP:
        return PHT_MAPPING_MALLOC;
    case PHT_CATEGORY_MALLOC_MMAPPED:
        return PHT_MAPPING_MMAPPED;
    case PHT_CATEGORY_OTHER_ALLOCATOR:
        return PHT_MAPPING_OTHER_ALLOCATOR;
    case PHT_CATEGORY_FILES:
        return PHT_MAPPING_LIBRARY;
    case PHT_CATEGORY_STACKS:
        return PHT_MAPPING_STACK;
    case PHT_CATEGORY_SHARED_MEMORY:
        return PHT_MAPPING_SHARED_MEMORY;
    case PHT_CATEGORY_UNATTRIBUTED:
    case PHT_CATEGORIES:
        break;
    }
    return PHT_MAPPING_ANONYMOUS;
}

/* What most of its pages are, resident ones and those in swap. */
static enum pht_mapping_kind kind_of_content(const struct pht_owned_mapping *owned)
{
    uint64_t most = 0;
    enum pht_mapping_kind kind = PHT_MAPPING_ANONYMOUS;

    for (int i = 0; i < PHT_CATEGORIES; i++) {
        uint64_t bytes = owned->resident.bytes[i] + owned->swapped.bytes[i];
        if (bytes <= most)
            continue;
        most = bytes;
        kind = kind_of_category((enum pht_category)i);
    }
    return kind;
}

static bool is_kernels(const char *name)
{
    return strcmp(name, "[vdso]") == 0 || strncmp(name, "[vvar", 5) == 0 ||
           strcmp(name, "[vsyscall]") == 0;
}

static enum pht_mapping_kind kind_of(const struct pht_mapping *mapping,
                                     const struct pht_owned_mapping *owned)
{
    if (is_kernels(mapping->name))
        return PHT_MAPPING_KERNEL;
    if (strcmp(mapping->name, "[heap]") == 0)
        return PHT_MAPPING_HEAP;
    if (strcmp(mapping->name, "[stack]") == 0)
        return PHT_MAPPING_STACK;
    if (mapping->shared && pht_mapping_is_shmem(mapping))
        return PHT_MAPPING_SHARED_MEMORY;
    if (mapping->inode != 0)
        return PHT_MAPPING_FILE;
    enum pht_mapping_kind kind = owned != NULL ? kind_of_content(owned) : PHT_MAPPING_ANONYMOUS;
    if (kind == PHT_MAPPING_ANONYMOUS && !mapping->readable && !mapping->writable &&
        !mapping->executable)
        return PHT_MAPPING_GUARD;
    return kind;
}

bool pht_mappings_list(struct pht_report *report)
{
    const struct pht_maps *maps = &report->smaps.maps;

    report->mappings = calloc(maps->count + 1, sizeof(*report->mappings));
    if (report->mappings == NULL)
        return false;
    for (size_t i = 0; i < maps->count; i++) {
        const struct pht_owned_mapping *owned =
            report->owners != NULL ? &pht_owners_mappings(report->owners)[i] : NULL;
        report->mappings[i] = (struct pht_report_mapping){
            .mapping = &maps->items[i],
            .memory = &report->smaps.memory[i],
            .owned = owned,
            .kind = kind_of(&maps->items[i], owned),
        };
    }
    report->mapping_count = maps->count;
    return true;
}
