/* Findings on the overview: a line, all of its sentences, or with what it rests on. */
#ifndef PHT_LIB_TUI_OVERVIEW_FINDINGS_H
#define PHT_LIB_TUI_OVERVIEW_FINDINGS_H

#include "tui/lines.h"
#include "tui/screen.h"

/* Where sentences begin, behind number and severity. */
#define PHT_FINDING_INDENT 10

enum pht_role pht_severity_role(enum pht_severity severity);

/* With its remedy, and in `most` lines at most. */
void pht_overview_draw_finding(struct pht_lines *lines, const struct pht_finding *finding,
                               size_t number, unsigned most);

/* That there is none, where they were looked for. */
void pht_overview_draw_no_finding(struct pht_lines *lines, const struct pht_report *report);

/* With its remedy and all figures. */
void pht_overview_explain(struct pht_lines *lines, const struct pht_view *view,
                          const struct pht_finding *finding);

#endif
