/* The cache of C libraries, see cache.h. */
#ifndef PHT_LIB_LAYOUT_LIBC_CACHE_H
#define PHT_LIB_LAYOUT_LIBC_CACHE_H

#include "layout/record.h"

/* Fill in the version, the layout and its sources; the build-id is the key. False leaves `libc`. */
bool pht_libc_cache_load(const char *directory, struct pht_libc *libc);

/* The same out of a file that was given, which may be NULL. */
bool pht_libc_file_load(const struct pht_layout_file *file, struct pht_libc *libc);

/* The next library whose layout is compiled in, from `*at` on, which begins with 0. */
bool pht_libc_tables_next(size_t *at, struct pht_libc *row);

extern const struct pht_record_kind pht_libc_record_kind;
bool pht_libc_record_write(FILE *file, const struct pht_libc *libc);

void pht_libc_cache_store(const struct pht_layout_options *options, const struct pht_libc *libc);
void pht_libc_cache_forget(const struct pht_layout_options *options, const char *build_id);

#endif
