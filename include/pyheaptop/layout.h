/*
 * Which CPython and which C library run in a target, where their roots are and how their structs
 * are laid out.
 *
 * Nothing here is keyed on a version number: releases differ from their neighbours (alignment in
 * 2.7.12 and 2.7.18, the interpreter state in 3.14.4 and 3.14.10). Offsets come from the debug
 * information of the very build; where there is none, from a release whose types the target's
 * memory proves. What they lead to is proved again by the walkers.
 */
#ifndef PHT_LAYOUT_H
#define PHT_LAYOUT_H

#include <stdio.h>

#include "pyheaptop/target.h"

/* An offset, size or address that this build does not have, or that nothing could tell. */
#define PHT_UNKNOWN UINT64_MAX

enum pht_layout_source {
    PHT_LAYOUT_NONE,
    PHT_LAYOUT_DWARF,
    PHT_LAYOUT_DEBUG_OFFSETS, /* what the interpreter says of itself: in part */
    PHT_LAYOUT_TABLE,         /* of elsewhere: out of a given file, or compiled in */
};

enum pht_symbol_source {
    PHT_SYMBOL_NONE,
    PHT_SYMBOL_SYMTAB,
    PHT_SYMBOL_DYNSYM,
    PHT_SYMBOL_DWARF,
    PHT_SYMBOL_SCAN, /* no symbol tells: found by what stands there */
};

const char *pht_layout_source_name(enum pht_layout_source source);
const char *pht_symbol_source_name(enum pht_symbol_source source);

/*
 * Where an interpreter counts what waits in a free list: a name of its own up to 3.12, then one
 * place for all lists, where the counter's name changed in 3.14. Tuples have a list for each
 * length.
 */
#define PHT_FREE_LIST(early, name)                                                                 \
    early "|object_state.freelists." name ".numfree|object_state.freelists." name ".size"
#define PHT_FREE_TUPLES                                                                            \
    "tuple.numfree|object_state.freelists.tuples.numfree|object_state.freelists.tuples"

/*
 * Everything that is known of a build, one value a line:
 *
 *     SIZE(field, type)             sizeof(type)
 *     MEMBER(field, type, path)     offset of a member, "ref.count" for a nested one
 *                                   "first|second": of the first of them that there is
 *     EXTENT(field, type, path)     size of that member
 *     ADDRESS(field, symbol)        link-time address of a variable or function
 *     LENGTH(field, symbol)         size of that variable
 *     STATIC(field, symbol, file)   the same two of a static that other files have as well: the
 *     EXPANSE(field, symbol, file)  address and size of the one that `file` defines
 *
 * The names in quotes are CPython's: Objects/obmalloc.c up to 3.11, from 3.12 on
 * Include/internal/pycore_obmalloc.h, pycore_interp.h, pycore_runtime.h. `_is` is the struct tag
 * of PyInterpreterState, `_ts` that of PyThreadState, `pyruntimestate` that of _PyRuntimeState.
 * Up to 3.11 obmalloc.c knows none of these three: Python/pystate.c does.
 */
