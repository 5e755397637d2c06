/*
 * Files, shared memory, what the kernel itself maps, and what the files' own headers prove: .bss,
 * the anonymous memory behind a file's pages. A segment's bytes behind p_filesz are zeros (elf(5));
 * those that fill its last page lie in the file's mapping, the rest is memory of no file. The
 * kernel merges that with any other memory behind it, so nothing is claimed beyond p_memsz.
 *
 * The headers are read from the image in memory. Their page may not be resident (a child has none
 * of a file's pages after fork(2)): then the loader's list tells where the image ends. Where that
 * is not known either, the .bss has no proven end, and is left alone.
 */
#include <elf.h>
#include <string.h>

#include "base/checked.h"
#include "base/sorted.h"
#include "walk/regions.h"

/* Linkers make a dozen; those of an image with more are not looked at. */
#define SEGMENTS_MAX 64

struct image {
    const struct pht_mapping *first; /* of its file, at offset 0 */
    Elf64_Phdr segments[SEGMENTS_MAX];
    size_t count;
    uint64_t bias;
};

/* ---- .bss --------------------------------------------------------------------------------- */

static bool is_of_file(const struct pht_mapping *mapping, const struct pht_mapping *file)
{
    return mapping != NULL && mapping->inode == file->inode &&
           mapping->dev_major == file->dev_major && mapping->dev_minor == file->dev_minor;
}

static bool is_sane(const Elf64_Phdr *segment)
{
    return segment->p_filesz <= segment->p_memsz && segment->p_vaddr <= PHT_USER_ADDR_MAX &&
           segment->p_memsz <= PHT_USER_ADDR_MAX;
}

/* What maps the start of the file tells where the rest of it should be. */
static bool find_bias(struct image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        const Elf64_Phdr *segment = &image->segments[i];
        if (segment->p_type != PT_LOAD || segment->p_offset >= PHT_PAGE_BYTES)
            continue;
        image->bias = image->first->start - pht_round_down(segment->p_vaddr, PHT_PAGE_BYTES);
        return true;
    }
    return false;
}

static bool read_image(struct pht_region_walk *walk, const struct pht_mapping *first,
                       struct image *ret)
{
    Elf64_Ehdr header;
    size_t room = (PHT_PAGE_BYTES - sizeof(header)) / sizeof(ret->segments[0]);

    *ret = (struct image){.first = first};
    if (pht_snapshot_read(walk->snapshot, first->start, &header, sizeof(header)) != PHT_READ_OK ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > SEGMENTS_MAX ||
        header.e_phnum > room ||
        header.e_phoff > PHT_PAGE_BYTES - header.e_phnum * sizeof(Elf64_Phdr) ||
        pht_snapshot_read(walk->snapshot, first->start + header.e_phoff, ret->segments,
                          header.e_phnum * sizeof(Elf64_Phdr)) != PHT_READ_OK)
        return false;
    ret->count = header.e_phnum;
    for (size_t i = 0; i < ret->count; i++) {
        if (ret->segments[i].p_type == PT_LOAD && !is_sane(&ret->segments[i]))
            return false;
    }
    return find_bias(ret);
}

/*
 * A file may be mapped whole just to be read: then its pages are not where the segments want
 * them. A segment of zeros alone has no page of the file: there the image's code must be in place.
 */
static bool is_in_place(const struct pht_region_walk *walk, const struct image *image,
                        const Elf64_Phdr *segment)
{
    const struct pht_mapping *mapping;

    if (segment->p_filesz > 0) {
        mapping = pht_maps_find(walk->maps, image->bias + segment->p_vaddr + segment->p_filesz - 1);
        return is_of_file(mapping, image->first) && !mapping->shared;
    }
    for (size_t i = 0; i < image->count; i++) {
        const Elf64_Phdr *code = &image->segments[i];
        if (code->p_type == PT_LOAD && code->p_flags & PF_X && code->p_filesz > 0) {
            mapping = pht_maps_find(walk->maps, image->bias + code->p_vaddr);
            return is_of_file(mapping, image->first) && mapping->executable;
        }
    }
    return false;
}

static bool add_bss(struct pht_region_walk *walk, pht_addr start, pht_addr wanted)
{
    pht_addr end = start;

    while (end < wanted) {
        const struct pht_mapping *mapping = pht_maps_find(walk->maps, end);
        if (mapping == NULL || !pht_region_is_private(mapping))
            break;
        end = mapping->end < wanted ? mapping->end : wanted;
    }
    return start >= end || pht_region_add(walk, start, end, PHT_REGION_BSS, 0);
}

