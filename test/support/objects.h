/*
 * Python objects, written into a fake target as CPython would leave them. Offsets are written out
 * here by version once more, and share nothing with the table of the layouts.
 */
#ifndef PHT_TEST_SUPPORT_OBJECTS_H
#define PHT_TEST_SUPPORT_OBJECTS_H

#include "support/fake_target.h"
#include "walk/types.h"

#define OBJECTS_HEAP ((pht_addr)0x7f1200000000)
#define OBJECTS_HEAP_BYTES ((uint64_t)16 << 20)

/* Bits of tp_flags, as CPython has them. */
enum objects_flag {
    OBJECTS_INLINE_VALUES = 1 << 2,
    OBJECTS_MANAGED_DICT = 1 << 4,
    OBJECTS_HEAPTYPE = 1 << 9,
    OBJECTS_READY = 1 << 12,
    OBJECTS_GC = 1 << 14,
    OBJECTS_LIST = 1 << 25,
    OBJECTS_STR = 1 << 28,
    OBJECTS_BYTES = 1 << 27,
    OBJECTS_DICT = 1 << 29,
};

#define OBJECTS_TYPE ((uint64_t)1 << 31)

struct objects {
    struct fake_target *fake;
    struct pht_snapshot *snapshot;
    struct pht_python python;
    struct pht_object_layout layout;
    struct pht_types *types;
    pht_addr next; /* free memory from here on */
    pht_addr type_type;
    pht_addr object_type;
    pht_addr str_type;
    pht_addr dict_type;
    pht_addr module_key; /* the interned "__module__" */
};

/* With `type`, `object`, `str` and `dict` in it. */
struct objects *objects_create(unsigned major, unsigned minor);
void objects_destroy(struct objects *objects);

/* Start the table of types afresh. */
void objects_restart(struct objects *objects);

/* Zeros, aligned to 16. */
pht_addr objects_alloc(struct objects *objects, uint64_t bytes);
pht_addr objects_c_string(struct objects *objects, const char *text);

/* A str that is all ASCII; in 2.7 a byte string. */
pht_addr objects_str(struct objects *objects, const char *text);

/* A dict of 3.x, general keys, the entries in this order. */
pht_addr objects_dict(struct objects *objects, const pht_addr *keys, const pht_addr *values,
                      size_t count);

struct objects_type {
    const char *name; /* tp_name */
    uint64_t flags;   /* besides READY */
    uint64_t basicsize;
    uint64_t itemsize;
    pht_addr metatype; /* 0: type */
    pht_addr base;     /* 0: object */
    pht_addr qualname; /* of a heap type */
    pht_addr dict;
    size_t attributes; /* keys of instances, 3.13 and later; 0: no keys */
};

pht_addr objects_type(struct objects *objects, const struct objects_type *type);

/* A class as Python code makes it. */
pht_addr objects_class(struct objects *objects, const char *name, const char *module,
                       pht_addr base);

#endif
