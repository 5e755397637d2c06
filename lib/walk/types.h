/*
 * Which addresses are types of Python, and what a census needs to know of each.
 *
 * A type is proved, never assumed: its own chain of types ends at `type` itself, its name is a
 * string, its sizes are sane. What was found is kept by address. What was found not to be one is
 * kept too, but in a table of fixed size, since a heap may hold any number of words that look like
 * the address of a type.
 *
 * Two types of one name stay two. No type is ever released before the whole table is, which is
 * good for one census: a class that the target drops stays in it.
 */
#ifndef PHT_LIB_WALK_TYPES_H
#define PHT_LIB_WALK_TYPES_H

#include "pyheaptop/walk.h"

/* What has a rule of its own for its size or its buffers, and all classes derived from it. */
enum pht_kind {
    PHT_KIND_GENERIC, /* tp_basicsize and tp_itemsize say it all */
    PHT_KIND_TYPE,
    PHT_KIND_STR,   /* unicode of 2.7 */
    PHT_KIND_BYTES, /* str of 2.7 */
    PHT_KIND_INT,   /* long of 2.7; its int is generic */
    PHT_KIND_LIST,
    PHT_KIND_TUPLE,
    PHT_KIND_DICT,
    PHT_KIND_ORDERED_DICT,
    PHT_KIND_SET,
    PHT_KIND_FROZENSET,
    PHT_KIND_BYTEARRAY,
    PHT_KIND_ARRAY, /* array.array */
    PHT_KIND_DEQUE,
    PHT_KIND_MMAP, /* mmap.mmap */
    PHT_KIND_CODE,
    PHT_KIND_FRAME,
    PHT_KIND_GENERATOR, /* coroutines and asynchronous generators too */
    PHT_KIND_BUFFERED,  /* _io.BufferedReader, BufferedWriter, BufferedRandom */
    PHT_KIND_BYTES_IO,
    PHT_KIND_STRING_IO,
    PHT_KIND_CDATA,   /* ctypes */
    PHT_KIND_NDARRAY, /* numpy */
    PHT_KIND_ZLIB_COMPRESS,
    PHT_KIND_ZLIB_DECOMPRESS,
    PHT_KIND_ZLIB_DECOMPRESSOR, /* zlib._ZlibDecompressor */
    PHT_KIND_BZ2_COMPRESSOR,
    PHT_KIND_BZ2_DECOMPRESSOR,
    PHT_KIND_LZMA_COMPRESSOR,
    PHT_KIND_LZMA_DECOMPRESSOR,
    PHT_KIND_PICKLER,      /* _pickle.Pickler, not cPickle's of 2.7 */
    PHT_KIND_UNPICKLER,    /* _pickle.Unpickler */
    PHT_KIND_PICKLE_STACK, /* _pickle.Pdata */
    PHT_KINDS,
};

/* Names are cut at this many bytes, but not within a character. */
#define PHT_TYPE_NAME_MAX 512

struct pht_type {
    pht_addr address;
    const char *name;   /* any bytes; "Outer.Inner" where the version has __qualname__; "" if the
                           page of a static type's name is not loaded */
    const char *module; /* "builtins", in 2.7 "__builtin__", for a static type that names none */
    enum pht_kind kind;
    uint32_t index; /* 0, 1, 2, ... in the order in which they were found */
    uint32_t basicsize;
    uint32_t itemsize;
    uint32_t flags; /* tp_flags; its upper half is not used on 64 bits */
    int64_t dictoffset;
    bool has_gc;           /* of instances; of PHT_KIND_TYPE those that are static have none */
    bool is_heap_type;     /* it is an object in the heap itself */
    bool has_managed_dict; /* words for __dict__ in front of the object: 3.11 and later */
    uint32_t prefix_bytes; /* from the start of the block to the object */
    uint32_t inline_bytes; /* of values behind basicsize, at least: 3.13 and later */
};

struct pht_types;

/*
 * True if an object can begin there: user space ends at 2^47 on x86-64, with tables of four levels.
 * pht_word_read() is asked of no other address.
 */
static inline bool pht_object_may_be_at(pht_addr address)
{
    return address % 8 == 0 && address >= PHT_PAGE_BYTES && address < (pht_addr)1 << 47;
}

/*
 * The table keeps `snapshot` and `layout`, which comes from pht_object_layout_find(). NULL when
 * memory is short.
 */
struct pht_types *pht_types_create(struct pht_snapshot *snapshot, const struct pht_python *python,
                                   const struct pht_object_layout *layout);
void pht_types_destroy(struct pht_types *types);

/*
 * No type lies in these, by address, so that none has to be read there: the arenas of pymalloc,
 * whose blocks have at most 512 bytes when a class needs more than 850. The table keeps `ranges`.
 */
void pht_types_exclude(struct pht_types *types, const struct pht_range *ranges, size_t count);

/* NULL if `address` is not a type, or memory is short. Reads from the target the first time. */
const struct pht_type *pht_types_find(struct pht_types *types, pht_addr address);

/* The same of those that were found before: nothing is read. */
const struct pht_type *pht_types_known(const struct pht_types *types, pht_addr address);

/* A type as another table has it, under an index of this one. NULL when memory is short. */
const struct pht_type *pht_types_adopt(struct pht_types *types, const struct pht_type *type);

/* Forget what proved not to be a type: something else may stand there by now. */
void pht_types_look_again(struct pht_types *types);

/* How many were found, and one of them by its index. */
size_t pht_types_count(const struct pht_types *types);
const struct pht_type *pht_types_get(const struct pht_types *types, size_t index);

struct pht_types_stats {
    uint64_t refused;  /* reads of what proved not to be a type */
    uint64_t left_out; /* types beyond the number that is kept */
    bool no_memory;    /* types were left out for want of memory */
};

struct pht_types_stats pht_types_stats(const struct pht_types *types);

#endif
