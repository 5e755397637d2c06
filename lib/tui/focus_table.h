/*
 * What Enter opens on a size class, an arena or a type: what the census found there when it was
 * asked to look closely (struct pht_focus). Until that snapshot is there it says so.
 */
#ifndef PHT_LIB_TUI_FOCUS_TABLE_H
#define PHT_LIB_TUI_FOCUS_TABLE_H

#include "tui/cells.h"

#define PHT_FOCUS_TITLE_MAX 600

struct pht_focus_table {
    const struct pht_view *view;
    struct pht_census_focus wanted; /* NONE: nothing is open */
    char title[PHT_FOCUS_TITLE_MAX];
    struct pht_own_table types;
    struct pht_own_table sizes;
};

void pht_focus_table_init(struct pht_focus_table *self);
void pht_focus_table_deinit(struct pht_focus_table *self);

/* Open it, and ask for a snapshot that has it unless the one that is shown has. */
void pht_focus_table_open(struct pht_focus_table *self, enum pht_focus_kind kind, uint64_t number,
                          const char *title, struct pht_action *action);

bool pht_focus_table_is_open(const struct pht_focus_table *self);

/* False: it was not open. */
bool pht_focus_table_close(struct pht_focus_table *self);

void pht_focus_table_update(struct pht_focus_table *self, const struct pht_view *view);
void pht_focus_table_draw(struct pht_focus_table *self, struct pht_area area);
struct pht_table *pht_focus_table_table(struct pht_focus_table *self,
                                        struct pht_table_source *source);
void pht_focus_table_want(const struct pht_focus_table *self, struct pht_report_options *options);

#endif
