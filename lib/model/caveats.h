/*
 * What a report has to say about its own gaps: its warnings, and whether it is complete. An id
 * means one thing; those of glibc's malloc differ from those of pymalloc.
 */
#ifndef PHT_LIB_MODEL_CAVEATS_H
#define PHT_LIB_MODEL_CAVEATS_H

#include "pyheaptop/model.h"

/* Which allocators that were asked for have no layout, and why. */
void pht_caveats_no_layout(struct pht_report *report);

/* The layout did not lead to an allocator's state. */
void pht_caveats_pymalloc_unproven(struct pht_report *report,
                                   const struct pht_pymalloc_roots *roots);
void pht_caveats_glibc_unproven(struct pht_report *report, const struct pht_glibc_roots *roots);

/* Objects are in mimalloc: zeros would be wrong. */
void pht_caveats_mimalloc(struct pht_report *report);

/* There are arenas of pymalloc, and none of them could be walked: zeros would be wrong. */
void pht_caveats_no_arena(struct pht_report *report);

/* Everything else, once the walks are done. Sets report->complete. */
void pht_caveats_collect(struct pht_report *report, const struct pht_target *target);

/* This process parsed what the target holds without a sandbox around it. */
void pht_caveats_no_sandbox(struct pht_report *report, const char *why);

/* ---- its parts, one for each walk --------------------------------------------------------- */

void pht_caveats_pymalloc_no_layout(struct pht_report *report);
void pht_caveats_glibc_no_layout(struct pht_report *report);

/*
 * What a torn structure did: it changed while it was read or, in a process that stood still all the
 * while, was being changed when it stopped. And what may help, NULL if nothing is known to.
 */
const char *pht_caveats_why_torn(const struct pht_report *report, uint64_t count);
const char *pht_caveats_torn_remedy(const struct pht_report *report);

/* What is wrong with the figures; true if nothing is, and nothing was left out. */
bool pht_caveats_gc(struct pht_report *report);
bool pht_caveats_pymalloc(struct pht_report *report);
bool pht_caveats_glibc(struct pht_report *report);
bool pht_caveats_objects(struct pht_report *report);

#endif
