/*
 * What the walkers find. Walkers never fail on bad data: they count it and go on.
 *
 * pymalloc (Objects/obmalloc.c): an arena is a mapping of 256 KiB or 1 MiB, cut into pools of 4
 * or 16 KiB; a pool serves blocks of one size class, 8 or 16 bytes apart, up to 512. The figures
 * are those that sys._debugmallocstats() prints, and under its names where it has one.
 */
#ifndef PHT_WALK_H
#define PHT_WALK_H

#include "pyheaptop/layout.h"
#include "pyheaptop/snapshot.h"

/* Size classes of the finest alignment: 512 / 8. */
#define PHT_SIZE_CLASSES_MAX 64

/* Which allocator the interpreter asks for objects: PYTHONMALLOC. */
enum pht_object_allocator {
    PHT_ALLOCATOR_UNKNOWN,
    PHT_ALLOCATOR_PYMALLOC,
    PHT_ALLOCATOR_PYMALLOC_DEBUG,
    PHT_ALLOCATOR_MALLOC,
    PHT_ALLOCATOR_MALLOC_DEBUG,
    PHT_ALLOCATOR_MIMALLOC,
    PHT_ALLOCATOR_CUSTOM, /* a function that is none of CPython's */
};

/* "pymalloc_debug" and so on, as PYTHONMALLOC spells them; NULL for UNKNOWN. */
const char *pht_object_allocator_name(enum pht_object_allocator allocator);

/* An arena in use, as its arena_object said when the roots were copied. */
struct pht_arena_root {
    pht_addr address;
    pht_addr pool_address; /* pools from here on were never carved */
    uint32_t index;        /* in the array of arena objects */
    uint32_t nfreepools;   /* free, or never carved */
    uint32_t ntotalpools;
};

/*
 * One allocator state: the process's (up to 3.11), or one that an interpreter has to itself.
 * Where the state has no such counter, it is PHT_UNKNOWN.
 */
struct pht_pymalloc_root {
    pht_addr usedpools;    /* names the state */
    pht_addr arenas_field; /* where the pointer to the array of arena objects stands */
    pht_addr arenas_addr;
    uint32_t maxarenas;
    uint64_t narenas;
    uint64_t arenas_peak;
    uint64_t arenas_allocated_total;
    int64_t interpreter; /* the first that uses it; -1 before 3.12 */
    uint32_t interpreters;
    uint32_t classes;   /* size classes of its table of used pools */
    size_t first_arena; /* its arenas stand together in pht_pymalloc_roots.arenas */
    size_t arenas;
};

struct pht_pymalloc_roots {
    const struct pht_python *python; /* borrowed */
    enum pht_object_allocator allocator;
    bool consistent;         /* the last freeze found nothing that changed under it */
    bool proven;             /* the layout led to data that can only be an allocator's state */
    bool initialised;        /* the runtime has an interpreter, or arenas */
    bool unreadable;         /* a root is in swap, or in no mapping that may be read */
    uint64_t damaged_arenas; /* arena objects that contradict themselves: left out */
    size_t states_before;    /* that a consistent earlier freeze has left */
    struct {
        struct pht_pymalloc_root *items;
        size_t count;
        size_t capacity;
    } states;
    struct {
        struct pht_arena_root *items;
        size_t count;
        size_t capacity;
    } arenas;
};

/* `python` must have a layout. */
void pht_pymalloc_roots_init(struct pht_pymalloc_roots *roots, const struct pht_python *python);
void pht_pymalloc_roots_deinit(struct pht_pymalloc_roots *roots);

/* A pht_freeze; `context` is a struct pht_pymalloc_roots. */
bool pht_pymalloc_freeze(struct pht_snapshot *snapshot, void *context);

struct pht_size_class {
    uint64_t block_bytes;
    uint64_t pools;
    uint64_t live_blocks;
    uint64_t free_blocks;
    uint64_t live_bytes;
    uint64_t free_bytes;
    uint32_t live_percent; /* of the blocks, rounded */
};

/*
 * The six figures are live, free, unused_pool, pool_header, quantization and arena_alignment;
 * with unknown_pool they add up to total, which is arenas times the size of one. A pool is
 * unknown if its header is in swap, or makes no sense however often it is read.
 */
struct pht_pymalloc_totals {
    uint64_t arenas;
    uint64_t pools_used;
    uint64_t pools_free;
    uint64_t live_blocks;
    uint64_t free_blocks;
    uint64_t live_bytes;
    uint64_t free_bytes;
    uint64_t unused_pool_bytes;
    uint64_t pool_header_bytes;
    uint64_t quantization_bytes;
    uint64_t arena_alignment_bytes;
    uint64_t unknown_pool_bytes;
    uint64_t total_bytes;
};

struct pht_arena {
    pht_addr address;
    uint64_t pools_used;
    uint64_t pools_free;
    uint64_t live_bytes;
    uint64_t resident_bytes;
};

/* A state's share of the totals. Peak and total as in struct pht_pymalloc_root. */
struct pht_pymalloc_state {
    pht_addr address;
    int64_t interpreter;
    uint32_t interpreters;
    uint64_t arenas_peak;
    uint64_t arenas_allocated_total;
    struct pht_pymalloc_totals totals;
};

struct pht_pymalloc {
    enum pht_object_allocator allocator;
    bool is_off; /* no arena, not even a damaged one */
    /* Sizes are derived from the arenas; PHT_UNKNOWN while there is none. */
    uint64_t arena_bytes;
    uint64_t pool_bytes;
    uint64_t alignment_bytes;
    /* Of one state; with several, which peaked at different times, PHT_UNKNOWN. */
    uint64_t arenas_peak;
    uint64_t arenas_allocated_total;
    struct pht_pymalloc_totals totals;
    struct pht_size_class classes[PHT_SIZE_CLASSES_MAX]; /* those that have pools */
    size_t class_count;
    struct pht_arena *arenas; /* by address */
    struct pht_pymalloc_state *states;
    size_t state_count;
    /* Arenas that hold less than a tenth of their size in live blocks. */
    uint64_t sparse_arenas;
    uint64_t sparse_live_bytes;
    uint64_t sparse_held_bytes;
    /* What was not as it should be. */
    uint64_t rereads;
    uint64_t torn_pools;      /* changed between the copy of the roots and the read */
    uint64_t damaged_pools;   /* their header makes no sense */
    uint64_t swapped_pools;   /* their header is in swap */
    uint64_t damaged_arenas;  /* they contradict themselves, or overlap others */
    uint64_t swapped_arenas;  /* no pool of any arena could be read, so their size is not known */
    uint64_t vanished_arenas; /* given back to the system after the roots were copied */
};

/*
 * Count every pool of `roots`. NULL when memory is short. The result stands on its own:
 * pht_pymalloc_destroy() releases it.
 */
struct pht_pymalloc *pht_pymalloc_walk(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots);
void pht_pymalloc_destroy(struct pht_pymalloc *pymalloc);

#endif
