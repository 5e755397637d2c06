/* Formats of the report. Views read the model and compute nothing. */
#ifndef PHT_VIEW_H
#define PHT_VIEW_H

#include <stdio.h>

#include "pyheaptop/model.h"

struct pht_text_options {
    const char *version; /* of the program, for the first line */
    bool full;           /* every row of the parts that were asked for */
};

/* For people: 80 columns, no escape codes, nothing from the target unescaped. */
void pht_text_report_write(const struct pht_report *report, const struct pht_text_options *options,
                           FILE *file);

/*
 * For programs: the schema "pyheaptop.report" 1.0, one object and a newline. `version` is the
 * program's. False when memory is short; nothing was written then.
 */
bool pht_json_report_write(const struct pht_report *report, const char *version, FILE *file);

/*
 * Read the figures out of such JSON. `name` is that of the file, for the error:
 * PHT_ERROR_FROM_FILE.
 */
struct pht_error *pht_json_figures_read(FILE *file, const char *name, struct pht_figures **ret);

void pht_text_diff_write(const struct pht_diff *diff, const char *version, FILE *file);

/* The schema "pyheaptop.diff" 1.0. False when memory is short. */
bool pht_json_diff_write(const struct pht_diff *diff, const char *version, FILE *file);

/* The schema "pyheaptop.error". */
bool pht_json_error_write(const struct pht_error *error, FILE *file);

#endif
