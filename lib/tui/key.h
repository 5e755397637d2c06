/*
 * What comes from the keyboard: a character as its Unicode number, and what is no character as one
 * of these, which follow the last character there is.
 */
#ifndef PHT_LIB_TUI_KEY_H
#define PHT_LIB_TUI_KEY_H

#define PHT_KEY_CONTROL(letter) ((letter)&0x1f)

enum pht_key {
    PHT_KEY_NONE = 0,
    PHT_KEY_TAB = PHT_KEY_CONTROL('i'),
    PHT_KEY_ENTER = '\n', /* and '\r' */
    PHT_KEY_ESCAPE = 0x1b,
    PHT_KEY_UP = 0x110000,
    PHT_KEY_DOWN,
    PHT_KEY_LEFT,
    PHT_KEY_RIGHT,
    PHT_KEY_PAGE_UP,
    PHT_KEY_PAGE_DOWN,
    PHT_KEY_HOME,
    PHT_KEY_END,
    PHT_KEY_BACKSPACE, /* however the terminal spells it */
    PHT_KEY_BACKTAB,
    PHT_KEY_F0, /* F1 is PHT_KEY_F0 + 1 */
    PHT_KEY_F10 = PHT_KEY_F0 + 10,
    PHT_KEY_CLICK, /* of the mouse; its wheel is up and down */
    PHT_KEY_OTHER, /* one that nothing is done with */
};

/* What was pressed. `row` and `column` are those of a click. */
struct pht_input {
    int key; /* PHT_KEY_NONE: nothing more is waiting */
    unsigned row;
    unsigned column;
};

/* A row of a key table: footers, help and the check of the man page come from it. */
struct pht_key_row {
    int key;
    int also;          /* another one that does the same, or PHT_KEY_NONE */
    const char *shown; /* as help writes it: "s F6" */
    const char *label; /* in the footer; NULL: only in help */
    const char *help;
};

#endif
