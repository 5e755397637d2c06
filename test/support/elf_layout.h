/* Layouts that are sound without being any build's own. */
#ifndef PHT_TEST_SUPPORT_ELF_LAYOUT_H
#define PHT_TEST_SUPPORT_ELF_LAYOUT_H

#include "pyheaptop/layout.h"

/* As 3.11 has them: statics, and no struct of an allocator state. */
struct pht_python_layout elf_layout_of_statics(void);

/* As 3.12 has them: everything is known. */
struct pht_python_layout elf_layout_of_states(void);

#endif
