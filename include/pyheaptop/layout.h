/*
 * Which CPython runs in a target, where its roots are and how its structs are laid out.
 *
 * Nothing here is keyed on a version number: releases differ from their neighbours (alignment in
 * 2.7.12 and 2.7.18, the interpreter state in 3.14.4 and 3.14.10). Offsets come from the debug
 * information of the very build, and what they lead to is proved again by the walkers.
 */
#ifndef PHT_LAYOUT_H
#define PHT_LAYOUT_H

#include "pyheaptop/target.h"

/* An offset, size or address that this build does not have, or that nothing could tell. */
#define PHT_UNKNOWN UINT64_MAX

enum pht_layout_source {
    PHT_LAYOUT_NONE,
    PHT_LAYOUT_DWARF,
};

enum pht_symbol_source {
    PHT_SYMBOL_NONE,
    PHT_SYMBOL_SYMTAB,
    PHT_SYMBOL_DYNSYM,
    PHT_SYMBOL_DWARF,
};

const char *pht_layout_source_name(enum pht_layout_source source);
const char *pht_symbol_source_name(enum pht_symbol_source source);

/*
 * Everything that is known of a build, one value a line:
 *
 *     SIZE(field, type)             sizeof(type)
 *     MEMBER(field, type, path)     offset of a member, "ref.count" for a nested one
 *     EXTENT(field, type, path)     size of that member
 *     ADDRESS(field, symbol)        link-time address of a variable or function
 *     LENGTH(field, symbol)         size of that variable
 *
 * The names in quotes are CPython's: Objects/obmalloc.c up to 3.11, from 3.12 on
 * Include/internal/pycore_obmalloc.h, pycore_interp.h, pycore_runtime.h. `_is` is the struct tag
 * of PyInterpreterState, `pyruntimestate` that of _PyRuntimeState.
 */
#define PHT_PYTHON_LAYOUT(SIZE, MEMBER, EXTENT, ADDRESS, LENGTH)                                   \
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
    /* 3.12 and later: a struct for each interpreter, inline (3.12) or pointed to */               \
    SIZE(obmalloc_bytes, "_obmalloc_state")                                                        \
    MEMBER(obmalloc_usedpools, "_obmalloc_state", "pools.used")                                    \
    EXTENT(obmalloc_usedpools_bytes, "_obmalloc_state", "pools.used")                              \
    MEMBER(obmalloc_arenas, "_obmalloc_state", "mgmt.arenas")                                      \
    MEMBER(obmalloc_maxarenas, "_obmalloc_state", "mgmt.maxarenas")                                \
    MEMBER(obmalloc_narenas, "_obmalloc_state", "mgmt.narenas_currently_allocated")                \
    MEMBER(obmalloc_ntimes_arena_allocated, "_obmalloc_state", "mgmt.ntimes_arena_allocated")      \
    MEMBER(obmalloc_narenas_highwater, "_obmalloc_state", "mgmt.narenas_highwater")                \
    SIZE(interp_bytes, "_is")                                                                      \
    MEMBER(interp_next, "_is", "next")                                                             \
    MEMBER(interp_id, "_is", "id")                                                                 \
    MEMBER(interp_obmalloc, "_is", "obmalloc")                                                     \
    EXTENT(interp_obmalloc_bytes, "_is", "obmalloc")                                               \
    SIZE(runtime_bytes, "pyruntimestate")                                                          \
    MEMBER(runtime_interpreters_head, "pyruntimestate", "interpreters.head")                       \
    MEMBER(runtime_object_malloc, "pyruntimestate", "allocators.standard.obj.malloc")              \
    MEMBER(runtime_debug_malloc, "pyruntimestate", "allocators.debug.obj.alloc.malloc")            \
    ADDRESS(runtime, "_PyRuntime")                                                                 \
    /* which allocator serves objects; statics from 3.6 to 3.11 */                                 \
    ADDRESS(object_allocator, "_PyObject")                                                         \
    ADDRESS(debug_allocators, "_PyMem_Debug")                                                      \
    MEMBER(allocator_malloc, "PyMemAllocatorEx", "malloc")                                         \
    SIZE(debug_api_bytes, "debug_alloc_api_t")                                                     \
    MEMBER(debug_api_malloc, "debug_alloc_api_t", "alloc.malloc")                                  \
    ADDRESS(pymalloc_function, "_PyObject_Malloc")                                                 \
    ADDRESS(malloc_function, "_PyMem_RawMalloc")                                                   \
    ADDRESS(debug_function, "_PyMem_DebugMalloc")                                                  \
    ADDRESS(mimalloc_function, "_PyObject_MiMalloc")

struct pht_python_layout {
#define PHT_FIELD_2(field, a) uint64_t field;
#define PHT_FIELD_3(field, a, b) uint64_t field;
    PHT_PYTHON_LAYOUT(PHT_FIELD_2, PHT_FIELD_3, PHT_FIELD_3, PHT_FIELD_2, PHT_FIELD_2)
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
    struct pht_python_layout layout;
    struct pht_error *layout_error;
};

struct pht_layout_options {
    /* Where resolved layouts are kept; NULL: not kept. Made if missing. */
    const char *cache_directory;
};

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
 * A cached layout led to data that does not fit: forget it and resolve anew. Returns false if it
 * did not come from the cache, so that trying again is of no use.
 */
bool pht_python_distrust_cache(const struct pht_python *python,
                               const struct pht_layout_options *options);

#endif
