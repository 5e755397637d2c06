/* What grew between two reports: two files, or a file and a process. */
#ifndef PHT_CMD_GROWTH_H
#define PHT_CMD_GROWTH_H

#include "cmd/options.h"

struct pht_error *growth_report(const struct options *options);

#endif
