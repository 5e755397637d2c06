/* The interpreters of a process; the main one has the id 0. */
#ifndef PHT_LIB_WALK_INTERPRETER_H
#define PHT_LIB_WALK_INTERPRETER_H

#include "walk/circle.h"

/* Whether the layout leads to it. */
bool pht_interpreter_is_known(const struct pht_python_layout *layout);

/* Its PyInterpreterState; 0 if there is none. `*is_only`: there are no others. */
pht_addr pht_interpreter_main(struct pht_snapshot *snapshot, const struct pht_python *python,
                              bool *is_only);

/* All of them, the newest first; none if the layout does not lead to them. */
struct pht_interpreters {
    struct pht_snapshot *snapshot;
    const struct pht_python_layout *layout;
    struct pht_circle circle;
    pht_addr link; /* where the next one's address stands; 0: nowhere */
};

void pht_interpreters_begin(struct pht_interpreters *interpreters, struct pht_snapshot *snapshot,
                            const struct pht_python *python);

/* The PyInterpreterState of the next one; 0 behind the last. */
pht_addr pht_interpreters_next(struct pht_interpreters *interpreters);

#endif
