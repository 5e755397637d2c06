/* One line a snapshot. */
#include <string.h>

#include "pyheaptop/view.h"
#include "view/text_line.h"

/* So often is the header repeated. */
#define LINES_MAX 50

/* What a Python process has; the others get a column when there is something in it. */
#define USUAL                                                                                      \
    ((1U << PHT_CATEGORY_PYTHON_SMALL) | (1U << PHT_CATEGORY_PYMALLOC_SLACK) |                     \
     (1U << PHT_CATEGORY_PYTHON_LARGE) | (1U << PHT_CATEGORY_MALLOC_UNOWNED) |                     \
     (1U << PHT_CATEGORY_MALLOC_FREE) | (1U << PHT_CATEGORY_FILES) |                               \
     (1U << PHT_CATEGORY_UNATTRIBUTED))

static unsigned columns_of(const struct pht_report *report)
{
    unsigned columns = USUAL;

    for (unsigned i = 0; i < PHT_CATEGORIES; i++) {
        if (report->has_ledger && report->categories[i].bytes > 0)
            columns |= 1U << i;
    }
    return columns;
}

static void write_header(unsigned columns, FILE *file)
{
    fprintf(file, "%-8s %6s %7s", "time", "RSS", "change");
    for (unsigned i = 0; i < PHT_CATEGORIES; i++) {
        if (columns & (1U << i))
            fprintf(file, " %5c", pht_category_name((enum pht_category)i)->letter);
    }
    fputc('\n', file);
}

static void write_line(unsigned columns, const struct pht_report *report, int64_t change_bytes,
                       FILE *file)
{
    struct tm broken;
    char time[16];

    localtime_r(&report->taken_at.tv_sec, &broken);
    strftime(time, sizeof(time), "%H:%M:%S", &broken);
    fprintf(file, "%-8s %6s %7s", time, BYTES(report->kernel.rss_bytes),
            change_bytes == 0 ? "0" : SIGNED_BYTES(change_bytes));
    for (unsigned i = 0; i < PHT_CATEGORIES; i++) {
        if (columns & (1U << i))
            fprintf(file, " %5s", report->has_ledger ? BYTES(report->categories[i].bytes) : "-");
    }
    fprintf(file, "%s\n", report->complete ? "" : "  incomplete");
}

void pht_text_interval_write(struct pht_text_interval *interval, const struct pht_report *report,
                             int64_t change_bytes, FILE *file)
{
    unsigned columns = interval->columns | columns_of(report);

    if (columns != interval->columns || interval->lines == LINES_MAX) {
        write_header(columns, file);
        interval->lines = 0;
    }
    interval->columns = columns;
    interval->lines++;
    write_line(columns, report, change_bytes, file);
}