#define PHT_PYTHON_LAYOUT(SIZE, MEMBER, EXTENT, ADDRESS, LENGTH, STATIC, EXPANSE)                  \
    SIZE(pool_header_bytes, "pool_header")                                                         \
    MEMBER(pool_count, "pool_header", "ref.count")                                                 \
    MEMBER(pool_freeblock, "pool_header", "freeblock")                                             \
    MEMBER(pool_arenaindex, "pool_header", "arenaindex")                                           \
    MEMBER(pool_szidx, "pool_header", "szidx")                                                     \
    MEMBER(pool_nextoffset, "pool_header", "nextoffset")                                           \
    MEMBER(pool_maxnextoffset, "pool_header", "maxnextoffset")                                     \
    SIZE(arena_object_bytes, "arena_object")                                                       \
    MEMBER(arena_address, "arena_object", "address")                                               \
    MEMBER(arena_pool_address, "arena_object", "pool_address")                                     \
    MEMBER(arena_nfreepools, "arena_object", "nfreepools")                                         \
    MEMBER(arena_ntotalpools, "arena_object", "ntotalpools")                                       \
    /* 2.7 to 3.11: statics of obmalloc.c */                                                       \
    ADDRESS(usedpools, "usedpools")                                                                \
    LENGTH(usedpools_bytes, "usedpools")                                                           \
    ADDRESS(arenas, "arenas")                                                                      \
    ADDRESS(maxarenas, "maxarenas")                                                                \
    ADDRESS(narenas, "narenas_currently_allocated")                                                \
    ADDRESS(ntimes_arena_allocated, "ntimes_arena_allocated")                                      \
    ADDRESS(narenas_highwater, "narenas_highwater")                                                \
    /* 3.10 and later: a tree of three levels that tells whose an address is */                    \
    SIZE(arena_map_mid_bytes, "arena_map_mid")                                                     \
    SIZE(arena_map_bot_bytes, "arena_map_bot")                                                     \
    ADDRESS(arena_map_root, "arena_map_root")                                                      \
    LENGTH(arena_map_root_bytes, "arena_map_root")                                                 \
    /* 3.12 and later: a struct for each interpreter, inline (3.12) or pointed to */               \
    SIZE(obmalloc_bytes, "_obmalloc_state")                                                        \
    MEMBER(obmalloc_usedpools, "_obmalloc_state", "pools.used")                                    \
    EXTENT(obmalloc_usedpools_bytes, "_obmalloc_state", "pools.used")                              \
    MEMBER(obmalloc_arenas, "_obmalloc_state", "mgmt.arenas")                                      \
    MEMBER(obmalloc_maxarenas, "_obmalloc_state", "mgmt.maxarenas")                                \
    MEMBER(obmalloc_narenas, "_obmalloc_state", "mgmt.narenas_currently_allocated")                \
    MEMBER(obmalloc_ntimes_arena_allocated, "_obmalloc_state", "mgmt.ntimes_arena_allocated")      \
    MEMBER(obmalloc_narenas_highwater, "_obmalloc_state", "mgmt.narenas_highwater")                \
    MEMBER(obmalloc_arena_map_root, "_obmalloc_state", "usage.arena_map_root")                     \
    EXTENT(obmalloc_arena_map_root_bytes, "_obmalloc_state", "usage.arena_map_root")               \
    SIZE(interp_bytes, "_is")                                                                      \
    MEMBER(interp_next, "_is", "next")                                                             \
    MEMBER(interp_id, "_is", "id")                                                                 \
    MEMBER(interp_obmalloc, "_is", "obmalloc")                                                     \
    EXTENT(interp_obmalloc_bytes, "_is", "obmalloc")                                               \
    MEMBER(interp_threads_head, "_is", "threads.head")                                             \
    MEMBER(interp_interned, "_is", "cached_objects.interned_strings")                              \
    MEMBER(interp_gc, "_is", "gc")                                                                 \
    /* free lists: how many wait; 3.10 to 3.12, then 3.13, then 3.14 and later */                  \
    MEMBER(free_floats, "_is", PHT_FREE_LIST("float_state.numfree", "floats"))                     \
    MEMBER(free_tuples, "_is", PHT_FREE_TUPLES)                                                    \
    EXTENT(free_tuples_bytes, "_is", PHT_FREE_TUPLES)                                              \
    MEMBER(free_lists, "_is", PHT_FREE_LIST("list.numfree", "lists"))                              \
    MEMBER(free_dicts, "_is", PHT_FREE_LIST("dict_state.numfree", "dicts"))                        \
    MEMBER(free_dict_keys, "_is", PHT_FREE_LIST("dict_state.keys_numfree", "dictkeys"))            \
    MEMBER(free_contexts, "_is", PHT_FREE_LIST("context.numfree", "contexts"))                     \
    MEMBER(free_async_values, "_is", PHT_FREE_LIST("async_gen.value_numfree", "async_gens"))       \
    MEMBER(free_async_sends, "_is", PHT_FREE_LIST("async_gen.asend_numfree", "async_gen_asends"))  \
    MEMBER(free_frames, "_is", "frame.numfree")                                                    \
    MEMBER(cached_slice, "_is", "slice_cache|object_state.freelists.slices.slice_cache")           \
    MEMBER(free_slices, "_is", "object_state.freelists.slices.size")                               \
    MEMBER(free_ints, "_is", "object_state.freelists.ints.size")                                   \
    MEMBER(free_complexes, "_is", "object_state.freelists.complexes.size")                         \
    MEMBER(free_list_iters, "_is", "object_state.freelists.list_iters.size")                       \
    MEMBER(free_tuple_iters, "_is", "object_state.freelists.tuple_iters.size")                     \
    MEMBER(free_ranges, "_is", "object_state.freelists.ranges.size")                               \
    MEMBER(free_range_iters, "_is", "object_state.freelists.range_iters.size")                     \
    MEMBER(free_future_iters, "_is", "object_state.freelists.futureiters.size")                    \
    MEMBER(free_str_writers, "_is", "object_state.freelists.unicode_writers.size")                 \
    MEMBER(free_bytes_writers, "_is", "object_state.freelists.bytes_writers.size")                 \
    MEMBER(free_functions, "_is", "object_state.freelists.pycfunctionobject.size")                 \
    MEMBER(free_class_methods, "_is", "object_state.freelists.pycmethodobject.size")               \
    MEMBER(free_methods, "_is", "object_state.freelists.pymethodobjects.size")                     \
    /* up to 3.9: statics; methods and functions up to 3.8, sets and strings in 2.7 only */        \
    STATIC(free_static_floats, "numfree", "Objects/floatobject.c")                                 \
    STATIC(free_static_tuples, "numfree", "Objects/tupleobject.c")                                 \
    EXPANSE(free_static_tuples_bytes, "numfree", "Objects/tupleobject.c")                          \
    STATIC(free_static_lists, "numfree", "Objects/listobject.c")                                   \
    STATIC(free_static_dicts, "numfree", "Objects/dictobject.c")                                   \
    STATIC(free_static_dict_keys, "numfreekeys", "Objects/dictobject.c")                           \
    STATIC(free_static_contexts, "ctx_freelist_len", "Python/context.c")                           \
    STATIC(free_static_async_values, "ag_value_freelist_free", "Objects/genobject.c")              \
    STATIC(free_static_async_sends, "ag_asend_freelist_free", "Objects/genobject.c")               \
    STATIC(free_static_frames, "numfree", "Objects/frameobject.c")                                 \
    STATIC(free_static_methods, "numfree", "Objects/classobject.c")                                \
    STATIC(free_static_functions, "numfree", "Objects/methodobject.c")                             \
    STATIC(free_static_sets, "numfree", "Objects/setobject.c")                                     \
    STATIC(free_static_unicodes, "numfree", "Objects/unicodeobject.c")                             \
    /* 2.7: the youngest of the blocks that ints, or floats, have their places in */               \
    STATIC(int_blocks, "block_list", "Objects/intobject.c")                                        \
    STATIC(float_blocks, "block_list", "Objects/floatobject.c")                                    \
    STATIC(cached_static_slice, "slice_cache", "Objects/sliceobject.c")                            \
    SIZE(runtime_bytes, "pyruntimestate")                                                          \
    MEMBER(runtime_interpreters_head, "pyruntimestate", "interpreters.head")                       \
    /* no walker reads it: it stands behind the head, and proves it */                             \
    MEMBER(runtime_interpreters_main, "pyruntimestate", "interpreters.main")                       \
    MEMBER(runtime_object_malloc, "pyruntimestate", "allocators.standard.obj.malloc")              \
    MEMBER(runtime_debug_malloc, "pyruntimestate", "allocators.debug.obj.alloc.malloc")            \
    MEMBER(runtime_gc, "pyruntimestate", "gc")                                                     \
    ADDRESS(runtime, "_PyRuntime")                                                                 \
    /* 3.11 and later: frames of Python functions stand in chunks of each thread state */          \
    SIZE(thread_bytes, "_ts")                                                                      \
    MEMBER(thread_next, "_ts", "next")                                                             \
    MEMBER(thread_native_id, "_ts", "native_thread_id")                                            \
    MEMBER(thread_frames, "_ts", "datastack_chunk")                                                \
    MEMBER(thread_spare_frames, "_ts", "datastack_cached_chunk")                                   \
    SIZE(frames_bytes, "_stack_chunk")                                                             \
    MEMBER(frames_previous, "_stack_chunk", "previous")                                            \
    MEMBER(frames_size, "_stack_chunk", "size")                                                    \
    MEMBER(frames_top, "_stack_chunk", "top")                                                      \
    /* which allocator serves objects; statics from 3.6 to 3.11 */                                 \
    ADDRESS(object_allocator, "_PyObject")                                                         \
    ADDRESS(debug_allocators, "_PyMem_Debug")                                                      \
    MEMBER(allocator_malloc, "PyMemAllocatorEx", "malloc")                                         \
    SIZE(debug_api_bytes, "debug_alloc_api_t")                                                     \
    MEMBER(debug_api_malloc, "debug_alloc_api_t", "alloc.malloc")                                  \
    ADDRESS(pymalloc_function, "_PyObject_Malloc")                                                 \
    ADDRESS(malloc_function, "_PyMem_RawMalloc")                                                   \
    ADDRESS(debug_function, "_PyMem_DebugMalloc")                                                  \
    ADDRESS(mimalloc_function, "_PyObject_MiMalloc")                                               \
    /* the collector: mem.h (3.7), pycore_pymem.h (3.8), pycore_gc.h, from 3.14 on                 \
     * pycore_interp_structs.h */                                                                  \
    SIZE(gc_bytes, "_gc_runtime_state")                                                            \
    MEMBER(gc_enabled, "_gc_runtime_state", "enabled")                                             \
    MEMBER(gc_generations, "_gc_runtime_state", "generations")                                     \
    EXTENT(gc_generations_bytes, "_gc_runtime_state", "generations")                               \
    /* in their place in the first releases of 3.14, whose collector is an incremental one */      \
    MEMBER(gc_young, "_gc_runtime_state", "young")                                                 \
    MEMBER(gc_old, "_gc_runtime_state", "old")                                                     \
    EXTENT(gc_old_bytes, "_gc_runtime_state", "old")                                               \
    MEMBER(gc_visited_space, "_gc_runtime_state", "visited_space")                                 \
    MEMBER(gc_generation0, "_gc_runtime_state", "generation0")                                     \
    MEMBER(gc_permanent, "_gc_runtime_state", "permanent_generation")                              \
    MEMBER(gc_stats, "_gc_runtime_state", "generation_stats")                                      \
    EXTENT(gc_stats_bytes, "_gc_runtime_state", "generation_stats")                                \
    MEMBER(gc_callbacks, "_gc_runtime_state", "callbacks")                                         \
    MEMBER(gc_garbage, "_gc_runtime_state", "garbage")                                             \
    SIZE(gc_stat_bytes, "gc_generation_stats")                                                     \
    MEMBER(gc_stat_collections, "gc_generation_stats", "collections")                              \
    MEMBER(gc_stat_collected, "gc_generation_stats", "collected")                                  \
    MEMBER(gc_stat_uncollectable, "gc_generation_stats", "uncollectable")                          \
    /* 3.15: what generation_stats points to, a ring of figures for each generation */             \
    MEMBER(gc_rings_young_index, "gc_stats", "young.index")                                        \
    MEMBER(gc_rings_old, "gc_stats", "old")                                                        \
    SIZE(gc_old_ring_bytes, "gc_old_stats_buffer")                                                 \
    MEMBER(gc_old_ring_index, "gc_old_stats_buffer", "index")                                      \
    /* up to 3.6: statics of Modules/gcmodule.c; 2.7 has no generation_stats */                    \
    ADDRESS(gc_static_generations, "generations")                                                  \
    LENGTH(gc_static_generations_bytes, "generations")                                             \
    ADDRESS(gc_static_generation0, "_PyGC_generation0")                                            \
    ADDRESS(gc_static_enabled, "enabled")                                                          \
    ADDRESS(gc_static_callbacks, "callbacks")                                                      \
    ADDRESS(gc_static_garbage, "garbage")                                                          \
    ADDRESS(gc_static_stats, "generation_stats")                                                   \
    LENGTH(gc_static_stats_bytes, "generation_stats")                                              \
    /* the dict of interned strings, up to 3.11: Objects/unicodeobject.c, 2.7: stringobject.c */   \
    ADDRESS(interned, "interned")                                                                  \
    /* what every chain of types ends at; exported by all versions, Objects/typeobject.c */        \
    ADDRESS(type_type, "PyType_Type")                                                              \
    /* 2.7 with characters of two bytes; with four it is called PyUnicodeUCS4_... */               \
    ADDRESS(narrow_unicode, "PyUnicodeUCS2_FromUnicode")

