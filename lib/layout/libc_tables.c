#include "layout/libc_tables.h"

#include <elf.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/sorted.h"
#include "layout/libc_cache.h"
#include "layout/libc_declared.h"
#include "layout/libc_layout.h"
#include "layout/libc_scan.h"
#include "layout/libc_slots.h"
#include "layout/libc_statics.h"
#include "layout/resolve.h"

/*
 * The target runs on, so that a list may be open just when it is looked at. Threads' variables
 * change less, and there may be none.
 */
#define TRIES 8
#define TRIES_FOR_THREADS 3

/* ---- what is compiled in ------------------------------------------------------------------ */

/* "2.36", "2.38.9000" */
static unsigned minor_of(const char *version)
{
    unsigned minor;

    return sscanf(version, "2.%3u", &minor) == 1 ? minor : PHT_LIBC_MINOR_LAST;
}

static void add(const struct pht_libc_layout *layout, unsigned minor, unsigned wanted,
                bool is_declared, struct pht_libc_release *ret)
{
    uint64_t distance = minor > wanted ? minor - wanted : wanted - minor;

    *ret = (struct pht_libc_release){
        .rank = (2 * distance + is_declared) * 1000 + minor,
        .minor = minor,
        .layout = *layout,
    };
}

size_t pht_libc_releases(const char *version, struct pht_libc_release ret[PHT_LIBC_RELEASES_MAX])
{
    unsigned wanted = minor_of(version);
    struct pht_libc_layout layout;
    struct pht_libc libc;
    size_t count = 0;

    for (unsigned i = PHT_LIBC_MINOR_FIRST; i <= PHT_LIBC_MINOR_LAST; i++) {
        pht_libc_declared(i, &layout);
        add(&layout, i, wanted, true, &ret[count++]);
    }
    for (size_t at = 0; count < PHT_LIBC_RELEASES_MAX && pht_libc_tables_next(&at, &libc);)
        add(&libc.layout, minor_of(libc.version_text), wanted, false, &ret[count++]);
    pht_sort(ret, count, sizeof(ret[0]));
    return count;
}

/* ---- one of them -------------------------------------------------------------------------- */

enum pht_libc_fit pht_libc_release_try(const struct pht_module_data *data, uint64_t tls_bytes,
                                       const struct pht_libc_layout *types, struct pht_libc *libc)
{
    const struct pht_layout_table *table = &pht_libc_layout_table;
    struct pht_libc_blocks blocks;

    pht_layout_take_types(table, types, &libc->layout);
    if (!table->is_as_declared(&libc->layout) || !pht_libc_scan(data, libc->bias, &libc->layout))
        return PHT_LIBC_FIT_NONE;
    libc->layout.random_bytes = types->random_bytes;
    pht_libc_blocks_read(data, libc, tls_bytes, &blocks);
    bool has_slots = pht_libc_slots_find(data, &blocks, libc);
    pht_libc_key_find(data, &blocks, libc);
    pht_libc_random_find(data, libc);
    if (!pht_layout_is_sound(table, &libc->layout) || !table->is_as_declared(&libc->layout))
        return PHT_LIBC_FIT_NONE;
    return has_slots ? PHT_LIBC_FIT_ALL : PHT_LIBC_FIT_ARENAS;
}

/* ---- choosing ----------------------------------------------------------------------------- */

static uint64_t tls_bytes_of(struct pht_elf_image *image)
{
    size_t count;

    if (elf_getphdrnum(image->elf, &count) < 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr header;
        if (gelf_getphdr(image->elf, (int)i, &header) != NULL && header.p_type == PT_TLS)
            return header.p_memsz;
    }
    return 0;
}

struct choice {
    struct pht_libc_release releases[PHT_LIBC_RELEASES_MAX];
    size_t count;
    uint64_t tls_bytes;
    struct pht_libc symbols; /* what they told */
    struct pht_libc best;
    enum pht_libc_fit most; /* the best that may be had */
    enum pht_libc_fit fit;
    unsigned minor;
};

/* The nearest of those that fit best. */
static void try_all(const struct pht_module_data *data, struct choice *choice)
{
    for (size_t i = 0; i < choice->count && choice->fit < choice->most; i++) {
        struct pht_libc libc = choice->symbols;
        enum pht_libc_fit fit =
            pht_libc_release_try(data, choice->tls_bytes, &choice->releases[i].layout, &libc);
        if (fit <= choice->fit)
            continue;
        choice->fit = fit;
        choice->best = libc;
        choice->minor = choice->releases[i].minor;
    }
}

static bool is_done(const struct choice *choice, int tries)
{
    return choice->fit == choice->most ||
           tries >= (choice->fit == PHT_LIBC_FIT_NONE ? TRIES : TRIES_FOR_THREADS);
}

static struct pht_error *choose(struct pht_target *target, const struct pht_maps *maps,
                                struct pht_elf_image *image, struct choice *choice)
{
    for (int tries = 0; !is_done(choice, tries); tries++) {
        struct pht_module_data data;
        if (!pht_module_data_read(target, maps, image, &data))
            return pht_error_no_memory();
        try_all(&data, choice);
        pht_module_data_deinit(&data);
    }
    return choice->fit != PHT_LIBC_FIT_NONE
               ? NULL
               : pht_layout_missing(image, "built-in layout that fits");
}

struct pht_error *pht_libc_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                          struct pht_elf_image *image, struct pht_libc *libc)
{
    _cleanup_free_ struct choice *choice = calloc(1, sizeof(*choice));

    if (choice == NULL)
        return pht_error_no_memory();
    pht_libc_layout_clear(&libc->layout);
    choice->symbols = *libc;
    choice->symbols.symbol_source =
        pht_layout_resolve_symbols(image, &pht_libc_layout_table, &choice->symbols.layout);
    choice->tls_bytes = tls_bytes_of(image);
    choice->most = libc->threads.known ? PHT_LIBC_FIT_ALL : PHT_LIBC_FIT_ARENAS;
    choice->count = pht_libc_releases(libc->version_text, choice->releases);
    struct pht_error *error = choose(target, maps, image, choice);
    if (error != NULL)
        return error;
    bool is_told = choice->symbols.layout.main_arena != PHT_UNKNOWN &&
                   choice->symbols.layout.params != PHT_UNKNOWN;
    libc->layout = choice->best.layout;
    libc->layout_source = PHT_LAYOUT_TABLE;
    libc->symbol_source = is_told ? choice->symbols.symbol_source : PHT_SYMBOL_SCAN;
    pht_target_note(target, "%s: types as in glibc 2.%u", image->path, choice->minor);
    return NULL;
}
