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

/* Of a pool that is not in use, or could not be read. */
#define PHT_NO_SIZE_CLASS UINT8_MAX

/* Which allocator the interpreter asks for objects: PYTHONMALLOC. */
enum pht_object_allocator {
    PHT_ALLOCATOR_UNKNOWN,
    PHT_ALLOCATOR_PYMALLOC,
    PHT_ALLOCATOR_PYMALLOC_DEBUG,
    PHT_ALLOCATOR_MALLOC,
    PHT_ALLOCATOR_MALLOC_DEBUG,
    PHT_ALLOCATOR_MIMALLOC,
    PHT_ALLOCATOR_MIMALLOC_DEBUG,
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
    const uint8_t *pool_classes; /* size class of each pool in turn, or PHT_NO_SIZE_CLASS */
    uint64_t live_blocks;
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
    uint8_t *pool_classes;    /* what those of the arenas lead into */
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
 * Count every pool of `roots`, and claim what is walked if `owners` is not NULL. NULL when memory
 * is short. The result stands on its own: pht_pymalloc_destroy() releases it.
 */
struct pht_owners;
struct pht_pymalloc *pht_pymalloc_walk(struct pht_snapshot *snapshot,
                                       const struct pht_pymalloc_roots *roots,
                                       struct pht_owners *owners);
void pht_pymalloc_destroy(struct pht_pymalloc *pymalloc);

/*
 * ---- glibc malloc -----------------------------------------------------------------------------
 *
 * malloc (malloc/malloc.c) serves chunks out of arenas: the main arena, which grows by brk(2), and
 * those of threads, which are made of heaps of up to 64 MiB. At the end of an arena stands its top
 * chunk, from which new chunks are cut. Free chunks wait in bins, in fastbins (up to 2.42), and in
 * each thread's tcache. Large requests get a mapping of their own: an mmapped chunk.
 *
 * A chunk's size includes its header, as malloc counts it.
 */

/* A piece of an arena: chunk follows chunk from `start` to `end`. */
struct pht_malloc_heap {
    pht_addr address; /* of the heap_info; of the first chunk in the main arena */
    pht_addr start;   /* of the first chunk */
    pht_addr end;
};

#define PHT_FASTBINS_MAX 16

/* An arena, as its malloc_state said when the roots were copied. */
struct pht_malloc_arena_root {
    pht_addr address;
    pht_addr top;
    uint64_t system_bytes;
    uint64_t peak_system_bytes;
    bool is_contiguous;
    bool is_damaged; /* its heaps do not hold together: its chunks cannot be walked */
    pht_addr fastbins[PHT_FASTBINS_MAX];
    size_t first_heap; /* its heaps stand together in pht_glibc_roots.heaps, the newest first */
    size_t heaps;
};

/* Small bins by 16 bytes; from 2.42 on also large ones, by powers of two. */
#define PHT_TCACHE_BINS_MAX 80

struct pht_malloc_thread_root {
    pid_t tid;
    pht_addr pthread;                   /* its struct pthread, which lies in its stack */
    pht_addr arena;                     /* 0 before its first malloc */
    pht_addr tcache;                    /* of its tcache_perthread_struct; 0 if it has none */
    uint16_t held[PHT_TCACHE_BINS_MAX]; /* chunks a bin, as its counters say */
    pht_addr entries[PHT_TCACHE_BINS_MAX];
};

/* mp_: tunables, and counters of mmapped chunks. PHT_UNKNOWN where this version has none. */
struct pht_malloc_params {
    uint64_t mmap_threshold_bytes;
    bool mmap_threshold_dynamic;
    uint64_t trim_threshold_bytes;
    uint64_t top_pad_bytes;
    uint64_t arena_max; /* 0: not set, so it follows from the number of processors */
    uint64_t thp_page_bytes;
    uint64_t huge_page_bytes;
    uint64_t tcache_max_bytes;
    uint64_t tcache_count;
    uint64_t mmapped_chunks;
    uint64_t mmapped_bytes;
    uint64_t mmapped_peak_chunks;
    uint64_t mmapped_peak_bytes;
    pht_addr sbrk_base;
};

struct pht_glibc_roots {
    const struct pht_libc *libc; /* borrowed */
    bool consistent;             /* the last freeze found nothing that changed under it */
    bool proven;                 /* the layout led to data that can only be malloc's state */
    bool unreadable;             /* a root is in swap, or in no mapping that may be read */
    bool threads_known;          /* the list of threads was walked to its end */
    uint64_t damaged_arenas;     /* arenas that contradict themselves: left out, and what follows */
    uint64_t tcache_key;         /* marks chunks in a tcache; 0 if this version has none */
    uint64_t tls_offset;         /* of the C library's thread-local block; 0 while not known */
    pht_addr current_break;      /* what sbrk(0) returns; 0 if that is not known */
    struct pht_malloc_params params;
    struct {
        struct pht_malloc_arena_root *items; /* the main arena first */
        size_t count;
        size_t capacity;
    } arenas;
    struct {
        struct pht_malloc_heap *items;
        size_t count;
        size_t capacity;
    } heaps;
    struct {
        struct pht_malloc_thread_root *items;
        size_t count;
        size_t capacity;
    } threads;
};

/* `libc` must have a layout. */
void pht_glibc_roots_init(struct pht_glibc_roots *roots, const struct pht_libc *libc);
void pht_glibc_roots_deinit(struct pht_glibc_roots *roots);

/* A pht_freeze; `context` is a struct pht_glibc_roots. */
bool pht_glibc_freeze(struct pht_snapshot *snapshot, void *context);

/*
 * Where malloc keeps a free chunk. What an arena's bins have is unsorted until somebody looks for a
 * chunk; then it goes to the small bins, one for each size below 1,024, or to the large ones.
 */
enum pht_free_kind {
    PHT_FREE_TCACHE,
    PHT_FREE_FAST,
    PHT_FREE_UNSORTED,
    PHT_FREE_SMALL,
    PHT_FREE_LARGE,
    PHT_FREE_TOP,
    PHT_FREE_KINDS,
};

/* "tcache" and so on. */
const char *pht_free_kind_name(enum pht_free_kind kind);

/* `page_bytes` are resident pages that lie in one chunk, behind its header and links. */
struct pht_free_sum {
    uint64_t chunks;
    uint64_t bytes;
    uint64_t largest_bytes;
    uint64_t page_bytes;
};

/*
 * live + free + tcache + top + overhead + foreign + unknown add up to system. `free` is what the
 * bins and fastbins hold; `rest` is malloc_info(3)'s figure, which counts top as a free chunk and
 * adds up size words with their flag bits.
 *
 * On a target that runs, `system` is what the arena had when the roots were copied, and each byte
 * of that counts as what it was when the walk came by. What the arena got since is left out: a
 * chunk that reaches into it counts up to where the arena ended. What was given back since counts
 * as top, which it was last; a heap that went as a whole is unknown. Where a chunk became part of
 * another while the walk stood at it, the rest of that one counts as what it is by now. What makes
 * no sense however often it is read is unknown. In both cases what it was counts as one torn chunk.
 */
struct pht_glibc_arena {
    pht_addr address;
    bool is_main;
    uint64_t heaps;
    uint64_t threads; /* attached to it; PHT_UNKNOWN if the threads could not be listed */
    uint64_t system_bytes;
    uint64_t peak_system_bytes;
    uint64_t live_chunks;
    uint64_t live_bytes;
    uint64_t free_chunks;
    uint64_t free_bytes;
    uint64_t tcache_chunks;
    uint64_t tcache_bytes;
    uint64_t fast_chunks;
    uint64_t fast_bytes;
    uint64_t rest_chunks;
    uint64_t rest_bytes;
    uint64_t top_bytes;
    uint64_t overhead_bytes;          /* arena and heap headers, fenceposts */
    uint64_t foreign_bytes;           /* of the main arena: what others took from brk in between */
    uint64_t unknown_bytes;           /* torn, damaged, or in swap */
    uint64_t trimmable_bytes;         /* resident, and malloc_trim(0) would give it back now */
    uint64_t trimmable_flushed_bytes; /* the same if every tcache were empty */
    uint64_t resident_bytes;
    struct pht_free_sum kinds[PHT_FREE_KINDS]; /* fast, unsorted, small and large make up `free` */
    bool is_partly_sorted; /* the unsorted ones could not be followed to the end: there are more */
};

/* Chunks of `min_bytes` to `max_bytes`; free ones of all kinds but top. */
struct pht_chunk_size {
    uint64_t min_bytes;
    uint64_t max_bytes;
    uint64_t live_chunks;
    uint64_t live_bytes;
    uint64_t free_chunks;
    uint64_t free_bytes;
};

struct pht_free_chunk {
    pht_addr address;
    uint64_t bytes;
    uint64_t resident_bytes;
    size_t arena; /* in pht_glibc.arenas */
};

#define PHT_LARGEST_FREE 16

struct pht_mmapped_chunk {
    pht_addr address; /* of the chunk */
    pht_addr start;   /* of its mapping */
    uint64_t bytes;   /* of its mapping */
    uint64_t resident_bytes;
};

struct pht_malloc_thread {
    pid_t tid;
    pht_addr arena; /* 0 before its first malloc */
    uint64_t tcache_chunks;
    uint64_t tcache_bytes;
};

struct pht_glibc {
    struct pht_malloc_params params;
    struct pht_glibc_arena *arenas; /* the main arena first, then as the ring of arenas goes */
    size_t arena_count;
    struct pht_glibc_arena totals; /* sums; address and peak mean nothing */
    struct pht_chunk_size *sizes;  /* those that have chunks, rising */
    size_t size_count;
    struct pht_free_chunk largest_free[PHT_LARGEST_FREE]; /* largest first */
    size_t largest_free_count;
    struct pht_mmapped_chunk *mmapped; /* that were found, by address */
    size_t mmapped_count;
    uint64_t mmapped_bytes; /* of those */
    uint64_t mmapped_resident_bytes;
    bool threads_known;
    struct pht_malloc_thread *threads; /* most in tcache first */
    size_t thread_count;
    /* What was not as it should be. */
    uint64_t rereads;
    uint64_t torn_chunks;    /* changed while they were read */
    uint64_t damaged_chunks; /* make no sense however often they are read */
    uint64_t swapped_pages;  /* in swap, with headers that were needed */
    uint64_t damaged_arenas;
};

/*
 * Walk every chunk of `roots`, and claim what is walked if `owners` is not NULL. `others` are
 * ranges that belong to other allocators, by address: no mmapped chunk is looked for in them. NULL
 * when memory is short.
 */
struct pht_range {
    pht_addr start;
    pht_addr end;
};

struct pht_census;
struct pht_glibc *pht_glibc_walk(struct pht_snapshot *snapshot, const struct pht_glibc_roots *roots,
                                 const struct pht_range *others, size_t other_count,
                                 struct pht_owners *owners, struct pht_census *census);
void pht_glibc_destroy(struct pht_glibc *glibc);

/* ---- who owns what ------------------------------------------------------------------------ */

/*
 * Every resident byte of a process is in one of these. The order is that of the report, and of
 * precedence: a page that holds several counts for the first where only one can be named.
 */
enum pht_category {
    PHT_CATEGORY_PYTHON_SMALL,    /* pymalloc blocks in use */
    PHT_CATEGORY_PYMALLOC_SLACK,  /* what else pymalloc's arenas have */
    PHT_CATEGORY_PYTHON_LARGE,    /* malloc chunks of Python objects; frame stacks of 3.11 on */
    PHT_CATEGORY_MALLOC_UNOWNED,  /* malloc chunks in use, headers of its arenas and heaps */
    PHT_CATEGORY_MALLOC_FREE,     /* free chunks */
    PHT_CATEGORY_MALLOC_TOP,      /* top chunks */
    PHT_CATEGORY_MALLOC_MMAPPED,  /* chunks that have a mapping of their own */
    PHT_CATEGORY_OTHER_ALLOCATOR, /* jemalloc, tcmalloc, mimalloc */
    PHT_CATEGORY_FILES,           /* files, .bss, the loader's data, code without a file */
    PHT_CATEGORY_STACKS,          /* of threads, with their thread-local storage */
    PHT_CATEGORY_SHARED_MEMORY,
    PHT_CATEGORY_UNATTRIBUTED,
    PHT_CATEGORIES,
};

struct pht_split {
    uint64_t bytes[PHT_CATEGORIES];
};

/* A mapping's pages at the moment the ledger was begun, and whose they are. */
struct pht_owned_mapping {
    pht_addr start;
    pht_addr end;
    uint64_t resident_bytes;
    uint64_t swapped_bytes;
    struct pht_split resident; /* adds up to resident_bytes, as `swapped` to swapped_bytes */
    struct pht_split swapped;
};

/*
 * Who owns each byte of the resident and swapped pages. Walkers claim ranges; what is not resident
 * counts nowhere, and no page is given away twice: 4,096 bytes of it can be claimed, and what is
 * beyond that is refused and counted. What nobody claims is unattributed. 4 bytes and 2 bits a
 * page, for parts of the address space that have any.
 */
struct pht_owners;

/* Look at all pages of the mappings that count in RSS, now. NULL when memory is short. */
struct pht_owners *pht_owners_create(struct pht_snapshot *snapshot, const struct pht_smaps *smaps);
void pht_owners_destroy(struct pht_owners *owners);

/* [start, end) belongs to `category`. Nothing happens if `owners` is NULL. */
void pht_owners_claim(struct pht_owners *owners, pht_addr start, pht_addr end,
                      enum pht_category category);

/*
 * `bytes` of [start, end) belong to `category` and the others to `other`, and which ones is not
 * known: its pages count as holding both. True if that can be told: all of them are resident, or
 * all in swap. Nothing is claimed otherwise.
 */
bool pht_owners_claim_mixed(struct pht_owners *owners, pht_addr start, pht_addr end, uint64_t bytes,
                            enum pht_category category, enum pht_category other);

/* A range that was claimed for `from` belongs to `to`. */
void pht_owners_move(struct pht_owners *owners, pht_addr start, pht_addr end,
                     enum pht_category from, enum pht_category to);

/* What nobody has claimed yet of the pages that [start, end) touches belongs to `category`. */
void pht_owners_claim_rest(struct pht_owners *owners, pht_addr start, pht_addr end,
                           enum pht_category category);

/* Resident bytes of the pages that [start, end) touches, and those that nobody has claimed. */
uint64_t pht_owners_resident(struct pht_owners *owners, pht_addr start, pht_addr end);
uint64_t pht_owners_unclaimed(struct pht_owners *owners, pht_addr start, pht_addr end);

/* All that is resident or in swap. 0 if `owners` is NULL. */
uint64_t pht_owners_bytes(const struct pht_owners *owners);

/* One for each mapping of smaps, in their order, as claimed so far. */
const struct pht_owned_mapping *pht_owners_mappings(const struct pht_owners *owners);

/* Bytes that were refused because their page was given away already: damage, or a moving target. */
uint64_t pht_owners_refused_bytes(const struct pht_owners *owners);

/* The category that a resident page counts for where only one can be named. */
enum pht_category pht_owners_page(struct pht_owners *owners, pht_addr page);

/* The first resident page at or behind `page`; `end` if there is none before that. */
pht_addr pht_owners_next_page(struct pht_owners *owners, pht_addr page, pht_addr end);

/* ---- Python objects ----------------------------------------------------------------------- */

/*
 * All objects of one type. `size_bytes` is what sys.getsizeof() adds up to, `allocated_bytes` what
 * they and the buffers that they own really take: blocks of pymalloc, chunks of malloc. A buffer
 * that several objects share counts once, for one of them.
 */
struct pht_type_sum {
    pht_addr address;
    char *name;
    char *module;
    uint64_t objects;
    uint64_t size_bytes;
    uint64_t allocated_bytes;
    uint64_t max_bytes;  /* the largest size of one */
    uint64_t gc_tracked; /* objects that the collector knows of */
};

/* How many, and what they take. */
struct pht_tally {
    uint64_t count;
    uint64_t bytes;
};

/* Whose the blocks of pymalloc, or the chunks of malloc, in use are: each counts once. */
struct pht_holders {
    struct pht_tally objects;     /* a Python object is in it */
    struct pht_tally buffers;     /* an object owns it */
    struct pht_tally free_listed; /* blocks only; its count is PHT_UNKNOWN if no list is known */
    struct pht_tally unowned;     /* nothing of that is known of it */
};

#define PHT_LARGE_OBJECTS_MAX 50
#define PHT_PREVIEW_BYTES 64

/* A str or bytes object shows its first characters, the former as walk/remote_text.h has them. */
struct pht_large_object {
    pht_addr address;
    uint64_t size_bytes;
    size_t type; /* in pht_objects.types */
    bool has_preview;
    uint32_t preview_bytes;
    char preview[PHT_PREVIEW_BYTES];
};

/* What the memory of a chunk begins with. */
enum pht_sample_kind {
    PHT_SAMPLE_OTHER,
    PHT_SAMPLE_ZEROS,
    PHT_SAMPLE_TEXT,
    PHT_SAMPLE_POINTER, /* it leads into a file: a library's code, table or variable */
};

struct pht_chunk_sample {
    pht_addr address; /* of the memory */
    enum pht_sample_kind kind;
    pht_addr points_to;  /* POINTER */
    uint32_t text_bytes; /* TEXT */
    char text[PHT_PREVIEW_BYTES];
};

#define PHT_CHUNK_SAMPLES 3

/* Chunks of malloc that no object owns, of `min_bytes` to `max_bytes`, mmapped ones among them. */
struct pht_unowned_size {
    uint64_t min_bytes;
    uint64_t max_bytes;
    uint64_t chunks;
    uint64_t bytes;
    struct pht_chunk_sample samples[PHT_CHUNK_SAMPLES];
    size_t sample_count;
};

/*
 * The ints, or the floats, of 2.7 have places in blocks of their own, which are chunks of malloc
 * and count for the type with all their places.
 */
struct pht_numbers {
    const char *type;
    uint64_t bytes_each;
    uint64_t free_places;
    bool is_known; /* the list of the blocks was found */
    bool is_torn;  /* it was not followed to its end: it changed, or led into swap */
};

#define PHT_NUMBERS_MAX 2

/*
 * What a census looks at closely, besides: an arena of pymalloc, by its address; blocks of one
 * size; a type, by its address. Only the screens ask for that.
 */
enum pht_focus_kind {
    PHT_FOCUS_NONE,
    PHT_FOCUS_ARENA,
    PHT_FOCUS_SIZE_CLASS,
    PHT_FOCUS_TYPE,
};

struct pht_census_focus {
    enum pht_focus_kind kind;
    uint64_t number;
};

/* Blocks in use that objects of a type are in, or own as buffers; bytes are those of the blocks. */
struct pht_focus_type {
    size_t type; /* in pht_objects.types */
    struct pht_tally objects;
    struct pht_tally buffers;
};

/* Objects of `min_bytes` to `max_bytes`, by what sys.getsizeof() says. */
struct pht_focus_size {
    uint64_t min_bytes;
    uint64_t max_bytes;
    struct pht_tally objects;
};

/* Of an arena or a size class: `types` and `unowned` add up to `blocks`. Of a type: the rest. */
struct pht_focus {
    struct pht_census_focus on;
    struct pht_focus_type *types; /* most bytes first */
    size_t type_count;
    struct pht_tally blocks;      /* in use there */
    struct pht_tally unowned;     /* those of no known type: free lists are among them */
    struct pht_focus_size *sizes; /* those that have objects, rising */
    size_t size_count;
    struct pht_tally in_blocks; /* objects in blocks of pymalloc, with what these take */
    struct pht_tally in_chunks; /* and in chunks of malloc */
};

struct pht_objects {
    struct pht_type_sum *types; /* largest size first */
    size_t type_count;
    struct pht_type_sum totals; /* address and names mean nothing */
    struct pht_holders blocks;
    struct pht_holders chunks;
    struct pht_tally interned;                              /* strings; bytes are their sizes */
    struct pht_large_object largest[PHT_LARGE_OBJECTS_MAX]; /* largest first */
    size_t largest_count;
    struct pht_unowned_size *unowned; /* most bytes first */
    size_t unowned_count;
    struct pht_numbers numbers[PHT_NUMBERS_MAX];
    size_t numbers_count;    /* 0 from 3.0 on */
    struct pht_focus *focus; /* NULL: nothing was asked for */
    /* Blocks that begin like an object and contradict themselves: no object is counted there. */
    uint64_t damaged_objects;
    uint64_t torn_pools; /* whose blocks could not be told apart */
    uint64_t swapped_pools;
};

/*
 * A census of a process whose pymalloc was walked: first of its pools, then of the chunks that
 * pht_glibc_walk() comes by. All that is given is kept by reference. pht_census_begin() gives NULL
 * where the objects of this build are not known, or, with `*out_of_memory`, when memory is short.
 * pht_census_end() gives NULL when memory is short; it destroys the census in any case. `glibc` is
 * what that walk found, or NULL.
 */
struct pht_census_options {
    bool previews;    /* keep text of the target, which may be secret */
    unsigned threads; /* that walk the pools; 0 as 1 */
    struct pht_census_focus focus;
};

struct pht_census *pht_census_begin(struct pht_snapshot *snapshot,
                                    const struct pht_pymalloc_roots *roots,
                                    const struct pht_pymalloc *pymalloc, struct pht_owners *owners,
                                    const struct pht_census_options *options, bool *out_of_memory);
struct pht_objects *pht_census_end(struct pht_census *census, const struct pht_glibc *glibc);
void pht_objects_destroy(struct pht_objects *objects);

/* ---- the collector ------------------------------------------------------------------------ */

#define PHT_GC_GENERATIONS 3

/*
 * As gc.get_threshold(), gc.get_count(), len(gc.get_objects(generation=i)) and gc.get_stats() tell.
 * PHT_UNKNOWN: objects of a list that could not be counted; figures that this version does not
 * keep, which are collections and what follows in 2.7.
 */
struct pht_gc_generation {
    int32_t threshold;
    int32_t count;
    uint64_t objects;
    uint64_t collections;
    uint64_t collected;
    uint64_t uncollectable;
};

/*
 * The collector of the main interpreter: from 3.9 on each other one has its own, which is not
 * looked at. `frozen` is gc.get_freeze_count(), PHT_UNKNOWN up to 3.6, which cannot freeze;
 * `garbage` is the length of gc.garbage, `callbacks` that of gc.callbacks, which 2.7 does not have.
 */
struct pht_gc {
    bool enabled;
    uint64_t frozen;
    uint64_t garbage;
    uint64_t callbacks;
    struct pht_gc_generation generations[PHT_GC_GENERATIONS]; /* the youngest first */
    uint64_t torn_lists; /* that changed while they were followed, or cannot be read */
    uint64_t long_lists; /* longer than what is followed, and no census told how long */
    bool by_census;      /* one was as long, and has what a census left: about so many objects */
};

/* Whether the layout tells where the collector is. */
bool pht_gc_is_known(const struct pht_python *python);

/*
 * `tracked` is how many objects of the process the collector knows of, as a census of all of it
 * has counted them, or PHT_UNKNOWN. `*ret` is NULL where no collector is found. False when memory
 * is short; free() releases the result.
 */
bool pht_gc_walk(struct pht_snapshot *snapshot, const struct pht_python *python, uint64_t tracked,
                 struct pht_gc **ret);

/* ---- free lists --------------------------------------------------------------------------- */

#define PHT_FREELISTS_MAX 24

/*
 * What is kept for the next object of a type: by the main interpreter from 3.10 on, by all of the
 * process before. `type` is in parentheses for what is no object. Bytes are those of the blocks,
 * without what debug hooks add; PHT_UNKNOWN where they differ in size. With PHT_UNKNOWN objects as
 * well, there is such a list, and the build does not show where it is.
 */
struct pht_freelist {
    const char *type;
    uint64_t objects;
    uint64_t bytes;
};

struct pht_freelists {
    struct pht_freelist items[PHT_FREELISTS_MAX]; /* largest first */
    size_t count; /* 0: not known. In free-threaded builds they are not looked for */
};

void pht_freelists_read(struct pht_snapshot *snapshot, const struct pht_python *python,
                        struct pht_freelists *ret);

/* What they have is no object, nor an object's: take it from what nobody owned. */
void pht_freelists_own(const struct pht_freelists *lists, struct pht_objects *objects);

/*
 * The free places of numbers are lists, too, which remain with their types: to be added when blocks
 * are owned, beside others. Where there are none, none are known.
 */
void pht_freelists_add_numbers(const struct pht_objects *objects, struct pht_freelists *lists);

/* ---- what no allocator owns --------------------------------------------------------------- */

enum pht_region_kind {
    PHT_REGION_STACK,        /* of a thread, with its thread-local storage */
    PHT_REGION_CACHED_STACK, /* of a thread that has ended, kept for the next one */
    PHT_REGION_TLS,          /* of the first thread, which the loader made */
    PHT_REGION_LOADER,       /* what the loader keeps of the libraries */
    PHT_REGION_RANDOM,       /* the C library's states for random numbers, 2.41 and later */
    PHT_REGION_BSS,          /* of a program or library, behind its file's pages */
    PHT_REGION_CODE,         /* executable, and of no file: made by a JIT, libffi and the like */
    PHT_REGION_KERNEL,       /* vdso and the like */
    PHT_REGION_FRAMES,       /* a chunk of a thread's frame stack, 3.11 and later */
    PHT_REGION_ARENA_ARRAY,  /* pymalloc's array of arena objects */
    PHT_REGION_ARENA_TREE,   /* nodes of its radix tree, 3.10 and later */
    PHT_REGION_INTERNED,     /* the table of interned strings */
};

const char *pht_region_kind_name(enum pht_region_kind kind);

struct pht_region {
    pht_addr start;
    pht_addr end;
    enum pht_region_kind kind;
    pid_t tid; /* whose stack or frames; 0: nobody's */
    uint64_t resident_bytes;
};

struct pht_regions {
    struct pht_region *items; /* by address */
    size_t count;
    size_t capacity;
};

/*
 * Find what lives in memory that no walker of an allocator has claimed, and claim it: files and
 * shared memory, stacks, .bss and so on; tables that lie in an allocator's memory are listed and
 * stay its own. `python`, `pymalloc` and `glibc` may be NULL: what they would lead to is not found
 * then. `has_other_allocator`: private anonymous memory that is left is its own. False when memory
 * is short.
 */
bool pht_regions_walk(struct pht_snapshot *snapshot, const struct pht_smaps *smaps,
                      const struct pht_pymalloc_roots *pymalloc,
                      const struct pht_glibc_roots *glibc, bool has_other_allocator,
                      struct pht_owners *owners, struct pht_regions *ret);

#endif
