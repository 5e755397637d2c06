/* What is remarkable, and what to try: a few sentences each. */
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/finding.h"
#include "view/text_line.h"
#include "view/text_parts.h"

#define INDENT 8

static void write_words(const char *text, int column, FILE *file)
{
    _cleanup_free_ char *printable = pht_text_printable(text, strlen(text));

    pht_text_write_wrapped(printable != NULL ? printable : "", column, INDENT, file);
}

static void write_figures(const struct pht_finding *finding, FILE *file)
{
    struct pht_text_facts facts;

    if (finding->figure_count == 0)
        return;
    fprintf(file, "%*s", INDENT, "");
    pht_text_begin_facts(&facts, "", file);
    facts.indent = facts.column = INDENT;
    for (size_t i = 0; i < finding->figure_count; i++) {
        const struct pht_finding_figure *figure = &finding->figures[i];
        if (figure->text != NULL)
            pht_text_add_fact(&facts, "%s %s", figure->name, figure->text);
        else if (pht_finding_is_size(figure))
            pht_text_add_fact(&facts, "%s %s", figure->name, BYTES_OR_DASH(figure->number));
        else
            pht_text_add_fact(&facts, "%s %s", figure->name, COUNT_OR_DASH(figure->number));
    }
    pht_text_end_facts(&facts);
}

static void write_finding(const struct pht_finding *finding, bool full, FILE *file)
{
    int column = fprintf(file, "  %-4s  %-16s  ", pht_finding_word(finding->severity), finding->id);

    write_words(finding->text, column, file);
    if (finding->remedy[0] != '\0')
        write_words(finding->remedy, fprintf(file, "%*sTry: ", INDENT, ""), file);
    if (full)
        write_figures(finding, file);
}

static void write_none(const struct pht_report *report, FILE *file)
{
    fprintf(file, "\nNo findings%s: %s%% of RSS is live or file memory.\n",
            report->findings.is_partial ? " in what could be walked" : "",
            PERCENT(report->findings.live_bytes, report->kernel.rss_bytes));
}

void pht_text_write_findings(const struct pht_report *report, bool full, FILE *file)
{
    const struct pht_findings *findings = &report->findings;

    if (!findings->known)
        return;
    if (findings->count == 0) {
        write_none(report, file);
        return;
    }
    fprintf(file, "\nFindings\n");
    for (size_t i = 0; i < findings->count; i++)
        write_finding(&findings->items[i], full, file);
}
