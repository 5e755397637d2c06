#include <stdlib.h>
#include <string.h>

#include "pyheaptop/model.h"

/* ---- which belong together ---------------------------------------------------------------- */

static int compare_numbers(uint64_t left, uint64_t right)
{
    return left < right ? -1 : left > right;
}

static int compare_names(const void *a, const void *b)
{
    const struct pht_figure *left = a, *right = b;
    int order = strcmp(left->module, right->module);

    return order != 0 ? order : strcmp(left->name, right->name);
}

/* Sizes have no names, and each number once. */
static int compare_all(const void *a, const void *b)
{
    const struct pht_figure *left = a, *right = b;
    int order = compare_names(a, b);

    return order != 0 ? order : compare_numbers(left->number, right->number);
}

/* ---- growth ------------------------------------------------------------------------------- */

static struct pht_growth grow(const struct pht_figure *before, const struct pht_figure *after)
{
    static const struct pht_figure none;
    const struct pht_figure *from = before != NULL ? before : &none;
    const struct pht_figure *to = after != NULL ? after : &none;

    return (struct pht_growth){
        .figure = after != NULL ? after : before,
        .before = before,
        .after = after,
        .bytes = (int64_t)to->bytes - (int64_t)from->bytes,
        .count = (int64_t)to->count - (int64_t)from->count,
    };
}

static int compare_growths(const void *a, const void *b)
{
    const struct pht_growth *left = a, *right = b;

    if (left->bytes != right->bytes)
        return left->bytes < right->bytes ? 1 : -1;
    if (left->count != right->count)
        return left->count < right->count ? 1 : -1;
    return compare_all(left->figure, right->figure);
}

/* Both are sorted by `compare`; of several that it calls the same, each has one partner. */
static void merge(const struct pht_figure_list *before, const struct pht_figure_list *after,
                  int (*compare)(const void *, const void *), struct pht_growth_list *ret)
{
    size_t i = 0, j = 0;

    while (i < before->count || j < after->count) {
        int order = i == before->count  ? 1
                    : j == after->count ? -1
                                        : compare(&before->items[i], &after->items[j]);
        struct pht_growth growth =
            grow(order <= 0 ? &before->items[i] : NULL, order >= 0 ? &after->items[j] : NULL);
        i += order <= 0;
        j += order >= 0;
        if (growth.bytes != 0 || growth.count != 0)
            ret->items[ret->count++] = growth;
    }
    qsort(ret->items, ret->count, sizeof(*ret->items), compare_growths);
}

static bool compare_lists(struct pht_figure_list *before, struct pht_figure_list *after,
                          bool by_number, struct pht_growth_list *ret)
{
    ret->known = before->known && after->known;
    if (!ret->known)
        return true;
    ret->items = calloc(before->count + after->count + 1, sizeof(*ret->items));
    if (ret->items == NULL)
        return false;
    if (before->count > 0)
        qsort(before->items, before->count, sizeof(*before->items), compare_all);
    if (after->count > 0)
        qsort(after->items, after->count, sizeof(*after->items), compare_all);
    merge(before, after, by_number ? compare_all : compare_names, ret);
    return true;
}

bool pht_diff_make(struct pht_figures *before, struct pht_figures *after, struct pht_diff *ret)
{
    *ret = (struct pht_diff){
        .before = before,
        .after = after,
        .same_process =
            before->pid == after->pid && before->start_time_ticks == after->start_time_ticks,
    };
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++) {
        if (!compare_lists(&before->lists[kind], &after->lists[kind],
                           kind != PHT_FIGURE_TYPE || ret->same_process, &ret->lists[kind])) {
            pht_diff_deinit(ret);
            return false;
        }
    }
    return true;
}

void pht_diff_deinit(struct pht_diff *diff)
{
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++) {
        free(diff->lists[kind].items);
        diff->lists[kind].items = NULL;
    }
}
