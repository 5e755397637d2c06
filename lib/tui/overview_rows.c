#include "tui/overview_rows.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/label.h"

/* From so many columns on there is room for the evidence, and for what changed. */
#define EVIDENCE_COLUMNS 90
#define CHANGE_COLUMNS 60

#define EVIDENCE_WIDTH 12

/* Where the columns end; labels begin at LABEL. */
#define LETTER 2
#define LABEL 5

struct layout {
    unsigned bytes_end;
    unsigned percent_end;
    unsigned change_end; /* 0: no room */
    unsigned evidence;   /* where it begins; 0: no room */
    unsigned label_width;
};

static struct layout lay_out(unsigned columns, enum pht_units units)
{
    bool is_narrow = columns < CHANGE_COLUMNS;
    unsigned bytes_width = units != PHT_UNITS_AUTO ? 16 : is_narrow ? 7 : 9;
    unsigned change_width = units == PHT_UNITS_AUTO ? 10 : 16;
    struct layout layout = {0};
    unsigned end =
        columns < 100 ? columns : 100; /* numbers far from their names are hard to read */

    if (columns >= EVIDENCE_COLUMNS) {
        layout.evidence = end - EVIDENCE_WIDTH;
        end = layout.evidence - 2;
    }
    if (columns >= CHANGE_COLUMNS) {
        layout.change_end = end;
        end -= change_width;
    }
    layout.percent_end = end;
    layout.bytes_end = end - (is_narrow ? 6 : 7);
    layout.label_width = layout.bytes_end - bytes_width - LABEL;
    return layout;
}

size_t pht_overview_categories(const struct pht_report *report,
                               enum pht_category categories[static PHT_CATEGORIES])
{
    size_t count = 0;

    for (int i = 0; i < PHT_CATEGORIES && report->has_ledger; i++) {
        const struct pht_category_sum *sum = &report->categories[i];
        if (sum->bytes > 0 || sum->swapped_bytes > 0)
            categories[count++] = (enum pht_category)i;
    }
    return count;
}

static void put_right(struct pht_lines *lines, unsigned end, enum pht_role role, const char *text)
{
    unsigned row;

    if (end > 0 && pht_lines_is_seen(lines, &row))
        pht_area_put_right(lines->area, row, end, end, role, text);
}

void pht_overview_draw_title(struct pht_lines *lines, const struct pht_view *view)
{
    struct layout layout = lay_out(lines->area.columns, view->units);

    pht_lines_put(lines, LETTER, PHT_ROLE_TITLE, "Where resident memory goes");
    put_right(lines, layout.bytes_end, PHT_ROLE_TITLE, "bytes");
    put_right(lines, layout.percent_end, PHT_ROLE_TITLE, "%");
    put_right(lines, layout.change_end, PHT_ROLE_TITLE, "change");
    if (layout.evidence > 0)
        pht_lines_add(lines, layout.evidence, PHT_ROLE_TITLE, "evidence");
}

static void draw_row(struct pht_lines *lines, const struct pht_view *view, const char *label,
                     uint64_t bytes, const char *change, const char *evidence)
{
    struct layout layout = lay_out(lines->area.columns, view->units);
    char text[PHT_HUMAN_MAX];
    _cleanup_free_ char *cut = strdup(label);

    if (cut != NULL)
        pht_label_cut(cut, layout.label_width);
    pht_lines_put(lines, LABEL, PHT_ROLE_TEXT, cut != NULL ? cut : "");
    put_right(lines, layout.bytes_end, PHT_ROLE_TEXT, pht_units_bytes(view->units, bytes, text));
    put_right(lines, layout.percent_end, PHT_ROLE_TEXT,
              pht_human_percent(bytes, view->report->kernel.rss_bytes, text));
    put_right(lines, layout.change_end, change[0] == '+' ? PHT_ROLE_WARN : PHT_ROLE_TEXT, change);
    if (layout.evidence > 0)
        pht_lines_add(lines, layout.evidence, PHT_ROLE_DIM, evidence);
}

void pht_overview_draw_category(struct pht_lines *lines, const struct pht_view *view,
                                enum pht_category category)
{
    const struct pht_category_name *name = pht_category_name(category);
    const struct pht_category_sum *sum = &view->report->categories[category];
    const struct pht_growth *growth = pht_change_of_category(view->change, category);
    const char *evidence = pht_evidence_name(sum->evidence);
    const char letter[] = {name->letter, '\0'};
    char change[PHT_HUMAN_MAX] = "-", swapped[PHT_HUMAN_MAX];
    _cleanup_free_ char *label = NULL;

    if (pht_change_knows(view->change, PHT_FIGURE_CATEGORY))
        pht_units_change(view->units, growth != NULL ? growth->bytes : 0, change);
    if (sum->swapped_bytes > 0)
        label = pht_text_format("%s (+ %s in swap)", name->label,
                                pht_units_bytes(view->units, sum->swapped_bytes, swapped));
    draw_row(lines, view, label != NULL ? label : name->label, sum->bytes, change,
             evidence != NULL ? evidence : "-");
    pht_lines_add(lines, LETTER, pht_role_of(category), letter);
}

void pht_overview_draw_rss(struct pht_lines *lines, const struct pht_view *view)
{
    char change[PHT_HUMAN_MAX] = "-";

    if (view->change != NULL) {
        const struct pht_diff *diff = pht_change_diff(view->change);
        pht_units_change(view->units, diff->after->rss_bytes - diff->before->rss_bytes, change);
    }
    draw_row(lines, view, "RSS reported by the kernel", view->report->kernel.rss_bytes, change,
             pht_evidence_name(PHT_EVIDENCE_KERNEL));
}

void pht_overview_draw_kernel(struct pht_lines *lines, const struct pht_view *view)
{
    const struct pht_kernel_memory *kernel = &view->report->kernel;
    const char *evidence = pht_evidence_name(PHT_EVIDENCE_KERNEL);

    pht_overview_draw_title(lines, view);
    draw_row(lines, view, "anonymous memory: heaps, stacks", kernel->anon_bytes, "-", evidence);
    draw_row(lines, view, "files: code, data, .so", kernel->file_bytes, "-", evidence);
    draw_row(lines, view, "shared memory", kernel->shmem_bytes, "-", evidence);
    pht_overview_draw_rss(lines, view);
    pht_lines_skip(lines);
    pht_lines_put(lines, LETTER, PHT_ROLE_DIM, "Whose it is follows when the heaps were walked.");
}
