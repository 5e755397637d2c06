/*
 * What the dynamic loader keeps before malloc is there: elf/dl-minimal.c takes whole pages from
 * mmap(2), never gives one back, and hands them out from the bottom up. The nodes of its list of
 * files lie there, those of files that were loaded later in malloc's memory.
 */
#include <link.h>
#include <stddef.h>
#include <string.h>

#include "base/checked.h"
#include "base/sorted.h"
#include "walk/regions.h"

/* Files of a process; what is behind them in the loader's list is not looked at. */
#define LINK_MAPS_MAX 16384

/* Thread-local variables of all files that are loaded at the start. */
#define TLS_BYTES_MAX ((uint64_t)1 << 20)

/* struct link_map has 1,152 bytes in 2.31 and 1,208 in 2.43; behind it stands its file's name. */
#define LINK_MAP_BYTES ((uint64_t)1208)

/* The loader's file has two or three mappings behind its code, of less than 100 KiB. */
#define LOADER_MAPPINGS_MAX 4
#define VARIABLES_BYTES_MAX ((uint64_t)1 << 20)

/* No image of a file is larger. */
#define IMAGE_BYTES_MAX ((uint64_t)16 << 30)

/* ---- its list of files -------------------------------------------------------------------- */

/*
 * No record tells where struct link_map has {l_map_start, l_map_end}. But only one pair of its
 * private members can be the first address of a file, and one that lies behind it.
 */
static bool find_span(const struct pht_region_walk *walk, const uint64_t *words, size_t count,
                      struct pht_range *ret)
{
    for (size_t i = sizeof(struct link_map) / sizeof(*words); i + 1 < count; i++) {
        pht_addr start = words[i], end = words[i + 1];
        if (start < PHT_PAGE_BYTES || start % PHT_PAGE_BYTES != 0 || end > PHT_USER_ADDR_MAX ||
            end <= start || end - start > IMAGE_BYTES_MAX)
            continue;
        const struct pht_mapping *mapping = pht_maps_find(walk->maps, start);
        if (mapping == NULL || mapping->start != start || mapping->inode == 0 ||
            mapping->offset != 0)
            continue;
        *ret = (struct pht_range){start, end};
        return true;
    }
    return false;
}

/*
 * The loader's own node is a variable of it, and comes after those of all files that the program
 * needs (elf/rtld.c, dl_main()): what follows was loaded later, in malloc's memory.
 */
static bool is_loaders_own(const struct pht_region_walk *walk, pht_addr map)
{
    const struct pht_mapping *mapping = pht_maps_find(walk->maps, map);

    return mapping != NULL && mapping->inode != 0;
}

static bool add_link_map(struct pht_region_walk *walk, pht_addr map, const uint64_t *words,
                         size_t count, struct pht_link_maps *ret)
{
    uint64_t tls_at = walk->libc->threads.link_map_tls_offset / sizeof(*words);
    struct pht_range span;

    /* l_tls_offset is 0 for files without, and -1 where the block is not at a fixed place. */
    if (tls_at < count && words[tls_at] <= TLS_BYTES_MAX && words[tls_at] > ret->tls_bytes)
        ret->tls_bytes = words[tls_at];
    ret->has_own |= is_loaders_own(walk, map);
    return (ret->has_own || pht_vec_push(&ret->nodes, map)) &&
           (!find_span(walk, words, count, &span) || pht_vec_push(&ret->spans, span));
}

bool pht_link_maps_read(struct pht_region_walk *walk, struct pht_link_maps *ret)
{
    pht_addr map, prev = 0;

    *ret = (struct pht_link_maps){0};
    if (walk->libc == NULL || !walk->libc->threads.known ||
        pht_snapshot_read(walk->snapshot,
                          walk->libc->threads.debug + offsetof(struct r_debug, r_map), &map,
                          sizeof(map)) != PHT_READ_OK)
        return true;
    for (int i = 0; i < LINK_MAPS_MAX && map != 0; i++) {
        uint64_t words[LINK_MAP_BYTES / sizeof(uint64_t)];
        enum pht_read_result why;
        if (map % sizeof(map) != 0 || map > PHT_USER_ADDR_MAX)
            break;
        size_t got = pht_snapshot_read_some(walk->snapshot, map, words, sizeof(words), &why);
        if (got < sizeof(struct link_map) ||
            words[offsetof(struct link_map, l_prev) / sizeof(*words)] != prev)
            break;
        if (!add_link_map(walk, map, words, got / sizeof(*words), ret))
            return false;
        prev = map;
        map = words[offsetof(struct link_map, l_next) / sizeof(*words)];
    }
    pht_sort(ret->spans.items, ret->spans.count, sizeof(*ret->spans.items));
    return true;
}

void pht_link_maps_deinit(struct pht_link_maps *maps)
{
    free(maps->nodes.items);
    free(maps->spans.items);
    *maps = (struct pht_link_maps){0};
}

