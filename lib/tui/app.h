/*
 * What the screens do: what happens goes in, what is to be done and what is to be seen comes out.
 * No terminal, no clock, no thread and no file: tests make time and keys.
 */
#ifndef PHT_LIB_TUI_APP_H
#define PHT_LIB_TUI_APP_H

#include "tui/status.h"

struct pht_app;

struct pht_app_options {
    enum pht_screen_id screen;
    const char *sort; /* a column of that screen; NULL: as it comes */
    uint64_t interval_us;
    uint64_t count; /* of snapshots; 0: no end */
    bool is_ascii;
    bool mouse;
};

/* `process` is *kept*. NULL when memory is short. */
struct pht_app *pht_app_create(const struct pht_app_options *options,
                               const struct pht_process *process);
void pht_app_destroy(struct pht_app *app);

/* Compare with this rather than the first snapshot; taken. */
void pht_app_set_baseline(struct pht_app *app, struct pht_figures *baseline);

/* ---- what happens ------------------------------------------------------------------------- */

/* Before anything else that happens then: the monotonic clock, and the time of day. */
void pht_app_set_time(struct pht_app *app, uint64_t now_us, time_t wall);

void pht_app_on_input(struct pht_app *app, const struct pht_input *input);

/* A snapshot is being taken. */
void pht_app_on_progress(struct pht_app *app, const struct pht_progress *progress);

/*
 * A report was taken, and is the app's now; or it failed, and the error is. `work_us`: what it took
 * of a processor.
 */
void pht_app_on_report(struct pht_app *app, struct pht_report *report, uint64_t work_us);
void pht_app_on_failure(struct pht_app *app, struct pht_error *error);

/* Something else to tell: in the message line until the next key. */
void pht_app_say(struct pht_app *app, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- what is to be done ------------------------------------------------------------------- */

enum pht_order {
    PHT_ORDER_NONE,
    PHT_ORDER_TAKE, /* a report, with pht_app_prepare()'s options */
    PHT_ORDER_CANCEL,
    PHT_ORDER_EXPORT,
    PHT_ORDER_OPEN, /* the process of pht_app_pid_to_open() */
    PHT_ORDER_PICK,
    PHT_ORDER_MOUSE, /* as pht_app_wants_mouse() */
    PHT_ORDER_REDRAW,
    PHT_ORDER_SUSPEND,
    PHT_ORDER_QUIT,
};

/* The next one, until there is none. Each is told once. */
enum pht_order pht_app_next_order(struct pht_app *app);

/* What a report that was ordered has to be. `options` has what goes for all of them. */
void pht_app_prepare(struct pht_app *app, struct pht_report_options *options);

bool pht_app_wants_mouse(const struct pht_app *app);
pid_t pht_app_pid_to_open(const struct pht_app *app);

/* What is shown; NULL: nothing yet. */
const struct pht_report *pht_app_report(const struct pht_app *app);

/* The first snapshot failed, and there is nothing to see: the caller's now. NULL: it did not. */
struct pht_error *pht_app_take_failure(struct pht_app *app);

/* When to set the time and to draw again, even if nothing happens. */
uint64_t pht_app_wake_us(const struct pht_app *app);

void pht_app_draw(struct pht_app *app, struct pht_canvas *canvas);

#endif
