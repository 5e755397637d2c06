/*
 * What a walk does where chunks make no sense. What was just read is read again, since the target
 * may have been at work there. If that does not help, the walk goes on at the next place where a
 * chunk is known to begin, and what lies between is counted as unknown.
 */
#ifndef PHT_LIB_WALK_GLIBC_REPAIR_H
#define PHT_LIB_WALK_GLIBC_REPAIR_H

#include "walk/glibc_chunks.h"

enum pht_chunk_step {
    PHT_STEP_ON,
    PHT_STEP_ENDED,
    PHT_STEP_BROKEN,
    PHT_STEP_UNREADABLE,
};

/* After PHT_STEP_BROKEN: `header` is what was read where the walk is. */
enum pht_chunk_step pht_chunk_repair(struct pht_chunk_walk *walk,
                                     const struct pht_chunk_header *header);

/*
 * After PHT_STEP_UNREADABLE. Swapped pages stay in swap; any other page has gone since, and so has
 * what lay behind it.
 */
enum pht_chunk_step pht_chunk_pass_over(struct pht_chunk_walk *walk);

/* ---- of the walk itself -------------------------------------------------------------------- */

/* Read anew from where the walk is, a little at first. */
void pht_chunk_drop_window(struct pht_chunk_walk *walk);

/* Nothing before this is gone back to. */
void pht_chunk_save_first_position(struct pht_chunk_walk *walk);

/* Where a window began: 0 is the newest, and there are walk->saved_count of them. */
struct pht_chunk_position *pht_chunk_saved(struct pht_chunk_walk *walk, unsigned windows);

/* Top is at `top`, where `header` was read, and reaches to the end of the piece. */
enum pht_chunk_step pht_chunk_end_at_top(struct pht_chunk_walk *walk, pht_addr top,
                                         const struct pht_chunk_header *header);

#endif
