/* The interpreter and the C library of a report. */
#ifndef PHT_LIB_MODEL_RUNTIMES_H
#define PHT_LIB_MODEL_RUNTIMES_H

#include "pyheaptop/model.h"

/*
 * Find what the wanted sections need and the report does not have yet: report->python for
 * pymalloc, report->libc for glibc. That there is no interpreter is an error only where one is
 * needed.
 */
struct pht_error *pht_runtimes_find(struct pht_target *target,
                                    const struct pht_report_options *options,
                                    struct pht_report *report);

/* True if the allocator was asked for and its layout is known, so that it can be walked. */
bool pht_runtimes_know_pymalloc(const struct pht_report *report);
bool pht_runtimes_know_glibc(const struct pht_report *report);

/* True if the collector is to be looked at, and the free lists. */
bool pht_runtimes_want_gc(const struct pht_report *report);

/*
 * True if objects are in CPython's own copy of mimalloc, which nobody walks: always in
 * free-threaded builds, in others as PYTHONMALLOC asks for it. That is known once the roots were
 * read.
 */
bool pht_runtimes_use_mimalloc(const struct pht_report *report);

#endif