struct pht_python_layout {
#define PHT_FIELD_2(field, a) uint64_t field;
#define PHT_FIELD_3(field, a, b) uint64_t field;
    PHT_PYTHON_LAYOUT(PHT_FIELD_2, PHT_FIELD_3, PHT_FIELD_3, PHT_FIELD_2, PHT_FIELD_2, PHT_FIELD_3,
                      PHT_FIELD_3)
#undef PHT_FIELD_2
#undef PHT_FIELD_3
};

/* Structs that walkers copy one by one (pool_header, arena_object: 48 bytes) are no larger. */
#define PHT_COPIED_STRUCT_MAX 256

struct pht_version {
    unsigned major;
    unsigned minor;
    unsigned micro;
};

/*
 * The interpreter in a target. Addresses in `layout` are as linked; `bias` added gives those of
 * this process. `layout_error` says why there is no layout (layout_source is then NONE) and what
 * would help; the rest is known all the same.
 */
struct pht_python {
    struct pht_version version;
    char version_text[32]; /* "3.15.0rc2" */
    bool free_threaded;
    bool debug_build;
    char *image;        /* path as the target sees it */
    char build_id[129]; /* hex, "" if the file has none */
    uint64_t bias;
    enum pht_layout_source layout_source;
    enum pht_symbol_source symbol_source;
    bool cached;
    bool carried;            /* from the file that was given */
    bool is_partial;         /* no table has the release: its own structs are not known */
    char lent_build_id[129]; /* of a debug file of another build, whose types these are; or "" */
    char odd_process[32];    /* see pht_python_keep_doubted(); "" if there is none */
    struct pht_python_layout layout;
    struct pht_error *layout_error;
};

