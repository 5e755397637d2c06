/*
 * smaps is a line as in maps for each mapping, then what fs/proc/task_mmu.c found in it:
 *
 *     7f2b9c000000-7f2b9c021000 rw-p 00000000 fe:00 393233         /usr/lib/libc.so.6
 *     Size:                132 kB
 *     Rss:                 100 kB
 *     ...
 *     VmFlags: rd wr mr mw me ac sd
 */
#include "target/smaps.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "target/maps.h"

/* In everybody's maps, but the kernel's own, and neither in VmSize nor in RSS. */
static bool is_gate(const struct pht_mapping *mapping)
{
    return strcmp(mapping->name, "[vsyscall]") == 0;
}

/* ---- parse -------------------------------------------------------------------------------- */

static uint64_t *find_field(const char *key, struct pht_mapping_memory *memory)
{
    const struct {
        const char *key;
        uint64_t *bytes;
    } fields[] = {
        {"Rss", &memory->rss_bytes},
        {"Pss", &memory->pss_bytes},
        {"Private_Clean", &memory->exclusive_bytes},
        {"Private_Dirty", &memory->exclusive_bytes},
        {"Shared_Clean", &memory->shared_bytes},
        {"Shared_Dirty", &memory->shared_bytes},
        {"Anonymous", &memory->anonymous_bytes},
        {"Swap", &memory->swap_bytes},
        {"Private_Hugetlb", &memory->huge_bytes},
        {"Shared_Hugetlb", &memory->huge_bytes},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(key, fields[i].key) == 0)
            return fields[i].bytes;
    }
    return NULL;
}

/* "VmFlags: rd wr mr mw me ht sd ": huge pages, raw frames, a device's memory. */
static bool has_foreign_pages(char *flags)
{
    char *flag;

    while ((flag = strsep(&flags, " ")) != NULL) {
        if (strcmp(flag, "ht") == 0 || strcmp(flag, "pf") == 0 || strcmp(flag, "io") == 0)
            return true;
    }
    return false;
}

/* `line` is modified. VmFlags is the last line of a mapping: Rss is known by then. */
static void parse_field(char *line, const struct pht_mapping *mapping,
                        struct pht_mapping_memory *memory)
{
    char *colon = strchr(line, ':');
    uint64_t size = mapping->end - mapping->start, kib;

    if (colon == NULL)
        return;
    *colon = '\0';
    if (strcmp(line, "VmFlags") == 0) {
        /* A driver may map ordinary pages as well, and those the kernel does count. */
        memory->is_outside_rss = has_foreign_pages(colon + 1) && memory->rss_bytes == 0;
        return;
    }
    uint64_t *bytes = find_field(line, memory);
    if (bytes != NULL && sscanf(colon + 1, "%" SCNu64 " kB", &kib) == 1 &&
        kib <= (size - *bytes) / 1024)
        *bytes += kib * 1024;
}

struct smaps_items {
    PHT_VEC(struct pht_mapping) mappings;
    PHT_VEC(struct pht_mapping_memory) memory;
};

static bool parse_lines(char *text, struct smaps_items *items)
{
    struct pht_mapping mapping;
    bool taken = false; /* fields belong to the last mapping */
    pht_addr end = 0;
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (isupper((unsigned char)line[0])) {
            if (taken && !is_gate(&mapping))
                parse_field(line, &mapping, &items->memory.items[items->memory.count - 1]);
            continue;
        }
        taken = pht_maps_parse_line(line, end, &mapping);
        if (!taken)
            continue;
        if (!pht_vec_push(&items->mappings, mapping) ||
            !pht_vec_push(&items->memory, (struct pht_mapping_memory){0}))
            return false;
        end = mapping.end;
    }
    return true;
}

bool pht_smaps_parse(char *text, struct pht_smaps *ret)
{
    struct smaps_items items = {0};

    if (!parse_lines(text, &items)) {
        free(items.mappings.items);
        free(items.memory.items);
        return false;
    }
    *ret = (struct pht_smaps){
        .maps = {.items = items.mappings.items, .count = items.mappings.count, .names = text},
        .memory = items.memory.items,
    };
    return true;
}

void pht_smaps_deinit(struct pht_smaps *smaps)
{
    pht_maps_deinit(&smaps->maps);
    free(smaps->memory);
    smaps->memory = NULL;
}

/* ---- sum ---------------------------------------------------------------------------------- */

/*
 * What is not anonymous is of shared memory or of a file, whichever is behind the mapping. No sum
 * wraps: no field is larger than its mapping, and mappings do not overlap.
 */
static void add_mapping(const struct pht_mapping *mapping, const struct pht_mapping_memory *memory,
                        struct pht_kernel_memory *ret)
{
    uint64_t backed = memory->rss_bytes > memory->anonymous_bytes
                          ? memory->rss_bytes - memory->anonymous_bytes
                          : 0;

    ret->rss_bytes += memory->rss_bytes;
    ret->anon_bytes += memory->anonymous_bytes;
    *(pht_mapping_is_shmem(mapping) ? &ret->shmem_bytes : &ret->file_bytes) += backed;
    ret->pss_bytes += memory->pss_bytes;
    ret->uss_bytes += memory->exclusive_bytes;
    ret->swap_bytes += memory->swap_bytes;
    ret->huge_bytes += memory->huge_bytes;
    if (!is_gate(mapping))
        ret->virtual_bytes += mapping->end - mapping->start;
}

void pht_smaps_sum(const struct pht_smaps *smaps, struct pht_kernel_memory *ret)
{
    ret->rss_bytes = ret->anon_bytes = ret->file_bytes = ret->shmem_bytes = 0;
    ret->pss_bytes = ret->uss_bytes = ret->swap_bytes = 0;
    ret->virtual_bytes = ret->huge_bytes = 0;
    for (size_t i = 0; i < smaps->maps.count; i++)
        add_mapping(&smaps->maps.items[i], &smaps->memory[i], ret);
}
