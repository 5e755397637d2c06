/* Screens drawn as text, for golden tests. */
#ifndef PHT_TEST_SUPPORT_SCREENS_H
#define PHT_TEST_SUPPORT_SCREENS_H

#include "tui/screen.h"

/* The sizes at which each screen is looked at: rows and columns. */
#define SCREEN_SIZES 5
extern const unsigned screen_sizes[SCREEN_SIZES][2];

/*
 * A screen that was opened with `view` and given these keys (its table's or its own), on an area of
 * its own. For the caller to free.
 */
char *screen_text(const struct pht_screen *screen, const struct pht_view *view, const int *keys,
                  size_t key_count, unsigned rows, unsigned columns);

/* The same at each size, below what the header takes, against test/golden/screen_NAME_COLSxROWS.txt
 * ("_utf8" behind the name if the view is not ASCII). */
void screen_check(const struct pht_screen *screen, const struct pht_view *view, const int *keys,
                  size_t key_count, const char *name);

#endif
