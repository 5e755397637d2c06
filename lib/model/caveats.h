/* What a report has to say about its own gaps: its warnings, and whether it is complete. */
#ifndef PHT_LIB_MODEL_CAVEATS_H
#define PHT_LIB_MODEL_CAVEATS_H

#include "pyheaptop/model.h"

/* Why there is no pymalloc part: no layout, or an interpreter that does not use it. */
void pht_caveats_no_layout(struct pht_report *report);

/* The layout did not lead to an allocator's state. */
void pht_caveats_unproven(struct pht_report *report, const struct pht_pymalloc_roots *roots);

/* There are arenas, and none of them could be walked: zeros would be wrong. */
void pht_caveats_no_arena(struct pht_report *report);

/* Everything else, once the walks are done. Sets report->complete. */
void pht_caveats_collect(struct pht_report *report, const struct pht_target *target);

#endif
