/*
 * What a screen is to the rest: a table of functions, which is all that app.c knows of it.
 *
 * A screen draws one snapshot on an area below the header; what it draws never depends on when it
 * draws. It computes nothing that the report or the change against the baseline could tell.
 */
#ifndef PHT_LIB_TUI_SCREEN_H
#define PHT_LIB_TUI_SCREEN_H

#include "tui/canvas.h"
#include "tui/change.h"
#include "tui/key.h"
#include "tui/table.h"
#include "tui/units.h"

/* What is shown. It stays until the screen's next update. */
struct pht_view {
    const struct pht_report *report; /* maybe of the kernel's part only: see its sections */
    const struct pht_change *change; /* NULL: there is no baseline */
    enum pht_units units;
    bool show_addresses;
    bool is_ascii;
};

enum pht_screen_id {
    PHT_SCREEN_OVERVIEW,
    PHT_SCREEN_PYMALLOC,
    PHT_SCREEN_GLIBC,
    PHT_SCREEN_TYPES,
    PHT_SCREEN_MAPS,
    PHT_SCREENS,
};

/* What a key that the screen took asks of the others. */
struct pht_action {
    enum {
        PHT_ACTION_NONE,
        PHT_ACTION_GO,   /* show `screen`, with `filter` set if it is not "" */
        PHT_ACTION_TAKE, /* a snapshot now: what `want` says has changed */
        PHT_ACTION_OPEN, /* the process `pid` instead of this one */
    } kind;
    enum pht_screen_id screen;
    char filter[PHT_FILTER_MAX];
    pid_t pid;
    char message[128]; /* for the message line, with any kind; "": none */
};

struct pht_screen {
    const char *name;               /* "pymalloc", as --screen has it */
    const char *title;              /* "Pymalloc", on its tab */
    const struct pht_key_row *keys; /* of its own, for its hint line and help */
    size_t key_count;

    void *(*create)(void); /* its state; NULL when memory is short */
    void (*destroy)(void *state);

    /* There is another snapshot, or the user chose others of what `view` holds. The state may keep
     * the view's pointers until the next update. */
    void (*update)(void *state, const struct pht_view *view);

    /* Nothing is drawn where nothing is known, but a sentence that says why. */
    void (*draw)(void *state, const struct pht_view *view, struct pht_area area);

    /* The table that keys now move in, search, filter and sort, and its rows; NULL: none. */
    struct pht_table *(*table)(void *state, struct pht_table_source *source);

    /* Keys of its own, Enter among them. False: it is none of them. `action` is NONE before. */
    bool (*on_key)(void *state, const struct pht_view *view, int key, struct pht_action *action);

    /* Leave what Enter opened. False: nothing is open. May be NULL. */
    bool (*back)(void *state);

    /* What the next snapshot has to find out for what is open, beyond the usual. May be NULL. */
    void (*want)(const void *state, struct pht_report_options *options);
};

extern const struct pht_screen pht_screen_overview;
extern const struct pht_screen pht_screen_pymalloc;
extern const struct pht_screen pht_screen_glibc;
extern const struct pht_screen pht_screen_types;
extern const struct pht_screen pht_screen_maps;

#endif
