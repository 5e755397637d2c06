/*
 * How far a long work is, and whether it is still wanted. Whoever asks for a report may watch it;
 * nobody needs to.
 */
#ifndef PHT_PROGRESS_H
#define PHT_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

enum pht_stage {
    PHT_STAGE_LAYOUTS, /* which interpreter and C library, and how they lay out their structures */
    PHT_STAGE_ROOTS,   /* the stop, where there is one */
    PHT_STAGE_PAGES,   /* which pages are resident */
    PHT_STAGE_PYMALLOC,
    PHT_STAGE_OBJECTS,
    PHT_STAGE_MALLOC,
    PHT_STAGE_REGIONS, /* what no allocator has */
    PHT_STAGE_SUMS,
    PHT_STAGE_FAMILY,
    PHT_STAGES,
};

/* For people: "walking pymalloc". */
const char *pht_stage_name(enum pht_stage stage);

struct pht_progress {
    enum pht_stage stage;
    uint64_t done;
    uint64_t total;   /* may be less than `done` in the end: targets run; 0: not known */
    const char *unit; /* "arenas"; NULL: bytes */
};

/*
 * Told when a stage begins and whenever there is progress, some thousand times a second, in the
 * thread that makes the report. False: the report is not wanted any more, and ends with
 * PHT_ERROR_CANCELLED.
 */
struct pht_watch {
    bool (*tell)(void *context, const struct pht_progress *progress);
    void *context;
};

#endif
