/* Bars of letters: each part as many as its share has, and together exactly as many as asked. */
#ifndef PHT_LIB_TUI_BAR_H
#define PHT_LIB_TUI_BAR_H

#include "tui/canvas.h"

struct pht_bar_part {
    char letter;
    enum pht_role role;
    uint64_t bytes;
};

/*
 * Share `cells` cells between `count` parts and what `whole` has beyond them, and set `shares`
 * (count + 1 of them, the rest last); they add up to `cells`. A part with any bytes has a cell of
 * its own while there are enough, and no part has more than one too many.
 */
void pht_bar_share(const struct pht_bar_part *parts, size_t count, uint64_t whole, unsigned cells,
                   unsigned *shares);

#define PHT_BAR_PARTS_MAX 16

/*
 * "[PPPPpppLLLL....]" in `columns` columns, the brackets included; the rest are dots. `count` is
 * at most PHT_BAR_PARTS_MAX, and `whole` not less than the parts together (0: it is what they add
 * up to).
 */
void pht_bar_draw(struct pht_area area, unsigned row, unsigned column, unsigned columns,
                  const struct pht_bar_part *parts, size_t count, uint64_t whole);

/* Parts of the categories that have any bytes, in their order. Returns how many. */
size_t pht_bar_categories(const struct pht_split *split,
                          struct pht_bar_part parts[static PHT_CATEGORIES]);

#endif
