/* What the command line asks for. */
#ifndef PHT_CMD_OPTIONS_H
#define PHT_CMD_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "cmd/completions.h"
#include "pyheaptop/view.h"

struct config;

enum command {
    COMMAND_REPORT,
    COMMAND_LIST, /* no process was named */
    COMMAND_DUMP_LAYOUT,
    COMMAND_SORT_HELP,
    COMMAND_COMPLETIONS,
    COMMAND_HELP,
    COMMAND_VERSION,
};

struct options {
    enum command command;
    const char *process; /* pid or name; with `diff` also a file, or NULL */
    bool json;
    bool asks_report; /* an option was given that only a report has: no screens */
    bool verbose;
    bool quiet;
    bool strict;                  /* exit with 8 when something was left out */
    bool repeats;                 /* --delay or --count was on the line: more than one snapshot */
    uint64_t delay_ms;            /* between two snapshots; 0: not given */
    uint64_t count;               /* of snapshots; 0: no end */
    const char *baseline;         /* a report to show change against, or NULL */
    enum completions_shell shell; /* of COMMAND_COMPLETIONS */
    const char *output;           /* NULL: stdout */
    const char *layout;           /* a file of layouts, or NULL */
    bool no_dwarf;
    const char *diff;  /* a report to compare with, or NULL */
    unsigned sections; /* 0: none was named, so all, in short */
    bool without_types;
    const char *sort;  /* a column, or NULL */
    bool sorts_report; /* it is one of those of a report: `type_sort` */
    enum pht_type_order type_sort;
    uint64_t type_rows; /* 0: no number was given */
    enum { PREVIEW_DEFAULT, PREVIEW_OFF, PREVIEW_ON } preview;
    unsigned threads;
    enum pht_stop_mode stop;
    uint64_t max_stop_ms;
    uint64_t bytes_per_second; /* 0: no limit */

    /* For the screens. */
    bool sorts_screens;        /* the line names a column that only they have */
    const char *screen_option; /* the first of these that the command line has, or NULL */
    enum { SCREEN_OVERVIEW, SCREEN_PYMALLOC, SCREEN_GLIBC, SCREEN_TYPES, SCREEN_MAPS } screen;
    enum { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER } color;
    bool ascii;
    bool mouse;

    bool no_sandbox;

    /* Not parsed, but set by confine_begin(). */
    struct pht_steward *steward; /* NULL: nobody but us */
    const char *sandbox_failure; /* NULL: there is none */
};

/*
 * What the line says goes before what the environment says (NO_COLOR), and that before `config`,
 * which gets notes on what is wrong in it, and may be NULL. PHT_ERROR_USAGE. `json` is set even
 * then, so that the error can be told in that form.
 */
struct pht_error *options_parse(int argc, char **argv, struct config *config, struct options *ret);

#endif
