/* The program in its sandbox, and the steward that does what is forbidden there. */
#ifndef PHT_CMD_CONFINE_H
#define PHT_CMD_CONFINE_H

#include "cmd/options.h"

/*
 * From the options on everything runs inside, unless --no-sandbox says otherwise. Sets what
 * `options` has for it, which confine_end() releases. A kernel that has no sandbox is no error.
 */
struct pht_error *confine_begin(struct options *options);
void confine_end(struct options *options);

#endif
