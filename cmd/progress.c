#include "cmd/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/human.h"

#define SILENCE_US 1000000
#define REWRITE_US 200000

/* A stage has to run that long before it is said how long it will. */
#define GUESS_US 1000000

void progress_begin(struct progress *progress, const struct options *options)
{
    *progress = (struct progress){.began_us = pht_clock_us(), .stage = PHT_STAGES};
    if (options->verbose)
        progress->form = PROGRESS_STAGES;
    else if (!options->quiet && isatty(STDERR_FILENO))
        progress->form = PROGRESS_LINE;
}

static const char *amount(uint64_t value, const char *unit, char text[static PHT_HUMAN_MAX])
{
    return unit == NULL ? pht_human_bytes(value, text) : pht_human_count(value, text);
}

void progress_format(const struct pht_progress *now, uint64_t elapsed_us,
                     char line[static PROGRESS_LINE_MAX])
{
    char done[PHT_HUMAN_MAX], total[PHT_HUMAN_MAX];
    const char *name = pht_stage_name(now->stage);

    if (now->total == 0) {
        snprintf(line, PROGRESS_LINE_MAX, "%s", name);
        return;
    }
    /* A target that grows meanwhile has more than it began with. */
    uint64_t all = now->done > now->total ? now->done : now->total;
    int length = snprintf(line, PROGRESS_LINE_MAX, "%s %d%% (%s of %s%s%s)", name,
                          (int)(100 * ((double)now->done / (double)all)),
                          amount(now->done, now->unit, done), amount(all, now->unit, total),
                          now->unit != NULL ? " " : "", now->unit != NULL ? now->unit : "");
    if (elapsed_us < GUESS_US || now->done == 0 || length < 0 || length >= PROGRESS_LINE_MAX)
        return;
    double left_us = (double)elapsed_us / (double)now->done * (double)(all - now->done);
    snprintf(line + length, PROGRESS_LINE_MAX - (size_t)length, ", %.0f s left", left_us / 1e6);
}

static void write_line(struct progress *progress, const struct pht_progress *now, uint64_t now_us)
{
    char line[PROGRESS_LINE_MAX];

    progress_format(now, now_us - progress->stage_began_us, line);
    fprintf(stderr, "\r%-*s", PROGRESS_LINE_MAX - 1, line);
    progress->written_us = now_us;
}

bool progress_tell(void *context, const struct pht_progress *now)
{
    struct progress *progress = context;
    uint64_t now_us = pht_clock_us();

    if (now->stage != progress->stage) {
        progress->stage = now->stage;
        progress->stage_began_us = now_us;
        if (progress->form == PROGRESS_STAGES)
            fprintf(stderr, "pyheaptop: %s\n", pht_stage_name(now->stage));
    }
    if (progress->form == PROGRESS_LINE && now_us - progress->began_us >= SILENCE_US &&
        now_us - progress->written_us >= REWRITE_US)
        write_line(progress, now, now_us);
    return true;
}

/* Blanks, since not every terminal knows how to erase a line. */
void progress_end(struct progress *progress)
{
    if (progress->written_us != 0)
        fprintf(stderr, "\r%*s\r", PROGRESS_LINE_MAX - 1, "");
    progress->written_us = 0;
}
