/* The main interpreter of a process, which has the id 0. */
#ifndef PHT_LIB_WALK_INTERPRETER_H
#define PHT_LIB_WALK_INTERPRETER_H

#include "pyheaptop/walk.h"

/* Whether the layout leads to it. */
bool pht_interpreter_is_known(const struct pht_python_layout *layout);

/* Its PyInterpreterState; 0 if there is none. `*is_only`: there are no others. */
pht_addr pht_interpreter_main(struct pht_snapshot *snapshot, const struct pht_python *python,
                              bool *is_only);

#endif
