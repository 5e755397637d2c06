/*
 * Signals are read from a descriptor, where the loop that draws waits for it: it alone knows when
 * the terminal can be left.
 */
#ifndef PHT_LIB_TUI_SIGNALS_H
#define PHT_LIB_TUI_SIGNALS_H

#include <signal.h>
#include <stdbool.h>

#include "tui/terminal.h"

struct pht_signals {
    int fd;
    sigset_t before;
};

/* Those that end the program, tell of another size, or suspend it. */
struct pht_error *pht_signals_catch(struct pht_signals *ret);
void pht_signals_release(struct pht_signals *signals);

/* The next one that came; 0: none. Never waits. */
int pht_signals_next(const struct pht_signals *signals);

/* The shell that started us has the terminal until it continues us. */
void pht_signals_suspend(struct pht_terminal *terminal);

#endif
