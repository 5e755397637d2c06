#include <inttypes.h>

#include "view/text_line.h"
#include "view/text_parts.h"

/* "1,234/567/89,012": a figure of each generation, the youngest first. */
#define OF_GENERATIONS(gc, figure)                                                                 \
    COUNT_OR_DASH((gc)->generations[0].figure), COUNT_OR_DASH((gc)->generations[1].figure),        \
        COUNT_OR_DASH((gc)->generations[2].figure)

void pht_text_write_gc(const struct pht_gc *gc, FILE *file)
{
    const struct pht_gc_generation *generations = gc->generations;
    struct pht_text_facts facts;

    fprintf(file, "\n");
    pht_text_begin_facts(&facts, "Collector  ", file);
    pht_text_add_fact(&facts, gc->enabled ? "enabled" : "disabled");
    pht_text_add_fact(&facts, "thresholds %" PRId32 "/%" PRId32 "/%" PRId32,
                      generations[0].threshold, generations[1].threshold, generations[2].threshold);
    pht_text_add_fact(&facts, "counts %" PRId32 "/%" PRId32 "/%" PRId32, generations[0].count,
                      generations[1].count, generations[2].count);
    pht_text_add_fact(&facts, "objects %s/%s/%s", OF_GENERATIONS(gc, objects));
    pht_text_add_fact(&facts, "frozen %s", COUNT_OR_DASH(gc->frozen));
    pht_text_add_fact(&facts, "garbage %s", COUNT_OR_DASH(gc->garbage));
    if (gc->callbacks > 0 && gc->callbacks != PHT_UNKNOWN)
        pht_text_add_fact(&facts, "callbacks %s", COUNT(gc->callbacks));
    pht_text_add_fact(&facts, "collections %s/%s/%s", OF_GENERATIONS(gc, collections));
    pht_text_add_fact(&facts, "collected %s/%s/%s", OF_GENERATIONS(gc, collected));
    pht_text_add_fact(&facts, "uncollectable %s/%s/%s", OF_GENERATIONS(gc, uncollectable));
    pht_text_end_facts(&facts);
}

/* What is empty is left out. */
void pht_text_write_freelists(const struct pht_freelists *lists, FILE *file)
{
    struct pht_text_facts facts;

    pht_text_begin_facts(&facts, "Free lists ", file);
    for (size_t i = 0; i < lists->count; i++) {
        const struct pht_freelist *list = &lists->items[i];
        if (list->objects > 0)
            pht_text_add_fact(&facts, "%s %s (%s)", list->type, COUNT_OR_DASH(list->objects),
                              BYTES_OR_DASH(list->bytes));
    }
    pht_text_end_facts(&facts);
}
