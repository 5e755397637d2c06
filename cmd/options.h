/* The command line: one table says what there is, and help comes from it. */
#ifndef PHT_CMD_OPTIONS_H
#define PHT_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "pyheaptop/view.h"

enum command {
    COMMAND_REPORT,
    COMMAND_LIST, /* no process was named */
    COMMAND_DUMP_LAYOUT,
    COMMAND_HELP,
    COMMAND_VERSION,
};

struct options {
    enum command command;
    const char *process; /* pid or name; with `diff` also a file, or NULL */
    bool json;
    bool verbose;
    const char *output; /* NULL: stdout */
    const char *layout; /* a file of layouts, or NULL */
    bool no_dwarf;
    const char *diff;  /* a report to compare with, or NULL */
    unsigned sections; /* 0: none was named, so all, in short */
    bool without_types;
    enum pht_type_order type_sort;
    uint64_t type_rows; /* 0: no number was given */
    enum { PREVIEW_DEFAULT, PREVIEW_OFF, PREVIEW_ON } preview;
    unsigned threads;
    enum pht_stop_mode stop;
    uint64_t max_stop_ms;
    bool no_sandbox;

    /* Not parsed, but set by confine_begin(). */
    struct pht_steward *steward; /* NULL: nobody but us */
    const char *sandbox_failure; /* NULL: there is none */
};

/* PHT_ERROR_USAGE. `json` is set even then, so that the error can be told in that form. */
struct pht_error *options_parse(int argc, char **argv, struct options *ret);

void options_write_help(FILE *file);

#endif
