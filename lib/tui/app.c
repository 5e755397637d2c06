#include "tui/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/app_parts.h"
#include "tui/chrome.h"

/* A shorter work is over before anybody has read what it is doing. */
#define WORK_SHOWN_AFTER_US 400000

#define SECOND_US ((uint64_t)1000000)

/* ---- life --------------------------------------------------------------------------------- */

static bool create_screens(struct pht_app *app)
{
    for (int i = 0; i < PHT_SCREENS; i++) {
        app->states[i] = pht_screen_of((enum pht_screen_id)i)->create();
        if (app->states[i] == NULL)
            return false;
    }
    return true;
}

struct pht_app *pht_app_create(const struct pht_app_options *options,
                               const struct pht_process *process)
{
    struct pht_app *app = calloc(1, sizeof(*app));

    if (app == NULL)
        return NULL;
    app->process = process;
    app->screen = options->screen;
    app->view.is_ascii = options->is_ascii;
    app->wants_mouse = options->mouse;
    app->orders = options->mouse ? 1U << PHT_ORDER_MOUSE : 0;
    pht_cadence_init(&app->cadence, options->interval_us, options->count);
    if (!create_screens(app)) {
        pht_app_destroy(app);
        return NULL;
    }
    if (options->sort != NULL)
        pht_app_sort_by(app, options->sort);
    return app;
}

void pht_app_destroy(struct pht_app *app)
{
    if (app == NULL)
        return;
    for (int i = 0; i < PHT_SCREENS; i++) {
        if (app->states[i] != NULL)
            pht_screen_of((enum pht_screen_id)i)->destroy(app->states[i]);
    }
    pht_shown_deinit(&app->shown);
    pht_error_destroy(app->failure);
    free(app);
}

void pht_app_set_baseline(struct pht_app *app, struct pht_figures *baseline)
{
    app->shown.is_baseline_given = true;
    if (!pht_shown_set_baseline(&app->shown, baseline))
        pht_app_say(app, "out of memory: no change is shown");
}

/* ---- what is told ------------------------------------------------------------------------- */

void pht_app_say(struct pht_app *app, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(app->message, sizeof(app->message), format, arguments);
    va_end(arguments);
}

void pht_app_order(struct pht_app *app, enum pht_order order)
{
    app->orders |= 1U << order;
}

void pht_app_set_time(struct pht_app *app, uint64_t now_us, time_t wall)
{
    if (app->began_us == 0)
        app->began_us = now_us;
    app->now_us = now_us;
    app->wall = wall;
    if (!app->is_working && !app->is_exited && now_us >= pht_cadence_due_us(&app->cadence))
        pht_app_take(app);
}

void pht_app_take(struct pht_app *app)
{
    if (app->is_exited) {
        pht_app_say(app, "pid %d has ended: there is nothing more to read", app->process->pid);
        return;
    }
    if (app->is_working)
        return;
    app->is_working = true;
    app->progress = (struct pht_progress){0};
    pht_cadence_begin(&app->cadence, app->now_us);
    pht_app_order(app, PHT_ORDER_TAKE);
}

void pht_app_on_progress(struct pht_app *app, const struct pht_progress *progress)
{
    app->progress = *progress;
}

/* ---- reports ------------------------------------------------------------------------------ */

/* What views hold has changed: every screen follows, so that none keeps what is gone. */
void pht_app_update(struct pht_app *app)
{
    if (app->shown.report == NULL)
        return;
    app->view.report = app->shown.report;
    app->view.change = app->shown.change;
    for (int i = 0; i < PHT_SCREENS; i++)
        pht_screen_of((enum pht_screen_id)i)->update(app->states[i], &app->view);
}

void pht_app_on_report(struct pht_app *app, struct pht_report *report, uint64_t work_us)
{
    bool is_whole = pht_report_is_whole(report);

    if (is_whole) {
        app->is_working = false;
        app->taken_us = app->now_us;
        pht_cadence_end(&app->cadence, app->now_us, work_us, report->snapshot.stopped_us);
    }
    if (!pht_shown_take(&app->shown, report))
        pht_app_say(app, "out of memory: no change is shown");
    pht_app_update(app);
    pht_shown_drop_former(&app->shown);
}

static bool is_gone(const struct pht_error *error)
{
    return error->code == PHT_ERROR_EXITED_EARLY || error->code == PHT_ERROR_NO_SUCH_PROCESS ||
           error->code == PHT_ERROR_EXEC_DURING_SNAPSHOT;
}

void pht_app_on_failure(struct pht_app *app, struct pht_error *error)
{
    const struct pht_report *report = app->shown.report;

    app->is_working = false;
    if (error->code == PHT_ERROR_CANCELLED) {
        pht_app_say(app, "snapshot cancelled");
    } else if (report == NULL || !pht_report_is_whole(report)) {
        app->failure = error;
        pht_app_order(app, PHT_ORDER_QUIT);
        return;
    } else if (is_gone(error)) {
        app->is_exited = true;
        app->exited_at = app->wall;
        app->exited_us = app->now_us;
    } else {
        pht_app_say(app, "%s", error->text);
    }
    pht_error_destroy(error);
}