struct pht_layout_file;

struct pht_layout_options {
    /* Where resolved layouts are kept; NULL: not kept. Made if missing. */
    const char *cache_directory;
    /* Who writes there in a sandbox; NULL: this process does. */
    struct pht_steward *steward;
    /* Layouts that were resolved elsewhere, which come before all others; or NULL. */
    const struct pht_layout_file *file;
    /* Neither debug information nor what the cache has of it: tables and scans only. */
    bool no_dwarf;
    /* Nothing that is compiled in, for who wants what this very build is. */
    bool no_tables;
};

/* The steward's part of it (PHT_DUTY_CACHE); `context` is the name of the directory, or NULL. */
int pht_cache_perform(void *context, struct pht_errand *errand);

/* The steward's part of asking servers for debug files (PHT_DUTY_DEBUG_FILE); no `context`. */
int pht_debuginfod_perform(void *context, struct pht_errand *errand);

/*
 * Find the interpreter among the target's mappings and resolve its layout. A target without one
 * is an error: PHT_ERROR_NOT_PYTHON, PYTHON_CHILD, PYPY, NOT_INITIALISED, UNSUPPORTED_ARCH.
 */
struct pht_error *pht_python_find(struct pht_target *target, const struct pht_maps *maps,
                                  const struct pht_layout_options *options,
                                  struct pht_python **ret);
