/* Layouts of interpreters without debug information: types from tables, addresses by what is left.
 */
#ifndef PHT_LIB_LAYOUT_PYTHON_TABLES_H
#define PHT_LIB_LAYOUT_PYTHON_TABLES_H

#include "layout/elf_image.h"

/*
 * Fill in python->layout and its two sources, for the version that is known already. NULL, or
 * PHT_ERROR_NO_LAYOUT with what is missing, or PHT_ERROR_NOT_INITIALISED; the layout is cleared
 * then.
 */
struct pht_error *pht_python_tables_resolve(struct pht_target *target, const struct pht_maps *maps,
                                            struct pht_elf_image *image, struct pht_python *python);

/* False where both tell how large _PyRuntime is, and differ. */
bool pht_python_row_is_possible(struct pht_elf_image *image, const struct pht_python_layout *row);

#endif
