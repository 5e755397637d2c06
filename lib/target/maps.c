#include "target/maps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* The kernel writes newline, and only newline, in a name as "\012". */
static void unescape_name(char *name)
{
    char *out = name;

    for (const char *in = name; *in != '\0';) {
        if (strncmp(in, "\\012", 4) == 0) {
            *out++ = '\n';
            in += 4;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
}

bool pht_maps_parse_line(char *line, pht_addr least, struct pht_mapping *ret)
{
    static const char deleted[] = " (deleted)";
    char perms[5];
    int name_at = -1;

    *ret = (struct pht_mapping){0};
    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &ret->start,
               &ret->end, perms, &ret->offset, &ret->dev_major, &ret->dev_minor, &ret->inode,
               &name_at) != 7 ||
        name_at < 0 || strlen(perms) != 4)
        return false;
    ret->readable = perms[0] == 'r';
    ret->writable = perms[1] == 'w';
    ret->executable = perms[2] == 'x';
    ret->shared = perms[3] == 's';
    char *name = line + name_at;
    size_t length = strlen(name), suffix = sizeof(deleted) - 1;
    if (length > suffix && strcmp(name + length - suffix, deleted) == 0) {
        ret->deleted = true;
        name[length - suffix] = '\0';
    }
    unescape_name(name);
    ret->name = name;
    return ret->start >= least && ret->start < ret->end && ret->start % PHT_PAGE_BYTES == 0 &&
           ret->end % PHT_PAGE_BYTES == 0;
}

bool pht_maps_parse(char *text, struct pht_maps *ret)
{
    PHT_VEC(struct pht_mapping) mappings = {0};
    struct pht_mapping mapping;
    pht_addr end = 0;
    char *rest = text, *line;

    while ((line = strsep(&rest, "\n")) != NULL) {
        if (!pht_maps_parse_line(line, end, &mapping))
            continue;
        if (!pht_vec_push(&mappings, mapping)) {
            free(mappings.items);
            return false;
        }
        end = mapping.end;
    }
    *ret = (struct pht_maps){.items = mappings.items, .count = mappings.count, .names = text};
    return true;
}

void pht_maps_deinit(struct pht_maps *maps)
{
    free(maps->items);
    free(maps->names);
    *maps = (struct pht_maps){0};
}

const struct pht_mapping *pht_maps_find(const struct pht_maps *maps, pht_addr addr)
{
    size_t low = 0, high = maps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->items[middle].end <= addr)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == maps->count || maps->items[low].start > addr)
        return NULL;
    return &maps->items[low];
}

/* The mount below which POSIX shared memory lives, and names that the kernel itself gives. */
bool pht_mapping_is_shmem(const struct pht_mapping *mapping)
{
    static const char *const starts[] = {"/dev/shm/", "/dev/zero", "/memfd:", "/SYSV",
                                         "[anon_shmem:"};

    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strncmp(mapping->name, starts[i], strlen(starts[i])) == 0)
            return true;
    }
    return false;
}