void pht_python_destroy(struct pht_python *python);

/* The error for a runtime that has nothing to read yet, or no longer. `python` may be NULL. */
struct pht_error *pht_python_not_initialised(const struct pht_target *target,
                                             const struct pht_python *python);

/*
 * A cached layout led to data that does not fit in `process`: forget it and resolve anew. Returns
 * false if trying again is of no use: it did not come from the cache, or the debug information
 * has already said the same when this process was odd before.
 */
bool pht_python_distrust_cache(const struct pht_python *python, const struct pht_process *process,
                               const struct pht_layout_options *options);

/*
 * A layout was distrusted, and is right all the same: what does not fit is the process's own.
 * Keep it, and that this process is odd, so that its later reports cost no more than others.
 */
void pht_python_keep_doubted(struct pht_python *python, const struct pht_process *process,
                             const struct pht_layout_options *options);

/* ---- Python objects ----------------------------------------------------------------------- */

/*
 * These go by the version, unlike all above: extensions are compiled against them, so that they
 * hold for a whole series. Still, each type and each size is checked before it is believed.
 *
 * Offsets that are the same in all versions from 2.7 to 3.15: Include/object.h, and from 3.8 on
 * Include/cpython/object.h. Checked with the DWARF of 2.7.18, 3.6.15, 3.7.16, 3.8.18, 3.9.18,
 * 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.14.10 and 3.15.2, as is all below.
 */
enum pht_object_offset {
    PHT_OBJECT_TYPE = 8,
    PHT_OBJECT_SIZE = 16, /* of a PyVarObject */
    PHT_TYPE_NAME = 24,
    PHT_TYPE_BASICSIZE = 32,
    PHT_TYPE_ITEMSIZE = 40,
    PHT_TYPE_FLAGS = 168,
    PHT_TYPE_BASE = 256,
    PHT_TYPE_DICT = 264,
    PHT_TYPE_DICTOFFSET = 288,
    PHT_MMAP_DATA = 16, /* of an mmap_object: Modules/mmapmodule.c */
    PHT_MMAP_SIZE = 24,
    PHT_MMAP_BYTES_MIN = 32,
};

/*
 * A block of ints, or of floats, of 2.7, of 992 bytes from malloc: struct _intblock of
 * Objects/intobject.c, struct _floatblock of Objects/floatobject.c, both of 2.7.18. A place that is
 * free has a link where an object has its type, 0 in the last; the references of one that was never
 * used are what malloc left there.
 */
#define PHT_NUMBER_PLACES 41

struct pht_number_block {
    pht_addr next;
    struct pht_number_place {
        uint64_t references;
        pht_addr type_or_link;
        uint64_t value;
    } places[PHT_NUMBER_PLACES];
};

/* Bits of tp_flags. INT is of 2.7 only; LONG is the int of 3.x, BYTES the str of 2.7. */
enum pht_type_flag {
    PHT_TYPE_HEAPTYPE = 1 << 9,
    PHT_TYPE_READY = 1 << 12,
    PHT_TYPE_HAVE_GC = 1 << 14,
    PHT_TYPE_LONG_SUBCLASS = 1 << 24,
    PHT_TYPE_LIST_SUBCLASS = 1 << 25,
    PHT_TYPE_TUPLE_SUBCLASS = 1 << 26,
    PHT_TYPE_BYTES_SUBCLASS = 1 << 27,
    PHT_TYPE_UNICODE_SUBCLASS = 1 << 28,
    PHT_TYPE_DICT_SUBCLASS = 1 << 29,
};

