/* Full-screen views of one process, refreshed until the user has seen enough. */
#ifndef PHT_TUI_H
#define PHT_TUI_H

#include "pyheaptop/view.h"

#define PHT_EXPORT_PATH_MAX 72

enum pht_tui_color {
    PHT_TUI_COLOR_AUTO, /* unless NO_COLOR is set */
    PHT_TUI_COLOR_ALWAYS,
    PHT_TUI_COLOR_NEVER,
};

enum pht_tui_screen {
    PHT_TUI_OVERVIEW,
    PHT_TUI_PYMALLOC,
    PHT_TUI_GLIBC,
    PHT_TUI_TYPES,
    PHT_TUI_MAPS,
};

struct pht_tui_options {
    const char *version; /* of the program, for exports */
    const char *name;    /* that processes are called, to choose from; NULL: all */
    const struct pht_report_options *report; /* how snapshots are taken; sections: all */
    struct pht_steward *steward;             /* in a sandbox, else NULL */
    uint64_t interval_us;                    /* between two snapshots */
    uint64_t count;                          /* of snapshots, then no more are taken; 0: no end */
    const char *baseline;                    /* a JSON report, or NULL: the first snapshot */
    enum pht_tui_screen screen;              /* the first */
    const char *sort;                        /* a column, of the screens that have it; or NULL */
    enum pht_tui_color color;
    bool ascii;
    bool mouse;
};

/* Which signal ended the screens, or 0. */
struct pht_tui_end {
    int signal;
};

/*
 * Watch a process on the terminal of standard input and output, until the user quits. NULL: it is
 * chosen from a list. It may be changed for another one on the way; the target is closed in the
 * end. Errors are those of the terminal, and of the first snapshot.
 */
struct pht_error *pht_tui_run(struct pht_target *target, const struct pht_tui_options *options,
                              struct pht_tui_end *end);

/* The steward's part of exports (PHT_DUTY_EXPORT); `context` is one of these, zeroed at first. */
struct pht_export_duty {
    char created[2][PHT_EXPORT_PATH_MAX]; /* the last two, which alone may be taken back */
};

int pht_export_perform(void *context, struct pht_errand *errand);

/* What draws on the terminal, and its version. */
const char *pht_tui_library(void);

#endif
