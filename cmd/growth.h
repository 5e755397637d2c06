/* What grew between two reports: two files, or a file and a process. */
#ifndef PHT_CMD_GROWTH_H
#define PHT_CMD_GROWTH_H

#include "cmd/options.h"

/* The figures of a JSON report. PHT_ERROR_FROM_FILE. */
struct pht_error *growth_read_file(const char *path, struct pht_figures **ret);

struct pht_error *growth_report(const struct options *options);

#endif
