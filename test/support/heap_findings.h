/* Findings of a report that was made up: one of each severity. */
#ifndef PHT_TEST_SUPPORT_HEAP_FINDINGS_H
#define PHT_TEST_SUPPORT_HEAP_FINDINGS_H

#include "pyheaptop/model.h"

void heap_findings_add(struct pht_report *report);

/* As of a process in order. */
void heap_findings_drop(struct pht_report *report);

#endif
