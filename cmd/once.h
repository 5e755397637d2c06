/* One report of one process. */
#ifndef PHT_CMD_ONCE_H
#define PHT_CMD_ONCE_H

#include "cmd/options.h"

struct pht_error *once_report(const struct options *options);

/* Take it only. */
struct pht_error *once_take(const struct options *options, struct pht_report **ret);

#endif
