/* How a sample of a chunk is shown, in text and in JSON. */
#ifndef PHT_LIB_VIEW_SAMPLE_H
#define PHT_LIB_VIEW_SAMPLE_H

#include "pyheaptop/model.h"

/* "text", "pointer", "zeros", "other" */
const char *pht_sample_kind_name(enum pht_sample_kind kind);

/* The file's mapping that it points to; NULL if it is of another kind. */
const struct pht_mapping *pht_sample_mapping(const struct pht_report *report,
                                             const struct pht_chunk_sample *sample);

#endif
