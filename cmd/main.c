/* pyheaptop: options in, one report out; the only file that ends the program. */
#include <stdio.h>
#include <stdlib.h>

#include "cmd/completions.h"
#include "cmd/config.h"
#include "cmd/confine.h"
#include "cmd/dump_layout.h"
#include "cmd/failure.h"
#include "cmd/growth.h"
#include "cmd/interval.h"
#include "cmd/once.h"
#include "cmd/option_table.h"
#include "cmd/options.h"
#include "cmd/pick.h"
#include "cmd/sorting.h"
#include "cmd/version.h"
#include "cmd/watch.h"
#include "pyheaptop/target.h"

/* What needs no process. False: it is none of that. */
static bool tell(const struct options *options, FILE *file)
{
    switch (options->command) {
    case COMMAND_HELP:
        options_write_help(file);
        return true;
    case COMMAND_VERSION:
        version_write(file);
        return true;
    case COMMAND_SORT_HELP:
        sorting_write_columns(file);
        return true;
    case COMMAND_COMPLETIONS:
        completions_write(options->shell, file);
        return true;
    default:
        return false;
    }
}

static struct pht_error *run(const struct options *options)
{
    struct pht_error *error = watch_refuse(options);

    if (error != NULL)
        return error;
    /* It waits most of the time, and gives way when it does not. */
    if (options->command == COMMAND_REPORT && options->repeats)
        return interval_report(options);
    struct pht_courtesy *courtesy = pht_courtesy_begin();
    if (options->command == COMMAND_LIST)
        error = pick_list(stdout);
    else if (options->command == COMMAND_DUMP_LAYOUT)
        error = dump_layout(options);
    else if (options->diff != NULL)
        error = growth_report(options);
    else
        error = once_report(options);
    pht_courtesy_end(courtesy);
    return error;
}

static void read_config(struct config *config)
{
    char *path = config_path();

    if (path != NULL)
        config_read(path, config);
    free(path);
}

static int run_program(int argc, char **argv, struct config *config)
{
    struct options options;

    struct pht_error *error = options_parse(argc, argv, config, &options);
    if (config->notes != NULL && !options.quiet)
        fputs(config->notes, stderr);
    if (error != NULL)
        return failure_tell(error, options.json);
    if (tell(&options, stdout))
        return 0;
    int signal = 0;
    error = confine_begin(&options);
    if (error == NULL && watch_is_wanted(&options))
        error = watch_process(&options, &signal);
    else if (error == NULL)
        error = run(&options);
    confine_end(&options);
    if (error != NULL)
        return failure_tell(error, options.json);
    return signal != 0 ? 128 + signal : 0;
}

int main(int argc, char **argv)
{
    struct config config = {0};

    read_config(&config);
    int code = run_program(argc, argv, &config);
    config_deinit(&config);
    return code;
}
