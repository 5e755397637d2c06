/*
 * The walkers' only window on the target. A snapshot freezes roots while the target is stopped;
 * everything else is read through, later, from a target that runs. Every read asks first which
 * pages are resident, and none touches a page that is not, or a shared mapping.
 *
 * A snapshot knows nothing of allocators: what the roots are, and whether what was read makes
 * sense, is for the walkers to say.
 */
#ifndef PHT_SNAPSHOT_H
#define PHT_SNAPSHOT_H

#include "pyheaptop/target.h"

struct pht_snapshot;

enum pht_stop_mode {
    PHT_STOP_NONE,  /* never attach */
    PHT_STOP_BRIEF, /* stopped while the roots are copied */
    PHT_STOP_FULL,  /* stopped until pht_snapshot_release() */
};

const char *pht_stop_mode_name(enum pht_stop_mode mode);

struct pht_snapshot_options {
    enum pht_stop_mode stop;
    uint64_t max_stop_us;
    uint64_t bytes_per_second; /* that may be read while the target runs; 0: no limit */
};

/*
 * Copy the roots. Called once before the stop, so that memory is allocated and code is warm, and
 * again during it; each time it starts afresh. False: what was read does not hold together, and
 * another try may help.
 */
typedef bool (*pht_freeze)(struct pht_snapshot *snapshot, void *context);

/* Errors are those of access, exit and exec; a stop that cannot be had in time is none. */
struct pht_error *pht_snapshot_take(struct pht_target *target,
                                    const struct pht_snapshot_options *options, pht_freeze freeze,
                                    void *context, struct pht_snapshot **ret);

/* Let the target run if it is still stopped. */
struct pht_error *pht_snapshot_release(struct pht_snapshot *snapshot);
void pht_snapshot_destroy(struct pht_snapshot *snapshot);

/* ---- reading ------------------------------------------------------------------------------ */

enum pht_read_result {
    PHT_READ_OK,
    PHT_READ_SWAPPED,  /* in swap, and left there */
    PHT_READ_ABSENT,   /* a page of a file that the target has not loaded */
    PHT_READ_UNMAPPED, /* not in a private, readable mapping */
    PHT_READ_FAILED,   /* it was resident, and is no longer */
};

/*
 * Anonymous memory that is not resident, nor in swap, reads as zeros: that is what the target
 * would see. Unless the result is PHT_READ_OK the buffer's content is undefined.
 */
enum pht_read_result pht_snapshot_read(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                                       size_t size);

/*
 * The same as far as it goes: returns how many bytes from `addr` on could be read, and in `why`
 * what ended that.
 */
size_t pht_snapshot_read_some(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                              size_t size, enum pht_read_result *why);

/*
 * The same, and what the target has not loaded of a file comes from the file: that is what the
 * target would see. For what compilers put there, such as names; it opens the file.
 */
size_t pht_snapshot_read_as_loaded(struct pht_snapshot *snapshot, pht_addr addr, void *buffer,
                                   size_t size, enum pht_read_result *why);

/*
 * Many reads of `size` bytes, each no longer than a page, into consecutive slots of `buffer`.
 * `results[i]` is an enum pht_read_result.
 */
void pht_snapshot_gather(struct pht_snapshot *snapshot, const pht_addr *addrs, size_t count,
                         size_t size, void *buffer, uint8_t *results);

/*
 * Ask anew which pages of [start, end) are resident, before they are read again: a page that was
 * absent when a walk began may have been touched since, and one that could not be read may be
 * readable.
 */
void pht_snapshot_look_again(struct pht_snapshot *snapshot, pht_addr start, pht_addr end);

/*
 * Let the target run on for so long, so that what it is at work on becomes whole. False, at once,
 * if it is stopped.
 */
bool pht_snapshot_wait(struct pht_snapshot *snapshot, uint64_t us);

/* Resident bytes of the pages that [start, end) touches; pages of zeros do not count. */
uint64_t pht_snapshot_resident_bytes(struct pht_snapshot *snapshot, pht_addr start, pht_addr end);

/* The first page at or behind `page` that is resident; `end` if there is none before that. */
pht_addr pht_snapshot_next_resident(struct pht_snapshot *snapshot, pht_addr page, pht_addr end);

/*
 * As pht_target_scan_pages(): what is there now, whatever a walk knew of it before. False if it
 * cannot be told: the process is gone.
 */
bool pht_snapshot_scan_pages(struct pht_snapshot *snapshot, pht_addr start, pht_addr end,
                             uint64_t *resident, uint64_t *swapped);

/* The mappings as they were last read: a read of memory that is not in them reads them anew. */
const struct pht_maps *pht_snapshot_maps(const struct pht_snapshot *snapshot);

/* ---- a work that is watched --------------------------------------------------------------- */

/*
 * The work that the snapshot is taken for, so that a walk tells how far it is and ends early where
 * it was called off (lib/base/work.h). The snapshot and its branches *keep* it. NULL: none.
 */
struct pht_work;
void pht_snapshot_set_work(struct pht_snapshot *snapshot, struct pht_work *work);
struct pht_work *pht_snapshot_work(const struct pht_snapshot *snapshot);

/* ---- several threads ---------------------------------------------------------------------- */

/*
 * A branch reads the same target at the same time, for a thread of its own, which shares nothing
 * with those of the snapshot and of other branches but the target. It has no roots and no stop.
 * NULL where it cannot be had. To be joined before the snapshot is used for anything but reading:
 * what the branch has read counts for the snapshot then.
 */
struct pht_snapshot *pht_snapshot_branch(const struct pht_snapshot *snapshot);
void pht_snapshot_join(struct pht_snapshot *snapshot, struct pht_snapshot *branch);

/* ---- what it cost ------------------------------------------------------------------------- */

struct pht_snapshot_stats {
    enum pht_stop_mode stop; /* what was done: NONE if the stop could not be had in time */
    bool gave_up;            /* a stop was wanted and not had */
    bool not_tried;          /* since it could not be had in time anyway: too many threads */
    bool expired;            /* the limit ended a stop before its work was done */
    bool consistent;         /* the last freeze returned true */
    uint64_t stopped_us;     /* all stops together */
    uint32_t stops;
    uint64_t read_bytes;
};

struct pht_snapshot_stats pht_snapshot_stats(const struct pht_snapshot *snapshot);

#endif
