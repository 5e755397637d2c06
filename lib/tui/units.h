/* How sizes are written on the screens; `u` changes it for all of them. */
#ifndef PHT_LIB_TUI_UNITS_H
#define PHT_LIB_TUI_UNITS_H

#include "base/human.h"

enum pht_units {
    PHT_UNITS_AUTO,
    PHT_UNITS_KIB,
    PHT_UNITS_MIB,
    PHT_UNITS_BYTES,
    PHT_UNITS_COUNT,
};

/* "auto", "KiB", "MiB", "bytes". */
const char *pht_units_name(enum pht_units units);

/* "552M", "565,248K", "552M", "578,813,952"; "-" for PHT_UNKNOWN. */
const char *pht_units_bytes(enum pht_units units, uint64_t bytes, char text[static PHT_HUMAN_MAX]);

/* The same with a sign: "+9.60M", "-1.10M", "0". */
const char *pht_units_change(enum pht_units units, int64_t bytes, char text[static PHT_HUMAN_MAX]);

/* Of a number of things: "+31,204", "-310", "0". */
const char *pht_units_count_change(int64_t count, char text[static PHT_HUMAN_MAX]);

#endif
