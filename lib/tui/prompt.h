/* One line that the user types: what to search or filter for. */
#ifndef PHT_LIB_TUI_PROMPT_H
#define PHT_LIB_TUI_PROMPT_H

#include <stdbool.h>

#include "tui/table.h"

struct pht_prompt {
    const char *label;
    char text[PHT_FILTER_MAX];
};

enum pht_prompt_result {
    PHT_PROMPT_OPEN,    /* the text may have changed */
    PHT_PROMPT_DONE,    /* Enter */
    PHT_PROMPT_DROPPED, /* Esc, or a deletion of nothing */
};

enum pht_prompt_result pht_prompt_on_key(struct pht_prompt *prompt, int key);

#endif
