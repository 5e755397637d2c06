#include "cmd/once.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cmd/pick.h"
#include "pyheaptop/view.h"

static void log_line(void *context, const char *line)
{
    fprintf(context, "pyheaptop: %s\n", line);
}

/* $XDG_CACHE_HOME/pyheaptop, ~/.cache/pyheaptop; NULL when neither is known. */
static char *cache_directory(void)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    if (cache != NULL && cache[0] == '/')
        return pht_text_format("%s/pyheaptop", cache);
    if (home != NULL && home[0] == '/')
        return pht_text_format("%s/.cache/pyheaptop", home);
    return NULL;
}

/* A report may hold what others should not see, and a link may lead to what it should not hit. */
static struct pht_error *open_output(const char *path, FILE **ret)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

    *ret = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (*ret != NULL)
        return NULL;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    _cleanup_free_ char *name = pht_text_printable(path, strlen(path));
    struct pht_error *error =
        pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write %s: %s", name != NULL ? name : "",
                         cause == ELOOP ? "it is a symbolic link" : strerror(cause));
    return pht_error_try(error, "-o \"$HOME/heap.json\"");
}

static struct pht_error *write_report(const struct options *options,
                                      const struct pht_report *report, FILE *file)
{
    const struct pht_text_options text = {.version = PHT_VERSION, .full = options->sections != 0};

    if (!options->json)
        pht_text_report_write(report, &text, file);
    else if (!pht_json_report_write(report, PHT_VERSION, file) && !ferror(file))
        return pht_error_no_memory();
    if (fflush(file) == 0 && !ferror(file))
        return NULL;
    return pht_error_create(PHT_ERROR_OUTPUT_FILE, "cannot write the report: %s", strerror(errno));
}

struct pht_error *once_report(const struct options *options)
{
    _cleanup_free_ char *cache = cache_directory();
    const struct pht_log log = {.write = log_line, .context = stderr};
    const struct pht_report_options report_options = {
        .sections = options->sections != 0 ? options->sections : PHT_SECTION_ALL,
        .layout = {.cache_directory = cache},
        .snapshot = {.stop = options->stop, .max_stop_us = options->max_stop_ms * 1000},
        .without_types = options->without_types,
        .previews = options->preview == PREVIEW_ON ||
                    (options->preview == PREVIEW_DEFAULT && !options->json),
        .number = 1,
    };
    struct pht_target *target;
    struct pht_report *report;
    _cleanup_fclose_ FILE *file = NULL;

    pid_t pid;

    struct pht_error *error = pick_process(options->process, &pid);
    if (error == NULL)
        error = pht_target_open(pid, options->verbose ? &log : NULL, &target);
    if (error != NULL)
        return error;
    error = pht_report_take(target, &report_options, &report);
    pht_target_destroy(target);
    if (error != NULL)
        return error;
    if (options->output != NULL)
        error = open_output(options->output, &file);
    if (error == NULL)
        error = write_report(options, report, file != NULL ? file : stdout);
    pht_report_destroy(report);
    return error;
}