#define PHT_TYPE_TYPE_SUBCLASS ((uint32_t)1 << 31)

/* How a dict keeps its entries: Objects/dictobject.c. */
enum pht_dict_form {
    PHT_DICT_TABLE, /* 2.7: one table of entries, small ones inside the dict */
    PHT_DICT_SIZED, /* 3.6 to 3.10: keys with their size as a number */
    PHT_DICT_LOG2,  /* 3.11 and later: keys with the logarithm of their size, and kinds of them */
};

/* Where the attributes of an instance are while it has no dict: Include/internal/pycore_dict.h. */
enum pht_values_form {
    PHT_VALUES_IN_DICT,  /* up to 3.10: nowhere; those of a split dict are a plain array */
    PHT_VALUES_POINTED,  /* 3.11: pointer in front of the object */
    PHT_VALUES_TAGGED,   /* 3.12: the same word is a dict or, with bit 0, values */
    PHT_VALUES_EMBEDDED, /* 3.13 and later: behind the object */
};

/*
 * What differs by version. Offsets are from the start of the object, and 0 for what a version does
 * not have. The table of them, with its sources, is in lib/layout/object_layout.c.
 */
struct pht_object_layout {
    unsigned minor; /* 7 for 2.7, 6 and later for 3.x */
    bool is_python2;
    uint16_t gc_head_bytes;
    uint32_t managed_flags;     /* with one of them, two words stand before the collector's head */
    uint32_t managed_dict_flag; /* one of those two is of the __dict__ */
    uint32_t inline_flag;       /* values stand behind the object */
    enum pht_dict_form dict_form;
    enum pht_values_form values_form;
    uint16_t type_bytes; /* PyTypeObject, PyHeapTypeObject */
    uint16_t heap_type_bytes;
    uint16_t type_qualname;
    uint16_t type_cached_keys;
    uint16_t type_owned_name; /* _ht_tpname */
    uint16_t str_ascii_bytes; /* PyASCIIObject, PyCompactUnicodeObject, PyUnicodeObject */
    uint16_t str_compact_bytes;
    uint16_t str_bytes;
    uint16_t str_char_bytes; /* 2.7 only: 2 or 4, as it was configured */
    uint16_t str_utf8_length;
    uint16_t str_utf8;
    uint16_t str_wstr;
    uint16_t str_wstr_length;
    uint16_t str_data;   /* of one that is not compact; 2.7: of all */
    uint16_t keys_bytes; /* head of PyDictKeysObject */
    uint16_t set_smalltable;
    uint16_t bytearray_alloc;
    uint16_t bytearray_start;  /* of its memory: ob_bytes */
    uint16_t bytearray_object; /* 3.15: the bytes object that has its memory */
    uint16_t deque_bytes;
    uint16_t deque_length;
    uint16_t deque_first_block;
    uint16_t deque_first_index;
    uint16_t deque_block_slots; /* pointers in a block, besides those to its neighbours */
    uint16_t deque_next_block;  /* offsets in a block of the pointers to its neighbours */
    uint16_t deque_last_block;
    uint16_t deque_spare_count;
    uint16_t deque_spares;
    uint16_t array_bytes;
    uint16_t code_stacksize;
    uint16_t code_locals; /* their number: co_nlocals, from 3.11 on co_nlocalsplus */
    uint16_t code_freevars;
    uint16_t code_cellvars;
    uint16_t code_cell2arg;
    uint16_t code_bytecode; /* co_code */
    uint16_t code_opcache_map;
    uint16_t code_opcache;
    uint16_t code_opcache_size;
    uint16_t code_extra;
    uint16_t code_cached;     /* 3.11: _co_linearray; later _co_cached */
    uint16_t code_monitoring; /* _co_monitoring */
    uint16_t frame_bytes;     /* PyFrameObject; from 3.11 on without _f_frame_data */
    uint16_t frame_code;      /* f_code; from 3.11 on f_frame */
    uint16_t generator_bytes; /* 3.11 and later: without gi_iframe */
    uint16_t generator_code;
    uint16_t inner_frame_bytes; /* _PyInterpreterFrame without its locals and stack */
    uint16_t inner_frame_code;
};

/*
 * False for what is not known, so that no object can be told: free-threaded builds, debug builds
 * up to 3.7 (Py_TRACE_REFS puts two words in front of each object), other versions.
 */
bool pht_object_layout_find(const struct pht_python *python, struct pht_object_layout *ret);

/* ---- other allocators --------------------------------------------------------------------- */

