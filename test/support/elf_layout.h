/* Layouts that are sound without being any build's own. */
#ifndef PHT_TEST_SUPPORT_ELF_LAYOUT_H
#define PHT_TEST_SUPPORT_ELF_LAYOUT_H

#include "layout/fields.h"
#include "pyheaptop/layout.h"

/* Those of real builds of 3.11 and 3.13: in the order of the declarations. */
struct pht_python_layout elf_layout_of_3_11(void);
struct pht_python_layout elf_layout_of_3_13(void);

/* The same with the collector of 3.7.0 to 3.7.3, whose heads are not aligned to 16. */
struct pht_python_layout elf_layout_of_short_heads(void);

/* As 3.11 has them: statics, and no struct of an allocator state. */
struct pht_python_layout elf_layout_of_statics(void);

/* As 3.12 has them: everything is known. */
struct pht_python_layout elf_layout_of_states(void);

/* Everything is known, even what no release has at once. */
struct pht_libc_layout elf_layout_of_libc(void);

/* Fails the test if there is none of that name. */
const struct pht_layout_field *elf_layout_field(const struct pht_layout_table *table,
                                                const char *name);

/* Every value of a struct of `bytes` bytes has a line and a name, and those of a type are together.
 */
void elf_layout_check_table(const struct pht_layout_table *table, size_t bytes);

#endif
