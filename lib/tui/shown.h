/* The snapshot that is shown, the baseline, and what lies between them. */
#ifndef PHT_LIB_TUI_SHOWN_H
#define PHT_LIB_TUI_SHOWN_H

#include "tui/change.h"

struct pht_shown {
    struct pht_report *report; /* NULL: nothing is shown yet */
    struct pht_report *former; /* the one before, while screens move on */
    struct pht_figures *figures;
    struct pht_figures *baseline; /* NULL: there is none */
    bool is_baseline_given;       /* from a file */
    struct pht_diff diff;
    struct pht_change *change; /* NULL: no baseline, or no memory */
};

void pht_shown_deinit(struct pht_shown *shown);

/* What walks have found, not only what the kernel tells. */
bool pht_report_is_whole(const struct pht_report *report);

/*
 * Show this one, which is taken. The first whole one becomes the baseline if there is none. The
 * former report stays until pht_shown_drop_former(). False when memory is short: no change is
 * shown then.
 */
bool pht_shown_take(struct pht_shown *shown, struct pht_report *report);
void pht_shown_drop_former(struct pht_shown *shown);

/* Compare with this from now on; taken. */
bool pht_shown_set_baseline(struct pht_shown *shown, struct pht_figures *baseline);

/* The snapshot that is shown becomes the baseline. */
bool pht_shown_rebase(struct pht_shown *shown);

#endif
