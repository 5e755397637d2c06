/* The layouts of a process or a file, written for --layout. */
#ifndef PHT_CMD_DUMP_LAYOUT_H
#define PHT_CMD_DUMP_LAYOUT_H

#include "cmd/options.h"

struct pht_error *dump_layout(const struct options *options);

#endif
