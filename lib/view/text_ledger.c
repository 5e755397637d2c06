/* Where resident memory goes: the categories, which add up to RSS. */
#include <inttypes.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/label.h"
#include "view/mapping.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define UNATTRIBUTED_ROWS 3
#define DESCRIPTION_MAX 40

static bool has_swap(const struct pht_report *report)
{
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        if (report->categories[i].swapped_bytes > 0)
            return true;
    }
    return false;
}

/* How much more there is of a category. Lists of a diff have what differs alone. */
static int64_t growth_of(const struct pht_diff *change, const struct pht_category_name *name)
{
    const struct pht_growth_list *list = &change->lists[PHT_FIGURE_CATEGORY];

    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].figure->name, name->id) == 0)
            return list->items[i].bytes;
    }
    return 0;
}

/* Nothing where there is nothing to compare with, "-" where that has no categories. */
static int write_change(const struct pht_diff *change, bool is_known, int64_t bytes, FILE *file)
{
    if (change == NULL)
        return 0;
    return fprintf(file, " %8s", !is_known ? "-" : bytes == 0 ? "0" : SIGNED_BYTES(bytes));
}

/* Bytes, percent and, where any memory is in swap, what is there. Returns the width. */
static int write_figures(const struct pht_report *report, uint64_t bytes, uint64_t swapped,
                         FILE *file)
{
    int column = fprintf(file, "%9s %6s", BYTES(bytes), PERCENT(bytes, report->kernel.rss_bytes));

    if (has_swap(report))
        column += fprintf(file, " %6s", BYTES_OR_DASH(swapped));
    return column;
}

static void write_category(const struct pht_report *report, const struct pht_diff *change,
                           enum pht_category category, FILE *file)
{
    const struct pht_category_name *name = pht_category_name(category);
    const struct pht_category_sum *sum = &report->categories[category];
    const char *evidence = pht_evidence_name(sum->evidence);
    _cleanup_free_ char *label = pht_text_format("%s", name->label);

    int64_t growth = change != NULL ? growth_of(change, name) : 0;
    if (sum->bytes == 0 && sum->swapped_bytes == 0 && growth == 0)
        return;
    int column = write_figures(report, sum->bytes, sum->swapped_bytes, file);
    column += write_change(change, change != NULL && change->lists[PHT_FIGURE_CATEGORY].known,
                           growth, file);
    column += fprintf(file, "  %-9s  %c  ", evidence != NULL ? evidence : "-", name->letter);
    if (label != NULL)
        pht_label_cut(label, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", label != NULL ? label : "");
}

void pht_text_write_ledger(const struct pht_report *report, const struct pht_diff *change,
                           FILE *file)
{
    uint64_t rss = report->kernel.rss_bytes;

    fprintf(file, "\nRSS %s  attributed %s%%\n", BYTES(rss),
            PERCENT(report->attributed_bytes, rss));
    fprintf(file, "    bytes      %%%s%s  evidence      what\n", has_swap(report) ? "   swap" : "",
            change != NULL ? "   change" : "");
    for (int i = 0; i < PHT_CATEGORIES; i++)
        write_category(report, change, (enum pht_category)i, file);
    write_figures(report, rss, report->kernel.swap_bytes, file);
    if (change != NULL)
        write_change(change, true, change->after->rss_bytes - change->before->rss_bytes, file);
    fprintf(file, "  %-9s     kernel RSS\n", pht_evidence_name(PHT_EVIDENCE_KERNEL));
}

/* ---- what is in no category --------------------------------------------------------------- */

static void write_place(const struct pht_report *report, const struct pht_unattributed *row,
                        FILE *file)
{
    const struct pht_report_mapping *mapping = &report->mappings[row->mapping];
    _cleanup_free_ char *what = pht_mapping_describe(mapping, DESCRIPTION_MAX);
    _cleanup_free_ char *text = pht_text_format("%s at %" PRIx64 ": %s", what != NULL ? what : "",
                                                mapping->mapping->start, row->tried);
    int column = fprintf(file, "%9s  ", BYTES(row->bytes));

    pht_text_write_wrapped(text != NULL ? text : "", column, column, file);
}

void pht_text_write_unattributed(const struct pht_report *report, bool full, FILE *file)
{
    size_t count = report->unattributed_count;
    size_t shown = full || count <= UNATTRIBUTED_ROWS ? count : UNATTRIBUTED_ROWS;

    if (count == 0)
        return;
    fprintf(file, "\nNot attributed  %s in %s mapping%s\n",
            BYTES(report->categories[PHT_CATEGORY_UNATTRIBUTED].bytes), COUNT(count),
            PLURAL(count));
    for (size_t i = 0; i < shown; i++)
        write_place(report, &report->unattributed[i], file);
    if (shown < count)
        fprintf(file, "  ... %s more mapping%s: --section categories\n", COUNT(count - shown),
                PLURAL(count - shown));
}

void pht_text_write_letters(unsigned categories, FILE *file)
{
    struct pht_text_facts facts;

    if (categories == 0)
        return;
    pht_text_begin_facts(&facts, "  letters: ", file);
    for (int i = 0; i < PHT_CATEGORIES; i++) {
        const struct pht_category_name *name = pht_category_name((enum pht_category)i);
        if (categories & 1U << i)
            pht_text_add_fact(&facts, "%c %s", name->letter, name->id);
    }
    pht_text_end_facts(&facts);
}
