/* pyheaptop: options in, one report out; the only file that ends the program. */
#include <stdio.h>

#include <elfutils/libdwfl.h>
#include <jansson.h>

#include "cmd/dump_layout.h"
#include "cmd/failure.h"
#include "cmd/growth.h"
#include "cmd/interval.h"
#include "cmd/once.h"
#include "cmd/option_table.h"
#include "cmd/options.h"
#include "cmd/pick.h"
#include "cmd/watch.h"
#include "pyheaptop/target.h"

static int write_version(void)
{
    printf("pyheaptop " PHT_VERSION "\n");
    printf("elfutils %s, jansson %s\n", dwfl_version(NULL), jansson_version_str());
    printf("understands CPython 2.7-3.15, x86-64\n");
    return 0;
}

static int write_sort_columns(void)
{
    for (int order = 0; order < PHT_TYPE_ORDERS; order++)
        printf("%s\n", pht_type_order_name((enum pht_type_order)order));
    return 0;
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

int main(int argc, char **argv)
{
    struct options options;

    struct pht_error *error = options_parse(argc, argv, &options);
    if (error != NULL)
        return failure_tell(error, options.json);
    if (options.command == COMMAND_HELP) {
        options_write_help(stdout);
        return 0;
    }
    if (options.command == COMMAND_VERSION)
        return write_version();
    if (options.command == COMMAND_SORT_HELP)
        return write_sort_columns();
    int signal = 0;
    if (watch_is_wanted(&options))
        error = watch_process(&options, &signal);
    else
        error = run(&options);
    if (error != NULL)
        return failure_tell(error, options.json);
    return signal != 0 ? 128 + signal : 0;
}
