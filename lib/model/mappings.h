/* The list of mappings: what each is, and what lives there. */
#ifndef PHT_LIB_MODEL_MAPPINGS_H
#define PHT_LIB_MODEL_MAPPINGS_H

#include "pyheaptop/model.h"

/* Fill in report->mappings from its smaps and owners. False when memory is short. */
bool pht_mappings_list(struct pht_report *report);

#endif
