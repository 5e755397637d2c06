/*
 * The terminal: its size, its keys, and a canvas put on it. Only term_curses.c, which is behind
 * this, knows the library that does it.
 */
#ifndef PHT_LIB_TUI_TERMINAL_H
#define PHT_LIB_TUI_TERMINAL_H

#include "pyheaptop/tui.h"
#include "tui/canvas.h"
#include "tui/key.h"

struct pht_terminal;

/*
 * Take over standard input and output, of which there is one. Whatever ends the program, the
 * terminal is as before: also by a signal for damage (SIGSEGV and its like). Refusals are
 * PHT_ERROR_TERMINAL.
 */
struct pht_error *pht_terminal_open(enum pht_tui_color color, struct pht_terminal **ret);
void pht_terminal_close(struct pht_terminal *terminal);

/* Whether it shows UTF-8, by the program's LC_CTYPE. */
bool pht_terminal_is_utf8(void);

/* As it is now; after SIGWINCH. */
void pht_terminal_measure(struct pht_terminal *terminal, unsigned *rows, unsigned *columns);

void pht_terminal_show(struct pht_terminal *terminal, const struct pht_canvas *canvas);

/* The next show draws all cells anew. */
void pht_terminal_redraw(struct pht_terminal *terminal);

/* Never waits. */
struct pht_input pht_terminal_read(struct pht_terminal *terminal);

/* Off at first: clicks and the wheel are the terminal's own then. */
void pht_terminal_use_mouse(struct pht_terminal *terminal, bool on);

/* Leave the terminal to others, and take it back. */
void pht_terminal_leave(struct pht_terminal *terminal);
void pht_terminal_return(struct pht_terminal *terminal);

#endif
