#include "tui/overview_findings.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "view/finding.h"

enum pht_role pht_severity_role(enum pht_severity severity)
{
    return severity == PHT_SEVERITY_HIGH     ? PHT_ROLE_BAD
           : severity == PHT_SEVERITY_MEDIUM ? PHT_ROLE_WARN
                                             : PHT_ROLE_TEXT;
}

void pht_overview_draw_finding(struct pht_lines *lines, const struct pht_finding *finding,
                               size_t number, unsigned most)
{
    char label[24];

    snprintf(label, sizeof(label), "%zu", number);
    pht_lines_put(lines, 2, PHT_ROLE_TEXT, label);
    pht_lines_add(lines, 4, pht_severity_role(finding->severity),
                  pht_finding_word(finding->severity));
    if (most == 1) {
        pht_lines_add(lines, PHT_FINDING_INDENT - 1, PHT_ROLE_TEXT, finding->text);
        return;
    }
    most = pht_lines_wrap_most(lines, PHT_FINDING_INDENT, PHT_ROLE_TEXT, finding->text, true, most);
    if (most == 0 || finding->remedy == NULL || finding->remedy[0] == '\0')
        return;
    _cleanup_free_ char *remedy = pht_text_format("Try: %s", finding->remedy);
    pht_lines_wrap_most(lines, PHT_FINDING_INDENT, PHT_ROLE_TEXT, remedy != NULL ? remedy : "",
                        false, most);
}

void pht_overview_draw_no_finding(struct pht_lines *lines, const struct pht_report *report)
{
    char percent[PHT_HUMAN_MAX];

    if (!report->findings.known)
        return;
    _cleanup_free_ char *text = pht_text_format(
        "No findings%s: %s%% of RSS is live or file memory.",
        report->findings.is_partial ? " in what could be walked" : "",
        pht_human_percent(report->findings.live_bytes, report->kernel.rss_bytes, percent));
    pht_lines_wrap(lines, 0, PHT_ROLE_GOOD, text != NULL ? text : "", false);
}

static void draw_figure(struct pht_lines *lines, const struct pht_view *view,
                        const struct pht_finding_figure *figure)
{
    char value[PHT_HUMAN_MAX] = "-";

    if (figure->text == NULL && pht_finding_is_size(figure))
        pht_units_bytes(view->units, figure->number, value);
    else if (figure->text == NULL && figure->number != PHT_UNKNOWN)
        pht_human_count(figure->number, value);
    pht_lines_put(lines, 4, PHT_ROLE_DIM, figure->name);
    pht_lines_add(lines, 32, PHT_ROLE_TEXT, figure->text != NULL ? figure->text : value);
}

void pht_overview_explain(struct pht_lines *lines, const struct pht_view *view,
                          const struct pht_finding *finding)
{
    char title[80];

    snprintf(title, sizeof(title), "%s  %s", pht_finding_word(finding->severity), finding->id);
    pht_lines_put(lines, 0, pht_severity_role(finding->severity), title);
    pht_lines_skip(lines);
    pht_lines_wrap(lines, 2, PHT_ROLE_TEXT, finding->text, false);
    if (finding->remedy != NULL && finding->remedy[0] != '\0') {
        pht_lines_skip(lines);
        pht_lines_put(lines, 0, PHT_ROLE_TITLE, "Try");
        pht_lines_wrap(lines, 2, PHT_ROLE_TEXT, finding->remedy, false);
    }
    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_TITLE, "Evidence");
    for (size_t i = 0; i < finding->figure_count; i++)
        draw_figure(lines, view, &finding->figures[i]);
    pht_lines_skip(lines);
    pht_lines_put(lines, 0, PHT_ROLE_DIM, "Esc: back   man pyheaptop, FINDINGS, has what it means");
}