/* ---- its memory --------------------------------------------------------------------------- */

/*
 * A page is the loader's if its own variables or a node of its list point there, and nobody else
 * has claimed it: pages of stacks and .bss, to which they point as well, have their owners by now.
 */
struct evidence {
    struct pht_region_walk *walk;
    PHT_VEC(struct { pht_addr address; }) pages;
};

static bool may_be_loaders(const struct pht_mapping *mapping)
{
    return mapping != NULL && pht_region_is_private(mapping) && mapping->writable &&
           !mapping->executable && strcmp(mapping->name, "[heap]") != 0;
}

/* A page that is claimed here is not claimed again, so each is noted once. */
static bool note(struct evidence *evidence, pht_addr addr)
{
    pht_addr page = pht_round_down(addr, PHT_PAGE_BYTES);
    struct pht_owners *owners = evidence->walk->owners;

    if (addr < PHT_PAGE_BYTES || addr > PHT_USER_ADDR_MAX ||
        !may_be_loaders(pht_maps_find(evidence->walk->maps, addr)) ||
        pht_owners_unclaimed(owners, page, page + PHT_PAGE_BYTES) == 0)
        return true;
    pht_owners_claim_rest(owners, page, page + PHT_PAGE_BYTES, PHT_CATEGORY_FILES);
    if (!pht_vec_reserve(&evidence->pages, evidence->pages.count + 1))
        return false;
    evidence->pages.items[evidence->pages.count++].address = page;
    return true;
}

/* Whatever in [start, end) is a pointer. */
static bool note_words(struct evidence *evidence, pht_addr start, pht_addr end)
{
    uint64_t words[PHT_PAGE_BYTES / sizeof(uint64_t)];

    for (pht_addr at = start; at < end; at += sizeof(words)) {
        size_t bytes = end - at < sizeof(words) ? (size_t)(end - at) : sizeof(words);
        enum pht_read_result why;
        size_t count = pht_snapshot_read_some(evidence->walk->snapshot, at, words, bytes, &why) /
                       sizeof(words[0]);
        for (size_t i = 0; i < count; i++) {
            if (!note(evidence, words[i]))
                return false;
        }
    }
    return true;
}

/*
 * Its variables: _r_debug is one of them. They stand in the pages of its file behind its code,
 * and in its .bss.
 */
static bool note_variables(struct evidence *evidence)
{
    const struct pht_maps *maps = evidence->walk->maps;
    const struct pht_mapping *mapping = pht_maps_find(maps, evidence->walk->libc->threads.debug);

    if (mapping == NULL)
        return true;
    pht_addr end = mapping->end;
    if (end - mapping->start > VARIABLES_BYTES_MAX)
        return true;
    for (int i = 0; i < LOADER_MAPPINGS_MAX; i++) {
        if (!note_words(evidence, mapping->start, mapping->end))
            return false;
        const struct pht_mapping *below = mapping > maps->items ? mapping - 1 : NULL;
        if (below == NULL || below->end != mapping->start || below->executable ||
            below->inode == 0 || below->end - below->start > VARIABLES_BYTES_MAX)
            break;
        mapping = below;
    }
    return true;
}

static bool note_all(struct evidence *evidence, const struct pht_link_maps *link_maps)
{
    /*
     * Its variables lead to what it has got of malloc as well. Where that is another allocator's,
     * nobody has claimed it yet.
     */
    if (!evidence->walk->has_other_allocator && !note_variables(evidence))
        return false;
    for (size_t i = 0; i < link_maps->nodes.count; i++) {
        pht_addr map = link_maps->nodes.items[i];
        if (!note(evidence, map) || !note(evidence, map + LINK_MAP_BYTES - 1) ||
            !note_words(evidence, map, map + LINK_MAP_BYTES))
            return false;
    }
    return true;
}

/* Neighbours become one region. */
static bool add_pages(struct evidence *evidence)
{
    size_t count = evidence->pages.count;

    pht_sort(evidence->pages.items, count, sizeof(evidence->pages.items[0]));
    for (size_t i = 0; i < count;) {
        pht_addr start = evidence->pages.items[i].address, end = start;
        while (i < count && evidence->pages.items[i].address == end) {
            end += PHT_PAGE_BYTES;
            i++;
        }
        if (!pht_region_add(evidence->walk, start, end, PHT_REGION_LOADER, 0))
            return false;
    }
    return true;
}

bool pht_regions_find_loader(struct pht_region_walk *walk, const struct pht_link_maps *link_maps)
{
    struct evidence evidence = {.walk = walk};

    if (walk->libc == NULL || !walk->libc->threads.known)
        return true;
    bool found = note_all(&evidence, link_maps) && add_pages(&evidence);
    free(evidence.pages.items);
    return found;
}
