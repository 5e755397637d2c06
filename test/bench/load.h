/* What the threads of a loaded target write down, in a file that it shares with who measures. */
#ifndef PHT_TEST_BENCH_LOAD_H
#define PHT_TEST_BENCH_LOAD_H

#include <stdatomic.h>
#include <stdint.h>

enum load_phase {
    LOAD_UNWATCHED,
    LOAD_BETWEEN, /* watched, but no report is being made */
    LOAD_REPORT,
    LOAD_PHASES,
};

enum load_kind {
    LOAD_MALLOC, /* 64 blocks of 16 to 2,000 bytes, and free them */
    LOAD_LARGE,  /* a block of 256 KiB, which malloc maps, written to and freed */
    LOAD_MAP,    /* mmap of 64 KiB, written to, munmap */
    LOAD_SLEEP,  /* how much later than asked for a sleep of 1 ms ends */
    LOAD_KINDS,
};

/* Of times in ns: 16 buckets for each power of two, so that a bucket is 6 % wide. */
#define LOAD_BUCKETS 1024

struct load_times {
    _Atomic uint64_t counts[LOAD_BUCKETS];
    _Atomic uint64_t worst_ns;
};

struct load {
    _Atomic uint32_t phase; /* set by who measures */
    struct load_times times[LOAD_PHASES][LOAD_KINDS];
};

static inline unsigned load_bucket(uint64_t ns)
{
    if (ns < 16)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns);
    return (power - 3) * 16 + (unsigned)(ns >> (power - 4) & 15);
}

/* The least time that a bucket holds. */
static inline uint64_t load_bucket_ns(unsigned bucket)
{
    if (bucket < 16)
        return bucket;
    return (uint64_t)(16 + bucket % 16) << (bucket / 16 - 1);
}

#endif
