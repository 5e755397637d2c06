/* Where the collector keeps its state, version by version. */
#ifndef PHT_LIB_WALK_GC_H
#define PHT_LIB_WALK_GC_H

#include "pyheaptop/walk.h"

/* Lists of heads: of each generation, then of what gc.freeze() took out of them. */
#define PHT_GC_LISTS (PHT_GC_GENERATIONS + 1)
#define PHT_GC_FROZEN PHT_GC_GENERATIONS

/* Addresses in the target; 0 for what this version does not have. */
struct pht_gc_places {
    pht_addr enabled;
    pht_addr heads[PHT_GC_LISTS];
    pht_addr thresholds[PHT_GC_GENERATIONS]; /* int */
    pht_addr counts[PHT_GC_GENERATIONS];     /* int */
    pht_addr stats[PHT_GC_GENERATIONS];      /* of the figures since the interpreter began */
    uint64_t stat_collections;               /* where they are in that */
    uint64_t stat_collected;
    uint64_t stat_uncollectable;
    pht_addr garbage;   /* of a pointer to a list */
    pht_addr callbacks; /* the same */
    bool is_of_all;     /* no other interpreter has a collector of its own */
};

/*
 * False where there is none: not known in this build, not readable, or what was found is not a
 * collector.
 */
bool pht_gc_find_places(struct pht_snapshot *snapshot, const struct pht_python *python,
                        struct pht_gc_places *ret);

#endif
