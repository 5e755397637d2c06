/*
 * Variables of the interpreter that no symbol tells: found by what stands in them.
 *
 * Up to 3.11 pymalloc's roots are statics. A stripped interpreter exports functions only; still its
 * table of used pools is like nothing else, arenas prove each other, and the code of an exported
 * function says which variables it uses (references.h).
 */
#ifndef PHT_LIB_LAYOUT_PYTHON_SCAN_H
#define PHT_LIB_LAYOUT_PYTHON_SCAN_H

#include "layout/module_data.h"

/*
 * Fill in addresses of `layout` that are unknown, as linked; its types are those of `row`, which
 * also says which variables such a release has. What is not found, or more than once, stays
 * unknown. True if anything was found.
 */
bool pht_python_scan(const struct pht_module_data *data, struct pht_elf_image *image,
                     const struct pht_python_layout *row, struct pht_python_layout *layout);

#endif
