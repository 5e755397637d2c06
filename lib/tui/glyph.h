/* Bytes of any origin, one after the other, as what a terminal can be given. */
#ifndef PHT_LIB_TUI_GLYPH_H
#define PHT_LIB_TUI_GLYPH_H

#include <stdbool.h>

/* "\U0010ffff" is the longest. */
#define PHT_GLYPH_BYTES 10

struct pht_glyph {
    char text[PHT_GLYPH_BYTES + 1];
    unsigned bytes;
    unsigned width; /* columns; 0: a mark on the character before it */
    bool is_escape; /* of the form \x1b, \u202e or \U000e0001: ASCII characters in turn */
};

/*
 * The next one of a text that ends with NUL; false at its end. Control characters, bytes that are
 * no UTF-8, characters that turn the direction of text or cannot be seen, those that the program's
 * LC_CTYPE cannot print, and with `is_ascii` all that is not ASCII, are escaped.
 */
bool pht_glyph_next(const char **text, bool is_ascii, struct pht_glyph *ret);

#endif
