/* Layouts of C libraries without debug information: types by release, addresses by what is left. */
#ifndef PHT_LIB_LAYOUT_LIBC_TABLES_H
#define PHT_LIB_LAYOUT_LIBC_TABLES_H

#include "layout/module_data.h"

/*
 * Fill in libc->layout and its two sources; its bounds and its threads are known, and its version
 * if anything told it. The version says only which release is tried first: what fits is proved in
 * the target, which runs on meanwhile. NULL, or PHT_ERROR_NO_LAYOUT; the layout is cleared then.
 */
struct pht_error *pht_libc_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                          struct pht_elf_image *image, struct pht_libc *libc);

/*
 * The types of a release that is compiled in: `minor` is 36 for 2.36. Those that debug information
 * told come before those that are only declared.
 */
struct pht_libc_release {
    uint64_t rank;
    unsigned minor;
    struct pht_libc_layout layout;
};

#define PHT_LIBC_RELEASES_MAX 64

/* All of them, the nearest to `version` first; "" is the newest. Returns how many. */
size_t pht_libc_releases(const char *version, struct pht_libc_release ret[PHT_LIBC_RELEASES_MAX]);

enum pht_libc_fit {
    PHT_LIBC_FIT_NONE,
    PHT_LIBC_FIT_ARENAS, /* but where the threads have their variables cannot be told */
    PHT_LIBC_FIT_ALL,
};

/*
 * Try types on the process, once. Addresses in libc->layout are those that symbols told; all of it
 * is filled in, but for PHT_LIBC_FIT_NONE, which leaves anything there.
 */
enum pht_libc_fit pht_libc_release_try(const struct pht_module_data *data, uint64_t tls_bytes,
                                       const struct pht_libc_layout *types, struct pht_libc *libc);

#endif
