/* Random numbers that are the same in every run: splitmix64, which any seed starts well. */
#ifndef PHT_TEST_SUPPORT_HEAP_RANDOM_H
#define PHT_TEST_SUPPORT_HEAP_RANDOM_H

#include <stdint.h>

struct heap_random {
    uint64_t state;
};

static inline uint64_t heap_random_u64(struct heap_random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

/* 0 to limit - 1. */
static inline uint32_t heap_random_below(struct heap_random *random, uint32_t limit)
{
    return (uint32_t)(heap_random_u64(random) % limit);
}

#endif
