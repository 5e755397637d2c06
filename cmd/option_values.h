/* What one option means: its value, looked at and put where the program reads it. */
#ifndef PHT_CMD_OPTION_VALUES_H
#define PHT_CMD_OPTION_VALUES_H

#include "cmd/options.h"

/*
 * `key` is that of a row of the option table. `value` is NULL where none was given, and outlives
 * `options`, which *keeps* it. PHT_ERROR_USAGE.
 */
struct pht_error *option_take(int key, const char *value, struct options *options);

/* PHT_ERROR_USAGE; `text`, made printable, takes the place of the format's only %s. */
struct pht_error *option_usage(const char *format, const char *text);

#endif
