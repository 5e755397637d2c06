/* The list of processes on the terminal, until one is chosen. */
#ifndef PHT_LIB_TUI_PICK_H
#define PHT_LIB_TUI_PICK_H

#include "tui/signals.h"

struct pht_pick {
    struct pht_terminal *terminal;
    const struct pht_signals *signals;
    const char *name; /* only those that are called so; NULL: all */
    bool is_ascii;
};

/* `*ret` is 0 if none was chosen, and `*signal` then what ended it, or 0. */
struct pht_error *pht_pick(const struct pht_pick *pick, pid_t *ret, int *signal);

#endif
