/*
 * When the next snapshot is due. The interval is what the user chose, or longer, so that neither
 * the target nor this machine pays more than a small share of its time.
 */
#ifndef PHT_LIB_TUI_CADENCE_H
#define PHT_LIB_TUI_CADENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The target is stopped for 0.5 % of the time at most, and we work for 5 % of it. Where others have
 * the processor, a snapshot takes longer than it works: half of the time nothing is asked for.
 */
#define PHT_CADENCE_STOP_SHARE 200
#define PHT_CADENCE_WORK_SHARE 20
#define PHT_CADENCE_TIME_SHARE 2

struct pht_cadence {
    uint64_t chosen_us; /* 0: off, snapshots are taken by hand */
    uint64_t needed_us; /* what the last snapshot's cost asks for, at least */
    bool is_paused;
    uint64_t left;       /* snapshots that remain to be taken; UINT64_MAX: no end */
    uint64_t started_us; /* when the last one was begun; 0: none was */
};

/* `count` 0: no end. */
void pht_cadence_init(struct pht_cadence *cadence, uint64_t interval_us, uint64_t count);

/* The next longer (1) or shorter (-1) of 1, 2, 5, 10, 30, 60 seconds and off. */
void pht_cadence_step(struct pht_cadence *cadence, int direction);

void pht_cadence_begin(struct pht_cadence *cadence, uint64_t now_us);

/* What the snapshot cost that was begun last: of a processor, and of the target's time. */
void pht_cadence_end(struct pht_cadence *cadence, uint64_t now_us, uint64_t work_us,
                     uint64_t stopped_us);

/* 0 if it is off. */
uint64_t pht_cadence_interval(const struct pht_cadence *cadence);

/* Longer than what was chosen. */
bool pht_cadence_is_raised(const struct pht_cadence *cadence);

/* UINT64_MAX: not by itself. */
uint64_t pht_cadence_due_us(const struct pht_cadence *cadence);

#endif
