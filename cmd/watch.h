/* The screens, on a terminal. */
#ifndef PHT_CMD_WATCH_H
#define PHT_CMD_WATCH_H

#include "cmd/options.h"

/* Whether the options and standard input and output leave it at that: no report is asked for. */
bool watch_is_wanted(const struct options *options);

/* An option that only the screens know was given where there will be none. */
struct pht_error *watch_refuse(const struct options *options);

/* `signal` is the one that ended it, or 0. */
struct pht_error *watch_process(const struct options *options, int *signal);

#endif
