/* Facts side by side in one line, as many as fit: the ones that matter come first. */
#ifndef PHT_LIB_TUI_FACTS_H
#define PHT_LIB_TUI_FACTS_H

#include "tui/canvas.h"

struct pht_facts {
    struct pht_area area;
    unsigned row;
    unsigned column; /* where the next one would begin, its separator included */
    unsigned end;
    const char *separator;
    bool is_first;
};

void pht_facts_begin(struct pht_facts *facts, struct pht_area area, unsigned row, unsigned column,
                     const char *separator);

/* At the right end, which the others leave alone. */
void pht_facts_right(struct pht_facts *facts, enum pht_role role, const char *text);

/* False: there is no room for it. */
bool pht_facts_add(struct pht_facts *facts, enum pht_role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
