/* Whether a list that is followed through remote memory comes back to where it was. */
#ifndef PHT_LIB_WALK_CIRCLE_H
#define PHT_LIB_WALK_CIRCLE_H

#include "base/checked.h"
#include "pyheaptop/walk.h"

/*
 * A list that runs in a circle comes back to the mark, which moves on at twice the distance each
 * time (Brent). Begins as {0}.
 */
struct pht_circle {
    pht_addr mark;
    uint32_t seen;
};

/* True if the list came to `node` before; asked for each node in turn. */
static inline bool pht_circle_closes(struct pht_circle *circle, pht_addr node)
{
    if (node == circle->mark)
        return true;
    if (pht_is_power_of_two(++circle->seen))
        circle->mark = node;
    return false;
}

#endif
