#include "pyheaptop/tui.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/app.h"
#include "tui/export.h"
#include "tui/pick.h"
#include "tui/shown.h"
#include "tui/terminal.h"
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
    bool is_dirty;
    unsigned rows;
    unsigned columns;
};

/* ---- one process -------------------------------------------------------------------------- */

static struct pht_error *read_baseline(const char *path, struct pht_figures **ret)
{
    _cleanup_fclose_ FILE *file = fopen(path, "re");

    if (file == NULL)
        return pht_error_create(PHT_ERROR_FROM_FILE, "cannot read %s: %s", path,
                                strerrordesc_np(errno));
    return pht_json_figures_read(file, path, ret);
}

static struct pht_error *set_baseline(struct loop *loop)
{
    struct pht_figures *figures;

    if (loop->options->baseline == NULL)
        return NULL;
    struct pht_error *error = read_baseline(loop->options->baseline, &figures);
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
}

/* Look at another process instead, if that can be read. */
static void open_other(struct loop *loop, pid_t pid)
{
    struct pht_target *other;
    struct pht_error *error = pht_target_open(pid, NULL, &other);

    if (error == NULL) {
        struct loop fresh = *loop;
        fresh.target = other;
        fresh.worker = NULL;
        fresh.app = NULL;
        error = begin(&fresh);
        if (error == NULL) {
            end(loop);
            pht_target_destroy(loop->target);
            *loop = fresh;
            return;
        }
        end(&fresh);
        pht_target_destroy(other);
    }
    pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
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

/* The target is not stopped by us while we wait. */
static void suspend(struct loop *loop)
{
    pht_worker_settle(loop->worker);
    pht_signals_suspend(loop->terminal);
    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
}

static void end_by(struct loop *loop, int signal)
{
    loop->signal = signal;
    loop->is_over = true;
}

static void read_signals(struct loop *loop)
{
    for (int number; (number = pht_signals_next(&loop->signals)) != 0;) {
        if (number == SIGWINCH)
            pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
        else if (number == SIGTSTP)
            suspend(loop);
        else
            end_by(loop, number);
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
    struct pht_error *error = pht_export(report, loop->options->version, name);
    if (error == NULL)
        pht_app_say(loop->app, "wrote %s.txt and .json", name);
    else
        pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
}

/* The app is where it was if nothing is chosen. */
static void choose_other(struct loop *loop)
{
    const struct pht_pick pick = {
        .terminal = loop->terminal,
        .signals = &loop->signals,
        .is_ascii = loop->options->ascii || !pht_terminal_is_utf8(),
    };
    int signal;
    pid_t pid;

    struct pht_error *error = pht_pick(&pick, &pid, &signal);
    set_time(loop);
    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
    if (error != NULL)
        pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
    if (signal != 0)
        end_by(loop, signal);
    else if (pid == pht_target_process(loop->target)->pid)
        pht_app_say(loop->app, "pid %d is the one that is shown", pid);
    else if (pid != 0)
        open_other(loop, pid);
}

static void obey(struct loop *loop, enum pht_order order)
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
        choose_other(loop);
        break;
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
        break;
    }
}

static void obey_all(struct loop *loop)
{
    for (enum pht_order order;
         !loop->is_over && (order = pht_app_next_order(loop->app)) != PHT_ORDER_NONE;)
        obey(loop, order);
}

/* ---- the loop ----------------------------------------------------------------------------- */

static struct pht_error *draw(struct loop *loop)
{
    struct pht_canvas canvas;

    if (!pht_canvas_init(&canvas, loop->rows, loop->columns,
                         loop->options->ascii || !pht_terminal_is_utf8()))
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
    if (fds[KEYS].revents & (POLLHUP | POLLERR | POLLNVAL))
        end_by(loop, SIGHUP); /* the terminal is gone */
}

static struct pht_error *run(struct loop *loop)
{
    struct pht_error *error = NULL;

    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
    set_time(loop);
    while (error == NULL) {
        obey_all(loop);
        if (loop->is_over)
            break;
        error = draw(loop);
        wait_for_something(loop);
        look_after(loop);
    }
    return error != NULL ? error : pht_app_take_failure(loop->app);
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
    error = begin(&loop);
    if (error == NULL)
        error = pht_terminal_open(options->color, &loop.terminal);
    if (error == NULL)
        error = run(&loop);
    pht_terminal_close(loop.terminal);
    end(&loop);
    pht_target_destroy(loop.target);
    pht_signals_release(&loop.signals);
    end_of_it->signal = loop.signal;
    return error;
}

struct pht_error *pht_tui_pick(const struct pht_tui_options *options, const char *name, pid_t *ret,
                               struct pht_tui_end *end_of_it)
{
    struct pht_terminal *terminal = NULL;
    struct pht_signals signals;

    *ret = 0;
    *end_of_it = (struct pht_tui_end){0};
    setlocale(LC_CTYPE, "");
    struct pht_error *error = pht_signals_catch(&signals);
    if (error != NULL)
        return error;
    error = pht_terminal_open(options->color, &terminal);
    if (error == NULL) {
        const struct pht_pick pick = {
            .terminal = terminal,
            .signals = &signals,
            .name = name,
            .is_ascii = options->ascii || !pht_terminal_is_utf8(),
        };
        error = pht_pick(&pick, ret, &end_of_it->signal);
    }
    pht_terminal_close(terminal);
    pht_signals_release(&signals);
    return error;
}
