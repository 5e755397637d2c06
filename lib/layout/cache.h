/*
 * Resolved layouts on disk, a file with one record for each build-id, which names it.
 *
 * A file that is no such record, or that someone else owns or may write, counts as absent.
 *
 * Data that does not fit a kept layout makes it be resolved anew. If that gives the same, what
 * does not fit is the process's own, and the file names the process: see layout.h.
 */
#ifndef PHT_LIB_LAYOUT_CACHE_H
#define PHT_LIB_LAYOUT_CACHE_H

#include "layout/record.h"

/* Fill in all of `record` but its key. False leaves anything in it. */
bool pht_cache_load(const char *directory, const struct pht_record_kind *kind,
                    struct pht_layout_record *record);

/* Failures are of no consequence: the next start resolves again. */
void pht_cache_store(const struct pht_layout_options *options, const struct pht_record_kind *kind,
                     const struct pht_layout_record *record);

/* "PID.START", of which no two are alike until the machine is started again. */
void pht_cache_name_process(const struct pht_process *process, char name[static 32]);

void pht_cache_forget(const struct pht_layout_options *options, const struct pht_record_kind *kind,
                      const char *build_id);

#endif
