/* What the files of the app share: its state, and what keys ask of it. */
#ifndef PHT_LIB_TUI_APP_PARTS_H
#define PHT_LIB_TUI_APP_PARTS_H

#include "tui/app.h"
#include "tui/cadence.h"
#include "tui/help.h"
#include "tui/shown.h"
#include "tui/sort_list.h"

struct pht_app {
    const struct pht_process *process;
    void *states[PHT_SCREENS];
    struct pht_view view;
    struct pht_shown shown;
    uint64_t taken_us; /* when it came */
    uint32_t number;   /* of the last snapshot that was begun */

    enum pht_screen_id screen;
    bool is_help;
    struct pht_help help;
    struct pht_sort_list sort_list;
    enum { PROMPT_NONE, PROMPT_SEARCH, PROMPT_FILTER } prompt_kind;
    struct pht_prompt prompt;
    char search[PHT_FILTER_MAX]; /* the last one */
    char message[256];
    bool wants_mouse;

    uint64_t began_us; /* when the process was opened, about */
    uint64_t now_us;
    time_t wall;
    struct pht_cadence cadence;
    bool is_working;
    struct pht_progress progress;
    bool is_exited;
    time_t exited_at;
    uint64_t exited_us;

    unsigned orders; /* set of 1 << enum pht_order */
    pid_t pid_to_open;
    struct pht_error *failure;

    unsigned canvas_rows; /* as drawn last */
    unsigned canvas_columns;
};

void pht_app_order(struct pht_app *app, enum pht_order order);

/* A snapshot now, unless one is being taken. */
void pht_app_take(struct pht_app *app);

/* Tell the screens that what their view holds has changed. */
void pht_app_update(struct pht_app *app);

/* The table that is shown, and its rows; NULL: there is none. */
struct pht_table *pht_app_table(struct pht_app *app, struct pht_table_source *source);

/* What is done to it; where there is none, that is told or nothing happens. */
void pht_app_sort_column(struct pht_app *app, size_t column);
void pht_app_sort_by_change(struct pht_app *app);
void pht_app_reverse(struct pht_app *app);
void pht_app_filter(struct pht_app *app, const char *text);
void pht_app_search(struct pht_app *app, int direction);
bool pht_app_move(struct pht_app *app, int key);

/* Every screen by its column of that name, if it has one. */
void pht_app_sort_by(struct pht_app *app, const char *column);

#endif
