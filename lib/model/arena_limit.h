/* How many arenas malloc makes at most, and who said so. */
#ifndef PHT_LIB_MODEL_ARENA_LIMIT_H
#define PHT_LIB_MODEL_ARENA_LIMIT_H

#include "pyheaptop/model.h"

/*
 * `environment` holds `bytes` bytes as /proc/PID/environ has them, which may be anything; NULL if
 * it could not be read. `processors` is 0 if their number is not known.
 *
 * A variable counts only if it holds the limit that is in force: a program may have changed its
 * mind with mallopt(3).
 */
struct pht_arena_limit pht_arena_limit(const struct pht_malloc_params *params, uint32_t processors,
                                       const char *environment, size_t bytes);

#endif
