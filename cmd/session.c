#include "cmd/session.h"

#include <stdlib.h>

#include "cmd/once.h"

struct pht_error *session_open(const struct options *options, struct session *ret)
{
    struct pht_error *error = NULL;

    *ret = (struct session){.options = options, .cache = once_cache_directory()};
    if (options->layout != NULL)
        error = pht_layout_file_open(options->layout, &ret->layouts);
    if (error == NULL && options->baseline != NULL)
        error = pht_json_figures_open(options->baseline, &ret->baseline);
    if (error != NULL || options->process == NULL)
        return error;
    return once_open(options, &ret->target);
}

void session_close(struct session *session)
{
    pht_target_destroy(session->target);
    pht_layout_file_close(session->layouts);
    pht_figures_destroy(session->baseline);
    free(session->cache);
}

struct pht_report_options session_report_options(const struct session *session, bool previews)
{
    const struct options *options = session->options;

    return (struct pht_report_options){
        .layout = {.cache_directory = session->cache,
                   .steward = options->steward,
                   .file = session->layouts,
                   .no_dwarf = options->no_dwarf},
        .snapshot = {.stop = options->stop,
                     .max_stop_us = options->max_stop_ms * 1000,
                     .bytes_per_second = options->bytes_per_second},
        .without_types = options->without_types,
        .census = {.previews = options->preview == PREVIEW_ON ||
                               (options->preview == PREVIEW_DEFAULT && previews),
                   .threads = options->threads},
        .sandbox_failure = options->sandbox_failure,
    };
}

struct pht_error *session_take(struct session *session, unsigned sections, struct pht_report **ret)
{
    const struct options *options = session->options;
    const struct pht_watch watch = {.tell = progress_tell, .context = &session->progress};
    struct pht_report_options report_options = session_report_options(session, !options->json);

    report_options.sections = sections;
    report_options.number = ++session->number;
    report_options.watch = &watch;
    progress_begin(&session->progress, options);
    struct pht_error *error = pht_report_take(session->target, &report_options, ret);
    progress_end(&session->progress);
    if (error != NULL || session->baseline == NULL || pht_findings_compare(*ret, session->baseline))
        return error;
    pht_report_destroy(*ret);
    *ret = NULL;
    return pht_error_no_memory();
}
