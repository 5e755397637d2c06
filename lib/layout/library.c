#include "layout/library.h"

#include <fnmatch.h>
#include <string.h>

static const char *const patterns[][2] = {
    [PHT_LIBRARY_GLIBC] = {"libc.so.6", "libc-2.[0-9]*.so"},
    [PHT_LIBRARY_PTHREAD] = {"libpthread.so.0", "libpthread-2.[0-9]*.so"},
    [PHT_LIBRARY_LOADER] = {"ld-linux*.so.[0-9]", "ld-2.[0-9]*.so"},
    [PHT_LIBRARY_MUSL] = {"ld-musl-*", "libc.musl-*"},
    [PHT_LIBRARY_LIBC] = {"libc.so", "libc.so"},
};

static bool is_called(const struct pht_mapping *mapping, const char *const names[static 2])
{
    const char *slash = strrchr(mapping->name, '/');

    return slash != NULL &&
           (fnmatch(names[0], slash + 1, 0) == 0 || fnmatch(names[1], slash + 1, 0) == 0);
}

const struct pht_mapping *pht_library_find(const struct pht_maps *maps, enum pht_library library)
{
    for (size_t i = 0; i < maps->count; i++) {
        const struct pht_mapping *mapping = &maps->items[i];
        if (mapping->executable && mapping->inode != 0 && is_called(mapping, patterns[library]))
            return mapping;
    }
    return NULL;
}
