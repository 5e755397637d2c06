#include "tui/pick.h"

#include <poll.h>
#include <unistd.h>

#include "tui/chrome.h"
#include "tui/picker.h"

struct picking {
    const struct pht_pick *pick;
    struct pht_picker *picker;
    unsigned rows;
    unsigned columns;
    int signal;
    enum pht_picker_result result;
};

static struct pht_error *look(struct picking *self)
{
    struct pht_candidates candidates;
    struct pht_error *error = pht_candidates_find(&candidates);

    if (error != NULL)
        return error;
    pht_candidates_look(&candidates);
    return pht_picker_take(self->picker, &candidates) ? NULL : pht_error_no_memory();
}

static struct pht_error *draw(struct picking *self)
{
    struct pht_canvas canvas;

    if (!pht_canvas_init(&canvas, self->rows, self->columns, self->pick->is_ascii))
        return pht_error_no_memory();
    if (self->rows < PHT_ROWS_MIN || self->columns < PHT_COLUMNS_MIN)
        pht_chrome_draw_too_small(&canvas);
    else
        pht_picker_draw(self->picker, pht_canvas_area(&canvas));
    pht_terminal_show(self->pick->terminal, &canvas);
    pht_canvas_deinit(&canvas);
    return NULL;
}

static void read_keys(struct picking *self)
{
    while (self->result == PHT_PICKER_STAY) {
        struct pht_input input = pht_terminal_read(self->pick->terminal);
        if (input.key == PHT_KEY_NONE)
            return;
        self->result = pht_picker_on_key(self->picker, input.key);
    }
}

static void read_signals(struct picking *self)
{
    for (int number; (number = pht_signals_next(self->pick->signals)) != 0;) {
        if (number == SIGTSTP)
            pht_signals_suspend(self->pick->terminal);
        else if (number != SIGWINCH)
            self->signal = number;
        pht_terminal_measure(self->pick->terminal, &self->rows, &self->columns);
    }
}

static void wait_for_something(struct picking *self)
{
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = self->pick->signals->fd, .events = POLLIN},
    };

    if (poll(fds, 2, -1) < 0)
        return;
    if (fds[1].revents != 0)
        read_signals(self);
    if (fds[0].revents & POLLIN)
        read_keys(self);
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        self->signal = SIGHUP; /* the terminal is gone */
}

static struct pht_error *run(struct picking *self)
{
    struct pht_error *error = NULL;

    pht_terminal_measure(self->pick->terminal, &self->rows, &self->columns);
    self->result = PHT_PICKER_REFRESH;
    while (error == NULL && self->signal == 0) {
        if (self->result == PHT_PICKER_OPEN || self->result == PHT_PICKER_LEAVE)
            break;
        if (self->result == PHT_PICKER_REFRESH)
            error = look(self);
        self->result = PHT_PICKER_STAY;
        if (error == NULL)
            error = draw(self);
        if (error == NULL)
            wait_for_something(self);
    }
    return error;
}

struct pht_error *pht_pick(const struct pht_pick *pick, pid_t *ret, int *signal)
{
    struct picking self = {.pick = pick, .picker = pht_picker_create(pick->name, pick->is_ascii)};

    *ret = 0;
    *signal = 0;
    if (self.picker == NULL)
        return pht_error_no_memory();
    struct pht_error *error = run(&self);
    if (error == NULL && self.result == PHT_PICKER_OPEN)
        *ret = pht_picker_pid(self.picker);
    *signal = self.signal;
    pht_picker_destroy(self.picker);
    return error;
}
