/*
 * Lines of the text report: 80 columns, sizes with suffix, "-" for what is not known.
 */
#ifndef PHT_LIB_VIEW_TEXT_LINE_H
#define PHT_LIB_VIEW_TEXT_LINE_H

#include <stdio.h>

#include "base/human.h"

#define PHT_TEXT_WIDTH 80

/* One buffer a call, so that several numbers fit into one printf. */
#define BYTES(value) pht_human_bytes(value, (char[PHT_HUMAN_MAX]){0})
#define COUNT(value) pht_human_count(value, (char[PHT_HUMAN_MAX]){0})
#define BYTES_OR_DASH(value) pht_text_bytes_or_dash(value, (char[PHT_HUMAN_MAX]){0})
#define COUNT_OR_DASH(value) pht_text_count_or_dash(value, (char[PHT_HUMAN_MAX]){0})
#define SIGNED_BYTES(value) pht_text_signed_bytes(value, (char[PHT_TEXT_SIGNED_MAX]){0})
#define SIGNED_COUNT(value) pht_text_signed_count(value, (char[PHT_TEXT_SIGNED_MAX]){0})
#define PERCENT(part, whole) pht_human_percent(part, whole, (char[PHT_HUMAN_MAX]){0})
#define PLURAL(count) pht_human_plural(count)

const char *pht_text_bytes_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX]);
const char *pht_text_count_or_dash(uint64_t value, char text[static PHT_HUMAN_MAX]);

/* With a sign, but for 0: "+9.70M". */
#define PHT_TEXT_SIGNED_MAX (PHT_HUMAN_MAX + 1)
const char *pht_text_signed_bytes(int64_t value, char text[static PHT_TEXT_SIGNED_MAX]);
const char *pht_text_signed_count(int64_t value, char text[static PHT_TEXT_SIGNED_MAX]);

/* A row of a list that adds up: the bytes, and what they are. */
struct pht_text_row {
    uint64_t bytes;
    const char *what;
};

void pht_text_write_row(uint64_t bytes, const char *what, FILE *file);

/* Those that are something. */
void pht_text_write_rows(const struct pht_text_row *rows, size_t count, FILE *file);

/*
 * Words of `text` in lines of 80 columns, all but the first indented. `column` is where the first
 * word begins.
 */
void pht_text_write_wrapped(const char *text, int column, int indent, FILE *file);

/*
 * Facts side by side, two blanks apart; one that does not fit any more begins another line. A
 * line begins at column `indent`, and something stands there already.
 */
struct pht_text_facts {
    FILE *file;
    int indent;
    int column;
};

void pht_text_begin_facts(struct pht_text_facts *facts, const char *title, FILE *file);
void pht_text_add_fact(struct pht_text_facts *facts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void pht_text_end_facts(struct pht_text_facts *facts);

#endif
