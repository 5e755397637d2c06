/* Types of one build and the addresses of another: what makes a layout where no debug file does. */
#ifndef PHT_LIB_LAYOUT_PYTHON_FIT_H
#define PHT_LIB_LAYOUT_PYTHON_FIT_H

#include "layout/elf_image.h"

/*
 * Fill in python->layout with the types of `row`, and with addresses by symbols and scans, and say
 * in python->symbol_source by which. Not `is_exact`: the row is of another release, and only what
 * has lasted is taken of it; where debug offsets tell more, layout_source becomes
 * PHT_LAYOUT_DEBUG_OFFSETS.
 *
 * NULL, or PHT_ERROR_NO_LAYOUT, or PHT_ERROR_NOT_INITIALISED; the layout is cleared then.
 */
struct pht_error *pht_python_fit(struct pht_target *target, const struct pht_maps *maps,
                                 struct pht_elf_image *image, const struct pht_python_layout *row,
                                 bool is_exact, struct pht_python *python);

#endif
