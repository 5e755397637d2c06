/* An error as the user sees it: text on stderr, JSON on stdout where that was asked for. */
#ifndef PHT_CMD_FAILURE_H
#define PHT_CMD_FAILURE_H

#include "pyheaptop/model.h"

/*
 * Tell and release the error; returns the exit code of the catalogue. That a report is incomplete
 * is no JSON of its own: the report stands there, and says so.
 */
int failure_tell(struct pht_error *error, bool json);

/* PHT_ERROR_INCOMPLETE, with the ids of its warnings, unless the report is complete. */
struct pht_error *failure_of_incomplete(const struct pht_report *report);

#endif