static bool add_by_headers(struct pht_region_walk *walk, const struct image *image)
{
    for (size_t i = 0; i < image->count; i++) {
        const Elf64_Phdr *segment = &image->segments[i];
        pht_addr vaddr = image->bias + segment->p_vaddr;
        pht_addr start = pht_round_up(vaddr + segment->p_filesz, PHT_PAGE_BYTES);
        pht_addr end = pht_round_up(vaddr + segment->p_memsz, PHT_PAGE_BYTES);
        if (segment->p_type == PT_LOAD && end <= PHT_USER_ADDR_MAX &&
            is_in_place(walk, image, segment) && !add_bss(walk, start, end))
            return false;
    }
    return true;
}

/* All that the loader has reserved for the image behind the last page of its file is its .bss. */
static bool add_by_span(struct pht_region_walk *walk, const struct pht_mapping *first,
                        const struct pht_range *span)
{
    const struct pht_maps *maps = walk->maps;
    pht_addr start = first->end;

    for (const struct pht_mapping *mapping = first + 1;
         mapping < maps->items + maps->count && mapping->start < span->end; mapping++) {
        if (is_of_file(mapping, first))
            start = mapping->end;
    }
    return add_bss(walk, start, pht_round_up(span->end, PHT_PAGE_BYTES));
}

static bool add_image(struct pht_region_walk *walk, const struct pht_link_maps *link_maps,
                      const struct pht_mapping *first)
{
    const struct pht_ranges *spans = &link_maps->spans;
    size_t span = pht_sorted_find(spans->items, spans->count, sizeof(*spans->items), first->start);
    struct image image;

    if (read_image(walk, first, &image))
        return add_by_headers(walk, &image);
    return span == spans->count || spans->items[span].start != first->start ||
           add_by_span(walk, first, &spans->items[span]);
}

/* ---- mappings ----------------------------------------------------------------------------- */

static bool is_kernels(const struct pht_mapping *mapping)
{
    static const char *const names[] = {"[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]",
                                        "[uprobes]"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(mapping->name, names[i]) == 0)
            return true;
    }
    return false;
}

/*
 * A program that asks for an executable stack gets all its memory executable (READ_IMPLIES_EXEC):
 * then only what cannot be written is code.
 */
static bool proves_code(const struct pht_maps *maps)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (strcmp(maps->items[i].name, "[stack]") == 0)
            return !maps->items[i].executable;
    }
    return false;
}

static bool is_code(const struct pht_mapping *mapping, bool may_be_writable)
{
    return mapping->executable && pht_region_is_private(mapping) &&
           (may_be_writable || !mapping->writable) && strcmp(mapping->name, "[heap]") != 0 &&
           strcmp(mapping->name, "[stack]") != 0;
}

static bool add_mapping(struct pht_region_walk *walk, const struct pht_mapping *mapping,
                        bool may_be_writable)
{
    if (is_kernels(mapping))
        return pht_region_add(walk, mapping->start, mapping->end, PHT_REGION_KERNEL, 0);
    if (is_code(mapping, may_be_writable))
        return pht_region_add(walk, mapping->start, mapping->end, PHT_REGION_CODE, 0);
    if (pht_mapping_is_shmem(mapping) || (mapping->shared && mapping->inode == 0))
        pht_owners_claim_rest(walk->owners, mapping->start, mapping->end,
                              PHT_CATEGORY_SHARED_MEMORY);
    else if (mapping->inode != 0)
        pht_owners_claim_rest(walk->owners, mapping->start, mapping->end, PHT_CATEGORY_FILES);
    return true;
}

bool pht_regions_find_files(struct pht_region_walk *walk, const struct pht_link_maps *link_maps)
{
    bool may_be_writable = proves_code(walk->maps);

    for (size_t i = 0; i < walk->maps->count; i++) {
        const struct pht_mapping *mapping = &walk->maps->items[i];
        if (!add_mapping(walk, mapping, may_be_writable))
            return false;
        if (mapping->inode != 0 && mapping->offset == 0 && mapping->readable && !mapping->shared &&
            !add_image(walk, link_maps, mapping))
            return false;
    }
    return true;
}
