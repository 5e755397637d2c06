/* The ledger, mappings and family of a report made by hand. */
#ifndef PHT_TEST_SUPPORT_HEAP_LEDGER_H
#define PHT_TEST_SUPPORT_HEAP_LEDGER_H

#include "pyheaptop/model.h"

/*
 * Mappings of 1,740 MiB, as heap_report.h's kernel counts them, that have something of every
 * category, and six places where some is in none. `owned` of the mappings is of static storage
 * and written anew by each call; the rest is pht_report_destroy()'s to free.
 */
void heap_ledger_add(struct pht_report *report);

/* Pages that are in swap, of the mapping at `index`. */
void heap_ledger_swap(struct pht_report *report, size_t index, enum pht_category category,
                      uint64_t bytes);

/* As if the mappings alone had been asked for: nobody looked whose memory it is. */
void heap_ledger_drop(struct pht_report *report);

/* The target, its parent, two siblings, and a child of one of them that stands last. */
void heap_family_add(struct pht_report *report);

/* The first `count` of them alone; the names of the others are freed. */
void heap_family_keep(struct pht_report *report, size_t count);

#endif
