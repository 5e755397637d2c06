/*
 * What options there are: one table, from which the parser, the help, the settings of the config
 * file and the completions come, and which a test compares with the man page.
 */
#ifndef PHT_CMD_OPTION_TABLE_H
#define PHT_CMD_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Keys of options without a short form; those of others are their letters. */
enum option_key {
    OPTION_SCREEN = 256,
    OPTION_SECTION,
    OPTION_FAMILY,
    OPTION_TYPES,
    OPTION_NO_TYPES,
    OPTION_PREVIEW,
    OPTION_NO_PREVIEW,
    OPTION_DIFF,
    OPTION_BASELINE,
    OPTION_THREADS,
    OPTION_STOP,
    OPTION_NO_STOP,
    OPTION_MAX_STOP,
    OPTION_RATE,
    OPTION_LAYOUT,
    OPTION_NO_DWARF,
    OPTION_DUMP_LAYOUT,
    OPTION_NO_SANDBOX,
    OPTION_STRICT,
    OPTION_COLOR,
    OPTION_ASCII,
    OPTION_MOUSE,
    OPTION_COMPLETIONS,
};

/* The numbers of rows that the parser has room for. */
#define OPTION_ROWS_MAX 64

struct option_row {
    int key;
    const char *name;
    const char *argument; /* NULL: takes none; "[=...]": may do without */
    const char *help;
    const char *values; /* words that the argument can be, each but the last followed by a blank */
    enum {
        OPTION_IS_SETTING = 1 << 0,  /* may stand in the config file */
        OPTION_OF_SCREENS = 1 << 1,  /* means nothing to a report */
        OPTION_ASKS_REPORT = 1 << 2, /* so no screens, even on a terminal */
    } flags;
};

const struct option_row *option_rows(size_t *count);

/* NULL if there is none. */
const struct option_row *option_of_key(int key);
const struct option_row *option_of_name(const char *name);

bool option_needs_value(const struct option_row *row);

void options_write_help(FILE *file);

#endif
