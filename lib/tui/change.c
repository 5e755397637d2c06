#include "tui/change.h"

#include <stdlib.h>
#include <string.h>

/* The growths of a list, in the order of their figures' names and numbers. */
struct index {
    const struct pht_growth **items;
    size_t count;
};

struct pht_change {
    const struct pht_diff *diff;
    struct index lists[PHT_FIGURE_KINDS];
};

static int compare_figures(const struct pht_figure *a, const struct pht_figure *b)
{
    int order = strcmp(a->name, b->name);

    if (order == 0)
        order = strcmp(a->module, b->module);
    if (order != 0)
        return order;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int compare_growths(const void *a, const void *b)
{
    return compare_figures((*(const struct pht_growth *const *)a)->figure,
                           (*(const struct pht_growth *const *)b)->figure);
}

static bool fill(struct index *index, const struct pht_growth_list *list)
{
    index->items = calloc(list->count + 1, sizeof(const struct pht_growth *));
    if (index->items == NULL)
        return false;
    for (size_t i = 0; i < list->count; i++)
        index->items[index->count++] = &list->items[i];
    if (index->count > 1)
        qsort(index->items, index->count, sizeof(const struct pht_growth *), compare_growths);
    return true;
}

struct pht_change *pht_change_create(const struct pht_diff *diff)
{
    struct pht_change *change = calloc(1, sizeof(*change));

    if (change == NULL)
        return NULL;
    change->diff = diff;
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++) {
        if (!fill(&change->lists[kind], &diff->lists[kind])) {
            pht_change_destroy(change);
            return NULL;
        }
    }
    return change;
}

void pht_change_destroy(struct pht_change *change)
{
    if (change == NULL)
        return;
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++)
        free(change->lists[kind].items);
    free(change);
}

const struct pht_diff *pht_change_diff(const struct pht_change *change)
{
    return change->diff;
}

/* `number` counts only `with_number`: types of two processes go by their names. */
static const struct pht_growth *find(const struct pht_change *change, enum pht_figure_kind kind,
                                     const struct pht_figure *wanted, bool with_number)
{
    if (change == NULL)
        return NULL;
    const struct index *index = &change->lists[kind];
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct pht_figure *figure = index->items[middle]->figure;
        struct pht_figure same = *wanted;
        if (!with_number)
            same.number = figure->number;
        int order = compare_figures(figure, &same);
        if (order == 0)
            return index->items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct pht_growth *pht_change_of_category(const struct pht_change *change,
                                                enum pht_category category)
{
    const char *id = pht_category_name(category)->id;

    for (size_t i = 0; change != NULL && i < change->lists[PHT_FIGURE_CATEGORY].count; i++) {
        const struct pht_growth *growth = change->lists[PHT_FIGURE_CATEGORY].items[i];
        if (strcmp(growth->figure->name, id) == 0)
            return growth;
    }
    return NULL;
}

const struct pht_growth *pht_change_of_type(const struct pht_change *change,
                                            const struct pht_type_sum *type)
{
    const struct pht_figure wanted = {
        .name = type->name, .module = type->module, .number = type->address};

    if (change == NULL)
        return NULL;
    return find(change, PHT_FIGURE_TYPE, &wanted, change->diff->same_process);
}

const struct pht_growth *pht_change_of_size_class(const struct pht_change *change,
                                                  uint64_t block_bytes)
{
    char none[] = "";
    const struct pht_figure wanted = {.name = none, .module = none, .number = block_bytes};

    return find(change, PHT_FIGURE_SIZE_CLASS, &wanted, true);
}

bool pht_change_knows(const struct pht_change *change, enum pht_figure_kind kind)
{
    return change != NULL && change->diff->lists[kind].known;
}
