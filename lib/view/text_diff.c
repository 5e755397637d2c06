/* Growth between two reports: what grew most comes first, what shrank most last. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "pyheaptop/view.h"
#include "view/text_line.h"
#include "view/text_parts.h"

/* Of each list: its first rows, and its last ones if they shrank. */
#define GREW_ROWS 20
#define SHRANK_ROWS 5

/* ---- rows --------------------------------------------------------------------------------- */

static char *describe(const struct pht_figure *figure, enum pht_figure_kind kind)
{
    if (kind == PHT_FIGURE_SIZE_CLASS)
        return pht_text_format("blocks of %" PRIu64, figure->number);
    if (kind == PHT_FIGURE_UNOWNED)
        return pht_text_format("chunks of %s and more", BYTES(figure->number));
    return pht_text_type_name(figure->module, figure->name, figure->number);
}

static void write_row(const struct pht_growth *growth, enum pht_figure_kind kind, FILE *file)
{
    uint64_t bytes = growth->after != NULL ? growth->after->bytes : 0;
    _cleanup_free_ char *name = describe(growth->figure, kind);
    int column = fprintf(file, "%9s %8s", SIGNED_BYTES(growth->bytes), BYTES(bytes));

    if (kind != PHT_FIGURE_CATEGORY)
        column += fprintf(file, " %12s %12s", SIGNED_COUNT(growth->count),
                          COUNT(growth->after != NULL ? growth->after->count : 0));
    column += fprintf(file, "  ");
    if (name != NULL)
        pht_text_cut(name, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", name != NULL ? name : "");
}

/* The last rows that are shown by themselves. */
static size_t first_shrunk(const struct pht_growth_list *list)
{
    size_t i = list->count;

    while (i > GREW_ROWS && list->count - i < SHRANK_ROWS && list->items[i - 1].bytes < 0)
        i--;
    return i;
}

static void write_list(const struct pht_diff *diff, enum pht_figure_kind kind, FILE *file)
{
    static const struct {
        const char *title;
        const char *counted;
    } titles[PHT_FIGURE_KINDS] = {
        [PHT_FIGURE_CATEGORY] = {"category", NULL},
        [PHT_FIGURE_TYPE] = {"type", "objects"},
        [PHT_FIGURE_SIZE_CLASS] = {"pymalloc", "blocks"},
        [PHT_FIGURE_UNOWNED] = {"malloc that no Python object owns", "chunks"},
    };
    const struct pht_growth_list *list = &diff->lists[kind];
    size_t shrunk = first_shrunk(list);
    size_t shown = list->count < GREW_ROWS ? list->count : GREW_ROWS;

    if (!list->known) {
        fprintf(file, "\n%s: not in both reports\n", titles[kind].title);
        return;
    }
    if (list->count == 0)
        return;
    fprintf(file, "\n   growth      now");
    if (titles[kind].counted != NULL)
        fprintf(file, " %12s %12s", "growth", titles[kind].counted);
    fprintf(file, "  %s\n", titles[kind].title);
    for (size_t i = 0; i < shown; i++)
        write_row(&list->items[i], kind, file);
    if (shown < shrunk)
        fprintf(file, "  ... %s more: --json\n", COUNT(shrunk - shown));
    for (size_t i = shrunk; i < list->count; i++)
        write_row(&list->items[i], kind, file);
}

/* ---- the whole ---------------------------------------------------------------------------- */

static void write_side(const char *title, const struct pht_figures *figures, FILE *file)
{
    _cleanup_free_ char *comm = pht_text_printable(figures->comm, strlen(figures->comm));
    _cleanup_free_ char *taken_at =
        pht_text_printable(figures->taken_at, strlen(figures->taken_at));

    if (comm != NULL && taken_at != NULL)
        fprintf(file, "%-10s %s  pid %" PRId64 " %s  RSS %s\n", title, taken_at, figures->pid, comm,
                BYTES((uint64_t)figures->rss_bytes));
}

bool pht_text_write_growth(const struct pht_diff *diff, int from, FILE *file)
{
    bool any = false;

    for (int kind = from; kind < PHT_FIGURE_KINDS; kind++) {
        write_list(diff, (enum pht_figure_kind)kind, file);
        any = any || diff->lists[kind].count > 0;
    }
    return any;
}

void pht_text_diff_write(const struct pht_diff *diff, const char *version, FILE *file)
{
    fprintf(file, "pyheaptop %s growth\n\n", version);
    write_side("Before", diff->before, file);
    write_side("After", diff->after, file);
    if (!diff->same_process)
        fprintf(file, "           these are two processes: types go by their names\n");
    fprintf(file, "RSS        %s\n",
            SIGNED_BYTES(diff->after->rss_bytes - diff->before->rss_bytes));
    if (!pht_text_write_growth(diff, 0, file))
        fprintf(file, "\nNothing has changed.\n");
}
