#include "model/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "base/vec.h"

/* A service that a person is called for has this share of its memory in one thing. */
#define HIGH_BYTES (32 * PHT_MIB)
#define HIGH_PERCENT 15

const char *pht_severity_name(enum pht_severity severity)
{
    static const char *const names[] = {
        [PHT_SEVERITY_HIGH] = "high",
        [PHT_SEVERITY_MEDIUM] = "medium",
        [PHT_SEVERITY_INFO] = "info",
    };

    return names[severity];
}

void pht_findings_clear(struct pht_findings *findings)
{
    for (size_t i = 0; i < findings->count; i++) {
        struct pht_finding *finding = &findings->items[i];
        for (size_t j = 0; j < finding->figure_count; j++)
            free(finding->figures[j].text);
        free(finding->text);
        free(finding->remedy);
    }
    free(findings->items);
    *findings = (struct pht_findings){0};
}

/* ---- what a rule works with --------------------------------------------------------------- */

bool pht_is_share(uint64_t bytes, uint64_t percent, uint64_t whole)
{
    return (unsigned __int128)bytes * 100 >= (unsigned __int128)whole * percent;
}

bool pht_judge_weigh(const struct pht_judge *judge, uint64_t bytes, enum pht_severity *ret)
{
    uint64_t rss = judge->report->kernel.rss_bytes;
    bool is_high = bytes >= HIGH_BYTES && pht_is_share(bytes, HIGH_PERCENT, rss);

    *ret = is_high ? PHT_SEVERITY_HIGH : PHT_SEVERITY_MEDIUM;
    return bytes >= PHT_REMARKABLE_BYTES && pht_is_share(bytes, PHT_REMARKABLE_PERCENT, rss);
}

uint64_t pht_judge_category(const struct pht_judge *judge, enum pht_category category)
{
    return judge->report->has_ledger ? judge->report->categories[category].bytes : 0;
}

const char *pht_judge_rss_share(const struct pht_judge *judge, uint64_t bytes,
                                char text[static PHT_HUMAN_MAX])
{
    uint64_t rss = judge->report->kernel.rss_bytes;
    unsigned __int128 percent = rss > 0 ? ((unsigned __int128)bytes * 100 + rss / 2) / rss : 0;

    if (percent == 0)
        return "<1%";
    snprintf(text, PHT_HUMAN_MAX, "%u%%", (unsigned)percent);
    return text;
}

struct pht_finding *pht_judge_add(struct pht_judge *judge, const char *id,
                                  enum pht_severity severity, uint64_t bytes)
{
    const struct pht_finding finding = {
        .id = id,
        .severity = severity,
        .bytes = bytes,
        .text = strdup(""),
        .remedy = strdup(""),
    };

    if (finding.text != NULL && finding.remedy != NULL && pht_vec_push(judge->findings, finding))
        return &judge->findings->items[judge->findings->count - 1];
    free(finding.text);
    free(finding.remedy);
    judge->no_memory = true;
    return NULL;
}

static void append(struct pht_judge *judge, char **text, const char *format, va_list arguments)
{
    _cleanup_free_ char *more = NULL;

    if (vasprintf(&more, format, arguments) < 0) {
        more = NULL;
        judge->no_memory = true;
        return;
    }
    char *longer = pht_text_format("%s%s", *text, more);
    if (longer == NULL) {
        judge->no_memory = true;
        return;
    }
    free(*text);
    *text = longer;
}

void pht_judge_say(struct pht_judge *judge, struct pht_finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding == NULL)
        return;
    va_start(arguments, format);
    append(judge, &finding->text, format, arguments);
    va_end(arguments);
}

void pht_judge_advise(struct pht_judge *judge, struct pht_finding *finding, const char *format, ...)
{
    va_list arguments;

    if (finding == NULL)
        return;
    va_start(arguments, format);
    append(judge, &finding->remedy, format, arguments);
    va_end(arguments);
}

void pht_judge_note(struct pht_finding *finding, const char *name, uint64_t number)
{
    if (finding != NULL && finding->figure_count < PHT_FINDING_FIGURES_MAX)
        finding->figures[finding->figure_count++] =
            (struct pht_finding_figure){.name = name, .number = number};
}

void pht_judge_note_text(struct pht_judge *judge, struct pht_finding *finding, const char *name,
                         const char *text)
{
    char *copied = strdup(text);

    if (copied == NULL)
        judge->no_memory = true;
    if (copied == NULL || finding == NULL || finding->figure_count == PHT_FINDING_FIGURES_MAX) {
        free(copied);
        return;
    }
    finding->figures[finding->figure_count++] =
        (struct pht_finding_figure){.name = name, .text = copied};
}

