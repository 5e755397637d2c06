/*
 * The ledger: each resident byte in one category. Its RSS is that of the page tables at one
 * moment, right after the stop; the categories add up to it whatever the walks find later.
 */
#ifndef PHT_LIB_MODEL_LEDGER_H
#define PHT_LIB_MODEL_LEDGER_H

#include "pyheaptop/model.h"

/* True if the wanted sections need one. */
bool pht_ledger_is_wanted(const struct pht_report *report);

/*
 * Before the walks: find out which pages the mappings of report->smaps have, as of now. False:
 * memory is short.
 */
bool pht_ledger_begin(struct pht_snapshot *snapshot, struct pht_report *report);

/* Forget mappings, pages, claims and regions. */
void pht_ledger_drop(struct pht_report *report);

/* After them, and after the regions: add up. Needs report->mappings. False: memory is short. */
bool pht_ledger_add_up(struct pht_report *report);

#endif
