/* The rows of the list of processes, and what the list keeps. */
#ifndef PHT_LIB_TUI_PICKER_ROWS_H
#define PHT_LIB_TUI_PICKER_ROWS_H

#include "tui/cells.h"
#include "tui/picker.h"
#include "tui/prompt.h"

struct pht_picker {
    struct pht_view view; /* of no report: how sizes are written */
    struct pht_candidates candidates;
    struct pht_family_row *tree; /* of the candidates, as a tree has them */
    size_t *order;
    struct pht_own_table table;
    bool has_prompt;
    bool is_filter;
    struct pht_prompt prompt;
    char search[PHT_FILTER_MAX];
    char message[160];
    const char *name; /* kept from the start */
};

/* Order the candidates, each below its parent if that is in the list. */
void pht_picker_make_tree(struct pht_picker *picker);

const struct pht_candidate *pht_picker_process(const struct pht_picker *picker, size_t row);

/* A source whose data is the picker. */
struct pht_table_source pht_picker_source(const struct pht_picker *picker);

#endif
