/* What keys do. */
#include <string.h>

#include "tui/app_parts.h"
#include "tui/chrome.h"
#include "tui/keymap.h"

/* ---- prompts ------------------------------------------------------------------------------ */

static void open_prompt(struct pht_app *app, int kind)
{
    struct pht_table_source source;
    const struct pht_table *table = pht_app_table(app, &source);

    if (table == NULL || source.name == NULL) {
        pht_app_say(app, "no table is shown here: screens 2 to 5 have them");
        return;
    }
    app->prompt = (struct pht_prompt){.label = kind == PROMPT_SEARCH ? "Search: " : "Filter: "};
    if (kind == PROMPT_FILTER)
        memcpy(app->prompt.text, table->filter, sizeof(table->filter));
    app->prompt_kind = kind == PROMPT_SEARCH ? PROMPT_SEARCH : PROMPT_FILTER;
}

static void on_prompt_key(struct pht_app *app, int key)
{
    enum pht_prompt_result result = pht_prompt_on_key(&app->prompt, key);
    bool is_filter = app->prompt_kind == PROMPT_FILTER;

    if (result == PHT_PROMPT_DROPPED) {
        app->prompt_kind = PROMPT_NONE;
        if (is_filter)
            pht_app_filter(app, "");
        return;
    }
    if (is_filter) {
        pht_app_filter(app, app->prompt.text);
    } else {
        memcpy(app->search, app->prompt.text, sizeof(app->search));
        if (app->search[0] != '\0')
            pht_app_search(app, 0);
    }
    if (result == PHT_PROMPT_DONE)
        app->prompt_kind = PROMPT_NONE;
}

static void open_sort_list(struct pht_app *app)
{
    struct pht_table_source source;
    const struct pht_table *table = pht_app_table(app, &source);

    if (table == NULL)
        pht_app_say(app, "nothing here is sorted");
    else
        pht_sort_list_open(&app->sort_list, table);
}

static void on_sort_list_key(struct pht_app *app, int key)
{
    size_t column;

    if (pht_sort_list_on_key(&app->sort_list, key, &column))
        pht_app_sort_column(app, column);
}

/* ---- screens ------------------------------------------------------------------------------ */

static void show_screen(struct pht_app *app, int screen)
{
    app->screen = (enum pht_screen_id)((screen + PHT_SCREENS) % PHT_SCREENS);
    app->is_help = false;
}

static void follow(struct pht_app *app, const struct pht_action *action)
{
    if (action->message[0] != '\0')
        pht_app_say(app, "%s", action->message);
    switch (action->kind) {
    case PHT_ACTION_NONE:
        break;
    case PHT_ACTION_GO:
        show_screen(app, (int)action->screen);
        if (action->filter[0] != '\0')
            pht_app_filter(app, action->filter);
        break;
    case PHT_ACTION_TAKE:
        pht_app_take(app);
        break;
    case PHT_ACTION_OPEN:
        app->pid_to_open = action->pid;
        pht_app_order(app, PHT_ORDER_OPEN);
        break;
    }
}

static bool on_screen_key(struct pht_app *app, int key)
{
    const struct pht_screen *screen = pht_screen_of(app->screen);
    struct pht_action action = {.kind = PHT_ACTION_NONE};

    if (app->view.report == NULL ||
        !screen->on_key(app->states[app->screen], &app->view, key, &action))
        return false;
    follow(app, &action);
    return true;
}

/* One step: what Enter opened, then a filter, then a walk. */
static void go_back(struct pht_app *app)
{
    const struct pht_screen *screen = pht_screen_of(app->screen);
    struct pht_table_source source;

    if (app->is_help) {
        app->is_help = false;
        return;
    }
    if (app->view.report != NULL && screen->back != NULL && screen->back(app->states[app->screen]))
        return;
    const struct pht_table *table = pht_app_table(app, &source);
    if (table != NULL && table->filter[0] != '\0')
        pht_app_filter(app, "");
    else if (app->is_working)
        pht_app_order(app, PHT_ORDER_CANCEL);
}

/* ---- measuring ---------------------------------------------------------------------------- */

static void make_baseline(struct pht_app *app)
{
    if (app->view.report == NULL || !pht_report_is_whole(app->view.report)) {
        pht_app_say(app, "no snapshot yet");
        return;
    }
    if (pht_shown_rebase(&app->shown))
        pht_app_say(app, "snapshot #%u is the baseline: changes are shown against it",
                    app->view.report->number);
    else
        pht_app_say(app, "out of memory: no change is shown");
    pht_app_update(app);
}

static void change_interval(struct pht_app *app, int direction)
{
    pht_cadence_step(&app->cadence, direction);
    uint64_t seconds = app->cadence.chosen_us / 1000000;
    if (seconds == 0)
        pht_app_say(app, "interval off: r takes a snapshot");
    else if (pht_cadence_is_raised(&app->cadence))
        pht_app_say(app, "interval %u s, raised to %u s: a snapshot costs more than it should",
                    (unsigned)seconds, (unsigned)(pht_cadence_interval(&app->cadence) / 1000000));
    else
        pht_app_say(app, "interval %u s", (unsigned)seconds);
}

static void change_units(struct pht_app *app)
{
    app->view.units = (enum pht_units)((app->view.units + 1) % PHT_UNITS_COUNT);
    pht_app_say(app, "units: %s", pht_units_name(app->view.units));
    pht_app_update(app);
}

static void show_addresses(struct pht_app *app)
{
    app->view.show_addresses = !app->view.show_addresses;
    pht_app_say(app, "addresses %s", app->view.show_addresses ? "shown" : "hidden");
    pht_app_update(app);
}

