#include "support/figures.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct pht_figures *figures_create(const char *taken_at, int64_t rss_bytes)
{
    struct pht_figures *figures = calloc(1, sizeof(*figures));

    ck_assert_ptr_nonnull(figures);
    figures->taken_at = strdup(taken_at);
    figures->comm = strdup("celery");
    figures->pid = 48213;
    figures->start_time_ticks = 777;
    figures->rss_bytes = rss_bytes;
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++)
        figures->lists[kind].known = true;
    return figures;
}

void figures_add(struct pht_figures *figures, enum pht_figure_kind kind, const char *module,
                 const char *name, uint64_t number, uint64_t count, uint64_t bytes)
{
    struct pht_figure_list *list = &figures->lists[kind];
    const struct pht_figure figure = {strdup(name), strdup(module), number, count, bytes};

    ck_assert(figure.name != NULL && figure.module != NULL);
    ck_assert(pht_vec_push(list, figure));
}
