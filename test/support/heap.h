/*
 * pymalloc heaps, written into a fake target as CPython would leave them, together with the
 * figures that sys._debugmallocstats() would print. The figures are counted while the heap is
 * filled and share nothing with the walker.
 */
#ifndef PHT_TEST_SUPPORT_HEAP_H
#define PHT_TEST_SUPPORT_HEAP_H

#include "pyheaptop/walk.h"
#include "support/fake_target.h"
#include "support/heap_random.h"

enum heap_place {
    HEAP_STATICS, /* 2.7 to 3.11 */
    HEAP_INLINE,  /* 3.12: in each interpreter */
    HEAP_POINTED, /* 3.13 and later */
};

enum heap_fill {
    HEAP_MIXED, /* pools of all kinds */
    HEAP_FULL,  /* every block of every pool is in use */
    HEAP_IDLE,  /* arenas whose pools are all free again */
    HEAP_FRESH, /* no arena yet */
};

#define HEAP_STATES_MAX 4
#define HEAP_INTERPRETERS_MAX 6
#define HEAP_ARENAS_MAX 160

/* A zero takes what is in brackets. */
struct heap_options {
    enum heap_place place;
    enum heap_fill fill;
    uint32_t alignment;   /* [16] */
    uint32_t pool_bytes;  /* [16384] */
    uint32_t arena_bytes; /* [1048576] */
    bool misaligned;      /* arenas do not begin at a multiple of 16 KiB */
    uint32_t arenas;      /* [3] of each state */
    uint32_t slots;       /* [16] of its array of arena objects, at least */
    /* Which state each interpreter uses; up to 3.11 there is one, and this is not looked at. */
    uint32_t interpreters; /* [1] */
    uint32_t state_of[HEAP_INTERPRETERS_MAX];
    uint64_t seed;
};

struct heap_arena {
    pht_addr address;
    pht_addr object; /* its arena_object */
    pht_addr first_pool;
    uint32_t index;
    uint32_t state;
    uint32_t pools; /* ntotalpools */
    uint32_t carved;
    uint32_t used;
    uint64_t live_bytes;
    uint64_t resident_bytes;
};

struct heap_state {
    pht_addr usedpools;
    pht_addr arenas_field;
    pht_addr maxarenas_field;
    pht_addr narenas_field;
    pht_addr array;
    uint64_t arenas_peak;
    uint64_t arenas_allocated_total;
    uint32_t interpreters;
    uint32_t first_interpreter;
    struct pht_pymalloc_totals totals;
    pht_addr first_partial[PHT_SIZE_CLASSES_MAX];
    pht_addr last_partial[PHT_SIZE_CLASSES_MAX];
};

struct heap {
    struct heap_options options;
    struct heap_random random;
    struct fake_target *fake;
    struct pht_python python;
    uint32_t classes;
    pht_addr runtime;
    pht_addr interpreters[HEAP_INTERPRETERS_MAX];
    uint32_t state_count;
    struct heap_state states[HEAP_STATES_MAX];
    uint32_t arena_count;
    struct heap_arena arenas[HEAP_ARENAS_MAX];

    struct pht_pymalloc_totals totals;
    struct {
        uint64_t pools;
        uint64_t live;
        uint64_t free;
    } by_class[PHT_SIZE_CLASSES_MAX];
};

/* Members of a pool header and of an arena object, the same in all versions. */
enum heap_offset {
    POOL_COUNT = 0,
    POOL_FREEBLOCK = 8,
    POOL_NEXT = 16,
    POOL_PREV = 24,
    POOL_ARENAINDEX = 32,
    POOL_SZIDX = 36,
    POOL_NEXTOFFSET = 40,
    POOL_MAXNEXTOFFSET = 44,
    POOL_HEADER_BYTES = 48,
    ARENA_ADDRESS = 0,
    ARENA_POOL_ADDRESS = 8,
    ARENA_NFREEPOOLS = 16,
    ARENA_NTOTALPOOLS = 20,
    ARENA_OBJECT_BYTES = 48,
};

/* The functions that serve objects, in PYTHONMALLOC's words. */
enum heap_function {
    HEAP_FUNCTION_PYMALLOC,
    HEAP_FUNCTION_MALLOC,
    HEAP_FUNCTION_DEBUG,
    HEAP_FUNCTION_MIMALLOC,
    HEAP_FUNCTION_FOREIGN,
    HEAP_FUNCTION_NONE,
};

struct heap *heap_create(const struct heap_options *options);
void heap_destroy(struct heap *heap);

pht_addr heap_pool(const struct heap *heap, uint32_t arena, uint32_t pool);

/* What objects are asked of, and what the debug hooks ask in turn. */
void heap_set_functions(struct heap *heap, enum heap_function object, enum heap_function debug);

/* Carve the next pool of an arena and fill it with blocks of class 0, as CPython would. */
void heap_carve_pool(struct heap *heap, uint32_t arena);

/* Give an arena back: its object is unused, its memory unmapped. */
void heap_free_arena(struct heap *heap, uint32_t arena);

#endif
