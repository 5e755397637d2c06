#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "layout/cache.h"
#include "layout/libc_cache.h"
#include "layout/libc_layout.h"
#include "layout/libc_tables.h"
#include "layout/libc_version.h"
#include "layout/library.h"
#include "layout/resolve.h"
#include "layout/threads.h"

void pht_libc_destroy(struct pht_libc *libc)
{
    if (libc == NULL)
        return;
    free(libc->image);
    pht_error_destroy(libc->layout_error);
    free(libc);
}

static void cleanup_libc(struct pht_libc **libc)
{
    pht_libc_destroy(*libc);
}

const char *pht_libc_family_name(enum pht_libc_family family)
{
    switch (family) {
    case PHT_LIBC_GLIBC:
        return "glibc";
    case PHT_LIBC_MUSL:
        return "musl";
    case PHT_LIBC_OTHER:
        break;
    }
    return "other";
}

/* ---- where it is -------------------------------------------------------------------------- */

static const struct pht_mapping *find_mapping(const struct pht_maps *maps,
                                              enum pht_libc_family *family)
{
    const struct pht_mapping *mapping = pht_library_find(maps, PHT_LIBRARY_GLIBC);

    *family = PHT_LIBC_GLIBC;
    if (mapping != NULL)
        return mapping;
    *family = PHT_LIBC_MUSL;
    mapping = pht_library_find(maps, PHT_LIBRARY_MUSL);
    if (mapping != NULL)
        return mapping;
    *family = PHT_LIBC_OTHER;
    return pht_library_find(maps, PHT_LIBRARY_LIBC);
}

/*
 * The loader reserves the span of an image before it maps the file there: what else is mapped of
 * the file belongs to another copy, and what follows within the span is .bss.
 */
static void find_bounds(struct pht_elf_image *image, const struct pht_maps *maps,
                        const struct pht_mapping *code, struct pht_libc *libc)
{
    const struct pht_mapping *last = code;
    uint64_t start, end;

    libc->start = code->start;
    libc->end = code->end;
    if (!pht_elf_image_span(image, &start, &end))
        return;
    start += image->bias;
    end += image->bias;
    for (size_t i = 0; i < maps->count; i++) {
        const struct pht_mapping *mapping = &maps->items[i];
        if (!pht_elf_same_file(mapping, code) || mapping->start < start || mapping->end > end)
            continue;
        if (mapping->start < libc->start)
            libc->start = mapping->start;
        last = mapping;
    }
    libc->end = last->end;
    const struct pht_mapping *bss = pht_maps_find(maps, libc->end);
    if (last->writable && bss != NULL && bss->writable && bss->inode == 0 && libc->end < end)
        libc->end = end < bss->end ? end : bss->end;
}

/* ---- what it is --------------------------------------------------------------------------- */

/* Tables come last; what they lack is said only to who wanted nothing else. */
static struct pht_error *resolve_layout(struct pht_target *target, const struct pht_maps *maps,
                                        struct pht_elf_image *image,
                                        const struct pht_layout_options *options,
                                        struct pht_libc *libc)
{
    struct pht_error *error = NULL;

    if (!options->no_dwarf) {
        error = pht_libc_layout_resolve(target, image, libc);
        if (error == NULL || error->code != PHT_ERROR_NO_LAYOUT || options->no_tables)
            return error;
    }
    struct pht_error *other = pht_libc_tables_resolve(target, maps, image, libc);
    if (other == NULL || other->code != PHT_ERROR_NO_LAYOUT || error == NULL) {
        pht_error_destroy(error);
        return other;
    }
    pht_error_destroy(other);
    return error;
}

static void resolve(struct pht_target *target, const struct pht_maps *maps,
                    struct pht_elf_image *image, const struct pht_layout_options *options,
                    struct pht_libc *libc)
{
    bool is_carried = pht_libc_file_load(options->file, libc);
    if (is_carried || (!options->no_dwarf && pht_libc_cache_load(options->cache_directory, libc))) {
        pht_target_note(target, "%s: glibc %s, layouts from the %s", image->path,
                        libc->version_text, is_carried ? "given file" : "cache");
        return;
    }
    pht_libc_version(image, libc->version_text);
    libc->layout_error = resolve_layout(target, maps, image, options, libc);
    if (libc->layout_source == PHT_LAYOUT_DWARF)
        pht_libc_cache_store(options, libc);
    pht_target_note(target, "%s: glibc %s, layouts %s, symbols %s", image->path, libc->version_text,
                    pht_layout_source_name(libc->layout_source),
                    pht_symbol_source_name(libc->symbol_source));
}

static void describe(struct pht_target *target, const struct pht_maps *maps,
                     const struct pht_mapping *mapping, const struct pht_layout_options *options,
                     struct pht_libc *libc)
{
    struct pht_elf_image image;

    if (!pht_elf_image_open(target, maps, mapping, &image)) {
        struct pht_elf_image unreadable = {.path = mapping->name};
        libc->start = mapping->start;
        libc->end = mapping->end;
        if (libc->family == PHT_LIBC_GLIBC)
            libc->layout_error = pht_layout_missing(&unreadable, "readable file");
        return;
    }
    if (libc->family == PHT_LIBC_OTHER && pht_libc_is_musl(&image))
        libc->family = PHT_LIBC_MUSL;
    libc->bias = image.bias;
    memcpy(libc->build_id, image.build_id, sizeof(libc->build_id));
    find_bounds(&image, maps, mapping, libc);
    if (libc->family == PHT_LIBC_GLIBC) {
        pht_thread_layout_find(target, maps, &image, &libc->threads);
        resolve(target, maps, &image, options, libc);
    } else {
        pht_target_note(target, "%s: %s", image.path, pht_libc_family_name(libc->family));
    }
    pht_elf_image_close(&image);
}

struct pht_error *pht_libc_find(struct pht_target *target, const struct pht_maps *maps,
                                const struct pht_layout_options *options, struct pht_libc **ret)
{
    enum pht_libc_family family;
    const struct pht_mapping *mapping = find_mapping(maps, &family);

    *ret = NULL;
    if (mapping == NULL)
        return NULL;
    _cleanup_(cleanup_libc) struct pht_libc *libc = calloc(1, sizeof(*libc));
    if (libc == NULL || (libc->image = strdup(mapping->name)) == NULL)
        return pht_error_no_memory();
    libc->family = family;
    pht_libc_layout_clear(&libc->layout);
    describe(target, maps, mapping, options, libc);
    if (libc->layout_error != NULL && libc->layout_error->code == PHT_ERROR_NO_MEMORY)
        return pht_take_ptr(libc->layout_error);
    *ret = pht_take_ptr(libc);
    return NULL;
}

bool pht_libc_distrust_cache(const struct pht_libc *libc, const struct pht_process *process,
                             const struct pht_layout_options *options)
{
    char name[32];

    pht_cache_name_process(process, name);
    if (!libc->cached || strcmp(libc->odd_process, name) == 0)
        return false;
    pht_libc_cache_forget(options, libc->build_id);
    return true;
}

void pht_libc_keep_doubted(struct pht_libc *libc, const struct pht_process *process,
                           const struct pht_layout_options *options)
{
    pht_cache_name_process(process, libc->odd_process);
    pht_libc_cache_store(options, libc);
}
