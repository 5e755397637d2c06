/*
 * Layouts of interpreters whose debug file is of another build: it lends its types, and never its
 * addresses.
 */
#ifndef PHT_LIB_LAYOUT_PYTHON_LENT_H
#define PHT_LIB_LAYOUT_PYTHON_LENT_H

#include "layout/elf_image.h"

/*
 * As pht_python_tables_resolve(), with the types of such a file, which must be of the same release:
 * python->lent_build_id is its own then.
 */
struct pht_error *pht_python_lent_resolve(struct pht_target *target, const struct pht_maps *maps,
                                          struct pht_elf_image *image, struct pht_python *python);

#endif
