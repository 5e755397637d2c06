/* The list of processes on the terminal, until one was chosen and could be opened. */
#ifndef PHT_LIB_TUI_CHOOSE_H
#define PHT_LIB_TUI_CHOOSE_H

#include "tui/signals.h"

struct pht_chosen {
    struct pht_target *target; /* NULL: none was chosen */
    int signal;                /* that ended it, or 0 */
};

struct pht_choose_options {
    const char *name;    /* only those that are called so, at first; NULL: all */
    const char *message; /* to begin with; NULL: none */
    struct pht_steward *steward; /* in a sandbox, else NULL */
    bool is_ascii;
};

struct pht_error *pht_choose(struct pht_terminal *terminal, struct pht_signals *signals,
                             const struct pht_choose_options *options, struct pht_chosen *ret);

#endif
