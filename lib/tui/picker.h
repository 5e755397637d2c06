/*
 * The list of Python processes to choose from: as a tree, or sorted. It knows no terminal and reads
 * no process: whoever has it hands in what was found.
 */
#ifndef PHT_LIB_TUI_PICKER_H
#define PHT_LIB_TUI_PICKER_H

#include "tui/key.h"
#include "tui/table.h"

struct pht_picker;

/* With those that `name` is a name of alone, until the filter is cleared; NULL: with all. */
struct pht_picker *pht_picker_create(const char *name, bool is_ascii);
void pht_picker_destroy(struct pht_picker *picker);

/* What was found, after pht_candidates_look(); taken. False when memory is short. */
bool pht_picker_take(struct pht_picker *picker, struct pht_candidates *candidates);

/* In the message line until the next key: why a process could not be opened. */
void pht_picker_say(struct pht_picker *picker, const char *text);

void pht_picker_draw(struct pht_picker *picker, struct pht_area area);

enum pht_picker_result {
    PHT_PICKER_STAY,
    PHT_PICKER_OPEN,    /* pht_picker_pid() */
    PHT_PICKER_REFRESH, /* look again, and hand in what there is */
    PHT_PICKER_LEAVE,   /* nothing was chosen */
};

enum pht_picker_result pht_picker_on_key(struct pht_picker *picker, int key);

/* The process under the cursor; 0: there is none. */
pid_t pht_picker_pid(const struct pht_picker *picker);

#endif
