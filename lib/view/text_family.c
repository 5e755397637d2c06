/* Processes that fork made of one: what they still share, and what each has copied since. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/family.h"
#include "view/split.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define NAME_WIDTH 28 /* of the tree, pid and name */
#define COPIED_WIDTH (PHT_TEXT_WIDTH - NAME_WIDTH - 28)

/* ---- the tree ----------------------------------------------------------------------------- */

/* "   |  `- 48213 celery worker <", cut to its column: a deep tree loses its inner lines. */
static void write_name(const struct pht_family_row *rows, const size_t *order, size_t count,
                       size_t at, FILE *file)
{
    const struct pht_family_row *row = &rows[order[at]];
    _cleanup_free_ char *comm = pht_text_printable(row->comm, strlen(row->comm));
    char lines[PHT_FAMILY_LINES_MAX];
    int column =
        fprintf(file, "  %s%d ", pht_family_lines(rows, order, count, at, lines), row->pid);

    if (comm != NULL) {
        pht_text_cut(comm, (size_t)(NAME_WIDTH - column - (row->is_target ? 2 : 0)));
        fprintf(file, "%s", comm);
        column += (int)pht_text_characters(comm);
    }
    column += fprintf(file, "%s", row->is_target ? " <" : "");
    fprintf(file, "%*s", NAME_WIDTH - column, "");
}

/* The largest that fit on the line. */
static void write_copied(const struct pht_family_row *row, FILE *file)
{
    enum pht_category order[PHT_CATEGORIES];
    size_t count = row->copied_bytes != PHT_UNKNOWN ? pht_split_order(&row->copied, order) : 0;
    int room = COPIED_WIDTH;

    if (count == 0)
        fprintf(file, "-");
    for (size_t i = 0; i < count; i++) {
        const char *bytes = BYTES(row->copied.bytes[order[i]]);
        int width = (i > 0 ? 2 : 0) + 2 + (int)strlen(bytes);
        if (width + (i + 1 < count ? 4 : 0) > room) {
            fprintf(file, ", ..");
            break;
        }
        fprintf(file, "%s%c %s", i > 0 ? ", " : "", pht_category_name(order[i])->letter, bytes);
        room -= width;
    }
    fprintf(file, "\n");
}

static void write_tree(const struct pht_report *report, FILE *file)
{
    const struct pht_family_row *rows = report->family;
    size_t count = report->family_count;
    _cleanup_free_ size_t *order = calloc(count + 1, sizeof(*order));

    if (order == NULL)
        return;
    pht_family_order(rows, count, order);
    fprintf(file, "\n%-*s   RSS   PSS shared copied  what was copied\n", NAME_WIDTH,
            "Family (by fork)");
    for (size_t i = 0; i < count; i++) {
        const struct pht_family_row *row = &rows[order[i]];
        write_name(rows, order, count, i, file);
        fprintf(file, " %5s %5s %6s %6s  ", BYTES_OR_DASH(row->rss_bytes),
                BYTES_OR_DASH(row->pss_bytes), BYTES_OR_DASH(row->shared_with_target_bytes),
                BYTES_OR_DASH(row->copied_bytes));
        write_copied(row, file);
    }
}

/* The letters of what was copied, where no other part of the report explains them. */
static void write_legend(const struct pht_report *report, FILE *file)
{
    unsigned categories = 0;

    if (report->sections & PHT_SECTION_CATEGORIES)
        return;
    for (size_t i = 0; i < report->family_count; i++) {
        for (int j = 0; j < PHT_CATEGORIES; j++)
            categories |= report->family[i].copied.bytes[j] > 0 ? 1U << j : 0;
    }
    pht_text_write_letters(categories, file);
}

static void write_full(const struct pht_report *report, FILE *file)
{
    if (report->family_count < 2) {
        fprintf(file, "\nFamily  no other process came from this program by fork alone\n");
        return;
    }
    write_tree(report, file);
    write_legend(report, file);
    if (!report->family_is_exact)
        fprintf(file, "  page owners are hidden (needs CAP_SYS_ADMIN): exclusive or shared only\n");
}

/* ---- in short ----------------------------------------------------------------------------- */

static const struct pht_family_row *find_target(const struct pht_report *report)
{
    for (size_t i = 0; i < report->family_count; i++) {
        if (report->family[i].is_target)
            return &report->family[i];
    }
    return NULL;
}

/* Without page frames a page that both share with somebody may not be the same one. */
static void write_short(const struct pht_report *report, FILE *file)
{
    const struct pht_family_row *target = find_target(report);
    const char *shared_least = report->family_is_exact ? "" : "up to ";
    const char *copied_least = report->family_is_exact ? "" : "at least ";
    char relatives[PHT_HUMAN_MAX + 16], origin[32] = "", shared[64] = "", copied[64] = "";

    if (target == NULL || report->family_count < 2)
        return;
    size_t others = report->family_count - 1;
    snprintf(relatives, sizeof(relatives), "%s relative%s", COUNT(others), PLURAL(others));
    if (target->depth > 0)
        snprintf(origin, sizeof(origin), "forked from %d; ", target->ppid);
    snprintf(shared, sizeof(shared), "%s%s still shared with ", shared_least,
             BYTES(report->family_shared_bytes));
    if (target->copied_bytes != PHT_UNKNOWN)
        snprintf(copied, sizeof(copied), ", %s%s copied since fork", copied_least,
                 BYTES(target->copied_bytes));
    _cleanup_free_ char *text =
        pht_text_format("%s%s%s%s: --section family", origin, shared, relatives, copied);
    int column = fprintf(file, "\nSharing  ") - 1;
    pht_text_write_wrapped(text != NULL ? text : "", column, column, file);
}

void pht_text_write_family(const struct pht_report *report, bool full, FILE *file)
{
    if (full)
        write_full(report, file);
    else
        write_short(report, file);
}
