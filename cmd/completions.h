/* What a shell completes after "pyheaptop", as a script of its own language. */
#ifndef PHT_CMD_COMPLETIONS_H
#define PHT_CMD_COMPLETIONS_H

#include <stdio.h>

enum completions_shell {
    COMPLETIONS_BASH,
    COMPLETIONS_ZSH,
    COMPLETIONS_FISH,
};

/* The options come from the option table, the processes from whichever run when it is used. */
void completions_write(enum completions_shell shell, FILE *file);

#endif
