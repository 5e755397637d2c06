/* Who of the target's family shares which pages with it, and who copied which since the fork. */
#ifndef PHT_LIB_MODEL_SHARING_H
#define PHT_LIB_MODEL_SHARING_H

#include "base/work.h"
#include "pyheaptop/model.h"

/* Fill in report->family; needs report->owners. Errors: memory, and PHT_ERROR_CANCELLED. */
struct pht_error *pht_sharing_find(struct pht_target *target, struct pht_work *work,
                                   struct pht_report *report);

#endif
