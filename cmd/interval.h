/* One snapshot after the other: a line of text each, or of JSON. */
#ifndef PHT_CMD_INTERVAL_H
#define PHT_CMD_INTERVAL_H

#include "cmd/options.h"

/*
 * Until the options' count is reached. That the process ends before is PHT_ERROR_EXITED_EARLY, but
 * none where there is no count and a snapshot was made.
 */
struct pht_error *interval_report(const struct options *options);

#endif