const struct pht_report *pht_app_report(const struct pht_app *app)
{
    return app->shown.report;
}

struct pht_error *pht_app_take_failure(struct pht_app *app)
{
    struct pht_error *failure = app->failure;

    app->failure = NULL;
    return failure;
}

/* ---- orders ------------------------------------------------------------------------------- */

enum pht_order pht_app_next_order(struct pht_app *app)
{
    for (int order = PHT_ORDER_NONE + 1; order <= PHT_ORDER_QUIT; order++) {
        if (app->orders & 1U << order) {
            app->orders &= ~(1U << order);
            return (enum pht_order)order;
        }
    }
    return PHT_ORDER_NONE;
}

void pht_app_prepare(struct pht_app *app, struct pht_report_options *options)
{
    options->number = ++app->number;
    for (int i = 0; i < PHT_SCREENS; i++) {
        const struct pht_screen *screen = pht_screen_of((enum pht_screen_id)i);
        if (screen->want != NULL)
            screen->want(app->states[i], options);
    }
}

bool pht_app_wants_mouse(const struct pht_app *app)
{
    return app->wants_mouse;
}

pid_t pht_app_pid_to_open(const struct pht_app *app)
{
    return app->pid_to_open;
}

uint64_t pht_app_wake_us(const struct pht_app *app)
{
    uint64_t second = (app->now_us / SECOND_US + 1) * SECOND_US; /* ages */
    uint64_t due =
        app->is_working || app->is_exited ? UINT64_MAX : pht_cadence_due_us(&app->cadence);

    return due < second ? due : second;
}

/* ---- drawing ------------------------------------------------------------------------------ */

/* NULL: what is shown is the baseline itself. */
static const struct pht_diff *changed_since(const struct pht_app *app)
{
    const struct pht_diff *diff =
        app->shown.change != NULL ? pht_change_diff(app->shown.change) : NULL;

    return diff != NULL && strcmp(diff->before->taken_at, diff->after->taken_at) != 0 ? diff : NULL;
}

static struct pht_status status_of(struct pht_app *app)
{
    const struct pht_screen *screen = pht_screen_of(app->screen);
    struct pht_table_source source;
    const struct pht_table *table =
        app->view.report != NULL ? screen->table(app->states[app->screen], &source) : NULL;
    uint64_t until_us = app->is_exited ? app->exited_us : app->now_us;
    bool is_first = app->shown.report == NULL || !pht_report_is_whole(app->shown.report);

    return (struct pht_status){
        .process = app->process,
        .report = app->shown.report,
        .diff = changed_since(app),
        .units = app->view.units,
        .is_utf8 = !app->view.is_ascii,
        .screen = app->screen,
        .is_help = app->is_help,
        .filter = table != NULL ? table->filter : NULL,
        .prompt = app->prompt_kind != PROMPT_NONE ? &app->prompt : NULL,
        .message = app->message,
        .keys = screen->keys,
        .key_count = screen->key_count,
        .uptime_seconds = app->process->uptime_seconds + (until_us - app->began_us) / SECOND_US,
        .age_us = app->now_us - app->taken_us,
        .interval_us = pht_cadence_interval(&app->cadence),
        .is_raised = pht_cadence_is_raised(&app->cadence),
        .is_paused = app->cadence.is_paused,
        .is_exited = app->is_exited,
        .exited_at = app->exited_at,
        .is_working = app->is_working &&
                      (is_first || app->now_us - app->cadence.started_us >= WORK_SHOWN_AFTER_US),
        .progress = app->progress,
    };
}

static void draw_body(struct pht_app *app, struct pht_area body)
{
    const struct pht_screen *screen = pht_screen_of(app->screen);

    if (app->is_help)
        pht_help_draw(&app->help, screen, app->shown.report, body);
    else if (app->view.report == NULL)
        pht_area_put(body, body.rows / 2, 2, PHT_ROLE_DIM, "reading the target");
    else if (app->sort_list.is_open)
        pht_sort_list_draw(&app->sort_list, body);
    else
        screen->draw(app->states[app->screen], &app->view, body);
}

void pht_app_draw(struct pht_app *app, struct pht_canvas *canvas)
{
    app->canvas_rows = canvas->rows;
    app->canvas_columns = canvas->columns;
    if (canvas->rows < PHT_ROWS_MIN || canvas->columns < PHT_COLUMNS_MIN) {
        pht_chrome_draw_too_small(canvas);
        return;
    }
    draw_body(app, pht_chrome_body(canvas));
    struct pht_status status = status_of(app);
    pht_chrome_draw(canvas, &status);
}
