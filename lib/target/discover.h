/*
 * Which processes look like Python. By names only: that is cheap, needs few rights, and is good
 * enough for a list or a hint; the layout stage finds out for sure.
 */
#ifndef PHT_LIB_TARGET_DISCOVER_H
#define PHT_LIB_TARGET_DISCOVER_H

#include "pyheaptop/target.h"

bool pht_discover_is_python(int process_fd);

/* The command line in one line fit to print, caller frees; NULL if it cannot be had. */
char *pht_discover_command(int process_fd);

/* As pht_candidates_find(), in the tree at `proc_fd`. */
struct pht_error *pht_discover(int proc_fd, pid_t except, struct pht_candidates *ret);

/* As pht_candidates_look(). */
void pht_discover_look(int proc_fd, struct pht_candidates *candidates);

#endif
