#include "cmd/watch.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cmd/once.h"
#include "cmd/session.h"
#include "pyheaptop/tui.h"

#define DELAY_US_DEFAULT 5000000

static bool has_terminal(void)
{
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool watch_is_wanted(const struct options *options)
{
    return (options->command == COMMAND_REPORT || options->command == COMMAND_LIST) &&
           !options->asks_report && has_terminal();
}

struct pht_error *watch_refuse(const struct options *options)
{
    const char *option = options->sorts_screens ? "sort" : options->screen_option;

    /* How things look may be said once and for all; what to look at is said for a terminal. */
    bool is_refused =
        option != NULL && (strcmp(option, "screen") == 0 || strcmp(option, "sort") == 0);
    if (!is_refused || options->asks_report || has_terminal())
        return NULL;
    const char *column = options->sorts_screens ? options->sort : "";
    struct pht_error *error = pht_error_create(
        PHT_ERROR_USAGE, "--%s%s%s needs a terminal, %s is none", option,
        column[0] != '\0' ? "=" : "", column, isatty(STDOUT_FILENO) ? "stdin" : "stdout");
    return pht_error_try(error, "leave it out: a pipe gets the text report");
}

/* Of several processes that are called so, the user chooses one. */
static struct pht_error *open_session(const struct options *options, struct session *session)
{
    struct pht_error *error = session_open(options, session);

    if (error == NULL || error->code != PHT_ERROR_USAGE)
        return error;
    pht_error_destroy(error);
    return NULL;
}

struct pht_error *watch_process(const struct options *options, int *signal)
{
    struct options silent = *options;
    struct session session;
    struct pht_tui_end end = {0};

    silent.verbose = false; /* standard error is where the screens are */
    struct pht_error *error = open_session(&silent, &session);
    if (error == NULL) {
        /* What is exported may go far. */
        const struct pht_report_options report = session_report_options(&session, false);
        const struct pht_tui_options screens = {
            .version = PHT_VERSION,
            .name = options->process,
            .report = &report,
            .steward = options->steward,
            .interval_us = options->delay_ms > 0 ? options->delay_ms * 1000 : DELAY_US_DEFAULT,
            .count = options->count,
            .baseline = options->baseline,
            .screen = (enum pht_tui_screen)options->screen,
            .sort = options->sort,
            .color = (enum pht_tui_color)options->color,
            .ascii = options->ascii,
            .mouse = options->mouse,
        };
        error = pht_tui_run(session.target, &screens, &end);
        session.target = NULL; /* it was closed there */
    }
    session_close(&session);
    *signal = end.signal;
    return error;
}
