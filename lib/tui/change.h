/* Growth of the snapshot that is shown against the baseline, looked up by what grew. */
#ifndef PHT_LIB_TUI_CHANGE_H
#define PHT_LIB_TUI_CHANGE_H

#include "pyheaptop/model.h"

struct pht_change;

/*
 * Of a diff whose `after` is the snapshot that is shown. Keeps it. NULL when memory is short.
 */
struct pht_change *pht_change_create(const struct pht_diff *diff);
void pht_change_destroy(struct pht_change *change);

const struct pht_diff *pht_change_diff(const struct pht_change *change);

/*
 * NULL: it did not change, or `change` is NULL, or that list is not known of both:
 * pht_change_knows() tells these apart.
 */
const struct pht_growth *pht_change_of_category(const struct pht_change *change,
                                                enum pht_category category);
const struct pht_growth *pht_change_of_type(const struct pht_change *change,
                                            const struct pht_type_sum *type);
const struct pht_growth *pht_change_of_size_class(const struct pht_change *change,
                                                  uint64_t block_bytes);

/* False: "-" is to be shown rather than 0. */
bool pht_change_knows(const struct pht_change *change, enum pht_figure_kind kind);

#endif