/* A server is named by its program, its module or the title that it gives itself. */
const char *pht_judge_recycling(const struct pht_judge *judge)
{
    static const struct {
        const char *name;
        const char *advice;
    } servers[] = {
        {"celery", "recycle workers after peaks (--max-tasks-per-child)"},
        {"gunicorn", "recycle workers (--max-requests, --max-requests-jitter)"},
        {"uwsgi", "recycle workers (--max-requests, --reload-on-rss)"},
        {"uvicorn", "recycle workers (--limit-max-requests)"},
        {"hypercorn", "recycle workers (--max-requests)"},
        {"multiprocessing", "recycle workers after peaks (Pool's maxtasksperchild)"},
    };
    const struct pht_process *process = &judge->report->process;

    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        const char *name = servers[i].name;
        if (strstr(process->comm, name) != NULL ||
            memmem(process->command, process->command_bytes, name, strlen(name)) != NULL)
            return servers[i].advice;
    }
    return "restart it after peaks, or do in a child process what makes them";
}

bool pht_is_builtin(const char *module)
{
    return strcmp(module, "builtins") == 0 || strcmp(module, "__builtin__") == 0;
}

char *pht_judge_type_name(struct pht_judge *judge, const char *module, const char *name)
{
    _cleanup_free_ char *whole = module[0] == '\0' || pht_is_builtin(module)
                                     ? strdup(name)
                                     : pht_text_format("%s.%s", module, name);
    char *printable = whole != NULL ? pht_text_printable(whole, strlen(whole)) : NULL;

    if (printable == NULL)
        judge->no_memory = true;
    else
        pht_text_cut(printable, 60);
    return printable;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static uint64_t savings(const struct pht_finding *finding)
{
    return finding->bytes != PHT_UNKNOWN ? finding->bytes : 0;
}

static int compare_findings(const void *a, const void *b)
{
    const struct pht_finding *left = a, *right = b;

    if (left->severity != right->severity)
        return left->severity < right->severity ? -1 : 1;
    if (savings(left) != savings(right))
        return savings(left) < savings(right) ? 1 : -1;
    return strcmp(left->id, right->id);
}

/* What an allocator keeps, what another manages and what nobody knows is not in use for sure. */
static uint64_t add_up_live(const struct pht_judge *judge)
{
    static const enum pht_category live[] = {
        PHT_CATEGORY_PYTHON_SMALL,   PHT_CATEGORY_PYTHON_LARGE, PHT_CATEGORY_MALLOC_UNOWNED,
        PHT_CATEGORY_MALLOC_MMAPPED, PHT_CATEGORY_FILES,        PHT_CATEGORY_STACKS,
        PHT_CATEGORY_SHARED_MEMORY,
    };
    uint64_t bytes = 0;

    for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
        bytes += pht_judge_category(judge, live[i]);
    return bytes;
}

static bool judge_all(struct pht_report *report, const struct pht_diff *diff)
{
    struct pht_judge judge = {.report = report, .diff = diff, .findings = &report->findings};

    pht_findings_clear(&report->findings);
    if (!(report->sections & PHT_SECTION_FINDINGS))
        return true;
    report->findings.known = true;
    report->findings.is_partial =
        report->pymalloc == NULL || report->glibc == NULL || report->objects == NULL;
    report->findings.live_bytes = add_up_live(&judge);
    pht_judge_pymalloc(&judge);
    pht_judge_glibc(&judge);
    pht_judge_native(&judge);
    pht_judge_types(&judge);
    pht_judge_fork(&judge);
    pht_judge_gc(&judge);
    pht_judge_kernel(&judge);
    pht_judge_other_allocators(&judge);
    if (diff != NULL)
        pht_judge_growth(&judge);
    if (judge.no_memory) {
        pht_findings_clear(&report->findings);
        return false;
    }
    if (report->findings.count > 0)
        qsort(report->findings.items, report->findings.count, sizeof(*report->findings.items),
              compare_findings);
    return true;
}

bool pht_findings_judge(struct pht_report *report)
{
    return judge_all(report, NULL);
}

bool pht_findings_compare(struct pht_report *report, struct pht_figures *baseline)
{
    struct pht_figures *now = pht_figures_create(report);
    struct pht_diff diff;

    if (now == NULL || !pht_diff_make(baseline, now, &diff)) {
        pht_figures_destroy(now);
        pht_findings_clear(&report->findings);
        return false;
    }
    bool is_judged = judge_all(report, &diff);
    pht_diff_deinit(&diff);
    pht_figures_destroy(now);
    return is_judged;
}
