#include "pyheaptop/tui.h"

#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tui/app.h"
#include "tui/choose.h"
#include "tui/export.h"
#include "tui/shown.h"
#include "tui/signals.h"
#include "tui/worker.h"

/* How often progress is looked at while a report is taken. */
#define PROGRESS_MS 100

/* Keys of one go: a mouse wheel must not keep the screen from being drawn. */
#define KEYS_AT_ONCE 64

struct loop {
    const struct pht_tui_options *options;
    struct pht_terminal *terminal;
    struct pht_target *target;
    struct pht_worker *worker;
    struct pht_app *app;
    struct pht_signals signals;
    int signal; /* that ends all */
    bool is_over;
    bool is_chosen; /* the process, from the list */
    unsigned rows;
    unsigned columns;
};

/* ---- one process -------------------------------------------------------------------------- */

static struct pht_error *set_baseline(struct loop *loop)
{
    struct pht_figures *figures = NULL;

    if (loop->options->baseline == NULL)
        return NULL;
    struct pht_error *error = pht_json_figures_open(loop->options->baseline, &figures);
    if (error == NULL)
        pht_app_set_baseline(loop->app, figures);
    return error;
}

static struct pht_error *begin(struct loop *loop)
{
    const struct pht_tui_options *options = loop->options;
    const struct pht_app_options app = {
        .screen = (enum pht_screen_id)options->screen,
        .sort = options->sort,
        .interval_us = options->interval_us,
        .count = options->count,
        .is_ascii = options->ascii || !pht_terminal_is_utf8(),
        .mouse = options->mouse,
    };
    struct pht_error *error = pht_worker_create(loop->target, &loop->worker);

    if (error != NULL)
        return error;
    loop->app = pht_app_create(&app, pht_target_process(loop->target));
    return loop->app == NULL ? pht_error_no_memory() : set_baseline(loop);
}

static void end(struct loop *loop)
{
    pht_worker_destroy(loop->worker);
    loop->worker = NULL;
    pht_app_destroy(loop->app);
    loop->app = NULL;
    pht_target_destroy(loop->target);
    loop->target = NULL;
}

/* Look at another process, which is the loop's then, instead of the one before if there is one. */
static struct pht_error *change_to(struct loop *loop, struct pht_target *other)
{
    struct loop fresh = *loop;

    fresh.target = other;
    fresh.worker = NULL;
    fresh.app = NULL;
    struct pht_error *error = begin(&fresh);
    if (error != NULL) {
        end(&fresh);
        return error;
    }
    end(loop);
    *loop = fresh;
    return NULL;
}

static void open_other(struct loop *loop, pid_t pid)
{
    struct pht_target *other;
    struct pht_error *error = pht_target_open_through(pid, NULL, loop->options->steward, &other);

    if (error == NULL)
        error = change_to(loop, other);
    loop->is_chosen |= error == NULL;
    if (error != NULL)
        pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
}

static bool is_ascii(const struct loop *loop)
{
    return loop->options->ascii || !pht_terminal_is_utf8();
}

/* From the list of processes. Nothing chosen: it goes on as before, or ends if there was none. */
static struct pht_error *choose(struct loop *loop, const char *message)
{
    const struct pht_choose_options options = {
        .name = loop->app == NULL ? loop->options->name : NULL,
        .message = message,
        .steward = loop->options->steward,
        .is_ascii = is_ascii(loop),
    };
    struct pht_chosen chosen;
    struct pht_error *error = pht_choose(loop->terminal, &loop->signals, &options, &chosen);

    if (error != NULL)
        return error;
    loop->signal = chosen.signal;
    loop->is_over = chosen.signal != 0 || (chosen.target == NULL && loop->app == NULL);
    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
    loop->is_chosen = true;
    return chosen.target != NULL ? change_to(loop, chosen.target) : NULL;
}

/* A process that was chosen here and cannot be shown: another one, perhaps. */
static struct pht_error *choose_again(struct loop *loop)
{
    struct pht_error *failure = loop->is_chosen ? pht_app_take_failure(loop->app) : NULL;

    if (failure == NULL)
        return NULL;
    end(loop);
    struct pht_error *error = choose(loop, failure->text);
    pht_error_destroy(failure);
    return error;
}

/* ---- what happens ------------------------------------------------------------------------- */

static void set_time(struct loop *loop)
{
    struct timespec wall;

    clock_gettime(CLOCK_REALTIME, &wall);
    pht_app_set_time(loop->app, pht_clock_us(), wall.tv_sec);
}

static void collect(struct loop *loop)
{
    struct pht_worker_result result;

    while (pht_worker_collect(loop->worker, &result)) {
        if (result.error != NULL)
            pht_app_on_failure(loop->app, result.error);
        else
            pht_app_on_report(loop->app, result.report, result.work_us);
    }
}

/* An idle worker does not notice that the target ends. */
static void look_after(struct loop *loop)
{
    if (pht_worker_is_busy(loop->worker)) {
        struct pht_progress progress = pht_worker_progress(loop->worker);
        pht_app_on_progress(loop->app, &progress);
        return;
    }
    struct pht_error *error = pht_target_check(loop->target);
    if (error != NULL)
        pht_app_on_failure(loop->app, error);
}

static void read_keys(struct loop *loop)
{
    for (int i = 0; i < KEYS_AT_ONCE; i++) {
        struct pht_input input = pht_terminal_read(loop->terminal);
        if (input.key == PHT_KEY_NONE)
            return;
        pht_app_on_input(loop->app, &input);
    }
}

