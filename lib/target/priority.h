/*
 * Going before others on the processor while a target stands still. Needs CAP_SYS_NICE; without
 * it stops are longer on a busy host, and nothing else changes. Linux: sched(7), SCHED_FIFO.
 */
#ifndef PHT_LIB_TARGET_PRIORITY_H
#define PHT_LIB_TARGET_PRIORITY_H

/* Of the calling thread, for good. */
void pht_priority_raise(void);

#endif
