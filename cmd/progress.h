/*
 * How far a report is, for those who wait for it: one line on a terminal, rewritten in place after
 * a second of silence, and gone before the report comes. Elsewhere nothing, or with --verbose a
 * line a stage.
 */
#ifndef PHT_CMD_PROGRESS_H
#define PHT_CMD_PROGRESS_H

#include "cmd/options.h"
#include "pyheaptop/progress.h"

struct progress {
    enum { PROGRESS_SILENT, PROGRESS_STAGES, PROGRESS_LINE } form;
    uint64_t began_us;
    uint64_t stage_began_us;
    uint64_t written_us; /* 0: no line stands there */
    enum pht_stage stage;
};

/* Room for a line, with its end. */
#define PROGRESS_LINE_MAX 80

void progress_begin(struct progress *progress, const struct options *options);

/* For struct pht_watch; `context` is a struct progress. Goes on in any case. */
bool progress_tell(void *context, const struct pht_progress *now);
void progress_end(struct progress *progress);

/* `elapsed_us`: since the stage began. "walking malloc 41% (720M of 1.74G), 3 s left". */
void progress_format(const struct pht_progress *now, uint64_t elapsed_us,
                     char line[static PROGRESS_LINE_MAX]);

#endif