/* jemalloc, tcmalloc, mimalloc: which of them a program has loaded, as a library or within. */
#define PHT_FOREIGN_ALLOCATORS 3

struct pht_foreign_allocator {
    const char *name;   /* "jemalloc" */
    char image[256];    /* path as the target sees it, cut if it is longer */
    bool serves_malloc; /* it exports malloc(), so that C code gets its memory from it */
};

/*
 * Look through the files that are mapped: by their names, and where a name tells nothing by the
 * symbols that only these allocators have. Returns how many were found.
 */
size_t pht_foreign_allocators_find(struct pht_target *target, const struct pht_maps *maps,
                                   struct pht_foreign_allocator ret[PHT_FOREIGN_ALLOCATORS]);

/* ---- the C library ------------------------------------------------------------------------ */

enum pht_libc_family {
    PHT_LIBC_GLIBC,
    PHT_LIBC_MUSL,
    PHT_LIBC_OTHER,
};

const char *pht_libc_family_name(enum pht_libc_family family);

/*
 * Everything that is known of a build of glibc's malloc. As PHT_PYTHON_LAYOUT, and:
 *
 *     TLS(field, symbol)            offset of a variable in the thread-local block of its file
 *
 * The names in quotes are glibc's: malloc/malloc.c, from 2.17 to 2.44. What only some of them
 * have: fastbinsY up to 2.42, hp_pagesize from 2.35, tcache_perthread_struct from 2.26 (`counts`
 * up to 2.41, `num_slots` later), tcache_entry's key from 2.29, the variable tcache_key from 2.34.
 */
#define PHT_LIBC_LAYOUT(SIZE, MEMBER, EXTENT, ADDRESS, LENGTH, TLS)                                \
    SIZE(state_bytes, "malloc_state")                                                              \
    MEMBER(state_mutex, "malloc_state", "mutex")                                                   \
    MEMBER(state_flags, "malloc_state", "flags")                                                   \
    MEMBER(state_fastbins, "malloc_state", "fastbinsY")                                            \
    EXTENT(state_fastbins_bytes, "malloc_state", "fastbinsY")                                      \
    MEMBER(state_top, "malloc_state", "top")                                                       \
    MEMBER(state_bins, "malloc_state", "bins")                                                     \
    EXTENT(state_bins_bytes, "malloc_state", "bins")                                               \
    MEMBER(state_next, "malloc_state", "next")                                                     \
    MEMBER(state_system_mem, "malloc_state", "system_mem")                                         \
    MEMBER(state_max_system_mem, "malloc_state", "max_system_mem")                                 \
    SIZE(heap_bytes, "_heap_info")                                                                 \
    MEMBER(heap_arena, "_heap_info", "ar_ptr")                                                     \
    MEMBER(heap_prev, "_heap_info", "prev")                                                        \
    MEMBER(heap_size, "_heap_info", "size")                                                        \
    SIZE(params_bytes, "malloc_par")                                                               \
    MEMBER(params_trim_threshold, "malloc_par", "trim_threshold")                                  \
    MEMBER(params_top_pad, "malloc_par", "top_pad")                                                \
    MEMBER(params_mmap_threshold, "malloc_par", "mmap_threshold")                                  \
    MEMBER(params_arena_max, "malloc_par", "arena_max")                                            \
    MEMBER(params_thp_pagesize, "malloc_par", "thp_pagesize")                                      \
    MEMBER(params_hp_pagesize, "malloc_par", "hp_pagesize")                                        \
    MEMBER(params_n_mmaps, "malloc_par", "n_mmaps")                                                \
    MEMBER(params_max_n_mmaps, "malloc_par", "max_n_mmaps")                                        \
    MEMBER(params_no_dyn_threshold, "malloc_par", "no_dyn_threshold")                              \
    MEMBER(params_mmapped_mem, "malloc_par", "mmapped_mem")                                        \
    MEMBER(params_max_mmapped_mem, "malloc_par", "max_mmapped_mem")                                \
    MEMBER(params_sbrk_base, "malloc_par", "sbrk_base")                                            \
    MEMBER(params_tcache_max_bytes, "malloc_par", "tcache_max_bytes")                              \
    MEMBER(params_tcache_count, "malloc_par", "tcache_count")                                      \
    SIZE(tcache_bytes, "tcache_perthread_struct")                                                  \
    MEMBER(tcache_counts, "tcache_perthread_struct", "counts")                                     \
    EXTENT(tcache_counts_bytes, "tcache_perthread_struct", "counts")                               \
    MEMBER(tcache_slots, "tcache_perthread_struct", "num_slots")                                   \
    EXTENT(tcache_slots_bytes, "tcache_perthread_struct", "num_slots")                             \
    MEMBER(tcache_entries, "tcache_perthread_struct", "entries")                                   \
    EXTENT(tcache_entries_bytes, "tcache_perthread_struct", "entries")                             \
    MEMBER(tcache_entry_key, "tcache_entry", "key")                                                \
    ADDRESS(main_arena, "main_arena")                                                              \
    ADDRESS(params, "mp_")                                                                         \
    ADDRESS(tcache_key, "tcache_key")                                                              \
    ADDRESS(current_break, "__curbrk")                                                             \
    /* getrandom.c, 2.41 and later */                                                              \
    ADDRESS(random, "grnd_alloc")                                                                  \
    LENGTH(random_bytes, "grnd_alloc")                                                             \
    TLS(tcache, "tcache")                                                                          \
    TLS(thread_arena, "thread_arena")

