#include "cmd/growth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/once.h"
#include "cmd/output.h"
#include "pyheaptop/view.h"

static struct pht_error *read_process(const struct options *options, struct pht_figures **ret)
{
    struct pht_report *report;

    struct pht_error *error = once_take(options, &report);
    if (error != NULL)
        return error;
    *ret = pht_figures_create(report);
    pht_report_destroy(report);
    return *ret != NULL ? NULL : pht_error_no_memory();
}

static bool is_file(const char *name)
{
    struct stat status;

    return stat(name, &status) == 0 && S_ISREG(status.st_mode);
}

/* Without a second report it is the process of the first that is looked at again. */
static struct pht_error *read_after(const struct options *options, const struct pht_figures *before,
                                    struct pht_figures **ret)
{
    struct options again = *options;
    char pid[24];

    if (options->process != NULL && is_file(options->process))
        return pht_json_figures_open(options->process, ret);
    if (options->process == NULL) {
        snprintf(pid, sizeof(pid), "%" PRId64, before->pid);
        again.process = pid;
    }
    return read_process(&again, ret);
}

static struct pht_error *check_process(const struct options *options, const struct pht_diff *diff)
{
    if (options->process != NULL || diff->same_process)
        return NULL;
    return pht_error_try(pht_error_create(PHT_ERROR_NO_SUCH_PROCESS,
                                          "the process of that report has ended: pid %" PRId64
                                          " is another one now",
                                          diff->before->pid),
                         "pyheaptop --diff FILE PID");
}

static struct pht_error *write_growth(const struct options *options, struct pht_figures *before,
                                      struct pht_figures *after)
{
    struct pht_diff diff;
    bool is_written = true;
    struct output output;

    if (!pht_diff_make(before, after, &diff))
        return pht_error_no_memory();
    struct pht_error *error = check_process(options, &diff);
    if (error == NULL)
        error = output_open(options->output, options->steward, &output);
    if (error == NULL) {
        if (options->json)
            is_written = pht_json_diff_write(&diff, PHT_VERSION, output.file);
        else
            pht_text_diff_write(&diff, PHT_VERSION, output.file);
        error = output_close(&output, is_written);
    }
    pht_diff_deinit(&diff);
    return error;
}

struct pht_error *growth_report(const struct options *options)
{
    struct pht_figures *before = NULL, *after = NULL;

    struct pht_error *error = pht_json_figures_open(options->diff, &before);
    if (error != NULL || before == NULL)
        return error;
    error = read_after(options, before, &after);
    if (error == NULL && after != NULL)
        error = write_growth(options, before, after);
    pht_figures_destroy(before);
    pht_figures_destroy(after);
    return error;
}
