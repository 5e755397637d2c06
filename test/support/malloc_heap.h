/*
 * The memory of a process that uses glibc's malloc, as a list of chunks that is written into a
 * fake target (malloc_image.h) and counted (malloc_figures.h) by code that shares nothing with
 * the walker.
 *
 * Chunks are added to the end of an arena, one by one; malloc_heap_finish() puts the tops there
 * and writes it all. Sizes are those of chunks, headers included.
 */
#ifndef PHT_TEST_SUPPORT_MALLOC_HEAP_H
#define PHT_TEST_SUPPORT_MALLOC_HEAP_H

#include "pyheaptop/walk.h"
#include "support/fake_target.h"
#include "support/heap_random.h"
#include "support/malloc_layout.h"

enum malloc_kind {
    MALLOC_LIVE,
    MALLOC_BIN,
    MALLOC_FAST,
    MALLOC_TCACHE,
    MALLOC_FENCE, /* ends a heap, or a stretch of brk */
    MALLOC_GAP,   /* no chunk: brk was moved by others */
    MALLOC_TOP,
};

#define MALLOC_UNSORTED 1
#define MALLOC_BINS 128

struct malloc_chunk {
    pht_addr address;
    uint64_t bytes;
    uint64_t word; /* its size word, but for PREV_INUSE */
    enum malloc_kind kind;
    uint32_t region;
    uint32_t thread; /* in whose tcache it is */
    uint32_t bin;
};

/* A heap of a thread's arena; of the main one, what brk gave, or a mapping that stood in for it. */
struct malloc_region {
    uint32_t arena;
    bool is_mapped;
    pht_addr address; /* of the heap_info; of the first chunk in the main arena */
    pht_addr start;   /* of the first chunk */
    pht_addr end;     /* of the last one so far */
};

#define MALLOC_ARENAS_MAX 48
#define MALLOC_THREADS_MAX 48
#define MALLOC_MAIN 0 /* the main arena, the main thread */
#define MALLOC_NONE UINT32_MAX

struct malloc_arena {
    pht_addr address;
    uint32_t region;    /* the last, or MALLOC_NONE */
    uint64_t top_bytes; /* at least; rounded up to the end of a page */
    uint64_t system_bytes;
    uint64_t peak_system_bytes;
    pht_addr top;
};

struct malloc_thread {
    pid_t tid;
    uint32_t arena;
    pht_addr tcache;  /* its struct; 0 if it has none yet */
    pht_addr pthread; /* its struct pthread */
};

struct malloc_mmapped {
    pht_addr chunk;
    pht_addr start;
    uint64_t bytes;
    uint64_t foreign_bytes; /* before it, in the same mapping */
};

/* A zero is the usual. */
struct malloc_options {
    enum malloc_version version;
    uint64_t seed;
    bool idle;              /* the main thread did not call malloc yet */
    pht_addr brk_start;     /* [0x555555763000] */
    uint64_t brk_after_top; /* foreign bytes behind the main top */
    uint64_t thp_page_bytes;
    uint64_t tcache_max_bytes; /* [1032] */
    bool flags_in_bins;        /* chunks of thread arenas keep NON_MAIN_ARENA when they are free */
    bool narrow_ends;          /* heaps end 16 bytes too late for their fenceposts */
};

struct malloc_heap {
    struct malloc_options options;
    const struct malloc_traits *traits;
    struct heap_random random;
    struct fake_target *fake;
    struct pht_libc libc;
    uint32_t tcache_count; /* as mp_ says */
    pht_addr brk_start;
    pht_addr brk_end;
    pht_addr next_mmapped;
    uint64_t next_foreign_bytes;
    PHT_VEC(struct malloc_chunk) chunks; /* as added; by address once finished */
    PHT_VEC(struct malloc_region) regions;
    PHT_VEC(struct malloc_mmapped) mmapped; /* by address */
    uint32_t arena_count;
    struct malloc_arena arenas[MALLOC_ARENAS_MAX];
    uint32_t thread_count;
    struct malloc_thread threads[MALLOC_THREADS_MAX];
};

/* A main arena, and the main thread in it; up to 2.42 with its tcache, unless idle. */
struct malloc_heap *malloc_heap_create(const struct malloc_options *options);
void malloc_heap_destroy(struct malloc_heap *heap);

/* An arena of one empty heap. */
uint32_t malloc_heap_add_arena(struct malloc_heap *heap);

/* `arena` is MALLOC_NONE for a thread that did not call malloc yet. */
uint32_t malloc_heap_add_thread(struct malloc_heap *heap, uint32_t arena);

/* A chunk at the end of an arena. Returns its address. */
pht_addr malloc_heap_live(struct malloc_heap *heap, uint32_t arena, uint64_t bytes);

/* In its bin by size, or in the unsorted one. Not next to another, nor last: they would merge. */
pht_addr malloc_heap_bin(struct malloc_heap *heap, uint32_t arena, uint64_t bytes);
pht_addr malloc_heap_unsorted(struct malloc_heap *heap, uint32_t arena, uint64_t bytes);
pht_addr malloc_heap_fast(struct malloc_heap *heap, uint32_t arena, uint64_t bytes);
pht_addr malloc_heap_tcache(struct malloc_heap *heap, uint32_t arena, uint32_t thread,
                            uint64_t bytes);

/* Others move brk by `bytes`; malloc goes on behind them. */
void malloc_heap_gap(struct malloc_heap *heap, uint64_t bytes);

/* A thread's arena gets a heap more; the main one, a mapping, because brk cannot grow. */
void malloc_heap_next_region(struct malloc_heap *heap, uint32_t arena);

/* Fill up the last page, so that the next chunk begins `offset` bytes into a page. */
void malloc_heap_align(struct malloc_heap *heap, uint32_t arena, uint64_t offset);

/*
 * A mapping of its own of `bytes`, from malloc() or, if `alignment` is not 0, from memalign(). It
 * touches the one before: the kernel makes one of the two. Others' pages may come in between, or a
 * gap.
 */
pht_addr malloc_heap_mmapped(struct malloc_heap *heap, uint64_t bytes, uint64_t alignment);
void malloc_heap_mmapped_foreign(struct malloc_heap *heap, uint64_t bytes);
void malloc_heap_mmapped_gap(struct malloc_heap *heap);

void malloc_heap_finish(struct malloc_heap *heap);

/* The n-th chunk of a kind in an arena, of a finished heap. */
const struct malloc_chunk *malloc_heap_find(const struct malloc_heap *heap, uint32_t arena,
                                            enum malloc_kind kind, uint32_t n);
uint32_t malloc_heap_count(const struct malloc_heap *heap, uint32_t arena, enum malloc_kind kind);

/* Where the bin's own chunk, the head of its ring, would stand. */
pht_addr malloc_bin_head(const struct malloc_heap *heap, uint32_t arena, uint32_t bin);

#endif