/* The target must not be stopped by us while we are. */
static void suspend(struct loop *loop)
{
    pht_worker_settle(loop->worker);
    pht_signals_suspend(loop->terminal);
    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
}

static void read_signals(struct loop *loop)
{
    for (int number; (number = pht_signals_next(&loop->signals)) != 0;) {
        if (number == SIGWINCH) {
            pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
        } else if (number == SIGTSTP) {
            suspend(loop);
        } else {
            loop->signal = number;
            loop->is_over = true;
        }
    }
}

/* ---- what is to be done ------------------------------------------------------------------- */

static void take(struct loop *loop)
{
    struct pht_report_options options = *loop->options->report;

    options.sections = PHT_SECTION_ALL;
    pht_app_prepare(loop->app, &options);
    pht_worker_take(loop->worker, &options);
}

static void export(struct loop *loop)
{
    const struct pht_report *report = pht_app_report(loop->app);
    char name[PHT_EXPORT_NAME_MAX];

    if (report == NULL || !pht_report_is_whole(report)) {
        pht_app_say(loop->app, "no snapshot yet: nothing was written");
        return;
    }
    struct pht_error *error =
        pht_export(report, loop->options->version, loop->options->steward, name);
    if (error == NULL)
        pht_app_say(loop->app, "wrote %s.txt and .json", name);
    else
        pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
}

static struct pht_error *obey(struct loop *loop, enum pht_order order)
{
    switch (order) {
    case PHT_ORDER_NONE:
        break;
    case PHT_ORDER_TAKE:
        take(loop);
        break;
    case PHT_ORDER_CANCEL:
        pht_worker_cancel(loop->worker);
        break;
    case PHT_ORDER_EXPORT:
        export(loop);
        break;
    case PHT_ORDER_OPEN:
        open_other(loop, pht_app_pid_to_open(loop->app));
        break;
    case PHT_ORDER_PICK:
        return choose(loop, NULL);
    case PHT_ORDER_MOUSE:
        pht_terminal_use_mouse(loop->terminal, pht_app_wants_mouse(loop->app));
        break;
    case PHT_ORDER_REDRAW:
        pht_terminal_redraw(loop->terminal);
        break;
    case PHT_ORDER_SUSPEND:
        suspend(loop);
        break;
    case PHT_ORDER_QUIT:
        loop->is_over = true;
        return choose_again(loop);
    }
    return NULL;
}

static struct pht_error *obey_all(struct loop *loop)
{
    struct pht_error *error = NULL;

    for (enum pht_order order; error == NULL && !loop->is_over &&
                               (order = pht_app_next_order(loop->app)) != PHT_ORDER_NONE;)
        error = obey(loop, order);
    return error;
}

/* ---- the loop ----------------------------------------------------------------------------- */

static struct pht_error *draw(struct loop *loop)
{
    struct pht_canvas canvas;

    if (!pht_canvas_init(&canvas, loop->rows, loop->columns, is_ascii(loop)))
        return pht_error_no_memory();
    pht_app_draw(loop->app, &canvas);
    pht_terminal_show(loop->terminal, &canvas);
    pht_canvas_deinit(&canvas);
    return NULL;
}

static int timeout_ms(struct loop *loop)
{
    uint64_t now = pht_clock_us(), wake = pht_app_wake_us(loop->app);
    int until = wake <= now ? 0 : (int)((wake - now) / 1000 + 1);

    return pht_worker_is_busy(loop->worker) && until > PROGRESS_MS ? PROGRESS_MS : until;
}

static void wait_for_something(struct loop *loop)
{
    enum { KEYS, SIGNALS, WORKER, FDS };
    struct pollfd fds[FDS] = {
        [KEYS] = {.fd = STDIN_FILENO, .events = POLLIN},
        [SIGNALS] = {.fd = loop->signals.fd, .events = POLLIN},
        [WORKER] = {.fd = pht_worker_fd(loop->worker), .events = POLLIN},
    };

    if (poll(fds, FDS, timeout_ms(loop)) < 0)
        return;
    set_time(loop);
    if (fds[SIGNALS].revents != 0)
        read_signals(loop);
    if (fds[WORKER].revents != 0)
        collect(loop);
    if (fds[KEYS].revents & POLLIN)
        read_keys(loop);
    if (fds[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL)) {
        loop->signal = SIGHUP; /* the terminal is gone */
        loop->is_over = true;
    }
}

static struct pht_error *run(struct loop *loop)
{
    struct pht_error *error = loop->app == NULL ? choose(loop, NULL) : NULL;

    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
    while (error == NULL && !loop->is_over) {
        set_time(loop);
        error = obey_all(loop);
        if (error != NULL || loop->is_over)
            break;
        error = draw(loop);
        wait_for_something(loop);
        look_after(loop);
    }
    return error != NULL || loop->app == NULL ? error : pht_app_take_failure(loop->app);
}

struct pht_error *pht_tui_run(struct pht_target *target, const struct pht_tui_options *options,
                              struct pht_tui_end *end_of_it)
{
    struct loop loop = {.options = options, .target = target};

    *end_of_it = (struct pht_tui_end){0};
    setlocale(LC_CTYPE, "");
    struct pht_error *error = pht_signals_catch(&loop.signals);
    if (error != NULL) {
        pht_target_destroy(target);
        return error;
    }
    if (target != NULL)
        error = begin(&loop);
    if (error == NULL)
        error = pht_terminal_open(options->color, &loop.terminal);
    if (error == NULL)
        error = run(&loop);
    pht_terminal_close(loop.terminal);
    end(&loop);
    pht_signals_release(&loop.signals);
    end_of_it->signal = loop.signal;
    return error;
}
