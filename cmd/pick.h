/* From what the user typed to one process. */
#ifndef PHT_CMD_PICK_H
#define PHT_CMD_PICK_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "pyheaptop/error.h"

/* `text` is a pid, or a name that one Python process alone has. */
struct pht_error *pick_process(const char *text, pid_t *ret);

/* Whether it is the name of several: then somebody has to choose. */
bool pick_has_several(const char *text);

/* The Python processes that can be picked, one a line. */
struct pht_error *pick_list(FILE *file);

#endif
