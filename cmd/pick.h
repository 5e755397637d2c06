/* From what the user typed to one process. */
#ifndef PHT_CMD_PICK_H
#define PHT_CMD_PICK_H

#include <stdio.h>
#include <sys/types.h>

#include "pyheaptop/error.h"

/* `text` is a pid, or a name that one Python process alone has. */
struct pht_error *pick_process(const char *text, pid_t *ret);

/* The Python processes that can be picked, one a line. */
struct pht_error *pick_list(FILE *file);

#endif
