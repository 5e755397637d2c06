/* An error as the user sees it: text on stderr, JSON on stdout where that was asked for. */
#ifndef PHT_CMD_FAILURE_H
#define PHT_CMD_FAILURE_H

#include "pyheaptop/error.h"

/* Tell and release the error; returns the exit code of the catalogue. */
int failure_tell(struct pht_error *error, bool json);

#endif
