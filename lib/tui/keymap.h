/*
 * The keys that work on every screen: one table. What they do, the help, the footer, and the check
 * of the man page all come from it.
 */
#ifndef PHT_LIB_TUI_KEYMAP_H
#define PHT_LIB_TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/key.h"

enum pht_command {
    PHT_COMMAND_NONE,
    PHT_COMMAND_SCREEN_1, /* the others follow, as enum pht_screen_id */
    PHT_COMMAND_SCREEN_2,
    PHT_COMMAND_SCREEN_3,
    PHT_COMMAND_SCREEN_4,
    PHT_COMMAND_SCREEN_5,
    PHT_COMMAND_NEXT_SCREEN,
    PHT_COMMAND_PREVIOUS_SCREEN,
    PHT_COMMAND_MOVE, /* whatever moves: the table knows which */
    PHT_COMMAND_ENTER,
    PHT_COMMAND_BACK,
    PHT_COMMAND_SORT,
    PHT_COMMAND_REVERSE,
    PHT_COMMAND_SEARCH,
    PHT_COMMAND_SEARCH_NEXT,
    PHT_COMMAND_SEARCH_PREVIOUS,
    PHT_COMMAND_FILTER,
    PHT_COMMAND_BY_CHANGE,
    PHT_COMMAND_UNITS,
    PHT_COMMAND_ADDRESSES,
    PHT_COMMAND_MOUSE,
    PHT_COMMAND_PAUSE,
    PHT_COMMAND_TAKE,
    PHT_COMMAND_BASELINE,
    PHT_COMMAND_SLOWER,
    PHT_COMMAND_FASTER,
    PHT_COMMAND_EXPORT,
    PHT_COMMAND_PICK,
    PHT_COMMAND_REDRAW,
    PHT_COMMAND_SUSPEND,
    PHT_COMMAND_QUIT,
    PHT_COMMAND_HELP,
};

/* Headings of the help, which has what is below them. */
enum pht_key_group {
    PHT_KEYS_MOVING,
    PHT_KEYS_SEEING,
    PHT_KEYS_MEASURING,
    PHT_KEYS_LEAVING,
    PHT_KEY_GROUPS,
};

const char *pht_key_group_name(enum pht_key_group group);

#define PHT_KEYS_EACH_MAX 12

struct pht_binding {
    enum pht_key_group group;
    const char *shown; /* the keys as help and man page write them */
    const char *help;  /* what they do; 40 columns at most */
    struct {
        int key;
        enum pht_command command;
    } keys[PHT_KEYS_EACH_MAX]; /* ended by PHT_KEY_NONE */
};

const struct pht_binding *pht_keymap(size_t *count);

enum pht_command pht_keymap_find(int key);

/* What footers say: the most useful ones first, as many as fit. */
struct pht_footer_key {
    const char *key;
    const char *label;
    unsigned priority; /* the highest number leaves first */
    bool is_brief;     /* only where no tabs are shown */
};

const struct pht_footer_key *pht_keymap_footer(size_t *count);

/* "q", "F5", "Ctrl-R": for the message about a key that does nothing. */
#define PHT_KEY_NAME_MAX 16
const char *pht_key_name(int key, char text[static PHT_KEY_NAME_MAX]);

#endif
