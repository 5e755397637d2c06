/*
 * Allocators besides glibc's and CPython's. Debian's libraries are called libjemalloc.so.2,
 * libtcmalloc.so.4, libtcmalloc_minimal.so.4, libmimalloc.so.2.0; a program may have one of them
 * linked in.
 */
#include <elf.h>
#include <stdio.h>
#include <string.h>

#include "layout/elf_image.h"
#include "layout/symbols.h"

struct known {
    const char *name;   /* part of the library's name, too */
    const char *symbol; /* that no other allocator has */
};

static const struct known known[PHT_FOREIGN_ALLOCATORS] = {
    {"jemalloc", "mallocx"},
    {"tcmalloc", "tc_malloc"},
    {"mimalloc", "mi_malloc"},
};

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* A file that is worth a look: one that is called like an allocator, and the program itself. */
static bool is_candidate(const struct pht_target *target, const struct pht_mapping *mapping)
{
    if (mapping->inode == 0 || !mapping->executable || mapping->name[0] != '/')
        return false;
    for (size_t i = 0; i < PHT_FOREIGN_ALLOCATORS; i++) {
        if (strstr(file_name(mapping->name), known[i].name) != NULL)
            return true;
    }
    return strcmp(mapping->name, pht_target_process(target)->exe) == 0;
}

static bool has_one(const struct pht_foreign_allocator *found, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(found[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Those that `image` exports, added to the `count` that were found before. */
static size_t look_into(struct pht_elf_image *image, struct pht_foreign_allocator *ret,
                        size_t count)
{
    struct pht_symbol symbols[PHT_FOREIGN_ALLOCATORS + 1] = {{.name = "malloc"}};

    for (size_t i = 0; i < PHT_FOREIGN_ALLOCATORS; i++)
        symbols[i + 1].name = known[i].symbol;
    pht_symbols_find(image->elf, SHT_DYNSYM, symbols, PHT_FOREIGN_ALLOCATORS + 1);
    for (size_t i = 0; i < PHT_FOREIGN_ALLOCATORS; i++) {
        if (symbols[i + 1].matches == 0 || has_one(ret, count, known[i].name))
            continue;
        ret[count].name = known[i].name;
        ret[count].serves_malloc = symbols[0].matches > 0;
        snprintf(ret[count].image, sizeof(ret[count].image), "%s", image->path);
        count++;
    }
    return count;
}

size_t pht_foreign_allocators_find(struct pht_target *target, const struct pht_maps *maps,
                                   struct pht_foreign_allocator ret[PHT_FOREIGN_ALLOCATORS])
{
    size_t count = 0;

    for (size_t i = 0; i < maps->count && count < PHT_FOREIGN_ALLOCATORS; i++) {
        struct pht_elf_image image;
        if (!is_candidate(target, &maps->items[i]) ||
            !pht_elf_image_open(target, maps, &maps->items[i], &image))
            continue;
        count = look_into(&image, ret, count);
        pht_elf_image_close(&image);
    }
    return count;
}
