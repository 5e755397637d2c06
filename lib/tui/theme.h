/*
 * What a cell of the screen means; terminals give each meaning a look. Every meaning is told by
 * letters or words as well: a look only repeats it.
 */
#ifndef PHT_LIB_TUI_THEME_H
#define PHT_LIB_TUI_THEME_H

#include "pyheaptop/model.h"

enum pht_role {
    PHT_ROLE_TEXT,
    PHT_ROLE_DIM,
    PHT_ROLE_TITLE,  /* of a table, a block, a column */
    PHT_ROLE_SORTED, /* the title that a table is sorted by */
    PHT_ROLE_TAB,    /* of the screen that is shown */
    PHT_ROLE_KEY,    /* what can be pressed */
    PHT_ROLE_MATCH,  /* what was searched for */
    PHT_ROLE_GOOD,
    PHT_ROLE_WARN,
    PHT_ROLE_BAD,
    PHT_ROLE_CATEGORY, /* the first category; the others follow */
    PHT_ROLES = PHT_ROLE_CATEGORY + PHT_CATEGORIES,
};

/* That of a category's letter in bars and tables. */
enum pht_role pht_role_of(enum pht_category category);

/* One letter a role, for tests that look at roles: '.' is text, categories have their own. */
char pht_role_letter(enum pht_role role);

#endif
