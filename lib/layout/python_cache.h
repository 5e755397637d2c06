/* The cache of interpreters, see cache.h. */
#ifndef PHT_LIB_LAYOUT_PYTHON_CACHE_H
#define PHT_LIB_LAYOUT_PYTHON_CACHE_H

#include "layout/record.h"

/* Fill in all of `python` but its image, bias and build-id, which is the key. False leaves it. */
bool pht_python_cache_load(const char *directory, struct pht_python *python);

/* The same out of a file that was given, which may be NULL. */
bool pht_python_file_load(const struct pht_layout_file *file, struct pht_python *python);

/*
 * The next of those that are compiled in, see tables.h: version, flags and layout of `ret`, whose
 * other members stay as they are. False after the last.
 */
bool pht_python_tables_next(size_t *at, struct pht_python *ret);

extern const struct pht_record_kind pht_python_record_kind;
bool pht_python_record_write(FILE *file, const struct pht_python *python);

void pht_python_cache_store(const struct pht_layout_options *options,
                            const struct pht_python *python);
void pht_python_cache_forget(const struct pht_layout_options *options, const char *build_id);

#endif