struct pht_libc_layout {
#define PHT_FIELD_2(field, a) uint64_t field;
#define PHT_FIELD_3(field, a, b) uint64_t field;
    PHT_LIBC_LAYOUT(PHT_FIELD_2, PHT_FIELD_3, PHT_FIELD_3, PHT_FIELD_2, PHT_FIELD_2, PHT_FIELD_2)
#undef PHT_FIELD_2
#undef PHT_FIELD_3
};

/*
 * How to walk a process's threads, and to find their thread-local variables. From the records
 * that glibc keeps for debuggers (nptl_db/structs.def: _thread_db_*, each {bits, count, offset}),
 * which stand in libc.so.6 from 2.34 on, in libpthread.so.0 before; and from the dynamic loader.
 *
 * The heads are of circular lists (struct list_head {next, prev}) through the members `list` of
 * struct pthread. On x86-64 a thread-local variable of a file stands at
 * `pthread - link_map.l_tls_offset + offset of the variable`.
 */
struct pht_thread_layout {
    bool known;
    pht_addr stack_lists[2];      /* addresses of the list heads: stacks glibc made, and others */
    pht_addr stack_cache;         /* stacks of threads that have ended; 0: not known */
    uint64_t pthread_bytes;       /* size of struct pthread; 0: not known */
    uint64_t pthread_list;        /* offset in struct pthread of `list` */
    uint64_t pthread_tid;         /* and of `tid`, 32 bits; 0 for a thread that has ended */
    pht_addr debug;               /* address of the loader's struct r_debug, see <link.h> */
    uint64_t link_map_tls_offset; /* offset in struct link_map of `l_tls_offset` */
};

/*
 * The C library of a target. Addresses in `layout` are as linked; `bias` added gives those of
 * this process. `layout_error` as in struct pht_python; it is NULL, and there is no layout, for a
 * library that is not glibc.
 */
struct pht_libc {
    enum pht_libc_family family;
    char version_text[16]; /* "2.36", "" if the file does not tell */
    char *image;           /* path as the target sees it */
    char build_id[129];
    uint64_t bias;
    pht_addr start; /* all that is mapped of the file lies in [start, end), its .bss too */
    pht_addr end;
    enum pht_layout_source layout_source;
    enum pht_symbol_source symbol_source;
    bool cached;
    bool carried;         /* out of the file that was given */
    char odd_process[32]; /* as in struct pht_python */
    struct pht_libc_layout layout;
    struct pht_thread_layout threads;
    struct pht_error *layout_error;
};

/* `*ret` is NULL if no C library is mapped. Errors: memory only. */
struct pht_error *pht_libc_find(struct pht_target *target, const struct pht_maps *maps,
                                const struct pht_layout_options *options, struct pht_libc **ret);
void pht_libc_destroy(struct pht_libc *libc);

/* As pht_python_distrust_cache() and pht_python_keep_doubted(). */
bool pht_libc_distrust_cache(const struct pht_libc *libc, const struct pht_process *process,
                             const struct pht_layout_options *options);
void pht_libc_keep_doubted(struct pht_libc *libc, const struct pht_process *process,
                           const struct pht_layout_options *options);

/* ---- layouts that are carried to another machine ------------------------------------------ */

/*
 * A file of such layouts, as pht_layout_dump() writes it; each goes by the build-id of what it
 * describes. PHT_ERROR_FROM_FILE: it cannot be read, is none, is damaged, or of another version.
 */
struct pht_error *pht_layout_file_open(const char *path, struct pht_layout_file **ret);
void pht_layout_file_close(struct pht_layout_file *file);

/*
 * Write the layouts of a process's interpreter and C library, or of the one that a file is. Errors:
 * there is none in it, it has no debug information, or no build-id.
 */
struct pht_error *pht_layout_dump(struct pht_target *target,
                                  const struct pht_layout_options *options, FILE *file);
struct pht_error *pht_layout_dump_image(const char *path, FILE *file);

#endif
