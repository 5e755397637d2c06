/*
 * Names in the target, as UTF-8: C strings and str objects. They may hold any bytes; a character
 * that UTF-8 cannot have (a surrogate by itself) is written as its three bytes all the same, and
 * NUL as the two bytes C0 80, so that it shows as what it is wherever the text is made fit to show.
 */
#ifndef PHT_LIB_WALK_REMOTE_TEXT_H
#define PHT_LIB_WALK_REMOTE_TEXT_H

#include "pyheaptop/layout.h"
#include "pyheaptop/snapshot.h"

/* Longer text is cut, never within a character that is valid. */
#define PHT_REMOTE_TEXT_MAX 512

struct pht_remote_text {
    size_t length;
    char bytes[PHT_REMOTE_TEXT_MAX + 1]; /* ends in NUL */
};

/* Also in a file that the target has not loaded. False if its first byte cannot be read, or no NUL
 * ends what can be read. */
bool pht_remote_text_c(struct pht_snapshot *snapshot, pht_addr addr, struct pht_remote_text *ret);

/* Of an object that is known to be a str; of 2.7, its byte string. False if it makes no sense. */
bool pht_remote_text_str(struct pht_snapshot *snapshot, const struct pht_object_layout *layout,
                         pht_addr addr, struct pht_remote_text *ret);

#endif
