/*
 * Arithmetic on numbers that come from the target: true means that the result is exact, false
 * that it does not fit and must not be used.
 */
#ifndef PHT_LIB_BASE_CHECKED_H
#define PHT_LIB_BASE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

#define pht_add_fits(a, b, result) (!__builtin_add_overflow(a, b, result))

/* `alignment` is a power of two. Addresses of the target stay below 2^57, so no overflow. */
static inline uint64_t pht_round_down(uint64_t value, uint64_t alignment)
{
    return value & ~(alignment - 1);
}

static inline uint64_t pht_round_up(uint64_t value, uint64_t alignment)
{
    return pht_round_down(value + alignment - 1, alignment);
}

static inline bool pht_is_power_of_two(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

#endif
