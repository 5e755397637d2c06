/*
 * Signals of the screens: blocked in all threads, and read where it is known what to do about them.
 */
#ifndef PHT_LIB_TUI_SIGNALS_H
#define PHT_LIB_TUI_SIGNALS_H

#include <signal.h>

#include "tui/terminal.h"

struct pht_signals {
    int fd; /* readable when one is there */
    sigset_t before;
};

/* SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH and SIGTSTP. Threads that are made later have it so.
 */
struct pht_error *pht_signals_catch(struct pht_signals *signals);
void pht_signals_release(struct pht_signals *signals);

/* 0: there is none. */
int pht_signals_next(struct pht_signals *signals);

/* Stop, as Ctrl-Z has it, with all of the job; the shell has the terminal until we go on. */
void pht_signals_suspend(struct pht_terminal *terminal);

#endif
