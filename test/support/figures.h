/* Figures of two reports that can be compared. */
#ifndef PHT_TEST_SUPPORT_FIGURES_H
#define PHT_TEST_SUPPORT_FIGURES_H

#include "pyheaptop/model.h"

/* Of pid 48213, without a row. */
struct pht_figures *figures_create(const char *taken_at, int64_t rss_bytes);

/* Sizes have neither module nor name. */
void figures_add(struct pht_figures *figures, enum pht_figure_kind kind, const char *module,
                 const char *name, uint64_t number, uint64_t count, uint64_t bytes);

#endif
