#include "cmd/once.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/failure.h"
#include "cmd/output.h"
#include "cmd/pick.h"
#include "cmd/session.h"
#include "pyheaptop/view.h"

static void log_line(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "pyheaptop: %s\n", line);
}

char *once_cache_directory(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (cache != NULL && cache[0] == '/')
        return pht_text_format("%s/pyheaptop", cache);
    if (home != NULL && home[0] == '/')
        return pht_text_format("%s/.cache/pyheaptop", home);
    return NULL;
}

struct pht_error *once_open(const struct options *options, struct pht_target **ret)
{
    static const struct pht_log log = {.write = log_line};
    pid_t pid;

    struct pht_error *error = pick_process(options->process, &pid);
    if (error != NULL)
        return error;
    return pht_target_open_through(pid, options->verbose ? &log : NULL, options->steward, ret);
}

static unsigned wanted_sections(const struct options *options)
{
    return options->sections != 0 ? options->sections : PHT_SECTION_ALL;
}

struct pht_error *once_take(const struct options *options, struct pht_report **ret)
{
    struct session session;
    struct pht_error *error = session_open(options, &session);

    if (error == NULL)
        error = session_take(&session, wanted_sections(options), ret);
    session_close(&session);
    return error;
}

static struct pht_error *write_text(const struct options *options, const struct pht_report *report,
                                    struct pht_figures *baseline, FILE *file)
{
    struct pht_figures *now = baseline != NULL ? pht_figures_create(report) : NULL;
    struct pht_diff change;

    if (baseline != NULL && (now == NULL || !pht_diff_make(baseline, now, &change))) {
        pht_figures_destroy(now);
        return pht_error_no_memory();
    }
    const struct pht_text_options text = {
        .version = PHT_VERSION,
        .full = options->sections != 0,
        .type_sort = options->type_sort,
        .type_rows = options->type_rows,
        .change = baseline != NULL ? &change : NULL,
    };
    pht_text_report_write(report, &text, file);
    if (baseline != NULL)
        pht_diff_deinit(&change);
    pht_figures_destroy(now);
    return NULL;
}

static struct pht_error *write_report(const struct options *options,
                                      const struct pht_report *report, struct pht_figures *baseline)
{
    bool is_written = true;
    struct output output;

    struct pht_error *error = output_open(options->output, options->steward, &output);
    if (error != NULL)
        return error;
    if (options->json)
        is_written = pht_json_report_write(report, PHT_VERSION, output.file);
    else
        error = write_text(options, report, baseline, output.file);
    struct pht_error *closed = output_close(&output, is_written && error == NULL);
    if (error == NULL)
        return closed;
    pht_error_destroy(closed);
    return error;
}

struct pht_error *once_report(const struct options *options)
{
    struct session session;
    struct pht_report *report = NULL;

    struct pht_error *error = session_open(options, &session);
    if (error == NULL)
        error = session_take(&session, wanted_sections(options), &report);
    if (error == NULL)
        error = write_report(options, report, session.baseline);
    if (error == NULL && options->strict)
        error = failure_of_incomplete(report);
    pht_report_destroy(report);
    session_close(&session);
    return error;
}
