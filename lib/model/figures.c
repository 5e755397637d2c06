/* The figures of a report that is in memory: those that its JSON would lead to. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/vec.h"
#include "pyheaptop/model.h"

void pht_figures_destroy(struct pht_figures *figures)
{
    if (figures == NULL)
        return;
    for (int kind = 0; kind < PHT_FIGURE_KINDS; kind++) {
        struct pht_figure_list *list = &figures->lists[kind];
        for (size_t i = 0; i < list->count; i++) {
            free(list->items[i].name);
            free(list->items[i].module);
        }
        free(list->items);
    }
    free(figures->taken_at);
    free(figures->comm);
    free(figures);
}

/* Of a target that lies about its sizes a sum may be any number. */
static uint64_t limited(uint64_t value)
{
    return value < INT64_MAX ? value : INT64_MAX;
}

static bool add(struct pht_figures *figures, enum pht_figure_kind kind, const char *module,
                const char *name, const struct pht_figure *numbers)
{
    const struct pht_figure figure = {
        .name = pht_text_utf8(name, strlen(name)),
        .module = pht_text_utf8(module, strlen(module)),
        .number = numbers->number,
        .count = limited(numbers->count),
        .bytes = limited(numbers->bytes),
    };

    if (figure.name != NULL && figure.module != NULL && pht_vec_push(&figures->lists[kind], figure))
        return true;
    free(figure.name);
    free(figure.module);
    return false;
}

static bool add_categories(const struct pht_report *report, struct pht_figures *figures)
{
    figures->lists[PHT_FIGURE_CATEGORY].known = report->has_ledger;
    for (int i = 0; report->has_ledger && i < PHT_CATEGORIES; i++) {
        const struct pht_figure numbers = {.bytes = report->categories[i].bytes};
        if (!add(figures, PHT_FIGURE_CATEGORY, "", pht_category_name((enum pht_category)i)->id,
                 &numbers))
            return false;
    }
    return true;
}

static bool add_types(const struct pht_objects *objects, struct pht_figures *figures)
{
    figures->lists[PHT_FIGURE_TYPE].known = objects != NULL;
    for (size_t i = 0; objects != NULL && i < objects->type_count; i++) {
        const struct pht_type_sum *type = &objects->types[i];
        const struct pht_figure numbers = {
            .number = type->address, .count = type->objects, .bytes = type->size_bytes};
        if (!add(figures, PHT_FIGURE_TYPE, type->module, type->name, &numbers))
            return false;
    }
    return true;
}

static bool add_size_classes(const struct pht_pymalloc *pymalloc, struct pht_figures *figures)
{
    figures->lists[PHT_FIGURE_SIZE_CLASS].known = pymalloc != NULL;
    for (size_t i = 0; pymalloc != NULL && i < pymalloc->class_count; i++) {
        const struct pht_size_class *class = &pymalloc->classes[i];
        const struct pht_figure numbers = {
            .number = class->block_bytes, .count = class->live_blocks, .bytes = class->live_bytes};
        if (!add(figures, PHT_FIGURE_SIZE_CLASS, "", "", &numbers))
            return false;
    }
    return true;
}

static bool add_unowned(const struct pht_objects *objects, struct pht_figures *figures)
{
    bool known = objects != NULL && objects->unowned != NULL;

    figures->lists[PHT_FIGURE_UNOWNED].known = known;
    for (size_t i = 0; known && i < objects->unowned_count; i++) {
        const struct pht_unowned_size *size = &objects->unowned[i];
        const struct pht_figure numbers = {
            .number = size->min_bytes, .count = size->chunks, .bytes = size->bytes};
        if (!add(figures, PHT_FIGURE_UNOWNED, "", "", &numbers))
            return false;
    }
    return true;
}

struct pht_figures *pht_figures_create(const struct pht_report *report)
{
    const struct pht_process *process = &report->process;
    struct pht_figures *figures = calloc(1, sizeof(*figures));

    if (figures == NULL)
        return NULL;
    figures->taken_at = pht_text_time(report->taken_at);
    figures->comm = pht_text_utf8(process->comm, strlen(process->comm));
    figures->pid = process->pid;
    figures->start_time_ticks = (int64_t)process->start_time_ticks;
    figures->rss_bytes = (int64_t)limited(report->kernel.rss_bytes);
    if (figures->taken_at != NULL && figures->comm != NULL && add_categories(report, figures) &&
        add_types(report->objects, figures) && add_size_classes(report->pymalloc, figures) &&
        add_unowned(report->objects, figures))
        return figures;
    pht_figures_destroy(figures);
    return NULL;
}
