#include "tui/shown.h"

static void forget_change(struct pht_shown *shown)
{
    pht_change_destroy(shown->change);
    shown->change = NULL;
    pht_diff_deinit(&shown->diff);
    shown->diff = (struct pht_diff){0};
}

void pht_shown_deinit(struct pht_shown *shown)
{
    forget_change(shown);
    pht_shown_drop_former(shown);
    pht_figures_destroy(shown->figures);
    pht_figures_destroy(shown->baseline);
    pht_report_destroy(shown->report);
    *shown = (struct pht_shown){0};
}

void pht_shown_drop_former(struct pht_shown *shown)
{
    pht_report_destroy(shown->former);
    shown->former = NULL;
}

bool pht_report_is_whole(const struct pht_report *report)
{
    return (report->sections & PHT_SECTION_CATEGORIES) != 0;
}

static bool compare(struct pht_shown *shown)
{
    forget_change(shown);
    if (shown->baseline == NULL || shown->figures == NULL)
        return true;
    if (!pht_findings_compare(shown->report, shown->baseline) ||
        !pht_diff_make(shown->baseline, shown->figures, &shown->diff)) {
        shown->diff = (struct pht_diff){0};
        return false;
    }
    shown->change = pht_change_create(&shown->diff);
    return shown->change != NULL;
}

bool pht_shown_take(struct pht_shown *shown, struct pht_report *report)
{
    pht_shown_drop_former(shown);
    forget_change(shown);
    pht_figures_destroy(shown->figures);
    shown->figures = NULL;
    shown->former = shown->report;
    shown->report = report;
    if (!pht_report_is_whole(report))
        return true;
    shown->figures = pht_figures_create(report);
    if (shown->figures == NULL)
        return false;
    return shown->baseline == NULL ? pht_shown_rebase(shown) : compare(shown);
}

bool pht_shown_set_baseline(struct pht_shown *shown, struct pht_figures *baseline)
{
    forget_change(shown);
    pht_figures_destroy(shown->baseline);
    shown->baseline = baseline;
    return compare(shown);
}

bool pht_shown_rebase(struct pht_shown *shown)
{
    struct pht_figures *baseline = pht_figures_create(shown->report);

    if (baseline == NULL)
        return false;
    shown->is_baseline_given = false;
    return pht_shown_set_baseline(shown, baseline);
}
