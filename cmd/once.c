#include "cmd/once.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/output.h"
#include "cmd/pick.h"
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

static struct pht_error *take(const struct options *options, const struct pht_layout_file *layouts,
                              struct pht_report **ret)
{
    _cleanup_free_ char *cache = once_cache_directory();
    const struct pht_report_options report_options = {
        .sections = options->sections != 0 ? options->sections : PHT_SECTION_ALL,
        .layout = {.cache_directory = cache,
                   .steward = options->steward,
                   .file = layouts,
                   .no_dwarf = options->no_dwarf},
        .sandbox_failure = options->sandbox_failure,
        .snapshot = {.stop = options->stop, .max_stop_us = options->max_stop_ms * 1000},
        .without_types = options->without_types,
        .census =
            {
                .previews = options->preview == PREVIEW_ON ||
                            (options->preview == PREVIEW_DEFAULT && !options->json),
                .threads = options->threads,
            },
        .number = 1,
    };
    struct pht_target *target;
    struct pht_error *error = once_open(options, &target);

    if (error != NULL)
        return error;
    error = pht_report_take(target, &report_options, ret);
    pht_target_destroy(target);
    return error;
}

struct pht_error *once_take(const struct options *options, struct pht_report **ret)
{
    struct pht_layout_file *layouts = NULL;
    struct pht_error *error = NULL;

    if (options->layout != NULL)
        error = pht_layout_file_open(options->layout, &layouts);
    if (error == NULL)
        error = take(options, layouts, ret);
    pht_layout_file_close(layouts);
    return error;
}

struct pht_error *once_report(const struct options *options)
{
    const struct pht_text_options text = {
        .version = PHT_VERSION,
        .full = options->sections != 0,
        .type_sort = options->type_sort,
        .type_rows = options->type_rows,
    };
    struct pht_report *report;
    bool is_written = true;
    struct output output;

    struct pht_error *error = once_take(options, &report);
    if (error != NULL)
        return error;
    error = output_open(options->output, options->steward, &output);
    if (error == NULL) {
        if (options->json)
            is_written = pht_json_report_write(report, PHT_VERSION, output.file);
        else
            pht_text_report_write(report, &text, output.file);
        error = output_close(&output, is_written);
    }
    pht_report_destroy(report);
    return error;
}
