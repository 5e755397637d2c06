/*
 * Names from the target are bytes that may be anything. These make them fit to show: one for a
 * terminal, one for JSON. Both allocate; NULL means no memory.
 */
#ifndef PHT_LIB_BASE_TEXT_H
#define PHT_LIB_BASE_TEXT_H

#include <stddef.h>
#include <time.h>

/*
 * Control characters, C1 controls included, marks that turn the direction of text, and bytes that
 * are not UTF-8 become \xNN.
 */
char *pht_text_printable(const char *bytes, size_t size);

/* Arguments that each end with NUL, as /proc/PID/cmdline has them: one printable line. */
char *pht_text_arguments(const char *bytes, size_t size);

/* Valid UTF-8: each byte that cannot be decoded becomes U+FFFD. NUL bytes are left out. */
char *pht_text_utf8(const char *bytes, size_t size);

/* Cut valid UTF-8 in place to at most `characters` (2 or more); the end of what was cut becomes
 * "..". */
void pht_text_cut(char *text, size_t characters);

/* How many characters valid UTF-8 has. */
size_t pht_text_characters(const char *text);

/* Length of the well-formed UTF-8 sequence that `bytes` (1 or more) begin with; 0: there is none.
 */
size_t pht_text_utf8_length(const char *bytes, size_t size);

/* printf into fresh memory; NULL when there is none. */
char *pht_text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* RFC 3339, in UTC, with milliseconds: "2026-11-22T14:03:07.041Z". NULL means no memory. */
char *pht_text_time(struct timespec time);

#endif
