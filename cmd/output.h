/*
 * Where a report goes: standard output, or a file of its own.
 *
 * A file is whole or as it was before: what is written has no name until it is complete, where the
 * file system has files without one (O_TMPFILE: ext4, xfs, btrfs, tmpfs). Elsewhere, and to what is
 * no regular file, it is written in place.
 */
#ifndef PHT_CMD_OUTPUT_H
#define PHT_CMD_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "pyheaptop/target.h"

struct output {
    FILE *file;
    const char *path; /* NULL where nothing is left to be named */
    struct pht_steward *steward;
};

/*
 * `path` is NULL for standard output, and outlives `*ret`. PHT_ERROR_OUTPUT_FILE. A steward, which
 * may be NULL, opens and names the one file that its duty tells, which `path` is.
 */
struct pht_error *output_open(const char *path, struct pht_steward *steward, struct output *ret);

/* The steward's part of it (PHT_DUTY_OUTPUT); `context` is one of these. */
struct output_duty {
    const char *path; /* NULL: standard output, so there is nothing to do */
    int nameless_fd;  /* -1 to begin with */
};

int output_perform(void *context, struct pht_errand *errand);

/*
 * For lines that are to be seen as they come, so never without a name: what was there is emptied.
 * PHT_ERROR_OUTPUT_FILE.
 */
struct pht_error *output_open_growing(const char *path, struct pht_steward *steward,
                                      struct output *ret);

/* Write a line, all of it or nothing, whatever signal comes; a pipe or a terminal may hold it up,
 * and there it can be cut. PHT_ERROR_OUTPUT_FILE. */
struct pht_error *output_append(struct output *output, const char *line, size_t bytes);

/* In any case. `is_written`: the views had memory enough. */
struct pht_error *output_close(struct output *output, bool is_written);

#endif
