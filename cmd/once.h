/* One report of one process. */
#ifndef PHT_CMD_ONCE_H
#define PHT_CMD_ONCE_H

#include "cmd/options.h"

/* The process that the options name. */
struct pht_error *once_open(const struct options *options, struct pht_target **ret);

/* $XDG_CACHE_HOME/pyheaptop, ~/.cache/pyheaptop; NULL when neither is known. For the caller to
 * free. */
char *once_cache_directory(void);

struct pht_error *once_report(const struct options *options);

/* Take it only. */
struct pht_error *once_take(const struct options *options, struct pht_report **ret);

#endif
