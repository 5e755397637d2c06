/* One look at the allocators: the roots of all of them out of one snapshot, then their walks. */
#ifndef PHT_LIB_MODEL_CAPTURE_H
#define PHT_LIB_MODEL_CAPTURE_H

#include "base/work.h"
#include "pyheaptop/model.h"

/*
 * Fill in what the report says of pymalloc and glibc, whose runtimes were found before. What
 * cannot be walked is a warning. A layout from the cache that does not fit is resolved anew.
 */
struct pht_error *pht_capture(struct pht_target *target, const struct pht_report_options *options,
                              struct pht_work *work, struct pht_report *report);

#endif
