/* How findings are shown, on screens and in text. */
#ifndef PHT_LIB_VIEW_FINDING_H
#define PHT_LIB_VIEW_FINDING_H

#include "pyheaptop/model.h"

/* "HIGH", "MED", "INFO". */
const char *pht_finding_word(enum pht_severity severity);

/* By its name, "free_bytes": the number is one of bytes. */
bool pht_finding_is_size(const struct pht_finding_figure *figure);

#endif
