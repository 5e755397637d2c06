#include "tui/choose.h"

#include <poll.h>
#include <unistd.h>

#include "tui/chrome.h"
#include "tui/picker.h"

struct choice {
    struct pht_terminal *terminal;
    struct pht_signals *signals;
    const struct pht_choose_options *options;
    struct pht_picker *picker;
    bool is_over;
    struct pht_chosen *chosen;
};

static struct pht_error *look(struct choice *choice)
{
    struct pht_candidates candidates;

    struct pht_error *error = pht_candidates_find(&candidates);
    if (error != NULL)
        return error;
    pht_candidates_look(&candidates);
    return pht_picker_take(choice->picker, &candidates) ? NULL : pht_error_no_memory();
}

static struct pht_error *draw(struct choice *choice)
{
    struct pht_canvas canvas;
    unsigned rows, columns;

    pht_terminal_measure(choice->terminal, &rows, &columns);
    if (!pht_canvas_init(&canvas, rows, columns, choice->options->is_ascii))
        return pht_error_no_memory();
    if (rows < PHT_ROWS_MIN || columns < PHT_COLUMNS_MIN)
        pht_chrome_draw_too_small(&canvas);
    else
        pht_picker_draw(choice->picker, pht_canvas_area(&canvas));
    pht_terminal_show(choice->terminal, &canvas);
    pht_canvas_deinit(&canvas);
    return NULL;
}

static void open_chosen(struct choice *choice)
{
    struct pht_error *error = pht_target_open_through(
        pht_picker_pid(choice->picker), NULL, choice->options->steward, &choice->chosen->target);

    choice->is_over = error == NULL;
    if (error == NULL)
        return;
    choice->chosen->target = NULL;
    pht_picker_say(choice->picker, error->text);
    pht_error_destroy(error);
}

static struct pht_error *read_keys(struct choice *choice)
{
    struct pht_error *error = NULL;
    struct pht_input input;

    while (error == NULL && !choice->is_over &&
           (input = pht_terminal_read(choice->terminal)).key != PHT_KEY_NONE) {
        if (input.key == PHT_KEY_CONTROL('z')) {
            pht_signals_suspend(choice->terminal);
            continue;
        }
        switch (pht_picker_on_key(choice->picker, input.key)) {
        case PHT_PICKER_STAY:
            break;
        case PHT_PICKER_OPEN:
            open_chosen(choice);
            break;
        case PHT_PICKER_REFRESH:
            error = look(choice);
            break;
        case PHT_PICKER_LEAVE:
            choice->is_over = true;
            break;
        }
    }
    return error;
}

static void read_signals(struct choice *choice)
{
    for (int number; (number = pht_signals_next(choice->signals)) != 0;) {
        if (number == SIGTSTP) {
            pht_signals_suspend(choice->terminal);
        } else if (number != SIGWINCH) {
            choice->chosen->signal = number;
            choice->is_over = true;
        }
    }
}

static struct pht_error *run(struct choice *choice)
{
    struct pht_error *error = look(choice);

    while (error == NULL && !choice->is_over) {
        struct pollfd fds[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                               {.fd = choice->signals->fd, .events = POLLIN}};
        error = draw(choice);
        if (error != NULL || poll(fds, 2, -1) < 0)
            continue;
        read_signals(choice);
        if (fds[0].revents & POLLIN)
            error = read_keys(choice);
        if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
            choice->chosen->signal = SIGHUP; /* the terminal is gone */
            choice->is_over = true;
        }
    }
    return error;
}

struct pht_error *pht_choose(struct pht_terminal *terminal, struct pht_signals *signals,
                             const struct pht_choose_options *options, struct pht_chosen *ret)
{
    struct choice choice = {.terminal = terminal,
                            .signals = signals,
                            .picker = pht_picker_create(options->name, options->is_ascii),
                            .options = options,
                            .chosen = ret};

    *ret = (struct pht_chosen){0};
    if (choice.picker == NULL)
        return pht_error_no_memory();
    if (options->message != NULL)
        pht_picker_say(choice.picker, options->message);
    struct pht_error *error = run(&choice);
    pht_picker_destroy(choice.picker);
    if (error != NULL) {
        pht_target_destroy(ret->target);
        ret->target = NULL;
    }
    return error;
}
