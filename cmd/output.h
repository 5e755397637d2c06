/* Where a report goes: standard output, or a file of its own. */
#ifndef PHT_CMD_OUTPUT_H
#define PHT_CMD_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "pyheaptop/error.h"

/* `path` is NULL for standard output. PHT_ERROR_OUTPUT_FILE. */
struct pht_error *output_open(const char *path, FILE **ret);

/* In any case. `is_written`: the views had memory enough. */
struct pht_error *output_close(FILE *file, bool is_written);

#endif
