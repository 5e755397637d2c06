/* Mappings: what the kernel counts of each, and whose memory is in it. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "view/mapping.h"
#include "view/split.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define MAPPING_ROWS 5
#define BAR_CELLS 10

/* Columns that would be empty make room for what lives there. */
struct columns {
    bool swap;
    bool owners;
};

static struct columns choose_columns(const struct pht_report *report)
{
    struct columns columns = {0};

    for (size_t i = 0; i < report->mapping_count; i++) {
        columns.swap = columns.swap || report->mappings[i].memory->swap_bytes > 0;
        columns.owners = columns.owners || report->mappings[i].owned != NULL;
    }
    return columns;
}

static void write_head(const struct columns *columns, FILE *file)
{
    fprintf(file, "  start         size   RSS  excl shared%s  prot  %swhat is there\n",
            columns->swap ? "  swap" : "", columns->owners ? "owners      " : "");
}

static const char *bar(const struct pht_report_mapping *row, char text[static BAR_CELLS + 1])
{
    text[0] = '\0';
    if (row->owned == NULL)
        return text;
    return pht_split_bar(&row->owned->resident, row->owned->resident_bytes, BAR_CELLS, text);
}

static void write_mapping(const struct pht_report_mapping *row, const struct columns *columns,
                          FILE *file)
{
    const struct pht_mapping *mapping = row->mapping;
    char perms[PHT_PERMS_MAX], cells[BAR_CELLS + 1];
    int column;

    column = fprintf(file, "  %-12" PRIx64 " %5s %5s %5s %6s", mapping->start,
                     BYTES(mapping->end - mapping->start), BYTES(pht_mapping_rss(row)),
                     BYTES(row->memory->exclusive_bytes), BYTES(row->memory->shared_bytes));
    if (columns->swap)
        column += fprintf(file, " %5s", BYTES(row->memory->swap_bytes));
    column += fprintf(file, "  %s  ", pht_mapping_perms(mapping, perms));
    if (columns->owners)
        column += fprintf(file, "%-*s  ", BAR_CELLS, bar(row, cells));
    _cleanup_free_ char *what = pht_mapping_describe(row, (size_t)(PHT_TEXT_WIDTH - column));
    fprintf(file, "%s\n", what != NULL ? what : "");
}

static int by_rss(const void *a, const void *b, void *context)
{
    const struct pht_report_mapping *mappings = context;
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    uint64_t left_rss = pht_mapping_rss(&mappings[left]);
    uint64_t right_rss = pht_mapping_rss(&mappings[right]);

    if (left_rss != right_rss)
        return left_rss < right_rss ? 1 : -1;
    return left < right ? -1 : 1;
}

/* In full by address; else those with the most resident memory. */
static void write_rows(const struct pht_report *report, bool full, FILE *file)
{
    const struct columns columns = choose_columns(report);
    size_t count = report->mapping_count;
    size_t shown = full || count <= MAPPING_ROWS ? count : MAPPING_ROWS;
    _cleanup_free_ size_t *order = calloc(count + 1, sizeof(*order));

    if (order == NULL || count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    if (!full)
        qsort_r(order, count, sizeof(*order), by_rss, report->mappings);
    write_head(&columns, file);
    for (size_t i = 0; i < shown; i++)
        write_mapping(&report->mappings[order[i]], &columns, file);
    if (shown < count)
        fprintf(file, "  ... %s more mapping%s: --section maps\n", COUNT(count - shown),
                PLURAL(count - shown));
}

/* The letters of bars, where no other part of the report explains them. */
static void write_legend(const struct pht_report *report, FILE *file)
{
    unsigned categories = 0;

    if (report->sections & PHT_SECTION_CATEGORIES)
        return;
    for (size_t i = 0; i < report->mapping_count; i++) {
        const struct pht_owned_mapping *owned = report->mappings[i].owned;
        for (int j = 0; owned != NULL && j < PHT_CATEGORIES; j++)
            categories |= owned->resident.bytes[j] > 0 ? 1U << j : 0;
    }
    pht_text_write_letters(categories, file);
}

void pht_text_write_maps(const struct pht_report *report, bool full, FILE *file)
{
    const struct pht_kernel_memory *kernel = &report->kernel;
    struct pht_text_facts facts;

    fprintf(file, "\n");
    pht_text_begin_facts(&facts, "Mappings  ", file);
    pht_text_add_fact(&facts, "%s", COUNT(report->mapping_count));
    pht_text_add_fact(&facts, "size %s", BYTES_OR_DASH(kernel->virtual_bytes));
    pht_text_add_fact(&facts, "RSS %s", BYTES_OR_DASH(kernel->rss_bytes));
    pht_text_add_fact(&facts, "exclusive %s", BYTES_OR_DASH(kernel->uss_bytes));
    pht_text_add_fact(&facts, "swap %s", BYTES_OR_DASH(kernel->swap_bytes));
    pht_text_end_facts(&facts);
    write_rows(report, full, file);
    write_legend(report, file);
}
