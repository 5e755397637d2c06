/* Formats of the report. Views read the model and compute nothing. */
#ifndef PHT_VIEW_H
#define PHT_VIEW_H

#include <stdio.h>

#include "pyheaptop/model.h"

/* What the table of types is sorted by: largest first, names in order. */
enum pht_type_order {
    PHT_BY_SIZE,
    PHT_BY_OBJECTS,
    PHT_BY_TAKEN,
    PHT_BY_LARGEST,
    PHT_BY_NAME,
    PHT_TYPE_ORDERS,
};

/* "size" and so on, as the column of the table is called. */
const char *pht_type_order_name(enum pht_type_order order);

struct pht_text_options {
    const char *version; /* of the program, for the first line */
    bool full;           /* every row of the parts that were asked for */
    enum pht_type_order type_sort;
    uint64_t type_rows;            /* 0: as `full` has it */
    const struct pht_diff *change; /* against a baseline; its `after` is the report. NULL: none */
};

/* For people: 80 columns, no escape codes, nothing from the target unescaped. */
void pht_text_report_write(const struct pht_report *report, const struct pht_text_options *options,
                           FILE *file);

/*
 * One line a snapshot, so that it can be watched or logged: time, RSS, change, and a column for
 * each category that any of them had something in. A header says what the columns are, again when
 * there is another one and after some dozens of lines. Begins as zeros.
 */
struct pht_text_interval {
    unsigned columns; /* set: 1 << category */
    unsigned lines;   /* since the header */
};

/* `change_bytes` is that of RSS, against whatever the caller compares with. */
void pht_text_interval_write(struct pht_text_interval *interval, const struct pht_report *report,
                             int64_t change_bytes, FILE *file);

/*
 * For programs: the schema "pyheaptop.report" 1.0, one object and a newline. `version` is the
 * program's. False when memory is short; nothing was written then.
 */
bool pht_json_report_write(const struct pht_report *report, const char *version, FILE *file);

/* The same in one line, for a stream of them. */
bool pht_json_report_write_line(const struct pht_report *report, const char *version, FILE *file);

/*
 * Read the figures out of such JSON. `name` is that of the file, for the error:
 * PHT_ERROR_FROM_FILE.
 */
struct pht_error *pht_json_figures_read(FILE *file, const char *name, struct pht_figures **ret);

/* The same of a file that is still to be opened, with a remedy where it cannot be. */
struct pht_error *pht_json_figures_open(const char *path, struct pht_figures **ret);

void pht_text_diff_write(const struct pht_diff *diff, const char *version, FILE *file);

/* The schema "pyheaptop.diff" 1.0. False when memory is short. */
bool pht_json_diff_write(const struct pht_diff *diff, const char *version, FILE *file);

/* The schema "pyheaptop.error", in one line. */
bool pht_json_error_write(const struct pht_error *error, FILE *file);

#endif