static void use_mouse(struct pht_app *app)
{
    app->wants_mouse = !app->wants_mouse;
    pht_app_say(app, app->wants_mouse ? "mouse on: the terminal's own selection is off (Shift "
                                        "may help); m: off"
                                      : "mouse off");
    pht_app_order(app, PHT_ORDER_MOUSE);
}

/* ---- all of it ---------------------------------------------------------------------------- */

static void complain(struct pht_app *app, int key)
{
    char name[PHT_KEY_NAME_MAX];

    if (key != PHT_KEY_OTHER && pht_key_name(key, name)[0] != '\0')
        pht_app_say(app, "no key %s here, ? lists them", name);
}

static void obey(struct pht_app *app, enum pht_command command, int key)
{
    switch (command) {
    case PHT_COMMAND_SCREEN_1:
    case PHT_COMMAND_SCREEN_2:
    case PHT_COMMAND_SCREEN_3:
    case PHT_COMMAND_SCREEN_4:
    case PHT_COMMAND_SCREEN_5:
        show_screen(app, (int)(command - PHT_COMMAND_SCREEN_1));
        break;
    case PHT_COMMAND_NEXT_SCREEN:
        show_screen(app, (int)app->screen + 1);
        break;
    case PHT_COMMAND_PREVIOUS_SCREEN:
        show_screen(app, (int)app->screen - 1);
        break;
    case PHT_COMMAND_MOVE:
        pht_app_move(app, key);
        break;
    case PHT_COMMAND_BACK:
        go_back(app);
        break;
    case PHT_COMMAND_SORT:
        open_sort_list(app);
        break;
    case PHT_COMMAND_REVERSE:
        pht_app_reverse(app);
        break;
    case PHT_COMMAND_SEARCH:
        open_prompt(app, PROMPT_SEARCH);
        break;
    case PHT_COMMAND_SEARCH_NEXT:
        pht_app_search(app, 1);
        break;
    case PHT_COMMAND_SEARCH_PREVIOUS:
        pht_app_search(app, -1);
        break;
    case PHT_COMMAND_FILTER:
        open_prompt(app, PROMPT_FILTER);
        break;
    case PHT_COMMAND_BY_CHANGE:
        pht_app_sort_by_change(app);
        break;
    case PHT_COMMAND_UNITS:
        change_units(app);
        break;
    case PHT_COMMAND_ADDRESSES:
        show_addresses(app);
        break;
    case PHT_COMMAND_MOUSE:
        use_mouse(app);
        break;
    case PHT_COMMAND_PAUSE:
        app->cadence.is_paused = !app->cadence.is_paused;
        break;
    case PHT_COMMAND_TAKE:
        pht_app_take(app);
        break;
    case PHT_COMMAND_BASELINE:
        make_baseline(app);
        break;
    case PHT_COMMAND_SLOWER:
        change_interval(app, 1);
        break;
    case PHT_COMMAND_FASTER:
        change_interval(app, -1);
        break;
    case PHT_COMMAND_EXPORT:
        pht_app_order(app, PHT_ORDER_EXPORT);
        break;
    case PHT_COMMAND_PICK:
        pht_app_order(app, PHT_ORDER_PICK);
        break;
    case PHT_COMMAND_REDRAW:
        pht_app_order(app, PHT_ORDER_REDRAW);
        break;
    case PHT_COMMAND_SUSPEND:
        pht_app_order(app, PHT_ORDER_SUSPEND);
        break;
    case PHT_COMMAND_QUIT:
        pht_app_order(app, PHT_ORDER_QUIT);
        break;
    case PHT_COMMAND_HELP:
        app->is_help = !app->is_help;
        app->help.top = 0;
        break;
    case PHT_COMMAND_ENTER: /* of the screens, where it means anything */
        break;
    case PHT_COMMAND_NONE:
        complain(app, key);
        break;
    }
}

static void on_click(struct pht_app *app, const struct pht_input *input)
{
    const struct pht_canvas canvas = {.rows = app->canvas_rows, .columns = app->canvas_columns};
    enum pht_screen_id tab = pht_chrome_tab_at(&canvas, input->row, input->column);
    struct pht_table_source source;

    if (tab != PHT_SCREENS) {
        show_screen(app, (int)tab);
        return;
    }
    struct pht_table *table = app->is_help ? NULL : pht_app_table(app, &source);
    size_t column;
    if (table == NULL)
        return;
    if (pht_table_title_at(table, input->row, input->column, &column))
        pht_app_sort_column(app, column);
    else
        pht_table_select_at(table, input->row, input->column);
}

static void on_key(struct pht_app *app, int key)
{
    app->message[0] = '\0';
    if (app->prompt_kind != PROMPT_NONE) {
        on_prompt_key(app, key);
        return;
    }
    if (app->sort_list.is_open) {
        on_sort_list_key(app, key);
        return;
    }
    if (app->is_help && pht_help_on_key(&app->help, key))
        return;
    if (!app->is_help && on_screen_key(app, key))
        return;
    obey(app, pht_keymap_find(key), key);
}

void pht_app_on_input(struct pht_app *app, const struct pht_input *input)
{
    bool is_too_small = app->canvas_rows < PHT_ROWS_MIN || app->canvas_columns < PHT_COLUMNS_MIN;

    if (input->key == PHT_KEY_CLICK)
        on_click(app, input);
    else if (!is_too_small || pht_keymap_find(input->key) == PHT_COMMAND_QUIT ||
             pht_keymap_find(input->key) == PHT_COMMAND_SUSPEND)
        on_key(app, input->key);
}
