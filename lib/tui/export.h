/* The report that is shown, as files to keep or to send on. */
#ifndef PHT_LIB_TUI_EXPORT_H
#define PHT_LIB_TUI_EXPORT_H

#include "pyheaptop/tui.h"

#define PHT_EXPORT_NAME_MAX 64

/*
 * Write "pyheaptop-PID-DATE-TIME.txt" and ".json" into the directory that the program is in, for
 * the user alone to read. Nothing that is there is written over, and nothing half stays. `name` is
 * told without its ending. PHT_ERROR_OUTPUT_FILE. `steward` may be NULL: else it makes the files.
 */
struct pht_error *pht_export(const struct pht_report *report, const char *version,
                             struct pht_steward *steward, char name[static PHT_EXPORT_NAME_MAX]);

#endif
