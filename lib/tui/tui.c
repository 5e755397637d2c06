#include "pyheaptop/tui.h"

#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "tui/app.h"
#include "tui/export.h"
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
    int signal_fd;
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

/* The shell that started us has the terminal while we wait; the target is not stopped by us. */
static void suspend(struct loop *loop)
{
    sigset_t stop;

    pht_worker_settle(loop->worker);
    pht_terminal_leave(loop->terminal);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    signal(SIGTSTP, SIG_DFL);
    kill(0, SIGTSTP); /* all of the job, as the terminal would have done */
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL);
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    pht_terminal_return(loop->terminal);
    pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
}

static void read_signals(struct loop *loop)
{
    struct signalfd_siginfo info;

    while (read(loop->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGWINCH) {
            pht_terminal_measure(loop->terminal, &loop->rows, &loop->columns);
        } else if (info.ssi_signo == SIGTSTP) {
            suspend(loop);
        } else {
            loop->signal = (int)info.ssi_signo;
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
    struct pht_error *error = pht_export(report, loop->options->version, name);
    if (error == NULL)
        pht_app_say(loop->app, "wrote %s.txt and .json", name);
    else
        pht_app_say(loop->app, "%s", error->text);
    pht_error_destroy(error);
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
        pht_app_say(loop->app, "pyheaptop without a pid lists the processes there are");
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
        [SIGNALS] = {.fd = loop->signal_fd, .events = POLLIN},
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

/* Signals are read in the loop, which alone knows when the terminal can be left. */
static struct pht_error *catch_signals(struct loop *loop, sigset_t *before)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP};
    sigset_t caught;

    sigemptyset(&caught);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaddset(&caught, numbers[i]);
    loop->signal_fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signal_fd < 0)
        return pht_error_create(PHT_ERROR_INTERNAL, "cannot read signals: errno %d", errno);
    pthread_sigmask(SIG_BLOCK, &caught, before);
    return NULL;
}

struct pht_error *pht_tui_run(struct pht_target *target, const struct pht_tui_options *options,
                              struct pht_tui_end *end_of_it)
{
    struct loop loop = {.options = options, .target = target, .signal_fd = -1};
    sigset_t before;

    *end_of_it = (struct pht_tui_end){0};
    setlocale(LC_CTYPE, "");
    struct pht_error *error = catch_signals(&loop, &before);
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
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(loop.signal_fd);
    end_of_it->signal = loop.signal;
    return error;
}
